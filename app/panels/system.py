"""The machine: CPU, memory and disk against their limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..model import formats
from ..model.alerting import SystemSample
from ..model.vitals import Vitals, mean_of, most_of
from ..model.windows import Window
from ..settings import Settings
from ..sources import Sources
from .instances import instances_sentence
from .sparks import POINTS, Spark, spark

_MISSED = 3
_LATELY_S = 3600.0


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
    """The gauges; none before the first sample. `stale_since_s`: sampling has stopped since then.

    `whose` they are, the host's or the container's; `told_of` says which is which, `flow` what goes through,
    `held_back` what the container's limits have cost in the window, and `fleet` which instances report, where
    there are several. A text may be empty.
    """

    gauges: tuple[Gauge, ...]
    stale_since_s: float | None
    interval: str
    whose: str = "the host"
    told_of: str = ""
    flow: str = ""
    held_back: str = ""
    fleet: str = ""


def system(window: Window, sources: Sources, now_s: float) -> System:
    """CPU, memory and disk: the newest sample, and the window's course as far as samples are kept."""
    settings = sources.settings
    samples = sources.samples(now_s - _LATELY_S)
    interval = formats.duration(settings.sample_interval_s)
    if not samples:
        return System((), None, interval)
    newest, points = samples[-1], sources.vitals(window)
    is_thin = sum(bool(point) for point in points) < 2

    def course(name: str) -> Spark:
        return spark(_merged(points, name), high=100.0, thin=is_thin)

    used, whole = formats.fraction(newest.memory_used_bytes, newest.memory_total_bytes)
    disk_used, disk_whole = formats.fraction(newest.disk_used_bytes, newest.disk_total_bytes)
    everything = [one for point in points for one in point.values()]
    peak = most_of(everything, "cpu_percent") or newest.cpu_percent
    gauges = (
        Gauge(
            "CPU", f"{newest.cpu_percent:.1f} %", f"peak {peak:.1f} %", newest.cpu_percent,
            settings.alert_cpu_percent, severity(newest.cpu_percent, settings.alert_cpu_percent, settings),
            course("cpu_percent"),
        ),
        Gauge(
            "Memory", used if newest.memory_total_bytes else f"{newest.memory_percent:.1f} %",
            f"of {whole}" if newest.memory_total_bytes else "", newest.memory_percent,
            settings.alert_memory_percent,
            severity(newest.memory_percent, settings.alert_memory_percent, settings),
            course("memory_percent"),
        ),
        Gauge(
            "Disk", disk_used if newest.disk_total_bytes else f"{newest.disk_percent:.1f} %",
            f"of {disk_whole}" if newest.disk_total_bytes else "", newest.disk_percent,
            settings.alert_disk_percent, severity(newest.disk_percent, settings.alert_disk_percent, settings),
            course("disk_percent"),
        ),
    )  # fmt: skip
    return System(
        gauges,
        newest.at_s if is_stale(newest, settings, now_s) else None,
        interval,
        *_whose(newest),
        _flow(newest),
        _held_back(everything, points, window),
        instances_sentence(sources, now_s),
    )


def _whose(newest: SystemSample) -> tuple[str, str]:
    """Network is not in it: a container has its own, and psutil tells of that."""
    cores = f"{newest.cpu_limit_cores:.4g} {'core' if newest.cpu_limit_cores == 1 else 'cores'}"
    match newest.cpu_source, newest.memory_source:
        case "container", "container":
            return (
                "the container",
                f"CPU is of the container's {cores}, memory of its limit; load and disks of the host.",
            )
        case "container", _:
            return (
                "container and host",
                f"CPU is of the container's {cores}; memory, load and disks of the host.",
            )
        case _, "container":
            return (
                "container and host",
                "Memory is of the container's limit; CPU, load and disks of the host.",
            )
    return "the host", ""


def _flow(newest: SystemSample) -> str:
    """Load and throughput in a sentence each, as far as they are known."""
    said = []
    if newest.load_average is not None:
        said.append(f"Load {newest.load_average:.2f}.")
    if newest.received_bytes_per_s is not None and newest.sent_bytes_per_s is not None:
        into, out = formats.size(newest.received_bytes_per_s), formats.size(newest.sent_bytes_per_s)
        said.append(f"Network {into}/s in, {out}/s out.")
    if newest.read_bytes_per_s is not None and newest.written_bytes_per_s is not None:
        read, written = formats.size(newest.read_bytes_per_s), formats.size(newest.written_bytes_per_s)
        said.append(f"Disks {read}/s read, {written}/s written.")
    return " ".join(said)


def _held_back(everything: Sequence[Vitals], points: Sequence[Mapping[str, Vitals]], window: Window) -> str:
    throttled = sum(one.counters.get("throttled_periods", 0) for one in everything)
    kills = sum(one.counters.get("oom_kills", 0) for one in everything)
    said = []
    if throttled:
        said.append(f"the container was throttled in {formats.plural(throttled, 'period')}")
    if kills:
        verb = "was" if kills == 1 else "were"
        processes = formats.plural(kills, "process", "processes")
        said.append(f"{processes} {verb} killed for want of memory")
    if not said:
        return ""
    began_s = next(at_s for at_s, point in zip(window.starts(), points, strict=True) if point)
    is_whole = began_s <= window.start_s + window.step_s
    span = (
        formats.length(window.name) if is_whole else f"{formats.duration(window.end_s - began_s)} of samples"
    )
    return f"In {span} {' and '.join(said)}."


def is_stale(newest: SystemSample, settings: Settings, now_s: float) -> bool:
    """Whether several samples in a row are missing."""
    return now_s - newest.at_s > max(15.0, _MISSED * settings.sample_interval_s)


def severity(percent: float, warning_percent: float, settings: Settings) -> str:
    """`critical`, `warning` or empty, as the default rules judge a gauge."""
    if percent > settings.alert_critical_percent:
        return "critical"
    return "warning" if percent > warning_percent else ""


def _merged(points: Sequence[Mapping[str, Vitals]], name: str) -> list[float | None]:
    """The mean of an amount over equal stretches of the window; None where no sample fell into one."""
    size = -(-len(points) // POINTS)
    stretches = [points[place : place + size] for place in range(0, len(points), size)]
    return [mean_of([one for point in part for one in point.values()], name) for part in stretches]
