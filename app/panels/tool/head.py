"""Which tool it is and how it is: its name, its worst alert, and whether it was ever called."""

from __future__ import annotations

from dataclasses import dataclass

from ...model import formats
from ...model.alerting import SEVERITIES, UNJUDGED
from ...model.series import EMPTY
from ...model.windows import Window
from ...sources import Sources
from ..alerting import words


@dataclass(frozen=True, slots=True)
class ToolHead:
    """The tool's state: `severity` of its worst alert, empty without one, and the words that stand beside it.

    `alert` is that alert's number, `more` how many others are active. `is_known`: it was called in the
    window or since the start.
    """

    tool: str
    severity: str
    say: str
    alert: int
    more: int
    is_known: bool
    is_judged: bool


def tool_head(window: Window, sources: Sources, now_s: float, *, tool: str) -> ToolHead:
    """The worst active alert decides, of two alike the older."""
    active = [one for one in sources.alerts() if one.tool == tool]
    called = sources.traffic(window).tools.get(tool, EMPTY).requests
    is_known = called > 0 or tool in sources.snapshot().tools
    if not active:
        say = f"{formats.plural(called, 'request')} in {formats.length(window.name)}"
        return ToolHead(tool, "", say, 0, 0, is_known, tool not in UNJUDGED)
    worst = min(active, key=lambda one: (-SEVERITIES.index(one.severity), one.since_s))
    rule = next((one.rule for one in sources.rules() if one.type == worst.type), None)
    name = formats.shorten(rule.name if rule else worst.type.replace("_", " "), 80)
    say = f"{name} for {formats.duration(now_s - worst.since_s)}: {words.sentence(worst, rule)}"
    return ToolHead(
        tool, worst.severity, say, worst.id, len(active) - 1, is_known=True, is_judged=tool not in UNJUDGED
    )
