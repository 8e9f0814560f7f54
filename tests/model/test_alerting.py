"""The default rules: each at, above and below its limit."""

from __future__ import annotations

import pytest

from app.model.alerting import Condition, SystemSample, evaluate, held_back, system_health, worst
from app.model.histogram import Histogram
from app.model.series import EMPTY, Series
from app.settings import Settings

MS = 1_000_000
DEFAULT = Settings()


def answered(ok: int, failed: int = 0, average_ms: float = 10.0) -> Series:
    """`ok` successes and `failed` failures that took `average_ms` each."""
    each_ns = int(average_ms * MS)
    return Series(
        ok=Histogram.of([each_ns] * ok),
        failed=Histogram.of([each_ns] * failed),
        server_errors=failed,
        total_ns=each_ns * (ok + failed),
        min_ns=each_ns,
        max_ns=each_ns,
    )


def machine(cpu: float = 10.0, memory: float = 10.0, disk: float = 10.0) -> SystemSample:
    return SystemSample(1_754_589_600.0, cpu, memory, disk)


def test_an_average_at_the_limit_is_no_alert_and_one_above_is_a_warning() -> None:
    assert evaluate({"slow": answered(3, average_ms=2000)}, None, DEFAULT) == []
    [condition] = evaluate({"slow": answered(3, average_ms=2150.45)}, None, DEFAULT)
    assert condition == Condition(
        "high_response_time", "slow", "warning", "High average response time: 2150.45ms", 2150.45, 2000
    )


def test_a_success_rate_at_the_limit_is_no_alert_and_one_below_is_an_error() -> None:
    assert evaluate({"weak": answered(9, 1)}, None, DEFAULT) == []
    [condition] = evaluate({"weak": answered(17, 2)}, None, DEFAULT)
    assert (condition.type, condition.tool, condition.severity) == ("low_success_rate", "weak", "error")
    assert condition.message == "Low success rate: 89.5%"
    assert condition.value == pytest.approx(100 * 17 / 19)
    assert condition.threshold == 90


@pytest.mark.parametrize(("gauge", "word"), [("cpu", "CPU"), ("memory", "memory"), ("disk", "disk")])
def test_each_gauge_warns_above_its_limit_and_is_critical_above_the_upper_one(gauge: str, word: str) -> None:
    limit = {"cpu": 80, "memory": 80, "disk": 90}[gauge]

    def judged(percent: float) -> list[tuple[str, str, str, str, float]]:
        found = evaluate({}, machine(**{gauge: percent}), DEFAULT)
        return [(one.type, one.tool, one.severity, one.message, one.threshold) for one in found]

    rule = f"high_{gauge}_usage"
    assert judged(limit - 0.1) == judged(limit) == []
    shown = f"High {word} usage: {limit + 0.1:.1f}%"
    assert judged(limit + 0.1) == [(rule, "system", "warning", shown, limit)]
    assert judged(95) == [(rule, "system", "warning", f"High {word} usage: 95.0%", limit)]
    assert judged(95.1) == [(rule, "system", "critical", f"High {word} usage: 95.1%", 95)]
    assert [one[2] for one in judged(100)] == ["critical"]


def test_one_tool_can_break_both_rules_and_each_tool_is_judged_by_itself() -> None:
    found = evaluate(
        {"bad": answered(0, 2, average_ms=3000), "good": answered(99), "idle": EMPTY}, None, DEFAULT
    )
    assert {(one.type, one.tool) for one in found} == {
        ("high_response_time", "bad"),
        ("low_success_rate", "bad"),
    }


def test_requests_that_match_no_route_raise_no_alert_but_those_past_the_limit_of_names_do() -> None:
    bad = answered(0, 50, average_ms=9000)
    assert evaluate({"(unmatched)": bad}, None, DEFAULT) == []
    assert len(evaluate({"(other)": bad}, None, DEFAULT)) == 2


def test_nothing_measured_is_no_alert() -> None:
    assert evaluate({}, None, DEFAULT) == []
    assert system_health(None, DEFAULT) == "healthy"


@pytest.mark.parametrize(("requests", "alerts"), [(4, 0), (5, 1), (6, 1)])
def test_too_few_requests_raise_no_alert(requests: int, alerts: int) -> None:
    settings = Settings(alert_min_requests=5)
    assert len(evaluate({"new": answered(0, requests)}, None, settings)) == alerts


def test_every_limit_is_a_setting() -> None:
    strict = Settings(
        alert_response_time_ms=5,
        alert_success_rate_percent=100,
        alert_cpu_percent=5,
        alert_memory_percent=6,
        alert_disk_percent=7,
        alert_critical_percent=8,
    )
    found = evaluate({"usual": answered(99, 1)}, machine(5.5, 9, 7.5), strict)
    assert {(one.type, one.severity, one.threshold) for one in found} == {
        ("high_response_time", "warning", 5),
        ("low_success_rate", "error", 100),
        ("high_cpu_usage", "warning", 5),
        ("high_memory_usage", "critical", 8),
        ("high_disk_usage", "warning", 7),
    }


def test_a_critical_limit_below_the_warning_one_still_holds() -> None:
    settings = Settings(alert_cpu_percent=90, alert_critical_percent=70)
    [condition] = evaluate({}, machine(cpu=75), settings)
    assert (condition.severity, condition.threshold) == ("critical", 70)


@pytest.mark.parametrize(
    ("sample", "health"),
    [
        (machine(80, 80, 90), "healthy"),
        (machine(cpu=80.1), "warning"),
        (machine(memory=80.1), "warning"),
        (machine(disk=90.1), "warning"),
        (machine(95, 95, 95), "warning"),
        (machine(cpu=95.1), "critical"),
        (machine(disk=95.1), "critical"),
    ],
)
def test_the_health_of_the_machine_is_its_worst_gauge(sample: SystemSample, health: str) -> None:
    assert system_health(sample, DEFAULT) == health


@pytest.mark.parametrize(
    ("severities", "status"),
    [
        ([], "healthy"),
        (["info"], "warning"),
        (["warning", "info"], "warning"),
        (["warning", "error", "warning"], "error"),
        (["error", "critical", "warning"], "critical"),
    ],
)
def test_the_status_is_the_worst_severity(severities: list[str], status: str) -> None:
    assert worst(severities) == status


def contained(throttled: int, kills: int) -> SystemSample:
    """A sample of a container with half a core and a memory limit."""
    return machine()._replace(
        memory_source="container",
        cpu_limit_cores=0.5,
        throttled_periods=throttled,
        oom_kills=kills,
    )


def test_what_a_containers_limits_cost_is_what_the_kernels_counts_grew_by() -> None:
    assert held_back([]) == held_back([contained(9, 9)]) == (0, 0)
    assert held_back([contained(3, 1), contained(3, 1), contained(17, 2)]) == (14, 1)


def test_a_container_that_began_anew_takes_nothing_back() -> None:
    assert held_back([contained(30, 5), contained(2, 0), contained(4, 1)]) == (2, 1)


def test_a_count_beside_a_sample_of_the_host_is_no_growth() -> None:
    assert held_back([machine(), contained(30, 5), machine(), contained(31, 6)]) == (0, 0)
