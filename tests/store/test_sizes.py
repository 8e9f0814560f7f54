"""How large the store is: exact where little is there, about right where much is, and never slow."""

from __future__ import annotations

from app.model.windows import PERIODS_S
from app.store import Engine, reading
from app.store.sizes import STARTS, Size, read_size

from .data import START_S, built, roll, series


def _size(engine: Engine) -> Size:
    with reading(engine) as connection:
        return read_size(connection)


def test_an_empty_store_holds_nothing_and_says_which_database_it_is(store: Engine) -> None:
    size = _size(store)
    name, _, version = size.database.partition(" ")
    assert name.lower() == store.dialect.name
    assert version[0].isdigit()
    assert size.total_bytes > 0  # the tables themselves
    assert [(one.oldest_s, one.rows, one.size_bytes) for one in size.periods.values()] == [(None, 0, 0)] * 6
    assert tuple(size.periods) == PERIODS_S
    assert (size.alerts, size.notices) == (0, 0)


def test_a_few_rows_are_counted_one_by_one(store: Engine) -> None:
    for number in range(1, 6):
        roll(store, START_S + 10 * number, {"ping": series(*[1] * number), "pong": series(1)})
    held = _size(store).periods[10]
    assert held.oldest_s == START_S
    assert (
        held.rows == 5 + 5 + 1
    )  # all tools together, the one that goes on, and the one that was called once
    assert not held.is_estimate
    assert held.size_bytes > held.rows * 10


def test_many_rows_are_estimated_within_a_tenth(store: Engine) -> None:
    starts = 20 * STARTS
    for number in range(1, starts + 1):
        roll(store, START_S + 10 * number, {f"tool {one}": series(*[1] * number) for one in range(3)})
    built(store, START_S + 10 * starts)
    size = _size(store)
    assert size.periods[10].is_estimate
    assert 0.9 * 4 * starts < size.periods[10].rows < 1.1 * 4 * starts
    assert size.periods[60].oldest_s == START_S
    assert 0.9 * 4 * starts / 6 < size.periods[60].rows <= 4 * (starts // 6 + 1)
    assert sum(one.size_bytes for one in size.periods.values()) < size.total_bytes * 1.5


def test_a_gap_in_the_middle_is_part_of_the_estimate(store: Engine) -> None:
    for number in (*range(1, 101), *range(901, 1001)):
        roll(store, START_S + 10 * number, {"ping": series(*[1] * number)})
    held = _size(store).periods[10]
    assert held.is_estimate
    assert 200 < held.rows < 700  # 400 are there, on 1,000 starts
