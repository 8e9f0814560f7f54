"""The timetable: turns go on, whatever a job does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from app.jobs.schedule import Interval, Job, Schedule
from tests.capture.forks import until


@contextmanager
def running(*jobs: Job) -> Iterator[Schedule]:
    schedule = Schedule(jobs)
    schedule.start()
    try:
        yield schedule
    finally:
        schedule.stop()


def failing(turns: list[str]) -> Callable[[], None]:
    def run() -> None:
        turns.append("turn")
        raise ValueError("no store")

    return run


def test_a_job_runs_at_once_and_again_and_again() -> None:
    turns: list[str] = []
    with running(Job("sample", 0.01, lambda: turns.append("turn"))):
        until(lambda: len(turns) >= 3)
    ended = len(turns)
    time.sleep(0.05)
    assert len(turns) == ended


def test_a_failing_job_is_counted_logged_once_and_runs_again(caplog: pytest.LogCaptureFixture) -> None:
    turns: list[str] = []
    others: list[str] = []
    with (
        caplog.at_level(logging.ERROR, "laptime"),
        running(
            Job("bad", 0.01, failing(turns)), Job("good", 0.01, lambda: others.append("turn"))
        ) as schedule,
    ):
        until(lambda: len(turns) >= 3 and len(others) >= 3)
    assert schedule.failures == {"bad": len(turns), "good": 0}
    [record] = [record for record in caplog.records if record.name == "laptime"]
    assert record.getMessage() == "the job bad failed (1 times so far): no store"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ValueError)


def test_each_failing_job_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    turns: list[str] = []
    jobs = [Job(name, 0.01, failing(turns)) for name in ("one", "two")]
    with running(*jobs) as schedule:
        until(lambda: all(schedule.failures.values()))
    messages = [record.getMessage() for record in caplog.records if record.name == "laptime"]
    assert sorted(messages) == [
        f"the job {name} failed (1 times so far): no store" for name in ("one", "two")
    ]


def test_a_slow_job_never_runs_twice_at_once_and_does_not_hold_up_others() -> None:
    inside: list[int] = []
    most: list[int] = []
    others: list[str] = []
    go = threading.Event()

    def slow() -> None:
        inside.append(1)
        most.append(len(inside))
        go.wait(20)
        inside.pop()

    with running(Job("slow", 0.01, slow), Job("quick", 0.01, lambda: others.append("turn"))):
        until(lambda: len(others) >= 5 and most)
        assert most == [1]
        go.set()
        until(lambda: len(most) >= 2)
    assert set(most) == {1}


def test_stopping_waits_for_a_job_that_runs() -> None:
    steps: list[str] = []

    def work() -> None:
        steps.append("begun")
        time.sleep(0.05)
        steps.append("ended")

    with running(Job("work", 60, work)):
        until(lambda: steps)
    assert steps == ["begun", "ended"]


def test_a_timetable_that_never_started_can_be_stopped() -> None:
    Schedule([]).stop()


@pytest.mark.parametrize(
    ("every_s", "now_s", "first_s"),
    [(10, 1000.0, 1010), (10, 1000.001, 1010), (10, 1009.999, 1010), (60, 61.0, 120), (5, 0.0, 5)],
)
def test_a_job_on_the_boundary_waits_for_the_clocks_next_multiple(
    every_s: float, now_s: float, first_s: float
) -> None:
    assert Job("roll_up", every_s, lambda: None, on_boundary=True).first_s(now_s) == first_s
    assert Job("sample", every_s, lambda: None).first_s(now_s) == now_s


def test_a_job_on_the_boundary_runs_behind_it() -> None:
    began_s, turns = time.time(), list[float]()
    with running(Job("roll_up", 0.25, lambda: turns.append(time.time()), on_boundary=True)):
        until(lambda: len(turns) >= 2)
    assert turns[0] >= (began_s // 0.25 + 1) * 0.25


@pytest.mark.parametrize("moved_s", [-3600.0, 86_400.0], ids=["an hour back", "a day ahead"])
def test_a_clock_that_was_set_does_not_put_turns_off(moved_s: float) -> None:
    turns: list[float] = []
    with running(Job("rare", 300.0, lambda: turns.append(time.monotonic()))) as schedule:
        until(lambda: len(turns) == 1)
        now_s, monotonic_s = time.time(), time.monotonic()
        schedule.follow_clock(now_s + 1, monotonic_s + 1)  # a second went by
        schedule.follow_clock(now_s + moved_s, monotonic_s)
        schedule.follow_clock(now_s + moved_s + 1, monotonic_s + 1)
        # The system's own clock stands where it was, so turns that were set back have their first at once.
        if moved_s < 0:
            until(lambda: len(turns) == 2)
    assert len(turns) == (2 if moved_s < 0 else 1)


@pytest.mark.parametrize("away", [timedelta(seconds=9), timedelta(days=1), timedelta(days=365 * 56)])
def test_turns_that_were_missed_are_passed_over_at_once(away: timedelta) -> None:
    now = datetime(2026, 1, 1, 0, 0, 3, tzinfo=UTC)
    interval = Interval(seconds=5, timezone=UTC)
    turns = [now - away]
    while turns[-1] <= now:
        following = interval.get_next_fire_time(turns[-1], now)
        assert following is not None
        turns.append(following)
    assert len(turns) <= 4
    assert turns[-1] - now <= timedelta(seconds=5)
    assert (turns[-1] - turns[0]) % timedelta(seconds=5) == timedelta()  # on the same boundaries as ever


def test_a_clock_that_is_set_ahead_by_years_costs_no_turn_and_no_memory() -> None:
    turns: list[str] = []
    with running(Job("sample", 0.2, lambda: turns.append("turn"))) as schedule:
        until(lambda: turns)
        schedule.follow_clock(0.0, time.monotonic())  # as at a start whose clock stands at 1970
        before = len(turns)
        until(lambda: len(turns) > before + 1)
