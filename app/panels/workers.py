"""Who answers the requests: the live workers, how busy they are, how many it takes, and how others ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..model import formats, staffing
from ..model.alerting import SystemSample
from ..model.series import Restarts, Snapshot, Worker
from ..model.windows import Window
from ..settings import Settings
from ..sources import Sources
from . import answers
from .measuring import hook_percent, hook_us, pages_percent
from .system import is_stale

WORKERS = 12
HOUR_S = 3600.0
_REASONS = {
    "recycled": "recycled",
    "killed": "killed",
    "out_of_memory": "killed for want of memory",
    "timed_out": "past the time-out",
}


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker process: how long it is up, what it is working on and has answered, and what it takes.

    `busy` is the share of the last minute that it was at work. An en dash stands for what is not known.
    """

    pid: int
    up: str
    in_flight: int
    requests: str
    busy: str
    memory: str
    open_files: str
    threads: str


@dataclass(frozen=True, slots=True)
class Workers:
    """The live workers, busiest first; `rows` holds the first of `count`.

    `load` says how much of them is at work and how many the last hour needed, `restarts` how others ended,
    `queue` and `own_cost` how long requests wait before them, and what measuring takes of them. The first two
    may be empty.
    """

    rows: tuple[WorkerRow, ...]
    count: int
    busy: int
    up: str
    load: str
    restarts: str
    queue: str
    own_cost: str


def workers(window: Window, sources: Sources, now_s: float) -> Workers:  # noqa: ARG001 - every panel is asked alike
    """Who answers requests now; the window does not matter."""
    snapshot = sources.snapshot()
    return Workers(
        rows=worker_rows(snapshot, now_s)[:WORKERS],
        count=len(snapshot.workers),
        busy=_busy(snapshot),
        up=formats.duration(now_s - snapshot.started_s),
        load=_load(snapshot, sources, now_s),
        restarts=_restarts(snapshot.restarts),
        queue=_queue(snapshot),
        own_cost=_own_cost(snapshot, now_s),
    )


def worker_rows(snapshot: Snapshot, now_s: float) -> tuple[WorkerRow, ...]:
    """All live workers, busiest first."""
    alive = sorted(snapshot.workers, key=lambda worker: (-worker.in_flight, worker.started_s, worker.pid))
    return tuple(_row(worker, now_s) for worker in alive)


def workers_answer(snapshot: Snapshot, sources: Sources, now_s: float) -> answers.Workers:
    """The same for the JSON API, oldest process first, without what its other members tell."""
    samples = sources.samples(now_s - HOUR_S)
    newest = _newest(samples, sources.settings, now_s)
    saturation = newest.saturation_percent if newest else None
    return answers.Workers(
        count=len(snapshot.workers),
        busy=_busy(snapshot),
        slots=snapshot.slots,
        saturation_percent=None if saturation is None else round(saturation, 2),
        needed=needed_workers(snapshot, samples),
        restarts=answers.Restarts(*snapshot.restarts),
        processes=[
            answers.Process(
                pid=one.pid,
                age_seconds=round(max(0.0, now_s - one.started_s), 3),
                requests=one.requests,
                in_flight=one.in_flight,
                busy_percent=None if one.busy_percent is None else round(one.busy_percent, 2),
                resident_bytes=one.resident_bytes,
                open_files=one.open_files,
                threads=one.threads,
            )
            for one in sorted(snapshot.workers, key=lambda worker: (worker.started_s, worker.pid))
        ],
    )


def _row(worker: Worker, now_s: float) -> WorkerRow:
    return WorkerRow(
        worker.pid,
        formats.duration(now_s - worker.started_s),
        worker.in_flight,
        formats.count(worker.requests),
        formats.NOTHING if worker.busy_percent is None else f"{worker.busy_percent:.0f} %",
        formats.NOTHING if worker.resident_bytes is None else str(formats.size(worker.resident_bytes)),
        _count(worker.open_files),
        _count(worker.threads),
    )


def _count(number: int | None) -> str:
    return formats.NOTHING if number is None else formats.count(number)


def _busy(snapshot: Snapshot) -> int:
    return sum(worker.in_flight > 0 for worker in snapshot.workers)


def _newest(samples: Sequence[SystemSample], settings: Settings, now_s: float) -> SystemSample | None:
    """The sample that tells of now, if there is one."""
    return samples[-1] if samples and not is_stale(samples[-1], settings, now_s) else None


def needed_workers(snapshot: Snapshot, samples: Sequence[SystemSample]) -> int | None:
    """The workers that the busiest minute needed; None where it or their slots are not known."""
    load, telling = staffing.busiest_minute(samples), sum(bool(one.slots) for one in snapshot.workers)
    if load is None or not snapshot.slots:
        return None
    return staffing.workers_needed(load, snapshot.slots, telling)


def _load(snapshot: Snapshot, sources: Sources, now_s: float) -> str:
    samples = sources.samples(now_s - HOUR_S)
    newest, load = _newest(samples, sources.settings, now_s), staffing.busiest_minute(samples)
    interval = formats.duration(sources.settings.sample_interval_s)
    said = []
    if newest and newest.saturation_percent is not None and newest.slots and newest.in_flight is not None:
        had, most = formats.rate(newest.in_flight), formats.count(newest.slots)
        share = f"{newest.saturation_percent:.0f} %"
        said.append(
            f"In the last {interval} they had {had} requests at once, {share} of the {most} they can."
        )
    needed = needed_workers(snapshot, samples)
    if needed is not None and load is not None:
        span = "of the last hour" if now_s - samples[0].at_s > 0.95 * HOUR_S else "so far"
        many = formats.plural(needed, "worker")
        said.append(
            f"The busiest minute {span} had {formats.rate(load)} requests at once: with {many} "
            f"at most {100 * staffing.WAITING_AT_MOST:.0f} % of them would have had to wait."
        )
    return " ".join(said)


def _restarts(restarts: Restarts) -> str:
    if not restarts.all:
        return ""
    reasons = [
        f"{formats.count(number)} {_REASONS[name]}" for name, number in restarts._asdict().items() if number
    ]
    return f"Since the start {formats.plural(restarts.all, 'worker')} ended: {', '.join(reasons)}."


def _queue(snapshot: Snapshot) -> str:
    quantiles = snapshot.queue.quantiles_ms((0.5, 0.95))
    if quantiles is None:
        return "Time in a queue before them is not measured: no proxy sends X-Request-Start."
    p50, p95 = map(formats.milliseconds, quantiles)
    return f"Before them, half of the requests waited {p50} ms or less in a queue, 95 % {p95} ms or less."


def _own_cost(snapshot: Snapshot, now_s: float) -> str:
    cost_us, percent = hook_us(snapshot), hook_percent(snapshot, now_s)
    pages = f"these pages take {_share(pages_percent(snapshot, now_s))} of the workers' time"
    if cost_us is None or percent is None:
        return f"What measuring costs is timed once in 1,024 requests, none yet; {pages}."
    return (
        f"Measuring costs {cost_us:.1f} \u00b5s a request, {_share(percent)} of the workers' time; {pages}."
    )


def _share(percent: float) -> str:
    return f"{percent:.2g} %" if percent >= 0.001 else "less than 0.001 %"
