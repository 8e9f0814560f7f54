"""Silences: for a while nobody is told of what they cover; it is judged and shown all the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .alerting import SEVERITIES
from .rules import matches


@dataclass(frozen=True, slots=True)
class Silence:
    """Covers alerts in [start_s, end_s), Unix seconds; a start that lies ahead is a planned maintenance.

    Empty members cover everything: `type` of a rule, `tools` as in a rule, and `severity`, up to which.
    """

    id: int
    start_s: float
    end_s: float
    type: str = ""
    tools: tuple[str, ...] = ()
    severity: str = ""
    reason: str = ""
    author: str = ""

    def covers(self, type: str, tool: str, severity: str, now_s: float) -> bool:
        """Whether an alert is silenced by it now."""
        return (
            self.start_s <= now_s < self.end_s
            and self.type in ("", type)
            and (not self.tools or matches(self.tools, tool))
            and (not self.severity or SEVERITIES.index(severity) <= SEVERITIES.index(self.severity))
        )


def covering(
    silences: Iterable[Silence], type: str, tool: str, severity: str, now_s: float
) -> Silence | None:
    """The silence that covers an alert for longest; None for one that people are told of."""
    found = [one for one in silences if one.covers(type, tool, severity, now_s)]
    return max(found, key=lambda one: one.end_s, default=None)
