"""Objectives: burn rates, pairs of windows, and what is left of the budget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model.histogram import RELATIVE_ERROR
from app.model.objectives import (
    FAST,
    NOTHING,
    PERIOD_S,
    SLOW,
    WINDOWS_S,
    Burn,
    Counted,
    bad_and_all,
    budget_left_percent,
    burn_rate,
    slower_than,
    worst_burn,
)
from app.model.rules import Rule
from app.model.series import EMPTY
from tests.model.made import of_times, series

SUCCESS = Rule(name="success", kind="objective", target_percent=99.9)
LATENCY = Rule(name="latency", kind="objective", target_percent=99.0, slower_than_ms=500.0)


def windows(**counted: Counted) -> dict[int, Counted]:
    """Counts by window, of which the names are m5, m30, h1 and so on; of the others nothing."""
    spans = {"m5": 300, "m30": 1800, "h1": 3600, "h2": 7200, "h6": 21_600, "h24": 86_400, "h72": 259_200}
    return dict.fromkeys(WINDOWS_S, NOTHING) | {spans[name]: one for name, one in counted.items()}


def test_the_windows_are_those_of_the_workbook() -> None:
    assert WINDOWS_S == (300, 1800, 3600, 7200, 21_600, 86_400, 259_200)
    assert [round(pair.factor, 9) for pair in (*FAST, *SLOW)] == [14.4, 6, 3, 1]
    assert all(pair.factor * pair.long_s == pytest.approx(pair.budget * PERIOD_S) for pair in (*FAST, *SLOW))


def test_a_burn_rate_is_the_share_of_bad_requests_against_the_share_allowed() -> None:
    assert burn_rate(SUCCESS, series(998, 2)) == pytest.approx(2)
    assert burn_rate(SUCCESS, series(0, 7)) == pytest.approx(1000)
    assert burn_rate(SUCCESS, EMPTY) is None
    assert bad_and_all(SUCCESS, series(8, 2, took_ms=9000)) == (2, 10)
    assert bad_and_all(LATENCY, series(8, 2, took_ms=9000)) == (10, 10)


def test_what_is_left_of_the_budget() -> None:
    assert budget_left_percent(SUCCESS, series(9995, 5)) == pytest.approx(50)
    assert budget_left_percent(SUCCESS, series(998, 2)) == pytest.approx(-100)
    assert budget_left_percent(SUCCESS, EMPTY) is None


def test_both_windows_of_a_pair_have_to_burn() -> None:
    bad, good = Counted(50, 1000), Counted(0, 1000)
    assert worst_burn(SUCCESS, FAST[:1], windows(h1=bad, m5=bad)) == pytest.approx((50, 14.4))
    assert worst_burn(SUCCESS, FAST[:1], windows(h1=bad, m5=good)) == pytest.approx((0, 14.4))
    assert worst_burn(SUCCESS, FAST[:1], windows(h1=good, m5=bad)) == pytest.approx((0, 14.4))


def test_a_window_without_requests_tells_nothing() -> None:
    bad = Counted(50, 1000)
    assert worst_burn(SUCCESS, FAST, windows()) is None
    assert worst_burn(SUCCESS, FAST, windows(h1=bad)) is None
    assert worst_burn(SUCCESS, FAST, windows(h1=bad, h6=bad, m30=bad)) == pytest.approx((50, 6))


def test_the_pair_that_is_furthest_beyond_its_factor_is_told() -> None:
    counts = windows(h1=Counted(20, 1000), m5=Counted(2, 100), h6=Counted(20, 2000), m30=Counted(20, 1000))
    assert worst_burn(SUCCESS, FAST, counts) == pytest.approx((10, 6))


@pytest.mark.parametrize(
    ("bad", "requests", "is_beyond"),
    [
        (1, 1, False),
        (2, 2, False),
        (3, 3, True),
        (3, 69, True),
        (3, 70, False),  # one of 70 is what the factor allows
        (4, 70, True),
        (146, 10_000, False),
        (147, 10_000, True),
    ],
)
def test_it_takes_three_failures_beyond_those_that_the_factor_allows(
    bad: int, requests: int, is_beyond: bool
) -> None:
    burn = worst_burn(SUCCESS, FAST[:1], windows(h1=Counted(bad, requests), m5=Counted(1, 1)))
    assert burn is not None
    assert (burn.rate > burn.factor) is is_beyond
    assert is_beyond or burn == Burn(burn.factor, burn.factor)  # not proven, and not over either


@given(st.lists(st.floats(0.001, 60_000), max_size=30), st.floats(0.01, 30_000))
def test_slower_than_counts_as_one_would_by_hand(times_ms: list[float], limit_ms: float) -> None:
    found = slower_than(of_times(times_ms), limit_ms)
    near = 2.1 * RELATIVE_ERROR
    assert sum(one > limit_ms * (1 + near) for one in times_ms) <= found
    assert found <= sum(one >= limit_ms * (1 - near) for one in times_ms)
