"""One look at the machine by psutil, shared with all workers through the ring of samples."""

from __future__ import annotations

from pathlib import Path

import psutil

from ..capture.samples import SampleRing
from ..model.alerting import SystemSample


class SampleSystem:
    """Samples CPU, memory and the disk that holds `disk_path` into `ring`.

    CPU is the share of all processors over the time since the sample before; the first call, which has
    none before it, looks for a tenth of a second.
    """

    def __init__(self, ring: SampleRing, disk_path: Path) -> None:
        self._ring = ring
        self._disk_path = disk_path
        self._has_looked = False

    def run(self, now_s: float) -> SystemSample:
        """Take a sample and write it. Raises CellsError when the ring can't be written."""
        cpu_percent = psutil.cpu_percent(interval=None if self._has_looked else 0.1)
        self._has_looked = True
        memory = psutil.virtual_memory()
        disk = psutil.disk_usage(str(self._disk_path))
        sample = SystemSample(
            at_s=now_s,
            cpu_percent=cpu_percent,
            memory_percent=memory.percent,
            disk_percent=disk.percent,
            memory_used_bytes=memory.total - memory.available,
            memory_total_bytes=memory.total,
            disk_used_bytes=disk.used,
            disk_total_bytes=disk.total,
        )
        self._ring.append(sample)
        return sample
