"""Forgetting: what is due goes, in bounded steps, and nothing else."""

from __future__ import annotations

from sqlalchemy import func, select

from app.model.windows import KEEP_S, PERIODS_S
from app.store import Engine, reading, writing
from app.store.history import read_watermark
from app.store.retention import SILENT_RUN_S, prune
from app.store.schema import rollups, tools

from .data import START_S, built, roll, rows, series

EPOCH_S = START_S // PERIODS_S[-1] * PERIODS_S[-1]  # a boundary of the longest period


def _prune(engine: Engine, now_s: float, limit: int = 1000) -> int:
    with writing(engine) as connection:
        return prune(connection, now_s, limit)


def _rows_by_period(engine: Engine) -> dict[int, int]:
    with reading(engine) as connection:
        query = select(rollups.c.period_s, func.count()).group_by(rollups.c.period_s)
        return {row[0]: row[1] for row in connection.execute(query)}


def _names(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.execute(select(tools.c.name).order_by(tools.c.name)).scalars())


def test_each_period_is_kept_as_long_as_its_windows_read_it(store: Engine) -> None:
    roll(store, EPOCH_S + 10, {"ping": series(1)}, started_s=EPOCH_S)
    built(store, EPOCH_S + PERIODS_S[-1])
    left = dict.fromkeys(KEEP_S, 2)  # all tools together, and ping
    kept = dict(KEEP_S) | {PERIODS_S[-1]: KEEP_S[PERIODS_S[-1]] + PERIODS_S[-1]}
    for keep_s in sorted(set(kept.values())):
        assert _prune(store, EPOCH_S + keep_s) == 0
        assert _rows_by_period(store) == left
        due = [one for one, other_s in kept.items() if other_s == keep_s]
        assert _prune(store, EPOCH_S + keep_s + 1) == 2 * len(due)
        for one in due:
            del left[one]
        assert _rows_by_period(store) == left


def test_a_row_that_a_longer_one_is_still_to_be_built_from_stays(store: Engine) -> None:
    roll(store, EPOCH_S + 10, {"ping": series(1)}, started_s=EPOCH_S)
    later_s = EPOCH_S + 10 * KEEP_S[10]
    assert _prune(store, later_s) == 0
    built(store, later_s)
    assert _prune(store, later_s) == 2
    assert rows(store, EPOCH_S, EPOCH_S + 10, period_s=60, step_s=60).tools["ping"].requests == 1


def test_one_call_deletes_no_more_than_its_limit_and_the_oldest_first(store: Engine) -> None:
    for number in range(1, 11):
        roll(store, START_S + 10 * number, {"ping": series(*[1] * number)})
    later_s = START_S + KEEP_S[10] + 3600
    built(store, later_s)
    deleted = [_prune(store, later_s, limit=7) for _ in range(4)]
    assert deleted == [7, 7, 6, 0]
    assert 10 not in _rows_by_period(store)


def test_the_newest_rows_are_the_last_to_go(store: Engine) -> None:
    for number in range(1, 11):
        roll(store, START_S + 10 * number, {"ping": series(*[1] * number)})
    later_s = START_S + KEEP_S[10] + 3600
    built(store, later_s)
    _prune(store, later_s, limit=6)
    points = rows(store, START_S, START_S + 99).points
    assert [point is None for point in points] == [True] * 3 + [False] * 7


def test_a_run_that_fell_silent_is_forgotten_when_others_go_on(store: Engine) -> None:
    roll(store, START_S, {"ping": series(1), "pong": series(1)}, run="silent")
    roll(store, START_S + SILENT_RUN_S, {"ping": series(1)}, run="live", started_s=START_S)
    now_s = START_S + SILENT_RUN_S
    assert _prune(store, now_s) == 0
    roll(store, now_s + 1, {"ping": series(1)}, run="live", started_s=START_S)
    assert _prune(store, now_s + 1, limit=2) == 2  # its two watermarks
    assert _prune(store, now_s + 1, limit=2) == 1  # and then the run
    with reading(store) as connection:
        assert read_watermark(connection, "a", "silent") is None
        assert read_watermark(connection, "a", "live") is not None


def test_a_run_is_not_silent_because_anothers_clock_is_ahead(store: Engine) -> None:
    roll(store, START_S, {"ping": series(1)}, run="right")
    roll(store, START_S + 2 * SILENT_RUN_S, {"ping": series(1)}, instance="b", run="ahead")
    assert _prune(store, START_S + 10) == 0
    roll(store, START_S + 20, {"ping": series(1, 2)}, run="right")
    assert rows(store, START_S - 20, START_S + 20).tools["ping"].requests == 2


def test_a_service_that_slept_for_a_week_goes_on_where_it_was(store: Engine) -> None:
    roll(store, START_S + 10, {"ping": series(1)})
    awake_s = START_S + 7 * 86_400
    built(store, awake_s)
    while _prune(store, awake_s):
        pass
    roll(store, awake_s, {"ping": series(1, 2)})
    found = rows(store, START_S, awake_s, period_s=7200, step_s=7200)
    assert found.tools["ping"].requests == 2


def test_a_tool_goes_when_no_row_and_no_run_names_it(store: Engine) -> None:
    roll(store, START_S, {"gone": series(1)}, run="old")
    new_s = START_S + SILENT_RUN_S * 2
    roll(store, new_s, {"ping": series(1)}, run="new", started_s=new_s - 10)
    while _prune(store, new_s):
        pass
    assert _names(store) == ["", "gone", "ping"]
    later_s = START_S + KEEP_S[93_600] + 2 * PERIODS_S[-1]
    built(store, later_s)
    while _prune(store, later_s):
        pass
    assert _names(store) == ["", "ping"]


def test_a_tool_that_was_forgotten_can_come_back(store: Engine) -> None:
    roll(store, START_S, {"ping": series(1)}, run="old")
    new_s = START_S + KEEP_S[93_600] + 2 * PERIODS_S[-1]
    roll(store, new_s, {}, run="new", started_s=new_s - 10)
    built(store, new_s)
    while _prune(store, new_s):
        pass
    assert _names(store) == [""]
    roll(store, new_s + 10, {"ping": series(1, 2)}, run="new")
    assert rows(store, new_s, new_s + 10).tools["ping"].requests == 2
