"""Points made ready to draw: merged without averaging, gaps kept."""

from __future__ import annotations

from itertools import pairwise

import pytest

from app.model.histogram import Histogram
from app.model.series import EMPTY, Series
from app.model.windows import NAMED, Window, named
from app.panels.points import (
    MOST,
    can_compare,
    first_s,
    gaps,
    measured_s,
    merged,
    missing_s,
)

NOW_S = 1_763_995_260.0
HOUR = Window("1h", NOW_S - 3600, NOW_S, 60, 60)
MS = 1_000_000


def of(*times_ms: int) -> Series:
    times = [one * MS for one in times_ms]
    return Series(ok=Histogram.of(times), total_ns=sum(times), min_ns=min(times), max_ns=max(times))


def hour(**others: Series | None) -> list[Series | None]:
    """60 points with one request each, but for those named `at_<index>`."""
    return [others.get(f"at_{index}", of(10)) for index in range(60)]


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("shift_s", [0.0, 3.5, 1799.0])
def test_every_window_is_drawn_from_few_points_and_loses_no_request(name: str, shift_s: float) -> None:
    window = named(name, NOW_S + shift_s)
    series: list[Series | None] = [of(5, 7)] * len(window.starts())
    points = merged(window, series, 0.0)
    assert len(points) <= MOST + 1
    assert sum(point.series.requests for point in points if point.series) == 2 * len(series)
    assert all(one.end_s == other.start_s for one, other in pairwise(points))
    assert points[-1].end_s >= window.end_s


def test_a_merged_percentile_is_that_of_all_requests_and_no_average() -> None:
    window = Window("", 0, 119, 60, 60)
    (point,) = merged(window, [of(*[10] * 99), of(1000)], 0.0, at_most=1)
    assert point.quantiles_ms()[1] == pytest.approx(10, rel=0.011)


def test_points_keep_their_raster_while_time_goes_on() -> None:
    starts = []
    for second in range(0, 600, 7):
        window = named("6h", NOW_S + second)
        starts += [point.start_s for point in merged(window, [of(1)] * len(window.starts()), 0.0)[1:]]
    assert {start % 240 for start in starts} == {0}


def test_the_newest_point_is_merged_until_half_of_it_has_passed() -> None:
    early, late = named("1h", NOW_S - NOW_S % 60 + 20), named("1h", NOW_S - NOW_S % 60 + 40)
    assert merged(early, [of(1)] * 61, 0.0)[-1].measured_s == 80
    assert merged(late, [of(1)] * 61, 0.0)[-1].measured_s == 40


def test_a_rate_counts_only_the_time_that_was_measured() -> None:
    window = Window("", 0, 60, 60, 60)
    points = merged(window, [of(*[1] * 10)], started_s=40.0)
    assert measured_s(points) == pytest.approx(20, abs=1)
    assert points[0].requests_per_minute == pytest.approx(30, rel=0.06)


def test_a_gap_is_a_gap_and_silence_is_not() -> None:
    points = merged(HOUR, hour(at_20=None, at_21=None, at_40=EMPTY), 0.0)
    start_s = points[20].start_s
    assert gaps(points) == [(start_s, start_s + 120)]
    assert missing_s(points) == 120
    assert points[20].requests_per_minute is None
    assert points[40].requests_per_minute == 0
    assert points[40].quantiles_ms() == [None, None, None]


def test_what_lies_before_the_first_point_is_not_missing() -> None:
    points = merged(HOUR, hour(**{f"at_{index}": None for index in range(30)}), 0.0)
    assert missing_s(points) == 0
    assert first_s(points) == points[30].start_s
    assert first_s(merged(HOUR, [None] * 60, 0.0)) is None


def test_a_window_is_compared_with_only_if_enough_of_it_is_known() -> None:
    assert can_compare(merged(HOUR, hour(), 0.0), HOUR)
    assert not can_compare(merged(HOUR, hour(**{f"at_{index}": None for index in range(40)}), 0.0), HOUR)
    assert not can_compare(merged(HOUR, [of(1)] * 5 + [EMPTY] * 55, 0.0), HOUR)
