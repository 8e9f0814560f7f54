"""The system's samples in shared memory: one ring, written by the elected worker, read by all.

It lies in a file of cells beside the workers' files and outlives them, so the next elected worker goes
on where the last one ended. Rows lie in the space that other files use for tools, 64 to a tool, which
34 cells fill to the last:

    0        time (Unix nanoseconds)             13  1: memory is the container's, 0: the host's
    1..3     CPU, memory, disk, in 0.001 %       14  the CPU quota in 0.001 cores, 0: CPU is the host's
    4..7     memory used, of; disk used, of      15  periods in which the container was throttled
    8        load average in 0.001, and one      16  its processes that the kernel killed for want of memory
    9..12    bytes a second received, sent, read and written, and one
    17       workers; 18 their slots, 0: not known
    19, 20   requests at work since the sample before, in 0.001, and what that is of the slots, in 0.001 %,
             and one
    21..24   workers that ended in this run: recycled, killed, out of memory, timed out
    25..33   free: 0

"and one": 0 stands for not known. A row of another shape needs another file name, for old processes and old
files tell nothing of theirs: so the name tells how long a row is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import CellsError
from ..model.alerting import SystemSample
from .cells import SAMPLES, CellFile
from .process import Process

ROWS = 4096  # 5 hours and 41 minutes at one sample in 5 s
_ROW_CELLS = 34
_ROWS_TO_A_TOOL = 64
RING_FILE = f"samples-{_ROW_CELLS}.cells"


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
        row[8] = _and_one(sample.load_average, 1000)
        for place, rate in enumerate(_rates(sample), 9):
            row[place] = _and_one(rate)
        row[13] = sample.memory_source == "container"
        row[14] = round(sample.cpu_limit_cores * 1000)
        row[15], row[16] = sample.throttled_periods, sample.oom_kills
        row[17], row[18] = sample.workers, sample.slots or 0
        row[19], row[20] = _and_one(sample.in_flight, 1000), _and_one(sample.saturation_percent, 1000)
        row[21], row[22] = sample.recycled, sample.killed
        row[23], row[24] = sample.out_of_memory, sample.timed_out
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


def _rates(sample: SystemSample) -> tuple[int | None, ...]:
    return (
        sample.received_bytes_per_s,
        sample.sent_bytes_per_s,
        sample.read_bytes_per_s,
        sample.written_bytes_per_s,
    )


def _sample(row: memoryview) -> SystemSample:
    cells = row.tolist()
    at_ns, cpu, memory, disk, memory_used, memory_total, disk_used, disk_total = cells[:8]
    load, received, sent, read, written, is_limited, cores, throttled, kills = cells[8:17]
    workers, slots, in_flight, saturation = cells[17:21]
    return SystemSample(
        at_ns / 1e9,
        cpu / 1000,
        memory / 1000,
        disk / 1000,
        memory_used,
        memory_total,
        disk_used,
        disk_total,
        (load - 1) / 1000 if load else None,
        _rate(received),
        _rate(sent),
        _rate(read),
        _rate(written),
        "container" if is_limited else "host",
        cores / 1000,
        throttled,
        kills,
        workers,
        slots or None,
        (in_flight - 1) / 1000 if in_flight else None,
        (saturation - 1) / 1000 if saturation else None,
        *cells[21:25],
    )


def _and_one(value: float | None, parts: int = 1) -> int:
    """So many parts of a value, and one: 0 stands for not known."""
    return 0 if value is None else round(value * parts) + 1


def _rate(cell: int) -> int | None:
    return cell - 1 if cell else None
