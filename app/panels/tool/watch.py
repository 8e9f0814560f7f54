"""What watches it: the rules that judge the tool, how they stand, and its newest alerts."""

from __future__ import annotations

from dataclasses import dataclass

from ...model import formats
from ...model.rules import is_of_tools, matches
from ...model.windows import Window
from ...sources import Sources
from ..alerting import words
from ..alerting.history import Row, row_of

_RULES, _ALERTS = 12, 5


@dataclass(frozen=True, slots=True)
class Judge:
    """A rule; `severity` and `alert` are of what it has raised here, "ok" and 0 if it is quiet."""

    id: int
    name: str
    condition: str
    severity: str
    since_s: float | None
    alert: int
    enabled: bool


@dataclass(frozen=True, slots=True)
class ToolWatch:
    """The rules, those that fire first, and the newest alerts. `more` rules are not in the list."""

    rules: tuple[Judge, ...]
    more: int
    alerts: tuple[Row, ...]


def tool_watch(window: Window, sources: Sources, now_s: float, *, tool: str) -> ToolWatch:  # noqa: ARG001 - every panel is asked alike
    """As it stands now; the window does not matter."""
    stored = sources.rules()
    active = {one.type: one for one in sources.alerts() if one.tool == tool}
    judges = []
    for one in stored:
        rule = one.rule
        if rule.kind == "digest" or not is_of_tools(rule) or not matches(rule.tools, tool):
            continue
        alert = active.get(one.type)
        limits = " and ".join(words.limit_text(rule, level.threshold) for level in rule.levels)
        judged = words.raised(words.condition(rule))
        judges.append(
            Judge(
                id=one.id,
                name=formats.shorten(rule.name, 100),
                condition=judged if rule.kind == "objective" else f"{judged}, {rule.condition} {limits}",
                severity=alert.severity if alert else "ok" if rule.enabled else "unknown",
                since_s=alert.since_s if alert else None,
                alert=alert.id if alert else 0,
                enabled=rule.enabled,
            )
        )
    judges.sort(key=lambda one: (one.since_s is None, not one.enabled))
    rules = {one.type: one.rule for one in stored}
    newest = sources.newest_alerts(_ALERTS, tool)
    rows = tuple(row_of(one, rules.get(one.type), now_s) for one in newest)
    return ToolWatch(tuple(judges[:_RULES]), max(0, len(judges) - _RULES), rows)
