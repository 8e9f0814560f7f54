"""Windows: enough points for every chart, and clear refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from app.errors import BadRequestError
from app.model.windows import (
    KEEP_S,
    NAMED,
    PERIODS_S,
    between,
    cover,
    instant_s,
    kept,
    named,
    sliding,
)
from app.settings import Settings

NOW_S = datetime(2025, 8, 7, 18, 0, 3, 500_000, tzinfo=UTC).timestamp()
DAY = 86_400


def iso(seconds_ago: float) -> str:
    return (datetime.fromtimestamp(NOW_S, UTC) - timedelta(seconds=seconds_ago)).isoformat()


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("offset_s", [0.0, 0.5, 1.0, 1799.9, 3600.0, 46_800.0])
def test_every_named_window_has_60_to_370_points_that_cover_it(name: str, offset_s: float) -> None:
    window = named(name, NOW_S + offset_s)
    starts = window.starts()
    assert window.end_s == NOW_S + offset_s
    assert window.end_s - window.start_s == NAMED[name][0]
    assert 60 <= len(starts) <= 370
    assert starts[0] <= window.start_s < starts[1]
    assert starts[-1] < window.end_s <= starts[-1] + window.step_s
    assert all(start % window.step_s == 0 for start in starts)


@pytest.mark.parametrize("name", NAMED)
def test_every_named_window_is_kept_whole_in_the_period_that_answers_it(name: str) -> None:
    length_s, period_s, step_s = NAMED[name]
    assert period_s in PERIODS_S
    assert step_s % period_s == 0
    assert KEEP_S[period_s] > length_s + step_s


@pytest.mark.parametrize("name", ["", "1H", "2h", "15", "all", "15m\x00", "1h,6h", "__class__"])
def test_a_name_that_is_no_window_is_refused_with_the_ones_that_are(name: str) -> None:
    with pytest.raises(BadRequestError, match="allowed is 15m, 1h, 6h, 24h, 7d, 30d, 1y") as refusal:
        named(name, NOW_S)
    assert repr(name) in str(refusal.value)


@pytest.mark.parametrize(
    ("from_s", "to_s", "period_s"),
    [
        (900, 0, 10),
        (7000, 6400, 10),
        (3 * 3600, 3 * 3600 - 600, 60),
        (3600, 0, 60),
        (21_600, 0, 60),
        (30 * 3600, 29 * 3600, 600),
        (DAY, 0, 600),
        (7 * DAY, 0, 600),
        (16 * DAY, 15 * DAY, 7200),
        (30 * DAY, 0, 7200),
        (249 * DAY, 248 * DAY, 7200),
        (365 * DAY, 0, 93_600),
        (399 * DAY, 398 * DAY, 93_600),
    ],
)
def test_a_span_is_answered_by_the_finest_period_that_still_has_it(
    from_s: int, to_s: int, period_s: int
) -> None:
    window = between(iso(from_s), iso(to_s), NOW_S)
    assert (window.start_s, window.end_s) == (NOW_S - from_s, NOW_S - to_s)
    assert window.period_s == period_s
    assert from_s <= KEEP_S[window.period_s]
    assert window.step_s % window.period_s == 0
    assert 1 <= len(window.starts()) <= 370


def test_a_span_without_an_end_goes_up_to_now() -> None:
    assert between(iso(600), "", NOW_S).end_s == NOW_S


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        (iso(0), iso(60), "is not before to"),
        (iso(60), iso(60), "is not before to"),
        (iso(-60), "", r"is not before to \(now\)"),
        (iso(367 * DAY), "", "longer than a year"),
        ("yesterday", "", "from is 'yesterday'; allowed is an ISO 8601 instant"),
        ("", iso(0), "from is ''"),
        (iso(60), "1e9", "to is '1e9'"),
        ("2025-08-07T17:00:00", "", "needs an offset"),
        ("2025-08-07", "", "needs an offset"),
        ("2025-08-07T17:00:00 0000 00", "", "from is"),
        ("2025-13-07T17:00:00+00:00", "", "from is"),
        ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "longer than a year"),
        ("\ud800", "", "from is"),
    ],
)
def test_a_span_that_is_none_is_refused_with_what_is_wrong(start: str, end: str, told: str) -> None:
    with pytest.raises(BadRequestError, match=told):
        between(start, end, NOW_S)


@pytest.mark.parametrize(
    "text",
    ["2025-08-07T18:00:00Z", "2025-08-07T18:00:00+00:00", "2025-08-07T20:00:00+02:00", "20250807T180000Z"],
)
def test_an_instant_may_be_written_in_several_ways(text: str) -> None:
    assert instant_s("from", text) == datetime(2025, 8, 7, 18, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(("length_s", "period_s"), [(30, 10), (300, 10), (3600, 10), (3601, 60), (DAY, 600)])
def test_a_sliding_window_is_read_from_a_period_that_is_kept_for_long_enough(
    length_s: float, period_s: int
) -> None:
    window = sliding(length_s, NOW_S)
    assert (window.start_s, window.end_s) == (NOW_S - length_s, NOW_S)
    assert window.period_s == window.step_s == period_s


def test_a_plus_that_a_client_did_not_escape_is_still_an_offset() -> None:
    assert instant_s("from", "2025-08-07T20:00:00 02:00") == datetime(2025, 8, 7, 18, tzinfo=UTC).timestamp()


def test_the_longest_rows_outlive_all_others_whatever_is_set() -> None:
    found = kept(Settings(keep_2h_days=900, keep_26h_days=100))
    assert found[7200] == 900 * DAY
    assert found[93_600] == found[1_310_400] == 900 * DAY
    assert kept(Settings()) == KEEP_S


def test_a_window_that_is_not_kept_in_its_period_is_read_from_a_longer_one() -> None:
    short = kept(Settings(keep_10min_days=2))
    window = named("7d", NOW_S, short)
    assert (window.period_s, window.step_s) == (7200, 7200)
    assert named("24h", NOW_S, short).period_s == 600


@pytest.mark.parametrize("end", [0, 7, 10, 59, 60, 61, 86_400, 93_600, 5_000_001])
@pytest.mark.parametrize("built", [0, 600, 7_260, 1_400_000])
def test_every_instant_is_covered_once_by_rows_that_are_there(end: int, built: int) -> None:
    start_s, end_s = 93_600 * 20, 93_600 * 20 + end // 10 * 10
    built_s = {period_s: (start_s + built) // period_s * period_s for period_s in PERIODS_S[1:]}
    found = cover(start_s, end_s, built_s)
    assert [one.start_s for one in found][:1] == ([start_s] if end_s > start_s else [])
    assert all(one.end_s == other.start_s for one, other in pairwise(found))
    assert not found or found[-1].end_s == end_s
    for period_s, first_s, last_s in found:
        assert first_s % period_s == last_s % period_s == 0
        assert last_s <= built_s.get(period_s, last_s)
