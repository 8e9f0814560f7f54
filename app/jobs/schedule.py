"""The elected worker's timetable: a declared table of jobs, run by APScheduler.

A job that fails is counted and logged, once a minute at most for each job, and runs again at its next
turn. Jobs never run twice at once; turns that were missed are made up for by one. Jobs that wait for the
same thing share a thread: more would keep more memory and be no sooner done.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.interval import IntervalTrigger  # type: ignore[import-untyped]

from ..errors import LaptimeError

log = logging.getLogger("laptime")
# APScheduler would write a line for each turn that comes while the one before still waits for the store.
_quiet = log.getChild("schedule")
_quiet.setLevel(logging.CRITICAL)

_CLOCK_SET_S = 5.0


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the timetable: what runs, how often, and whether on the clock's multiples of that.

    `thread` names the thread that it shares with others; without one it has its own.
    """

    name: str
    every_s: float
    run: Callable[[], object]
    on_boundary: bool = False
    thread: str = ""

    def first_s(self, now_s: float) -> float:
        """When its first turn is (Unix seconds): now, or at the next boundary."""
        return (now_s // self.every_s + 1) * self.every_s if self.on_boundary else now_s


class _Thread(ThreadPoolExecutor):  # type: ignore[misc]
    """A thread. Python closes pools before daemon threads such as the scheduler's end."""

    def __init__(self) -> None:
        super().__init__(max_workers=1)

    def _do_submit_job(self, job: object, run_times: list[datetime]) -> None:
        with suppress(RuntimeError):  # the pool is closed: this process is on its way out
            super()._do_submit_job(job, run_times)


class Interval(IntervalTrigger):  # type: ignore[misc]
    """Turns at a fixed interval; those that a long sleep or a set clock left behind are passed over at once.

    APScheduler lists them all before it makes one of them: of some years that took gigabytes.
    """

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The turn after the previous one, and after long silence the last one before `now`."""
        following: datetime | None = super().get_next_fire_time(previous_fire_time, now)
        if following is not None and now - following > self.interval:
            following += self.interval * ((now - following) // self.interval)
        return following


class Schedule:
    """The timetable of one process. `failures` counts failed turns by job."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self.failures: dict[str, int] = {job.name: 0 for job in jobs}
        self._logged_s: dict[str, float] = {}
        self._scheduler: BackgroundScheduler | None = None
        self._offset_s = 0.0
        self._lock = threading.Lock()

    def start(self) -> None:
        """Run each job from its first turn on every `every_s` seconds, in threads beside the requests."""
        with self._lock:
            self._start(time.time(), time.monotonic())

    def stop(self) -> None:
        """End the timetable; a job that runs is waited for."""
        with self._lock:
            if self._scheduler is not None:
                self._scheduler.shutdown()
                self._scheduler = None

    def follow_clock(self, now_s: float, monotonic_s: float) -> None:
        """Begin anew when the system's clock was set; turns are times of day, and would be far away."""
        with self._lock:
            if self._scheduler is not None and abs(now_s - monotonic_s - self._offset_s) > _CLOCK_SET_S:
                self._scheduler.shutdown()
                self._start(now_s, monotonic_s)

    def _start(self, now_s: float, monotonic_s: float) -> None:
        self._offset_s = now_s - monotonic_s
        scheduler = BackgroundScheduler(
            timezone=UTC,
            logger=_quiet,
            executors={name: _Thread() for name in {_thread_of(job) for job in self._jobs}},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 60},
        )
        for job in self._jobs:
            scheduler.add_job(
                self._turn, Interval(seconds=job.every_s, timezone=UTC), args=[job], id=job.name,
                executor=_thread_of(job), next_run_time=datetime.fromtimestamp(job.first_s(now_s), UTC),
            )  # fmt: skip
        scheduler.start()
        self._scheduler = scheduler

    def _turn(self, job: Job) -> None:
        try:
            job.run()
        except Exception as error:
            self.failures[job.name] += 1
            now_s = time.monotonic()
            if now_s - self._logged_s.get(job.name, -60.0) >= 60:
                self._logged_s[job.name] = now_s
                log.error(
                    "the job %s failed (%d times so far): %s",
                    job.name,
                    self.failures[job.name],
                    error,
                    exc_info=None if isinstance(error, LaptimeError) else error,
                )


def _thread_of(job: Job) -> str:
    return job.thread or job.name
