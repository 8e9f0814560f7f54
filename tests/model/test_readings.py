"""What rules read: each metric's value, of whom, and where nothing is known."""

from __future__ import annotations

import pytest

from app.model.objectives import WINDOWS_S
from app.model.readings import Material, Measured, Reading, Target, read, windows_of
from app.model.rules import Condition, Level, Rule
from app.model.series import EMPTY
from app.model.vitals import Vitals
from tests.model.made import machine, material, of_times, series


def rule(metric: str, condition: Condition = "above", **more: object) -> Rule:
    return Rule(name="", metric=metric, condition=condition, **more)  # type: ignore[arg-type]


def values(rule: Rule, window: Material) -> dict[str, float | None]:
    """What the rule's mildest level reads, by tool or instance."""
    found = read(rule, lambda _: window)
    return {
        target.instance or target.tool: one.levels[0].value if one.levels[0] else None
        for target, one in found.items()
    }


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("requests", 10),
        ("errors", 2),
        ("server_errors", 2),
        ("success_rate", 80),
        ("error_rate", 20),
        ("average", 100),
        ("p95", 100),
        ("max", 100),
        ("throughput", 2),
        ("absence", 0),
    ],
)
def test_each_metric_is_read_of_each_tool(metric: str, value: float) -> None:
    window = material(pay=series(8, 2), cart=series(8, 2))
    assert values(rule(metric), window) == {
        "pay": pytest.approx(value, rel=0.011),
        "cart": pytest.approx(value, rel=0.011),
    }


def test_a_reading_says_what_it_is_made_of() -> None:
    levels = (Level("warning", 1000.0), Level("critical", 5000.0))
    [found] = read(rule("average", levels=levels), lambda _: material(pay=series(8, 2))).values()
    assert found == Reading((Measured(100.0, 1000.0), Measured(100.0, 5000.0)), 10, 2)


def test_of_how_many_came_the_number_of_requests_is_no_condition() -> None:
    """Else the least of one request would keep silent of a tool that nobody calls any more."""
    for metric in ("requests", "throughput", "absence"):
        [found] = read(rule(metric, "below", tools=("pay",)), lambda _: material()).values()
        assert found.requests is None


def test_a_rule_reads_the_window_of_its_length() -> None:
    asked: list[int] = []

    def windows(length_s: int) -> Material:
        asked.append(length_s)
        return material()

    read(rule("average", window_s=900), windows)
    assert asked == [900] == list(windows_of(rule("average", window_s=900)))
    assert windows_of(Rule(name="", kind="objective")) == WINDOWS_S
    assert windows_of(Rule(name="", kind="digest")) == ()
    assert read(Rule(name="", kind="digest"), windows) == {}


def test_tools_are_those_meant_known_or_named() -> None:
    window = material(pay=series(8), admin=series(8), known=("pay", "cart"))
    assert values(rule("average", tools=("*", "!admin")), window) == {"pay": 100, "cart": None}
    assert values(rule("average", tools=("search", "pay*")), window) == {"pay": 100, "search": None}


def test_a_named_tool_that_was_never_called_is_absent() -> None:
    assert values(rule("absence", tools=("pay",)), material()) == {"pay": 5}
    assert values(rule("throughput", "below", tools=("pay",)), material()) == {"pay": 0}
    assert values(rule("absence", tools=("pay*",)), material()) == {}


@pytest.mark.parametrize("metric", ["absence", "throughput", "requests"])
def test_just_after_a_start_nothing_is_said_of_how_many_came(metric: str) -> None:
    for measured_s in (0.0, 60.0, 150.0):
        window = material(known=("pay",), measured_s=measured_s)
        assert values(rule(metric), window) == {"pay": None}
    assert values(rule(metric), material(known=("pay",), span_s=0, measured_s=0)) == {"pay": None}


def test_a_young_service_is_read_over_the_time_that_was_measured() -> None:
    window = material(pay=series(8), known=("cart",), measured_s=240)
    assert values(rule("throughput"), window) == {"pay": 2, "cart": 0}
    assert values(rule("absence"), window) == {"pay": 0, "cart": 4}


def test_tools_together_are_read_as_one() -> None:
    window = material(pay=series(8, 2), cart=series(0, 10))
    assert values(rule("success_rate", together=True), window) == {"(all)": 40}
    assert values(rule("success_rate", tools=("pay", "search"), together=True), window) == {"pay, search": 80}
    assert values(rule("absence", tools=("search*",), together=True), window) == {"search*": 5}


def test_the_share_of_slow_requests() -> None:
    window = material(pay=of_times([100, 200, 900, 1000]), cart=EMPTY)
    assert values(rule("slower_than", slower_than_ms=500.0), window) == {"pay": 50, "cart": None}


def test_machines_are_those_that_report_or_did_within_a_day() -> None:
    window = material(vitals={"web-1": machine(42)}, instances=("web-1", "web-2"))
    assert values(rule("cpu"), window) == {"web-1": 42, "web-2": None}
    assert set(read(rule("cpu"), lambda _: window)) == {Target("system", "web-1"), Target("system", "web-2")}
    assert values(rule("load"), window) == {"web-1": None, "web-2": None}
    assert values(rule("restarts"), material(vitals={"web-1": Vitals(counters={"killed": 2})})) == {
        "web-1": 2
    }


def test_an_instance_that_is_silent_is_gone() -> None:
    window = material(vitals={"web-1": machine()}, instances=("web-1", "web-2"))
    assert values(rule("instance_gone"), window) == {"web-1": 0, "web-2": 5}


def test_just_after_a_start_no_instance_is_gone() -> None:
    window = material(vitals={"web-1": machine()}, instances=("web-1", "web-2"), measured_s=100)
    assert values(rule("instance_gone"), window) == {"web-1": 0, "web-2": None}


def test_an_objective_reads_slow_pairs_and_fast_ones() -> None:
    levels = (Level("warning"), Level("critical"))
    objective = Rule(name="", kind="objective", target_percent=99.0, tools=("pay", "search"), levels=levels)
    found = read(objective, lambda _: material(pay=series(90, 10), cart=series(9)))
    assert found[Target("search")] == Reading((None, None), 0, 0)
    pay = found[Target("pay")]
    assert [pytest.approx(one) for one in pay.levels] == [(10, 1), (10, 6)]
    assert (pay.requests, pay.failures, len(found)) == (100, 10, 2)


def test_an_objective_with_one_level_reads_the_fast_pairs() -> None:
    objective = Rule(name="", kind="objective", target_percent=99.0, levels=(Level("error"),), together=True)
    found = read(objective, lambda _: material(pay=series(85, 5), cart=series(5, 5)))
    [(target, one)] = found.items()
    assert target == Target("(all)")
    assert [pytest.approx(level) for level in one.levels] == [(10, 6)]
    assert (one.requests, one.failures) == (100, 10)
