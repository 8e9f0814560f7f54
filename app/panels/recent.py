"""What happened lately: the alerts that were opened last, whether they are over or not."""

from __future__ import annotations

from dataclasses import dataclass

from ..model.windows import Window
from ..sources import Sources
from .alerting.history import Row, row_of

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Recent:
    """The newest alerts, newest first."""

    rows: tuple[Row, ...]


def recent(window: Window, sources: Sources, now_s: float) -> Recent:  # noqa: ARG001 - every panel is asked alike
    """The newest of all, however long ago."""
    rules = {one.type: one.rule for one in sources.rules()}
    newest = sources.newest_alerts(SHOWN)
    return Recent(tuple(row_of(one, rules.get(one.type), now_s) for one in newest))
