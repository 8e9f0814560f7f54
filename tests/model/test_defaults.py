"""The default rules: each at, above and below its limit."""

from __future__ import annotations

import pytest

from app.model.alerting import UNJUDGED
from app.model.defaults import default_rules
from app.model.life import step
from app.model.readings import Material, Target, read
from app.model.series import EMPTY, Series
from app.model.vitals import Gauge, Vitals
from app.model.wording import message
from app.settings import Settings
from tests.answered import answered

Found = list[tuple[str, str, str, str, float]]


def machine(cpu: float = 10.0, memory: float = 10.0, disk: float = 10.0) -> Vitals:
    values = {"cpu_percent": cpu, "memory_percent": memory, "disk_percent": disk}
    return Vitals({name: Gauge(6, 6 * value, value) for name, value in values.items()})


def judged(tools: dict[str, Series], vitals: Vitals | None = None, settings: Settings | None = None) -> Found:
    """What fires at the first look: type, tool, severity, message, limit."""
    material = Material(tools, {"here": vitals} if vitals else {}, 300, 300)
    found: Found = []
    for type, rule in default_rules(settings or Settings()).items():
        for target, reading in read(rule, lambda _: material).items():
            watch, change = step(rule, None, reading, 1000.0, 15.0)
            level = reading.levels[watch.severity - 1] if change == "fired" else None
            if level is not None:
                severity = rule.levels[watch.severity - 1].severity
                found.append((type, target.tool, severity, message(rule, level), level.threshold))
    return found


def test_an_average_at_the_limit_is_no_alert_and_one_above_is_a_warning() -> None:
    assert judged({"slow": answered(3, average_ms=2000)}) == []
    expected = ("high_response_time", "slow", "warning", "High average response time: 2150.45ms", 2000)
    assert judged({"slow": answered(3, average_ms=2150.45)}) == [expected]


def test_a_success_rate_at_the_limit_is_no_alert_and_one_below_is_an_error() -> None:
    assert judged({"weak": answered(27, 3)}) == []
    expected = ("low_success_rate", "weak", "error", "Low success rate: 80.0%", 90)
    assert judged({"weak": answered(24, 6)}) == [expected]


@pytest.mark.parametrize(("gauge", "word"), [("cpu", "CPU"), ("memory", "memory"), ("disk", "disk")])
def test_each_gauge_warns_above_its_limit_and_is_critical_above_the_upper_one(gauge: str, word: str) -> None:
    limit = {"cpu": 80, "memory": 80, "disk": 90}[gauge]
    type = f"high_{gauge}_usage"

    def at(percent: float) -> Found:
        return judged({}, machine(**{gauge: percent}))

    assert at(limit - 0.1) == at(limit) == []
    shown = f"High {word} usage: {limit + 0.1:.1f}%"
    assert at(limit + 0.1) == [(type, "system", "warning", shown, limit)]
    assert at(95) == [(type, "system", "warning", f"High {word} usage: 95.0%", limit)]
    assert at(95.1) == [(type, "system", "critical", f"High {word} usage: 95.1%", 95)]
    assert [one[2] for one in at(100)] == ["critical"]


def test_one_tool_can_break_both_rules_and_each_tool_is_judged_by_itself() -> None:
    found = judged({"bad": answered(0, 3, average_ms=3000), "good": answered(99), "idle": EMPTY})
    assert {one[:2] for one in found} == {("high_response_time", "bad"), ("low_success_rate", "bad")}


def test_requests_that_match_no_route_raise_no_alert_but_those_past_the_limit_of_names_do() -> None:
    bad = answered(0, 50, average_ms=9000)
    assert [judged({name: bad}) for name in UNJUDGED] == [[]]
    assert len(judged({"(other)": bad})) == 2


def test_nothing_measured_is_no_alert() -> None:
    assert judged({}) == []


@pytest.mark.parametrize(("requests", "alerts"), [(4, 0), (5, 1), (6, 1)])
def test_too_few_requests_raise_no_alert(requests: int, alerts: int) -> None:
    assert len(judged({"new": answered(0, requests)}, settings=Settings(alert_min_requests=5))) == alerts


@pytest.mark.parametrize(("failures", "alerts"), [(2, 0), (3, 1)])
def test_too_few_failures_raise_no_alert(failures: int, alerts: int) -> None:
    assert len(judged({"weak": answered(2, failures)})) == alerts


def test_every_limit_is_a_setting() -> None:
    strict = Settings(
        alert_min_failures=1,
        alert_response_time_ms=5,
        alert_success_rate_percent=100,
        alert_cpu_percent=5,
        alert_memory_percent=6,
        alert_disk_percent=7,
        alert_critical_percent=8,
    )
    found = judged({"usual": answered(99, 1)}, machine(5.5, 9, 7.5), strict)
    assert {(one[0], one[2], one[4]) for one in found} == {
        ("high_response_time", "warning", 5),
        ("low_success_rate", "error", 100),
        ("high_cpu_usage", "warning", 5),
        ("high_memory_usage", "critical", 8),
        ("high_disk_usage", "warning", 7),
    }


def test_a_critical_limit_below_the_warning_one_still_holds() -> None:
    settings = Settings(alert_cpu_percent=90, alert_critical_percent=70)
    found = judged({}, machine(cpu=75), settings)
    assert [(one[2], one[4]) for one in found] == [("critical", 70)]


def test_a_target_is_a_tool_or_an_instance() -> None:
    material = Material({"ping": answered(3)}, {"one": machine(), "two": machine()}, 300, 300)
    rules = default_rules(Settings())
    assert set(read(rules["low_success_rate"], lambda _: material)) == {Target("ping")}
    of_machine = {Target("system", "one"), Target("system", "two")}
    assert set(read(rules["high_cpu_usage"], lambda _: material)) == of_machine
