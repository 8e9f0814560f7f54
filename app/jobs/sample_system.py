"""One look at the machine and at how busy the service is, shared with all workers by the ring of samples.

psutil tells of the host. Where a container's limit is below what the host has, CPU and memory are told
against that limit instead: it is what the service runs into.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from ..capture.samples import SampleRing
from ..model.alerting import Source, SystemSample
from ..model.series import Snapshot
from ..model.staffing import saturation_percent
from .container import CpuLimit, cpu_limit, memory_limit

_LOOPBACK = ("lo", "lo0")  # a service's talk with itself or a proxy beside it is no network
_UNKNOWN = (OSError, RuntimeError)  # psutil's, where a platform or a sandbox has no such counters


class Totals(NamedTuple):
    """Bytes since boot: network received and sent, disks read and written; None where nothing tells."""

    received: int | None = None
    sent: int | None = None
    read: int | None = None
    written: int | None = None


class Cpu(NamedTuple):
    """The share that is in use, of the host or of `limit_cores`."""

    percent: float
    limit_cores: float = 0.0
    throttled_periods: int = 0


class Memory(NamedTuple):
    """What is in use, of the host or of the container's limit."""

    percent: float
    used_bytes: int
    total_bytes: int
    oom_kills: int = 0
    source: Source = "host"


class SampleSystem:
    """Samples CPU, memory, the disk that holds `disk_path` and the service's workers into `ring`.

    CPU is the share of all processors, or of the container's quota, over the time since the sample before;
    the first call, which has none before it, looks for a tenth of a second. Network and disk rates are known
    from the second on. So are the requests at work, whose mean number is the time that requests took in
    between, by that span (see `capture.utilization`). `look` gives the state of all workers, `clock` tells
    seconds that never jump, and /proc and /sys lie in `root`.
    """

    def __init__(
        self,
        ring: SampleRing,
        disk_path: Path,
        look: Callable[[], Snapshot],
        root: Path = Path("/"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ring = ring
        self._disk_path = disk_path
        self._look = look
        self._root = root
        self._clock = clock
        self._has_looked = False
        self._limit: tuple[float, CpuLimit | None] = (0.0, None)
        self._totals: tuple[float, Totals] = (0.0, Totals())
        self._busy: tuple[float, int, str] = (0.0, 0, "")

    def run(self, now_s: float) -> SystemSample:
        """Take a sample and write it. Raises CellsError when the ring can't be written."""
        cpu, memory, rates = self._cpu(), self._memory(), self._rates()
        disk = psutil.disk_usage(str(self._disk_path))
        snapshot = self._look()
        in_flight, restarts = self._in_flight(snapshot), snapshot.restarts
        sample = SystemSample(
            at_s=now_s,
            cpu_percent=cpu.percent,
            memory_percent=memory.percent,
            disk_percent=disk.percent,
            memory_used_bytes=memory.used_bytes,
            memory_total_bytes=memory.total_bytes,
            disk_used_bytes=disk.used,
            disk_total_bytes=disk.total,
            load_average=_load(),
            received_bytes_per_s=rates.received,
            sent_bytes_per_s=rates.sent,
            read_bytes_per_s=rates.read,
            written_bytes_per_s=rates.written,
            memory_source=memory.source,
            cpu_limit_cores=cpu.limit_cores,
            throttled_periods=cpu.throttled_periods,
            oom_kills=memory.oom_kills,
            workers=len(snapshot.workers),
            slots=snapshot.slots,
            in_flight=in_flight,
            saturation_percent=saturation_percent(in_flight, snapshot.slots),
            recycled=restarts.recycled,
            killed=restarts.killed,
            out_of_memory=restarts.out_of_memory,
            timed_out=restarts.timed_out,
        )
        self._ring.append(sample)
        return sample

    def _cpu(self) -> Cpu:
        if not self._has_looked:
            self._limit = self._clock(), cpu_limit(self._root)
        host_percent = psutil.cpu_percent(interval=None if self._has_looked else 0.1)
        self._has_looked = True
        (was_s, was), now_s, now = self._limit, self._clock(), cpu_limit(self._root)
        self._limit = now_s, now
        if now is None or was is None or now.cores >= (psutil.cpu_count() or 1):
            return Cpu(host_percent)
        could_ns, used_ns = (now_s - was_s) * now.cores * 1e9, now.used_ns - was.used_ns
        if could_ns <= 0 or used_ns < 0:  # moved to another cgroup since then
            return Cpu(host_percent)
        return Cpu(min(100.0, 100.0 * used_ns / could_ns), now.cores, now.throttled_periods)

    def _memory(self) -> Memory:
        host, limit = psutil.virtual_memory(), memory_limit(self._root)
        if limit is None or limit.limit_bytes >= host.total:
            return Memory(host.percent, host.total - host.available, host.total)
        percent = min(100.0, 100.0 * limit.used_bytes / limit.limit_bytes)
        return Memory(percent, limit.used_bytes, limit.limit_bytes, limit.oom_kills, "container")

    def _in_flight(self, snapshot: Snapshot) -> float | None:
        """The mean number of requests at work since the last look at this run; None at the first."""
        (was_s, was_ns, run), now_s = self._busy, self._clock()
        self._busy = now_s, snapshot.busy_ns, snapshot.run
        if run != snapshot.run or now_s <= was_s:
            return None
        return max(0, snapshot.busy_ns - was_ns) / 1e9 / (now_s - was_s)

    def _rates(self) -> Totals:
        """Bytes a second since the last look."""
        (was_s, was), now_s, now = self._totals, self._clock(), _totals()
        self._totals = now_s, now
        span_s = now_s - was_s
        if span_s <= 0:
            return Totals()
        return Totals(*(_rate(before, after, span_s) for before, after in zip(was, now, strict=True)))


def _rate(before: int | None, after: int | None, span_s: float) -> int | None:
    if before is None or after is None:
        return None
    return max(0, round((after - before) / span_s))  # an interface that went away takes its bytes along


def _totals() -> Totals:
    received = sent = read = written = None
    with suppress(*_UNKNOWN):
        cards = [one for name, one in psutil.net_io_counters(pernic=True).items() if name not in _LOOPBACK]
        received, sent = sum(one.bytes_recv for one in cards), sum(one.bytes_sent for one in cards)
    with suppress(*_UNKNOWN):
        if disks := psutil.disk_io_counters():
            read, written = disks.read_bytes, disks.write_bytes
    return Totals(received, sent, read, written)


def _load() -> float | None:
    try:
        return psutil.getloadavg()[0]
    except _UNKNOWN:
        return None
