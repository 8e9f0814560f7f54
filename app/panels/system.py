"""The machine and the processes: CPU, memory and disk against their limits, and who is at work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..model.alerting import SystemSample
from ..model.series import Snapshot
from ..model.windows import Window
from ..settings import Settings
from ..sources import Sources
from . import formats
from .measuring import hook_percent, hook_us, pages_percent
from .sparks import POINTS, Spark, spark

WORKERS = 12
_MISSED = 3


@dataclass(frozen=True, slots=True)
class Gauge:
    """One resource now: `value` stands out, `of` follows it; `tick_percent` is where the warning begins."""

    label: str
    value: str
    of: str
    percent: float
    tick_percent: float
    severity: str
    spark: Spark


@dataclass(frozen=True, slots=True)
class System:
    """The gauges; none before the first sample. `stale_since_s`: sampling has stopped since then."""

    gauges: tuple[Gauge, ...]
    stale_since_s: float | None
    interval: str


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker process: how long it is up, and how many requests it is working on and has answered."""

    pid: int
    up: str
    in_flight: int
    requests: str


@dataclass(frozen=True, slots=True)
class Workers:
    """The live workers, busiest first; `rows` holds the first of `count`.

    `queue` and `own_cost` say how long requests wait before the workers, and what measuring takes of them.
    """

    rows: tuple[WorkerRow, ...]
    count: int
    busy: int
    up: str
    queue: str
    own_cost: str


def system(window: Window, sources: Sources, now_s: float) -> System:
    """CPU, memory and disk: the newest sample, and the window's course as far as samples are kept."""
    samples, settings = sources.samples(window.start_s), sources.settings
    interval = formats.duration(settings.sample_interval_s)
    if not samples:
        return System((), None, interval)
    newest = samples[-1]

    def course(of: Callable[[SystemSample], float]) -> Spark:
        values = _buckets(samples, window, settings.sample_interval_s, of)
        return spark(values, high=100.0, thin=len(samples) < 2)

    used, whole = formats.fraction(newest.memory_used_bytes, newest.memory_total_bytes)
    disk_used, disk_whole = formats.fraction(newest.disk_used_bytes, newest.disk_total_bytes)
    peak = max(sample.cpu_percent for sample in samples)
    gauges = (
        Gauge(
            "CPU", f"{newest.cpu_percent:.1f} %", f"peak {peak:.1f} %", newest.cpu_percent,
            settings.alert_cpu_percent, severity(newest.cpu_percent, settings.alert_cpu_percent, settings),
            course(lambda sample: sample.cpu_percent),
        ),
        Gauge(
            "Memory", used if newest.memory_total_bytes else f"{newest.memory_percent:.1f} %",
            f"of {whole}" if newest.memory_total_bytes else "", newest.memory_percent,
            settings.alert_memory_percent,
            severity(newest.memory_percent, settings.alert_memory_percent, settings),
            course(lambda sample: sample.memory_percent),
        ),
        Gauge(
            "Disk", disk_used if newest.disk_total_bytes else f"{newest.disk_percent:.1f} %",
            f"of {disk_whole}" if newest.disk_total_bytes else "", newest.disk_percent,
            settings.alert_disk_percent, severity(newest.disk_percent, settings.alert_disk_percent, settings),
            course(lambda sample: sample.disk_percent),
        ),
    )  # fmt: skip
    return System(gauges, newest.at_s if is_stale(newest, settings, now_s) else None, interval)


def workers(window: Window, sources: Sources, now_s: float) -> Workers:  # noqa: ARG001 - every panel is asked alike
    """Who answers requests now; the window does not matter."""
    snapshot = sources.snapshot()
    alive = sorted(snapshot.workers, key=lambda worker: (-worker.in_flight, worker.started_s, worker.pid))
    rows = tuple(
        WorkerRow(
            worker.pid,
            formats.duration(now_s - worker.started_s),
            worker.in_flight,
            formats.count(worker.requests),
        )
        for worker in alive[:WORKERS]
    )
    busy = sum(worker.in_flight > 0 for worker in alive)
    up = formats.duration(now_s - snapshot.started_s)
    return Workers(rows, len(alive), busy, up, _queue(snapshot), _own_cost(snapshot, now_s))


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


def is_stale(newest: SystemSample, settings: Settings, now_s: float) -> bool:
    """Whether several samples in a row are missing."""
    return now_s - newest.at_s > max(15.0, _MISSED * settings.sample_interval_s)


def severity(percent: float, warning_percent: float, settings: Settings) -> str:
    """`critical`, `warning` or empty, as the default rules judge a gauge."""
    if percent > settings.alert_critical_percent:
        return "critical"
    return "warning" if percent > warning_percent else ""


def _buckets(
    samples: Sequence[SystemSample], window: Window, interval_s: float, of: Callable[[SystemSample], float]
) -> list[float | None]:
    """Mean values over equal stretches of the window; None where no sample fell into one."""
    length_s = window.end_s - window.start_s
    count = max(2, min(POINTS, int(length_s / (2 * interval_s))))
    held: list[list[float]] = [[] for _ in range(count)]
    for sample in samples:
        index = int((sample.at_s - window.start_s) / length_s * count)
        if 0 <= index <= count:
            held[min(index, count - 1)].append(of(sample))
    return [sum(values) / len(values) if values else None for values in held]
