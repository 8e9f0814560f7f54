"""The system's samples in shared memory: one ring, written by the elected worker, read by all.

It lies in a file of cells beside the workers' files and outlives them, so the next elected worker goes
on where the last one ended. A row is eight cells: the time (Unix nanoseconds), three thousandths of a
percent and four sizes in bytes; rows lie in the space that other files use for tools, 256 to a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import CellsError
from ..model.alerting import SystemSample
from .cells import SAMPLES, CellFile
from .process import Process

ROWS = 4096  # 5 hours and 41 minutes at one sample in 5 s
_ROW_CELLS = 8
_ROWS_TO_A_TOOL = 256


class SampleRing:
    """The ring at `path`. Only the elected worker may append; any process may read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: CellFile | None = None
        self._read: CellFile | None = None

    def append(self, sample: SystemSample) -> None:
        """Write one sample. Raises CellsError when the state folder has no room for the ring."""
        cells = self._writer()
        taken = cells.header[SAMPLES]
        row = _row(cells, taken)
        row[0] = int(sample.at_s * 1e9)
        for place, percent in enumerate((sample.cpu_percent, sample.memory_percent, sample.disk_percent), 1):
            row[place] = round(percent * 1000)
        row[4], row[5] = sample.memory_used_bytes, sample.memory_total_bytes
        row[6], row[7] = sample.disk_used_bytes, sample.disk_total_bytes
        cells.header[SAMPLES] = taken + 1

    def since(self, since_s: float) -> Sequence[SystemSample]:
        """The samples taken since that instant (Unix seconds), oldest first; empty before the first."""
        cells = self._reader()
        if cells is None:
            return ()
        taken = cells.header[SAMPLES]
        found: list[SystemSample] = []
        for number in range(taken - 1, max(-1, taken - ROWS), -1):
            sample = _sample(_row(cells, number))
            if sample.at_s < since_s:
                break
            found.append(sample)
        # Rows that the writer came round to meanwhile are no longer what they were.
        lost = max(0, cells.header[SAMPLES] + 1 - ROWS - (taken - len(found)))
        return found[::-1][lost:]

    def _writer(self) -> CellFile:
        if self._written is None or not self._written.is_current():
            try:
                self._written = CellFile.open(self._path, writable=True)
            except CellsError:  # none yet, or one that can't be used: begin anew
                self._path.unlink(missing_ok=True)
                self._written = CellFile.create(self._path, Process.current())
        return self._written

    def _reader(self) -> CellFile | None:
        """The mapped file, mapped again when another has taken its name."""
        if self._read is None or not self._read.is_current():
            try:
                self._read = CellFile.open(self._path)
            except CellsError:
                self._read = None
        return self._read


def _row(cells: CellFile, number: int) -> memoryview:
    tool, place = divmod(number % ROWS, _ROWS_TO_A_TOOL)
    return cells.tool(tool)[place * _ROW_CELLS : (place + 1) * _ROW_CELLS]


def _sample(row: memoryview) -> SystemSample:
    at_ns, cpu, memory, disk, *sizes = row.tolist()
    return SystemSample(at_ns / 1e9, cpu / 1000, memory / 1000, disk / 1000, *sizes)
