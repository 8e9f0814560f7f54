"""The machine in the JSON API: what its samples say of it, and of the container whose limits count."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.alerting import SystemSample
from ..model.vitals import Vitals, mean_of, most_of
from .answers import Container, DiskIo, Network, SystemMetrics, Usage


def system_metrics(newest: SystemSample | None, told: Sequence[Vitals]) -> SystemMetrics:
    """The newest sample, and means and maxima of what each instance told; zeros and None before the first."""
    newest = newest or SystemSample(0.0, 0.0, 0.0, 0.0)
    return SystemMetrics(
        cpu_usage=_usage("cpu_percent", newest, told),
        memory_usage=_usage("memory_percent", newest, told),
        disk_usage=_usage("disk_percent", newest, told),
        load_average=newest.load_average,
        network=_network(newest),
        disk_io=_disk_io(newest),
        container=_container(newest, told),
    )


def _usage(name: str, newest: SystemSample, told: Sequence[Vitals]) -> Usage:
    average, most = mean_of(told, name), most_of(told, name)
    return Usage(getattr(newest, name), round(average or 0.0, 2), most or 0.0)


def _network(newest: SystemSample) -> Network | None:
    received, sent = newest.received_bytes_per_s, newest.sent_bytes_per_s
    return None if received is None or sent is None else Network(received, sent)


def _disk_io(newest: SystemSample) -> DiskIo | None:
    read, written = newest.read_bytes_per_s, newest.written_bytes_per_s
    return None if read is None or written is None else DiskIo(read, written)


def _container(newest: SystemSample, told: Sequence[Vitals]) -> Container | None:
    has_quota, has_limit = newest.cpu_source == "container", newest.memory_source == "container"
    if not has_quota and not has_limit:
        return None
    return Container(
        cpu_limit_cores=newest.cpu_limit_cores if has_quota else None,
        memory_limit_bytes=newest.memory_total_bytes if has_limit else None,
        throttled_periods=sum(one.counters.get("throttled_periods", 0) for one in told),
        oom_kills=sum(one.counters.get("oom_kills", 0) for one in told),
    )
