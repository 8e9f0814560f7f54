"""The rules that raise alerts, and the pure evaluation of them.

`evaluate` answers which conditions hold now; it knows no clock, no store and no reader. The life of
an alert (when it began, that it ended) is the store's: a condition that holds and is not yet open is
opened, an open one that no longer holds is resolved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from ..settings import Settings
from .series import Series

SEVERITIES = ("info", "warning", "error", "critical")
SYSTEM = "system"
Source = Literal["host", "container"]
# Requests that match no route are nobody's fault here: they raise no alert.
UNJUDGED = frozenset({"(unmatched)"})


class SystemSample(NamedTuple):
    """One look at the machine: Unix seconds, percentages 0-100, sizes in bytes, None for what is not known.

    CPU and memory are the host's, or the container's where its limit is lower; `throttled_periods` and
    `oom_kills` are the kernel's counts since that container began. A tuple, because a page reads thousands of
    them: a frozen dataclass of so many members takes six times as long to make.

    Of the service on it: `in_flight` is the mean number of requests at work since the sample before, and
    `saturation_percent` what that is of the `slots` that its workers have. From `recycled` on it is how many
    workers have ended since the start of the run, by reason (see `series.Restarts`).
    """

    at_s: float
    cpu_percent: float
    memory_percent: float
    disk_percent: float
    memory_used_bytes: int = 0
    memory_total_bytes: int = 0
    disk_used_bytes: int = 0
    disk_total_bytes: int = 0
    load_average: float | None = None  # of one minute
    received_bytes_per_s: int | None = None
    sent_bytes_per_s: int | None = None
    read_bytes_per_s: int | None = None
    written_bytes_per_s: int | None = None
    memory_source: Source = "host"
    cpu_limit_cores: float = 0.0  # 0: no quota, CPU is the host's
    throttled_periods: int = 0
    oom_kills: int = 0
    workers: int = 0
    slots: int | None = None
    in_flight: float | None = None
    saturation_percent: float | None = None
    recycled: int = 0
    killed: int = 0
    out_of_memory: int = 0
    timed_out: int = 0

    @property
    def cpu_source(self) -> Source:
        return "container" if self.cpu_limit_cores else "host"


@dataclass(frozen=True, slots=True)
class Condition:
    """A rule that holds for one tool (or the system) now, with what it was judged by."""

    type: str
    tool: str
    severity: str
    message: str
    value: float
    threshold: float


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """An open alert: the condition as it was last seen, and when it began (Unix seconds)."""

    type: str
    tool: str
    severity: str
    message: str
    value: float
    threshold: float
    since_s: float


@dataclass(frozen=True, slots=True)
class Gauge:
    """A system rule: the sample's field, and the word for it."""

    type: str
    field: str
    word: str
    setting: str


GAUGES = (
    Gauge("high_cpu_usage", "cpu_percent", "CPU", "alert_cpu_percent"),
    Gauge("high_memory_usage", "memory_percent", "memory", "alert_memory_percent"),
    Gauge("high_disk_usage", "disk_percent", "disk", "alert_disk_percent"),
)


def evaluate(tools: Mapping[str, Series], sample: SystemSample | None, settings: Settings) -> list[Condition]:
    """All default rules over `tools`, the series of the sliding window, and the newest `sample`."""
    found: list[Condition] = []
    for name, series in tools.items():
        if name not in UNJUDGED and series.requests >= settings.alert_min_requests:
            found += _judge_tool(name, series, settings)
    if sample is not None:
        for gauge in GAUGES:
            found += _judge_gauge(gauge, getattr(sample, gauge.field), settings)
    return found


def mean(samples: Sequence[SystemSample]) -> SystemSample:
    """The mean percentages of samples (at least one), with the time and the sizes of the newest."""
    count = len(samples)
    return samples[-1]._replace(
        cpu_percent=sum(one.cpu_percent for one in samples) / count,
        memory_percent=sum(one.memory_percent for one in samples) / count,
        disk_percent=sum(one.disk_percent for one in samples) / count,
    )


def held_back(samples: Sequence[SystemSample]) -> tuple[int, int]:
    """Throttled periods and OOM kills of the container between the first of the samples and the last.

    Counts begin anew with each container, and samples go on: only what grew is counted.
    """
    throttled = kills = 0
    for was, now in pairwise(samples):
        if was.cpu_source == now.cpu_source == "container":
            throttled += max(0, now.throttled_periods - was.throttled_periods)
        if was.memory_source == now.memory_source == "container":
            kills += max(0, now.oom_kills - was.oom_kills)
    return throttled, kills


def _judge_tool(name: str, series: Series, settings: Settings) -> list[Condition]:
    found: list[Condition] = []
    average_ms, success = series.average_ms or 0.0, series.success_percent
    limit_ms = settings.alert_response_time_ms
    if average_ms > limit_ms:
        message = f"High average response time: {average_ms:.2f}ms"
        found.append(Condition("high_response_time", name, "warning", message, average_ms, limit_ms))
    limit = settings.alert_success_rate_percent
    if success is not None and success < limit:
        message = f"Low success rate: {success:.1f}%"
        found.append(Condition("low_success_rate", name, "error", message, success, limit))
    return found


def _judge_gauge(gauge: Gauge, percent: float, settings: Settings) -> list[Condition]:
    warning, critical = getattr(settings, gauge.setting), settings.alert_critical_percent
    if percent <= min(warning, critical):
        return []
    severity, limit = ("critical", critical) if percent > critical else ("warning", warning)
    message = f"High {gauge.word} usage: {percent:.1f}%"
    return [Condition(gauge.type, SYSTEM, severity, message, percent, limit)]


def system_health(sample: SystemSample | None, settings: Settings) -> str:
    """`healthy`, `warning` or `critical` for the machine as it is now."""
    found = evaluate({}, sample, settings)
    if any(condition.severity == "critical" for condition in found):
        return "critical"
    return "warning" if found else "healthy"


def worst(severities: list[str]) -> str:
    """The status that a set of active severities adds up to: critical, error, warning or healthy."""
    if "critical" in severities:
        return "critical"
    if "error" in severities:
        return "error"
    return "warning" if severities else "healthy"
