"""The alerts of the made-up year's last two weeks: what its rules would have raised, by the evaluator."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from app.model.alerting import SYSTEM
from app.model.defaults import default_rules
from app.model.readings import Measured
from app.model.replay import Firing, Moment, replay
from app.model.rules import Level, Rule
from app.model.series import Series
from app.model.vitals import Gauge, Vitals
from app.model.wording import message
from app.settings import Settings
from app.store import Connection, alerts, releases, rules
from app.store.schema import ALL_TOOLS

from . import story

_Rows = Mapping[tuple[int, int], Series]
_PEOPLE = (("Ada", "looking"), ("Grace", "rolling back"), ("Linus", "known, fixed in the next release"))
_SPAN_S, _FINE_S = 14 * story.DAY_S, 25 * 3600
_DEPLOY_S = 1800
_OWN = {
    "slow_analysis": Rule(
        name="Slow analysis",
        metric="p95",
        tools=("analyze_code",),
        levels=(Level("warning", 4000.0), Level("error", 9000.0)),
        hold_s=120,
        least_requests=20,
    ),
    "answers_objective": Rule(
        name="Answers objective",
        kind="objective",
        target_percent=99.5,
        levels=(Level("warning"), Level("critical")),
        together=True,
    ),
}


def raise_alerts(
    connection: Connection, periods: Mapping[int, _Rows], names: Mapping[int, str], now_s: float
) -> None:
    """Write the demo's rules, and the alerts that are over by `now_s`; what is open the service opens."""
    defaults = default_rules(Settings())
    rules.ensure_defaults(connection, defaults)
    for type, rule in _OWN.items():
        rules.add(connection, type, rule, now_s, "the demo")
    moments = _moments(periods, names, now_s)
    found = [
        (type, rule, firing)
        for type, rule in (defaults | _OWN).items()
        for firing in replay(rule, moments).firings
        if firing.end_s is not None
    ]
    draw = random.Random(11)
    told = releases.read_releases(connection, now_s - _SPAN_S - _DEPLOY_S, now_s)
    for type, rule, firing in sorted(found, key=lambda one: one[2].start_s):
        near = [one for one in told if 0 <= firing.start_s - one.at_s < _DEPLOY_S]
        values = _values(type, rule, firing)
        if near:
            values |= {"release": near[-1].release, "release_s": near[-1].at_s}
        alerts.open_alert(connection, values | _seen(firing, draw))


def _moments(periods: Mapping[int, _Rows], names: Mapping[int, str], now_s: float) -> Sequence[Moment]:
    fine_s = (now_s - _FINE_S) // 600 * 600
    steps = [(600, now_s - _SPAN_S, fine_s), (60, fine_s, now_s)]
    return [
        moment
        for period_s, from_s, to_s in steps
        for moment in _of_period(periods[period_s], names, period_s, from_s, to_s, now_s)
    ]


def _of_period(
    rows: _Rows, names: Mapping[int, str], period_s: int, from_s: float, to_s: float, now_s: float
) -> list[Moment]:
    by_start: dict[int, dict[int, Series]] = {}
    for (start_s, tool_id), series in rows.items():
        if from_s <= start_s < to_s:
            by_start.setdefault(start_s, {})[tool_id] = series
    found = []
    for start_s in range(int(from_s // period_s) * period_s, int(to_s), period_s):
        tools = by_start.get(start_s)
        usual = story.machine(start_s + period_s / 2, now_s)
        gauges = {name: Gauge(12, value * 12, value) for name, value in usual.items()}
        named = {names[id]: one for id, one in tools.items() if id != ALL_TOOLS} if tools else None
        machine = {"demo": Vitals(gauges)} if tools else {}
        found.append(Moment(float(start_s), float(start_s + period_s), named, machine))
    return found


def _values(type: str, rule: Rule, firing: Firing) -> dict[str, Any]:
    worst = Measured(firing.peak, firing.threshold)
    tool, instance = firing.target
    return {
        "type": type, "tool": tool, "instance": instance if tool == SYSTEM else "",
        "severity": firing.severity, "peak_severity": firing.severity, "message": message(rule, worst),
        "value": firing.peak, "peak": firing.peak, "threshold": firing.threshold,
        "opened_s": firing.start_s, "resolved_s": firing.end_s, "state": "resolved",
        "told_s": firing.start_s, "told_severity": firing.severity,
    }  # fmt: skip


def _seen(firing: Firing, draw: random.Random) -> dict[str, Any]:
    """Somebody acknowledged some of those that lasted."""
    if firing.end_s is None or firing.end_s - firing.start_s < 900 or draw.random() < 0.5:
        return {}
    by, note = draw.choice(_PEOPLE)
    at_s = firing.start_s + draw.uniform(60, 600)
    return {"acknowledged_s": at_s, "acknowledged_by": by, "acknowledged_note": note}
