"""Reading history: which rows belong to a window, and what a point holds."""

from __future__ import annotations

from app.model.windows import Window
from app.store import Engine, reading
from app.store.history import read_generation, read_watermark, read_window

from .data import START_S, course, roll, rows, series


def test_an_empty_store_has_gaps_only(store: Engine) -> None:
    found = rows(store, START_S, START_S + 30)
    assert (found.tools, found.points) == ({}, [None] * 3)
    assert course(store, "ping", START_S, START_S + 30) == [None] * 3


def test_a_window_takes_every_period_that_it_touches(store: Engine) -> None:
    for number in range(1, 7):  # periods 0 to 5 hold one request each
        roll(store, START_S + 10 * number, {"ping": series(*[1] * number)})
    assert rows(store, START_S + 15, START_S + 35).tools["ping"].requests == 3  # periods 1, 2 and 3
    assert rows(store, START_S + 20, START_S + 40).tools["ping"].requests == 2  # periods 2 and 3


def test_a_point_of_several_periods_adds_them_up(store: Engine) -> None:
    for number in range(1, 13):
        roll(store, START_S + 10 * number, {"ping": series(*[1] * number)})
    found = rows(store, START_S + 35, START_S + 119, step_s=60)
    assert [point and point.requests for point in found.points] == [3, 6]
    points = course(store, "ping", START_S + 35, START_S + 119, step_s=60)
    assert [point and point.requests for point in points] == [3, 6]
    assert found.tools["ping"].requests == 9


def test_a_tool_has_zeros_where_others_were_measured_and_gaps_where_nothing_was(store: Engine) -> None:
    roll(store, START_S + 10, {"a": series(1)})
    roll(store, START_S + 20, {"a": series(1), "b": series(1)})
    roll(store, START_S + 60, {"a": series(1), "b": series(1)})
    lines = {name: course(store, name, START_S, START_S + 49) for name in "ab"}
    counted = {name: [one and one.requests for one in line] for name, line in lines.items()}
    assert counted == {"a": [1, 0, None, None, 0], "b": [0, 1, None, None, 0]}


def test_other_periods_do_not_mix_in(store: Engine) -> None:
    roll(store, START_S + 10, {"ping": series(1)})
    for period_s in (10, 60, 600, 7200):
        found = rows(store, START_S, START_S + 10, period_s=period_s, step_s=period_s)
        assert found.tools["ping"].requests == 1


def test_rows_and_watermark_are_of_one_instant_while_a_roll_up_commits_between_them(store: Engine) -> None:
    window = Window("", START_S, START_S + 100, 10, 10)
    roll(store, START_S + 10, {"ping": series(1)})
    with reading(store) as connection:
        assert read_generation(connection)[:2] == (1, 1)
        roll(store, START_S + 20, {"ping": series(1, 2)})
        found, watermark = read_window(connection, window), read_watermark(connection, "a", "run-1")
    assert watermark is not None
    assert found.tools == watermark.tools == {"ping": series(1)}


def test_the_sequence_counts_the_roll_ups_of_one_run(store: Engine) -> None:
    roll(store, START_S + 10, {"ping": series(1)})
    roll(store, START_S + 20, {})
    with reading(store) as connection:
        watermark = read_watermark(connection, "a", "run-1")
        assert watermark is not None
        assert (watermark.sequence, read_generation(connection)[:2]) == (2, (1, 2))
        assert read_watermark(connection, "b", "run-1") is None


def test_a_tool_that_fell_silent_stays_in_the_watermark(store: Engine) -> None:
    roll(store, START_S + 10, {"ping": series(1)})
    roll(store, START_S + 20, {"ping": series(1), "new": series(2)})
    with reading(store) as connection:
        watermark = read_watermark(connection, "a", "run-1")
    assert watermark is not None
    assert watermark.tools == {"ping": series(1), "new": series(2)}
