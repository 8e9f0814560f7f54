"""What lines, dots and axes are made of."""

from __future__ import annotations

import pytest

from app.model.alerting import Alert
from app.model.windows import Window
from app.panels.charts import alarms, linear_axis, log_axis
from app.panels.sparks import Spark, spark


def test_a_sparkline_leaves_gaps_open() -> None:
    drawn = spark([1, 2, None, 2, 1])
    assert drawn.line.count("M") == 2
    assert drawn.area.count("Z") == 2
    assert not drawn.dots


def test_a_lone_point_and_thin_data_are_dots() -> None:
    assert spark([1, None, 3, None, 1]).dots.count("M") == 3
    thin = spark([1, 2, 3], thin=True)
    assert (thin.line, thin.area, thin.dots.count("M")) == ("", "", 3)


def test_the_highest_value_is_near_the_top_and_zero_on_the_ground() -> None:
    line = spark([0, 10], high=10).line
    assert line == "M0 24L100 0"


def test_a_limit_is_always_within_the_picture() -> None:
    drawn = spark([1, 2], limit=100)
    assert drawn.limit is not None
    assert 0 < drawn.limit < 24


@pytest.mark.parametrize("values", [[], [1.0], [None, None]])
def test_too_little_for_a_picture_draws_nothing(values: list[float | None]) -> None:
    assert spark(values) == Spark()


@pytest.mark.parametrize("top", [0, 0.3, 1, 3, 4, 7, 19, 99, 100, 440, 1250, 99_999, 12_345_678])
def test_a_linear_axis_holds_all_values_and_counts_in_round_steps(top: float) -> None:
    axis = linear_axis([None, 0, top])
    marks = [value for value, _ in axis.ticks]
    assert axis.low == 0
    assert top <= axis.high == marks[-1]
    assert 2 <= len(marks) <= 6
    assert all(mark == int(mark) for mark in marks)
    assert axis.high <= max(4, 2 * top)


@pytest.mark.parametrize(
    ("low_ms", "high_ms"), [(0.01, 0.02), (18, 20), (62, 2910), (0.5, 60_000), (700, 3_600_000)]
)
def test_a_log_axis_holds_all_values_with_readable_ticks(low_ms: float, high_ms: float) -> None:
    axis = log_axis([low_ms, None, high_ms])
    assert axis.is_log
    assert axis.low <= low_ms < high_ms <= axis.high
    assert axis.high >= 10 * axis.low * 0.99
    assert 2 <= len(axis.ticks) <= 8
    assert axis.ticks[0][0] == axis.low


def test_a_log_axis_without_values_is_still_one() -> None:
    assert len(log_axis([None]).ticks) >= 2


def test_alarms_name_the_worst_and_count_the_others() -> None:
    def alert(tool: str, since_s: float) -> Alert:
        return Alert("low_success_rate", tool, "error", "", 1, 2, since_s)

    window, types = Window("", 500, 1000, 10, 10), {"low_success_rate"}
    (alarm,) = alarms([alert("b", 900), alert("a", 400)], [], types, "fails", window)
    assert (alarm.label, alarm.severity, alarm.from_s) == ("b fails and 1 more", "error", 500)
    assert alarms([alert("b", 900)], [], {"high_response_time"}, "slow", window) == ()
    assert alarms([alert("b", 1001)], [], types, "fails", window) == ()


def test_alarms_that_are_over_are_told_where_they_lie_in_the_window() -> None:
    def alert(since_s: float, resolved_s: float | None) -> Alert:
        return Alert(
            "low_success_rate", "a", "error", "", 1, 2, since_s, resolved_s, peak_severity="critical"
        )

    window, types = Window("", 500, 1000, 10, 10), {"low_success_rate"}
    past = [alert(1001, 1100), alert(900, None), alert(700, 800), alert(400, 600), alert(300, 450)]
    found = alarms([], past, types, "fails", window)
    assert [(one.from_s, one.to_s, one.severity, one.label) for one in found] == [
        (500, 600, "critical", "a fails"),
        (700, 800, "critical", "a fails"),
    ]
