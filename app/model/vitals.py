"""How the machine and the service on it were over a span of time, put together from samples.

Samples say how something was at an instant; of a span only their number, sum and maximum are kept, from which
any longer span's mean and maximum follow. What the kernel counts upwards is kept as its growth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from .alerting import SystemSample, held_back
from .series import EMPTY, Series

# Fields of a sample that are an amount, None where nobody knows it.
GAUGES = (
    "cpu_percent", "memory_percent", "disk_percent", "load_average",
    "received_bytes_per_s", "sent_bytes_per_s", "read_bytes_per_s", "written_bytes_per_s",
    "workers", "slots", "in_flight",
)  # fmt: skip
# Fields that count upwards from the start of a run.
RESTARTS = ("recycled", "killed", "out_of_memory", "timed_out")
# Several instances together have the sum of these, and of all others the mean.
ADDED = frozenset(
    {
        *("received_bytes_per_s", "sent_bytes_per_s", "read_bytes_per_s", "written_bytes_per_s"),
        *("workers", "slots", "in_flight"),
    }
)


class Gauge(NamedTuple):
    """So many samples of an amount, their sum and their maximum."""

    samples: int
    total: float
    most: float

    @property
    def mean(self) -> float:
        return self.total / self.samples

    def with_(self, other: Gauge) -> Gauge:
        return Gauge(self.samples + other.samples, self.total + other.total, max(self.most, other.most))


@dataclass(frozen=True, slots=True)
class Vitals:
    """One instance over a span. An amount that no sample told and a counter that stood still are left out.

    `queue` holds the times that requests waited before the service.
    """

    gauges: Mapping[str, Gauge] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)
    queue: Series = EMPTY

    def __add__(self, other: Vitals) -> Vitals:
        """The two spans together."""
        gauges, counters = dict(self.gauges), dict(self.counters)
        for name, gauge in other.gauges.items():
            gauges[name] = gauges[name].with_(gauge) if name in gauges else gauge
        for name, count in other.counters.items():
            counters[name] = counters.get(name, 0) + count
        return Vitals(gauges, counters, self.queue + other.queue)


def of_samples(samples: Sequence[SystemSample], before: SystemSample | None) -> Vitals:
    """What samples of one span tell, oldest first; counters have grown since the sample `before` them."""
    gauges = {}
    for name in GAUGES:
        told = [value for value in (getattr(one, name) for one in samples) if value is not None]
        if told:
            gauges[name] = Gauge(len(told), float(sum(told)), float(max(told)))
    line = [before, *samples] if before else list(samples)
    throttled, kills = held_back(line)
    grown = {"throttled_periods": throttled, "oom_kills": kills}
    for name in RESTARTS:
        counts = [getattr(one, name) for one in line]
        # a count that is less than before is that of a new run
        grown[name] = sum(now - was if now >= was else now for was, now in pairwise(counts))
    return Vitals(gauges, {name: count for name, count in grown.items() if count})


def mean_of(instances: Iterable[Vitals], name: str) -> float | None:
    """The mean of an amount over a span, of several instances their mean or sum; None if nobody knows it."""
    means = [one.gauges[name].mean for one in instances if name in one.gauges]
    if not means:
        return None
    return sum(means) if name in ADDED else sum(means) / len(means)


def most_of(instances: Iterable[Vitals], name: str) -> float | None:
    """The greatest amount that one instance had at an instant of a span; None where nobody knows it."""
    return max([one.gauges[name].most for one in instances if name in one.gauges], default=None)
