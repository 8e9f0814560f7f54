"""What a notice shows beside its alert: the course of the last hour, and the tools that were worst in it."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.alerting import Alert
from ..model.metrics import OF_THE_MACHINE
from ..model.objectives import burn_rate
from ..model.readings import value_of
from ..model.rules import INSTANCE_GONE, TOGETHER, Rule, is_of_tools, matches
from ..model.series import Series
from ..model.windows import Window, named
from ..sources import Sources

WORST = 5


def course(rule: Rule, alert: Alert, now_s: float, sources: Sources) -> Sequence[float | None]:
    """The values of the alert's rule over the last hour, oldest first; None in gaps and without requests."""
    window = named("1h", now_s)
    if not is_of_tools(rule):
        if rule.metric == INSTANCE_GONE:
            return ()
        of = OF_THE_MACHINE[rule.metric].of
        points = sources.vitals(window)
        return [of([point[alert.instance]]) if alert.instance in point else None for point in points]
    return [
        None if one is None else _value(rule, one, window.step_s) for one in _points(alert, window, sources)
    ]


def _points(alert: Alert, window: Window, sources: Sources) -> Sequence[Series | None]:
    if alert.tool == TOGETHER:
        return sources.traffic(window).points
    return sources.courses(window, [alert.tool])[alert.tool]


def _value(rule: Rule, series: Series, step_s: float) -> float | None:
    if rule.kind == "objective":
        return burn_rate(rule, series)
    return value_of(rule, series, step_s, step_s)


def worst_tools(now_s: float, sources: Sources) -> list[tuple[str, Series]]:
    """The tools of the last hour with the most failures, then the slowest; WORST at most."""
    tools = sources.traffic(named("1h", now_s)).tools
    called = [(name, one) for name, one in tools.items() if one.requests and matches(("*",), name)]
    failing = sorted((one for one in called if one[1].errors), key=lambda one: -one[1].errors)[:WORST]
    known = {name for name, _ in failing}
    slow = sorted((one for one in called if one[0] not in known), key=lambda one: -(one[1].average_ms or 0))
    return [*failing, *slow][:WORST]
