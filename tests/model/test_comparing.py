"""What a window is compared with, and from which rows."""

from __future__ import annotations

import pytest

from app.model.comparing import BY, around, compared, short, than, when
from app.model.windows import between, named

NOW_S = 1_763_995_260.0
DAY_S = 86_400


def test_the_window_before_ends_where_this_one_starts() -> None:
    before = compared(named("1h", NOW_S), "before", NOW_S)
    assert before is not None
    assert (before.start_s, before.end_s, before.step_s) == (NOW_S - 7200, NOW_S - 3600, 60)


@pytest.mark.parametrize(
    ("name", "by", "age_s", "period_s"),
    [("15m", "day", DAY_S, 60), ("15m", "week", 7 * DAY_S, 600), ("24h", "week", 7 * DAY_S, 600),
     ("30d", "week", 7 * DAY_S, 7200)],
)  # fmt: skip
def test_an_earlier_day_or_week_is_read_from_rows_that_are_still_there(
    name: str, by: str, age_s: int, period_s: int
) -> None:
    window = named(name, NOW_S)
    found = compared(window, by, NOW_S)
    assert found is not None
    assert (found.start_s, found.end_s) == (window.start_s - age_s, window.end_s - age_s)
    assert found.period_s == period_s
    assert found.step_s % period_s == 0


def test_nothing_is_compared_if_nothing_is_asked() -> None:
    assert compared(named("1h", NOW_S), "off", NOW_S) is None


def test_two_dates_are_compared_with_as_much_time_before_them() -> None:
    window = between("2025-11-20T00:00Z", "2025-11-21T00:00Z", NOW_S)
    before = compared(window, "before", NOW_S)
    assert before is not None
    assert before.end_s == window.start_s
    assert before.end_s - before.start_s == DAY_S


def test_every_comparison_has_its_words() -> None:
    hour = named("1h", NOW_S)
    assert [than(hour, by) for by in BY[:3]] == ["the hour before", "a day before", "a week before"]
    assert [when(hour, by) for by in BY[:2]] == ["In the hour before", "A day before"]
    assert [short(hour, by) for by in BY] == ["hour before", "day before", "week before", "nothing"]


def test_as_much_is_taken_before_an_instant_as_after_it() -> None:
    found = around(NOW_S - 1800.5, NOW_S)
    assert found is not None
    before, after = found
    assert before.end_s <= NOW_S - 1800.5 <= after.start_s
    assert before.end_s - before.start_s == after.end_s - after.start_s == 1800.5


@pytest.mark.parametrize("age_s", [299, 20 * DAY_S])
def test_an_instant_that_is_too_near_or_too_far_has_nothing_around_it(age_s: int) -> None:
    assert around(NOW_S - age_s, NOW_S) is None
