"""The machine at this moment, as text: CPU, load, memory, disk and uptime, without waiting.

For whoever calls the tool only; the dashboard's figures are sampled by a job on their own.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil

from ..errors import UnavailableError

GIB = 1 << 30
MIN_SPAN_S = 0.5  # the kernel counts in ticks of 10 ms: a shorter span says little


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """The processors' seconds since boot, idle and in all, seen at a monotonic instant."""

    at_s: float
    idle_s: float
    total_s: float

    @classmethod
    def now(cls) -> CpuTimes:
        times = psutil.cpu_times()._asdict()
        guest_s = times.get("guest", 0.0) + times.get("guest_nice", 0.0)  # Linux counts these as user too
        idle_s = times["idle"] + times.get("iowait", 0.0)
        return cls(time.monotonic(), idle_s, sum(times.values()) - guest_s)

    def busy_percent(self, earlier: CpuTimes) -> float:
        """How busy all processors together were since `earlier`, 0 to 100."""
        total_s = self.total_s - earlier.total_s
        idle_s = self.idle_s - earlier.idle_s
        return min(100.0, max(0.0, 100.0 * (1 - idle_s / total_s))) if total_s > 0 else 0.0


class SystemStatus:
    """Reports on the machine. CPU is the average since an earlier report, or since this object was made.

    psutil's own cpu_percent() keeps its last look per thread, so that a pool of threads gets zeros.
    """

    def __init__(self, disk: Path) -> None:
        """`disk` is any path on the disk that is reported."""
        self._disk = disk
        self._lock = threading.Lock()
        self._earlier = CpuTimes.now()
        self._cpu = "not known yet"

    def report(self) -> str:
        """Five lines of text. Raises UnavailableError when the machine doesn't tell."""
        try:
            memory = psutil.virtual_memory()
            disk = psutil.disk_usage(str(self._disk))
            load = ", ".join(f"{value:.2f}" for value in psutil.getloadavg())
            up_s = int(time.time() - psutil.boot_time())
            cpu = self._look_at_cpu()
        except OSError as error:
            raise UnavailableError(f"the system's status can't be read ({error.strerror})") from None
        return "\n".join(
            [
                f"cpu: {cpu}",
                f"load: {load} (averages of 1, 5 and 15 minutes)",
                _used("memory", memory.percent, memory.total, memory.available),
                _used("disk", disk.percent, disk.total, disk.free),
                f"up: {timedelta(seconds=up_s)}",
            ]
        )

    def _look_at_cpu(self) -> str:
        now = CpuTimes.now()
        with self._lock:
            span_s = now.at_s - self._earlier.at_s
            if span_s >= MIN_SPAN_S:
                busy_percent = now.busy_percent(self._earlier)
                self._cpu = f"{busy_percent:.1f} % of {psutil.cpu_count()} cores, over {span_s:.1f} s"
                self._earlier = now
            return self._cpu


def _used(what: str, used_percent: float, total_bytes: int, free_bytes: int) -> str:
    return f"{what}: {used_percent:.1f} % of {total_bytes / GIB:.1f} GiB, {free_bytes / GIB:.1f} GiB free"
