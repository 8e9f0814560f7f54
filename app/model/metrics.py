"""The metrics that a course is told of and rules are made of: name, what people call it, unit, and formula.

A metric of requests is read from merged buckets and sums, of one tool or of many together; a metric of the
machine is the mean of its samples, of several instances together their mean or sum.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from .series import NS_PER_MS, Series, total
from .staffing import saturation_percent
from .vitals import RESTARTS, Vitals, mean_of

Value = float | int | None


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of requests: `of` is None where it needs requests and none came."""

    label: str
    unit: str
    of: Callable[[Series], Value]


@dataclass(frozen=True, slots=True)
class MachineMetric:
    """A metric of the machine and of the service as a whole: `of` is None where nobody knows it."""

    label: str
    unit: str
    of: Callable[[Sequence[Vitals]], Value]


def _quantile(q: float) -> Callable[[Series], Value]:
    def of(series: Series) -> Value:
        found = series.quantiles_ms((q,))
        return found[0] if found else None

    return of


def _error_rate(series: Series) -> Value:
    requests = series.requests
    return 100.0 * series.errors / requests if requests else None


OF_REQUESTS: Mapping[str, Metric] = MappingProxyType(
    {
        "requests": Metric("requests", "requests", lambda series: series.requests),
        "errors": Metric("errors", "requests", lambda series: series.errors),
        "client_errors": Metric("client errors", "requests", lambda series: series.client_errors),
        "server_errors": Metric("server errors", "requests", lambda series: series.server_errors),
        "success_rate": Metric("success rate", "percent", lambda series: series.success_percent),
        "error_rate": Metric("error rate", "percent", _error_rate),
        "average": Metric("average response time", "milliseconds", lambda series: series.average_ms),
        "p50": Metric("p50 response time", "milliseconds", _quantile(0.5)),
        "p95": Metric("p95 response time", "milliseconds", _quantile(0.95)),
        "p99": Metric("p99 response time", "milliseconds", _quantile(0.99)),
        "max": Metric(
            "longest response time",
            "milliseconds",
            lambda series: series.max_ns / NS_PER_MS if series.requests else None,
        ),
        "first_byte": Metric(
            "time to the first byte", "milliseconds", lambda series: series.average_first_byte_ms
        ),
        "queue_time": Metric("queue time", "milliseconds", lambda series: series.average_queue_ms),
        "bytes": Metric("response bytes", "bytes", lambda series: series.response_bytes),
    }
)


def _amount(name: str) -> Callable[[Sequence[Vitals]], Value]:
    return lambda instances: mean_of(instances, name)


def _count(name: str) -> Callable[[Sequence[Vitals]], int]:
    return lambda instances: sum(one.counters.get(name, 0) for one in instances)


def _saturation(instances: Sequence[Vitals]) -> Value:
    slots = mean_of(instances, "slots")
    return saturation_percent(mean_of(instances, "in_flight"), round(slots) if slots else None)


def _queue(q: float) -> Callable[[Sequence[Vitals]], Value]:
    of = _quantile(q)
    return lambda instances: of(total(one.queue for one in instances))


def _restarts(instances: Sequence[Vitals]) -> int:
    return sum(_count(name)(instances) for name in RESTARTS)


OF_THE_MACHINE: Mapping[str, MachineMetric] = MappingProxyType(
    {
        "cpu": MachineMetric("CPU usage", "percent", _amount("cpu_percent")),
        "memory": MachineMetric("memory usage", "percent", _amount("memory_percent")),
        "disk": MachineMetric("disk usage", "percent", _amount("disk_percent")),
        "load": MachineMetric("load average", "processes", _amount("load_average")),
        "network_received": MachineMetric(
            "network received", "bytes per second", _amount("received_bytes_per_s")
        ),
        "network_sent": MachineMetric("network sent", "bytes per second", _amount("sent_bytes_per_s")),
        "disk_read": MachineMetric("disk reads", "bytes per second", _amount("read_bytes_per_s")),
        "disk_written": MachineMetric("disk writes", "bytes per second", _amount("written_bytes_per_s")),
        "in_flight": MachineMetric("requests in flight", "requests", _amount("in_flight")),
        "saturation": MachineMetric("saturation", "percent", _saturation),
        "workers": MachineMetric("workers", "workers", _amount("workers")),
        "restarts": MachineMetric("restarts", "workers", _restarts),
        "recycled": MachineMetric("recycled workers", "workers", _count("recycled")),
        "killed": MachineMetric("killed workers", "workers", _count("killed")),
        "out_of_memory": MachineMetric("workers out of memory", "workers", _count("out_of_memory")),
        "timed_out": MachineMetric("workers timed out", "workers", _count("timed_out")),
        "throttled": MachineMetric("throttled periods", "periods", _count("throttled_periods")),
        "oom_kills": MachineMetric("processes killed for memory", "processes", _count("oom_kills")),
        "queue_p50": MachineMetric("p50 queue time", "milliseconds", _queue(0.5)),
        "queue_p95": MachineMetric("p95 queue time", "milliseconds", _queue(0.95)),
        "queue_p99": MachineMetric("p99 queue time", "milliseconds", _queue(0.99)),
    }
)
