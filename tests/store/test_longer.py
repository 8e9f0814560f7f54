"""Rows of longer periods: built once, of what lies in them, whenever it comes and whoever dies meanwhile."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import select, update

from app.model.alerting import SystemSample
from app.model.series import EMPTY, Series, total
from app.model.vitals import Vitals, mean_of, most_of
from app.model.windows import PERIODS_S, Window
from app.store import Engine, reading, writing
from app.store.built import built_by_all
from app.store.history import read_vitals
from app.store.longer import behind, build
from app.store.rollups import roll_up
from app.store.rows import decoded
from app.store.schema import built as marks
from app.store.schema import rollups, tools
from app.store.vitals import add_samples, fresh_since

from .data import START_S, built, course, roll, rows, series, sums


class PowerCutError(Exception):
    """The end of a process in the middle of its turn."""


def stored(engine: Engine, period_s: int, tool: str) -> dict[int, int]:
    """The requests of a tool's rows of one period, by start."""
    with reading(engine) as connection:
        query = select(rollups.c.start_s, rollups.c.data).join(tools, tools.c.id == rollups.c.tool_id)
        found = connection.execute(query.where(rollups.c.period_s == period_s, tools.c.name == tool))
        return {row.start_s: decoded(row.data).requests for row in found}


def test_a_minute_is_the_sum_of_its_rows_once_it_is_over(store: Engine) -> None:
    for number in range(1, 6):
        roll(store, START_S + 10 * number, {"ping": series(*[1] * number, failed=number)})
    built(store, START_S + 50)
    assert stored(store, 60, "ping") == {}
    roll(store, START_S + 60, {"ping": series(*[1] * 6, failed=6)})
    built(store, START_S + 60)
    assert stored(store, 60, "ping") == {START_S: 12}
    assert stored(store, 600, "ping") == {}
    found = rows(store, START_S, START_S + 60, period_s=60, step_s=60)
    assert sums(found.tools) == sums({"ping": series(*[1] * 6, failed=6)})


def test_each_period_is_built_in_its_turn_up_to_two_weeks(store: Engine) -> None:
    start_s = START_S // PERIODS_S[-1] * PERIODS_S[-1]
    counted = EMPTY
    for number in range(1, 40):
        counted += series(number)
        roll(store, start_s + number * 33_000, {"ping": counted}, started_s=start_s)
        built(store, start_s + number * 33_000)
    built(store, start_s + PERIODS_S[-1])
    for period_s in PERIODS_S:
        assert sum(stored(store, period_s, "ping").values()) == 39
        found = rows(store, start_s, start_s + PERIODS_S[-1], period_s=period_s, step_s=period_s)
        assert sums(found.tools) == sums({"ping": counted})


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_every_window_holds_all_requests_once(store: Engine, seed: int) -> None:
    """Turns come early and late, die before their commit, are skipped for hours; clocks go back and ahead."""
    chance, now_s = random.Random(seed), START_S
    counters: dict[str, Series] = {}
    earliest_s = now_s
    for _ in range(60):
        now_s += chance.choice([1, 10, 10, 10, 30, 700, 9000, 100_000, -50, -4000])
        earliest_s = min(earliest_s, now_s)
        for tool in chance.sample("abc", chance.randrange(3)):
            gain = series(*[chance.uniform(0.1, 3000)] * chance.randrange(1, 4), failed=chance.randrange(2))
            counters[tool] = counters.get(tool, EMPTY) + gain
        dies = chance.random()
        try:
            with writing(store) as connection:
                roll_up(
                    connection, instance="a", run="r", started_s=START_S, now_s=now_s, tools=dict(counters)
                )
                if dies < 0.2:
                    raise PowerCutError
            with writing(store) as connection:
                build(connection, "a", now_s)
                if dies < 0.4:
                    raise PowerCutError
        except PowerCutError:
            continue
    end_s = now_s + 120_000
    roll(store, end_s, counters, run="r")
    built(store, end_s)
    for period_s in PERIODS_S:
        first_s, last_s = earliest_s - 10_000, end_s + 10
        found = rows(store, first_s, last_s, period_s=period_s, step_s=period_s)
        assert sums(found.tools) == sums(counters)
        assert sums({"": total(point for point in found.points if point)}) == sums(
            {"": total(counters.values())}
        )
        for tool, counted in counters.items():
            points = course(store, tool, first_s, last_s, period_s=period_s, step_s=period_s)
            assert sums({"": total(one for one in points if one)}) == sums({"": counted})


def test_what_comes_late_is_added_to_all_rows_of_its_time(store: Engine) -> None:
    roll(store, START_S + 60, {"ping": series(1)}, run="before")
    built(store, START_S + 8000)
    assert stored(store, 7200, "ping") == {START_S // 7200 * 7200: 1}
    roll(store, START_S + 20, {"ping": series(1, 1)}, run="late")  # of the same minutes, that are long over
    for period_s in (60, 600, 7200):
        assert sum(stored(store, period_s, "ping").values()) == 3


def test_after_a_long_absence_a_turn_builds_a_bounded_number_and_the_next_goes_on(store: Engine) -> None:
    for number in range(1, 101):
        roll(store, START_S + 60 * number, {"ping": series(*[1] * number)})
    with writing(store) as connection:
        assert build(connection, "a", START_S + 6000)
    assert len(stored(store, 60, "ping")) == 30
    assert rows(store, START_S, START_S + 6000, period_s=60, step_s=60).tools["ping"].requests == 100
    built(store, START_S + 6000)
    assert len(stored(store, 60, "ping")) == 100


def test_who_reads_goes_by_the_slowest_instance_and_who_is_gone_is_known(store: Engine) -> None:
    for name in "ab":
        roll(store, START_S + 30, {"ping": series(1)}, instance=name)
    built(store, START_S + 7200, "a")
    with reading(store) as connection:
        assert built_by_all(connection)[60] == START_S
        assert behind(connection, START_S + 7200) == ["b"]
    assert rows(store, START_S, START_S + 60, period_s=60, step_s=60).tools["ping"].requests == 2
    built(store, START_S + 7200, "b")
    with reading(store) as connection:
        assert behind(connection, START_S + 7200) == []
    assert rows(store, START_S, START_S + 60, period_s=60, step_s=60).tools["ping"].requests == 2


def test_building_the_same_again_changes_nothing(store: Engine) -> None:
    for number in range(1, 61):
        roll(store, START_S + 10 * number, {"ping": series(*[1] * number)})
    built(store, START_S + 600)
    before = {period_s: stored(store, period_s, "ping") for period_s in PERIODS_S}
    with writing(store) as connection:  # as if all of it had been forgotten but the rows
        connection.execute(update(marks).values(until_s=int(START_S)))
    built(store, START_S + 600)
    assert {period_s: stored(store, period_s, "ping") for period_s in PERIODS_S} == before


def _sample(at_s: float, cpu: float, throttled: int = 0) -> SystemSample:
    return SystemSample(at_s, cpu, 50.0, 70.0, cpu_limit_cores=0.5, throttled_periods=throttled)


def sample(engine: Engine, instance: str, samples: list[SystemSample]) -> None:
    """One turn, just after the newest of these samples."""
    with writing(engine) as connection:
        since_s = fresh_since(connection, instance, samples[-1].at_s)
        add_samples(connection, instance, samples, since_s)


def vitals(engine: Engine, end_s: float, period_s: int) -> list[Vitals]:
    with reading(engine) as connection:
        found = read_vitals(connection, Window("", START_S, end_s, period_s, period_s))
    return [one for point in found for one in point.values()]


def test_samples_are_stored_once_and_summed_up_with_the_tools(store: Engine) -> None:
    samples = [_sample(START_S + 5 * number, float(number), 2 * number) for number in range(1, 25)]
    for end in (4, 4, 12, 24):  # each turn sees those of the turns before too
        sample(store, "a", samples[:end])
    built(store, START_S + 120)
    for period_s in (10, 60):
        found = vitals(store, START_S + 120, period_s)
        whole = sum(found, Vitals())
        assert whole.gauges["cpu_percent"].samples == 23  # the last one begins the third minute
        assert mean_of([whole], "cpu_percent") == 12.0
        assert most_of([whole], "cpu_percent") == 23.0
        assert whole.counters == {"throttled_periods": 44}


def test_the_times_that_requests_waited_are_kept_beside_the_samples(store: Engine) -> None:
    for number, waited in enumerate((series(3), series(3, 5, 80)), 1):
        with writing(store) as connection:
            roll_up(
                connection, instance="a", run="run-1", started_s=START_S, now_s=START_S + 10 * number,
                tools={}, queue=waited,
            )  # fmt: skip
    first, second = vitals(store, START_S + 20, 10)
    assert (first.queue.requests, second.queue.requests) == (1, 2)
    assert second.queue.quantiles_ms((1.0,)) == pytest.approx([80], rel=0.011)


def test_samples_go_on_after_a_clock_that_was_ahead_for_a_while(store: Engine) -> None:
    sample(store, "a", [_sample(START_S + 86_400, 90.0)])
    sample(store, "a", [_sample(START_S + 86_400, 90.0), _sample(START_S + 5, 10.0)])
    sample(store, "a", [_sample(START_S + 5, 10.0), _sample(START_S + 10, 20.0)])
    found = sum(vitals(store, START_S + 20, 10), Vitals())
    assert found.gauges["cpu_percent"].samples == 2
    assert mean_of([found], "cpu_percent") == 15.0


def test_instances_are_told_apart_and_can_be_put_together(store: Engine) -> None:
    for name, cpu in (("a", 10.0), ("b", 30.0)):
        sample(store, name, [_sample(START_S + 3, cpu)])
    with reading(store) as connection:
        [point] = read_vitals(connection, Window("", START_S, START_S + 10, 10, 10))
    assert {name: mean_of([one], "cpu_percent") for name, one in point.items()} == {"a": 10.0, "b": 30.0}
    assert mean_of(point.values(), "cpu_percent") == 20.0
    assert mean_of(point.values(), "load_average") is None
