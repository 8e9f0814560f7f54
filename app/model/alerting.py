"""What alerting is about: a look at the machine, an alert, and what alerts add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from ..settings import Settings

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
class Alert:
    """An alert as it was last seen. Instants are Unix seconds, None where they have not come.

    `since_s` is when it was opened; `state` is firing, flapping or no_data while it is open, then resolved.
    `peak` is the worst value so far, `requests` and `failures` are those that it was last judged by (None:
    it is of no requests). `release` began shortly before it, "" for none. `told_s` is when people were last
    told that it fires, of the severity that it had then.
    """

    type: str
    tool: str
    severity: str
    message: str
    value: float
    threshold: float
    since_s: float
    resolved_s: float | None = None
    id: int = 0
    instance: str = ""
    state: str = "firing"
    peak: float | None = None
    peak_severity: str = ""
    requests: int | None = None
    failures: int | None = None
    acknowledged_s: float | None = None
    acknowledged_by: str = ""
    acknowledged_note: str = ""
    resolved_by: str = ""
    resolved_note: str = ""
    release: str = ""
    release_s: float | None = None
    told_s: float | None = None
    told_severity: str = ""

    @property
    def stage(self) -> str:
        """Its state as people say it: also `acknowledged`."""
        return "acknowledged" if self.acknowledged_s is not None and self.resolved_s is None else self.state


def rank(severity: str) -> int:
    """0 for info to 3 for critical; -1 for none."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else -1


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


def system_health(sample: SystemSample | None, settings: Settings) -> str:
    """`healthy`, `warning` or `critical` for the machine as it is now."""
    if sample is None:
        return "healthy"
    limits = (
        (sample.cpu_percent, settings.alert_cpu_percent),
        (sample.memory_percent, settings.alert_memory_percent),
        (sample.disk_percent, settings.alert_disk_percent),
    )
    if any(percent > settings.alert_critical_percent for percent, _ in limits):
        return "critical"
    return "warning" if any(percent > limit for percent, limit in limits) else "healthy"


def worst(severities: list[str]) -> str:
    """The status that a set of active severities adds up to: critical, error, warning or healthy."""
    if "critical" in severities:
        return "critical"
    if "error" in severities:
        return "error"
    return "warning" if severities else "healthy"
