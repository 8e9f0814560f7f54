"""The machine in the JSON API: what its samples say of it, and of the container whose limits count."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.alerting import SystemSample, held_back
from .answers import Container, DiskIo, Network, SystemMetrics, Usage


def system_metrics(samples: Sequence[SystemSample]) -> SystemMetrics:
    """The newest sample, and means and maxima over all of them; zeros and None before the first."""
    newest = samples[-1] if samples else SystemSample(0.0, 0.0, 0.0, 0.0)
    return SystemMetrics(
        cpu_usage=_usage([one.cpu_percent for one in samples]),
        memory_usage=_usage([one.memory_percent for one in samples]),
        disk_usage=_usage([one.disk_percent for one in samples]),
        load_average=newest.load_average,
        network=_network(newest),
        disk_io=_disk_io(newest),
        container=_container(newest, samples),
    )


def _usage(percents: Sequence[float]) -> Usage:
    if not percents:
        return Usage(0.0, 0.0, 0.0)
    return Usage(percents[-1], round(sum(percents) / len(percents), 2), max(percents))


def _network(newest: SystemSample) -> Network | None:
    received, sent = newest.received_bytes_per_s, newest.sent_bytes_per_s
    return None if received is None or sent is None else Network(received, sent)


def _disk_io(newest: SystemSample) -> DiskIo | None:
    read, written = newest.read_bytes_per_s, newest.written_bytes_per_s
    return None if read is None or written is None else DiskIo(read, written)


def _container(newest: SystemSample, samples: Sequence[SystemSample]) -> Container | None:
    has_quota, has_limit = newest.cpu_source == "container", newest.memory_source == "container"
    if not has_quota and not has_limit:
        return None
    throttled, kills = held_back(samples)
    return Container(
        cpu_limit_cores=newest.cpu_limit_cores if has_quota else None,
        memory_limit_bytes=newest.memory_total_bytes if has_limit else None,
        throttled_periods=throttled,
        oom_kills=kills,
    )
