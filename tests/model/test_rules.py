"""Rules: whom they mean, where a limit is crossed for sure, and where it is over."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model.defaults import default_rules
from app.model.rules import (
    MEASURES,
    Condition,
    Level,
    Rule,
    is_beyond,
    is_of_tools,
    is_proven,
    is_well,
    matches,
    named,
    recovery_point,
    together_name,
    unit_of,
)
from app.settings import Settings


@pytest.mark.parametrize(
    ("patterns", "tool", "is_meant"),
    [
        (["*"], "pay", True),
        ([], "pay", False),
        (["pay"], "pay", True),
        (["pay"], "payout", False),
        (["pay*"], "payout", True),
        (["pay*"], "pay", True),
        (["pay*"], "repay", False),
        (["*", "!pay"], "pay", False),
        (["*", "!pay"], "payout", True),
        (["*", "!pay*"], "payout", False),
        (["!pay*", "payout"], "payout", False),
        (["!pay"], "cart", False),
        (["*"], "(unmatched)", False),
        (["(un*"], "(unmatched)", False),
        (["(unmatched)"], "(unmatched)", True),
        (["(unmatched)", "!*"], "(unmatched)", False),
    ],
)
def test_patterns_mean_tools(patterns: list[str], tool: str, is_meant: bool) -> None:
    assert matches(patterns, tool) is is_meant


def test_tools_that_are_named_in_full_are_waited_for() -> None:
    assert named(["pay", "cart*", "!admin", "*", "search"]) == ["pay", "search"]
    assert together_name(["*"]) == "(all)"
    assert together_name(["pay", "!payout"]) == "pay, !payout"


def rule(metric: str, condition: Condition, *limits: float, recovery: float | None = None) -> Rule:
    levels = tuple(Level("warning", limit) for limit in limits)
    return Rule(name="", metric=metric, condition=condition, levels=levels, recovery=recovery)


@pytest.mark.parametrize(
    ("one", "limit", "point"),
    [
        (rule("average", "above", 2000), 2000, 1900),
        (rule("throughput", "below", 10), 10, 10.5),
        (rule("cpu", "above", 80, 95), 80, 76),
        (rule("cpu", "above", 80, 95), 95, 90.25),
        (rule("success_rate", "below", 90), 90, 92),
        (rule("success_rate", "below", 99), 99, 99.5),
        (rule("success_rate", "below", 99.9), 99.9, 99.95),
        (rule("success_rate", "below", 100), 100, 100),
        (rule("errors", "above", 0), 0, 0),
        (rule("cpu", "above", 80, 90, recovery=60), 80, 60),
        (rule("cpu", "above", 80, 90, recovery=60), 90, 67.5),
        (rule("success_rate", "below", 90, 45, recovery=98), 45, 49),
        (Rule(name="", kind="objective", target_percent=99.9), 14.4, 12.96),
    ],
)
def test_a_limit_is_over_at_its_recovery_point(one: Rule, limit: float, point: float) -> None:
    assert recovery_point(one, limit) == pytest.approx(point)


@given(
    st.sampled_from(sorted(MEASURES)),
    st.sampled_from(["above", "below"]),
    st.floats(0, 100),
    st.floats(0, 200),
)
def test_nothing_is_beyond_a_limit_and_well(
    metric: str, condition: Condition, limit: float, value: float
) -> None:
    one = rule(metric, condition, limit)
    assert not (is_beyond(one, value, limit) and is_well(one, value, limit))
    assert not is_beyond(one, limit, limit)


@pytest.mark.parametrize(
    ("requests", "failures", "is_sure"),
    [
        (2, 2, False),  # fewer requests than the least
        (3, 2, False),  # fewer failures than the least
        (3, 3, True),
        (9, 3, True),
        (10, 3, False),  # one of ten may fail, and two more
        (10, 4, True),
        (25, 4, False),
        (25, 5, True),
        (1000, 102, False),
        (1000, 103, True),
    ],
)
def test_a_share_takes_the_least_number_of_failures_beyond_those_allowed(
    requests: int, failures: int, is_sure: bool
) -> None:
    low_success = default_rules(Settings())["low_success_rate"]
    assert is_proven(low_success, requests, failures, 90.0) is is_sure
    error_rate = msgspec.structs.replace(low_success, metric="error_rate", condition="above")
    assert is_proven(error_rate, requests, failures, 10.0) is is_sure


def test_other_metrics_take_the_least_number_as_it_is() -> None:
    one = Rule(name="", metric="average", least_requests=5, least_failures=2)
    assert is_proven(one, 5, 2, 2000.0)
    assert not is_proven(one, 4, 2, 2000.0)
    assert not is_proven(one, 5, 1, 2000.0)


def test_a_rule_is_of_tools_or_of_the_machine() -> None:
    assert is_of_tools(rule("p95", "above", 1))
    assert is_of_tools(rule("absence", "above", 1))
    assert not is_of_tools(rule("cpu", "above", 1))
    assert not is_of_tools(rule("instance_gone", "above", 1))
    assert is_of_tools(Rule(name="", kind="objective", metric="cpu"))
    assert unit_of(Rule(name="", kind="objective")) == "times the budget"
    assert unit_of(rule("absence", "above", 1)) == "minutes"


def test_default_rules_follow_the_settings() -> None:
    rules = default_rules(Settings(alert_cpu_percent=97.0, alert_window_s=600.0))
    assert rules["low_success_rate"].window_s == 600
    assert rules["high_cpu_usage"].levels == (Level("critical", 95.0),)
    assert rules["high_memory_usage"].levels == (Level("warning", 80.0), Level("critical", 95.0))


def test_a_rule_survives_json_and_a_member_of_another_version_is_refused() -> None:
    one = default_rules(Settings())["low_success_rate"]
    assert msgspec.json.decode(msgspec.json.encode(one), type=Rule) == one
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.json.decode(b'{"name": "x", "colour": "red"}', type=Rule)
