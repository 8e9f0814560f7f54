"""Counters into history: nothing lost, nothing counted twice, whatever happens in between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from app.model.series import EMPTY, Series, total
from app.model.windows import PERIODS_S
from app.store import Engine, reading, writing
from app.store.history import read_watermark
from app.store.rollups import finish_run, roll_up
from app.store.schema import rollups, runs, tools, watermarks

from .data import MS, START_S, course, roll, rows, series, sums


@dataclass(frozen=True)
class Step:
    """Requests that come, the seconds until the next roll-up, and whether it dies before its commit."""

    gains: dict[str, Series]
    seconds: float
    dies: bool


class PowerCutError(Exception):
    """The end of a process in the middle of its roll-up."""


_durations = st.lists(st.floats(0.001, 100_000), max_size=4)
_gains = st.builds(
    lambda times, failed, size: series(*times, failed=failed, response_bytes=size),
    _durations,
    st.integers(0, 3),
    st.integers(0, 1 << 40),
)
_steps = st.lists(
    st.builds(
        Step,
        st.dictionaries(st.sampled_from(["ping", "GET /users/<int:id>", "größe"]), _gains, max_size=3),
        st.floats(0, 5000),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


def _play(engine: Engine, steps: list[Step]) -> tuple[dict[str, Series], float]:
    """Let the steps happen; returns the final counters and the time of the last roll-up."""
    now_s, counters = START_S, dict[str, Series]()
    for step in [*steps, Step({}, 5.0, dies=False)]:
        now_s += step.seconds
        for name, gain in step.gains.items():
            counters[name] = counters.get(name, EMPTY) + gain
        with suppress(PowerCutError), writing(engine) as connection:
            roll_up(connection, instance="a", run="r", started_s=START_S, now_s=now_s, tools=dict(counters))
            if step.dies:
                raise PowerCutError
    return counters, now_s


def _clear(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(delete(runs))
        connection.execute(delete(rollups))
        connection.execute(delete(tools).where(tools.c.id != 0))


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_steps)
def test_every_period_adds_up_to_the_counters_whenever_they_are_rolled_up(
    store: Engine, steps: list[Step]
) -> None:
    _clear(store)
    counters, now_s = _play(store, steps)
    called = {name: one for name, one in counters.items() if one != EMPTY}
    for period_s in PERIODS_S:
        found = rows(store, START_S, now_s + 1, period_s=period_s, step_s=period_s)
        assert sums(found.tools) == sums(called)
        together = total(point for point in found.points if point)
        assert sums({"": together}) == sums({"": total(called.values())})
        for name, one in called.items():
            if one.requests:
                assert found.tools[name].min_ns == pytest.approx(one.min_ns, rel=0.012, abs=1000)
                assert found.tools[name].max_ns == pytest.approx(one.max_ns, rel=0.012, abs=1000)
    with reading(store) as connection:
        watermark = read_watermark(connection, "a", "r")
    assert watermark is not None
    assert (watermark.rolled_up_s, watermark.tools) == (now_s, called)


def test_a_gain_goes_to_the_period_in_the_middle_of_its_span(store: Engine) -> None:
    roll(store, START_S + 10, {"ping": series(1)})
    roll(store, START_S + 40, {"ping": series(1, 2)})  # 10 to 40: the middle is 25
    found = course(store, "ping", START_S, START_S + 40)
    assert [point and point.requests for point in found] == [1, None, 1, None]


def test_a_clock_that_was_set_back_dates_nothing_into_the_time_ahead(store: Engine) -> None:
    roll(store, START_S + 7210, {"ping": series(1)})
    roll(store, START_S + 60, {"ping": series(1, 2)})
    assert rows(store, START_S + 50, START_S + 70).tools["ping"].requests == 1
    roll(store, START_S + 70, {"ping": series(1, 2, 3)})
    assert rows(store, START_S + 50, START_S + 80).tools["ping"].requests == 2


def test_a_first_roll_up_long_after_the_start_looks_two_hours_back_at_most(store: Engine) -> None:
    now_s = START_S + 30 * 86_400
    roll(store, now_s, {"ping": series(1)})
    found = rows(store, now_s - 3600, now_s - 3590)
    assert found.tools["ping"].requests == 1


def test_a_roll_up_without_requests_is_a_zero_and_its_absence_a_gap(store: Engine) -> None:
    roll(store, START_S + 10, {})
    roll(store, START_S + 20, {"ping": series(1)})
    roll(store, START_S + 30, {"ping": series(1)})
    roll(store, START_S + 60, {"ping": series(1)})
    points = rows(store, START_S, START_S + 60).points
    assert [point and point.requests for point in points] == [0, 1, 0, None, 0, None]


def test_a_tool_that_was_not_called_costs_no_row(store: Engine) -> None:
    for number in range(1, 4):
        roll(store, START_S + 10 * number, {"ping": series(1), "busy": series(*[1] * number)})
    with reading(store) as connection:
        query = select(tools.c.name, func.count()).join(rollups, rollups.c.tool_id == tools.c.id)
        query = query.group_by(tools.c.name)
        counted = connection.execute(query.where(rollups.c.period_s == 10)).all()
    assert sorted((row[0], row[1]) for row in counted) == [("", 3), ("busy", 3), ("ping", 1)]


def test_two_instances_are_added_up(store: Engine) -> None:
    roll(store, START_S + 10, {"ping": series(1, 2), "one": series(5)}, instance="a")
    roll(store, START_S + 10, {"ping": series(4, failed=1)}, instance="b")
    found = rows(store, START_S, START_S + 10)
    assert sums(found.tools) == sums({"ping": series(1, 2, 4, failed=1), "one": series(5)})
    point = found.points[0]
    assert point is not None
    assert (point.requests, point.errors, point.max_ns) == (5, 1, 5 * MS)


def test_a_restarted_service_adds_to_the_rows_of_the_run_before(store: Engine) -> None:
    roll(store, START_S + 4, {"ping": series(1, 2)}, run="before")
    roll(store, START_S + 9, {"ping": series(3)}, run="after", started_s=START_S + 5)
    assert sums(rows(store, START_S, START_S + 10).tools) == sums({"ping": series(1, 2, 3)})


def test_two_runs_of_an_instance_that_overlap_do_not_overwrite_each_other(store: Engine) -> None:
    def run_through(run: str) -> None:
        for number in range(1, 11):
            roll(store, START_S + number, {"ping": series(*[1] * number)}, run=run)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run_through, ["old", "new"]))
    assert rows(store, START_S, START_S + 10).tools["ping"].requests == 20


def test_instances_that_meet_the_same_new_tools_do_not_block_each_other(store: Engine) -> None:
    names = [f"tool {number}" for number in range(200)]

    def start(instance: str) -> None:
        ordered = names if instance == "a" else names[::-1]
        roll(store, START_S + 10, dict.fromkeys(ordered, series(1)), instance=instance)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(start, ["a", "b"]))
    found = rows(store, START_S, START_S + 10).tools
    assert {name: one.requests for name, one in found.items()} == dict.fromkeys(names, 2)


def test_a_finished_run_keeps_its_rows_and_loses_its_watermark(store: Engine) -> None:
    roll(store, START_S + 10, {"ping": series(1)}, run="ended")
    roll(store, START_S + 10, {"ping": series(1)}, run="other")
    with writing(store) as connection:
        finish_run(connection, "a", "ended", heir="a")
    with reading(store) as connection:
        assert read_watermark(connection, "a", "ended") is None
        assert read_watermark(connection, "a", "other") is not None
        assert connection.execute(select(watermarks.c.run)).scalars().all() == ["other"]
    assert rows(store, START_S, START_S + 10).tools["ping"].requests == 2


@pytest.mark.slow
def test_a_thousand_tools_are_rolled_up_at_once(store: Engine) -> None:
    counters = {f"tool {number}": series(number + 1) for number in range(1000)}
    roll(store, START_S + 10, counters)
    roll(store, START_S + 20, {name: one + one for name, one in counters.items()})
    found = rows(store, START_S, START_S + 20, period_s=60, step_s=60)
    assert sums(found.tools) == sums({name: one + one for name, one in counters.items()})


def test_counts_that_are_missing_for_a_while_are_not_counted_again_when_they_are_back(store: Engine) -> None:
    whole, part = {"a": series(5, 5, 5), "b": series(7)}, {"a": series(5)}

    def rolled(now_s: float, counters: dict[str, Series], *, may_shrink: bool) -> bool:
        with writing(store) as connection:
            return None is not roll_up(
                connection, instance="a", run="run-1", started_s=START_S, now_s=now_s, tools=counters,
                may_shrink=may_shrink,
            )  # fmt: skip

    assert rolled(START_S + 10, whole, may_shrink=False)
    assert not rolled(START_S + 20, part, may_shrink=False)
    assert rolled(START_S + 30, {**whole, "a": series(5, 5, 5, 9)}, may_shrink=False)
    assert sums(rows(store, START_S, START_S + 60).tools) == sums({"a": series(5, 5, 5, 9), "b": series(7)})
    assert rolled(START_S + 40, part, may_shrink=True)  # they are gone for good: what comes now counts
    assert rolled(START_S + 50, {"a": series(5, 11)}, may_shrink=False)
    assert rows(store, START_S, START_S + 60).tools["a"].requests == 5
