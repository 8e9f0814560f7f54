"""Files of 64-bit cells in memory that all workers share; the byte layout is described here.

Little-endian unsigned 64-bit cells throughout. A file is a header of 1,536 cells and then segments of 16
tools each; it grows by whole segments, as many again as there are.

    header
        0  MAGIC, which names this layout        6  requests in flight that found no place for a note
        1  boot   2  pid   3  start ticks        7  faults of ours that were caught in a request
        4  file made at (Unix nanoseconds)       8  samples taken (the system's ring)
        5  tools that are named (stored last)    9  Unix nanoseconds at the performance counter's zero
        what a worker tells of itself every few seconds (`vitals`), 0 for what is not known
        10 requests that it can work on at once  13 its threads
        11 resident memory (bytes)               14 the machine's processes killed for want of memory, and one
        12 open files                            15 how it ended: NO_WORKER, UNTOLD, EXITED or TIMED_OUT
        16 pairs written of the ring at 192      17 of all sums of times, those measured by hand (ns)
        18..21    workers that ended and are folded in here: recycled, killed, out of memory, timed out
        64..191   pairs (pid, made at) of files folded in here
        192..223  the ring of 16 pairs: the performance counter, the time that it was busy so far (ns)
        511       what no note has a place for is written here, and read by nobody
        512..1535 notes, one to each request in flight, 0 where there is none:
                  while the host works   the performance counter at its entry; BY_HAND | that of what is none
                  answered               ANSWERED | outcome << 14 | number of the tool
                  being counted          CLOSING | the same: all of it but its class and its bucket is stored
    tool (2,176 cells)
        0        length of the name in bytes, plus its kind << 32
        1..31    the name, UTF-8, at most 248 bytes
        32       sum of times (ns)               38  response bytes
        33       least time (ns), 0: none yet    39  requests counted, stored last
        34       greatest time (ns)              40  sum of times after the first byte of a stream (ns)
        35       client errors                   41  requests whose time in a queue before us is known
        36       server errors, exceptions too   42  sum of those times (ns)
        37       failures that the host reported
        64..95   the ring of the newest 32: the performance counter at the end
        96..127  the same: time in ns << 2 | outcome; request n (39 before it was counted) is at place n & 31
        128..    1,024 buckets of successes
        1152..   1,024 buckets of failures

A cell is written by one process only and, but for 6, 9 to 15, 33, the rings and the notes, only grows, so a
reader needs no lock. What is stored first is seen first: on x86 by the processor's rules, elsewhere because
each store of Python's is far longer than a processor may hold one back.
Cells are read and written as items of a `memoryview.cast("Q")`: one aligned 8-byte store each.
`struct.pack_into` must not be used on them, it showed readers a transient zero in 5 % of concurrent reads.
"""

from __future__ import annotations

import mmap
import os
import stat
import time
from pathlib import Path

from ..errors import CellsError
from .process import Process

MAGIC = int.from_bytes(b"laptime3", "little")
HEADER_CELLS = 1536
TOOL_CELLS = 2176
SEGMENT_TOOLS = 16
NAME_BYTES = 248

BOOT, PID, START_TICKS, MADE_NS, TOOLS, UNNOTED, FAULTS, SAMPLES, EPOCH_NS = range(1, 10)
SLOTS, RESIDENT_BYTES, OPEN_FILES, THREADS, OOM_KILLS, ENDING, BUSY_PAIRS, BY_HAND_NS = range(10, 18)
RESTARTS, RESTARTS_END = 18, 22
FOLDED, FOLDED_MOST = 64, 64
BUSY, BUSY_MOST = 192, 16
NOWHERE, NOTES, NOTES_END = 511, 512, HEADER_CELLS
NAME, TOTAL_NS, MIN_NS, MAX_NS = 1, 32, 33, 34
CLIENT_ERRORS, SERVER_ERRORS, REPORTED_FAILURES, RESPONSE_BYTES, REQUESTS = range(35, 40)
STREAMING_NS, QUEUED, QUEUE_NS = range(40, 43)
ENDS, TIMES, RING_SIZE = 64, 96, 32
OK, FAILED = 128, 1152
# How a request went: a success, or the place of its failure's cell behind MAX_NS.
SUCCESS, CLIENT_ERROR, SERVER_ERROR, REPORTED = range(4)
# What a tool's cells hold: requests of the service's tool or of Laptime's own pages, or, without requests,
# times in the queue before the service, or times that the hook itself took.
SERVICE, OWN, QUEUE, COST = range(4)
OTHER = "(other)"  # the tool that takes what came after the limit of names was reached
BY_HAND, ANSWERED, CLOSING = 1 << 62, 1 << 63, 3 << 62
# How a process ended, as far as it could tell: of one that is no worker nobody counts the end.
NO_WORKER, UNTOLD, EXITED, TIMED_OUT = range(4)

_GRAIN = mmap.ALLOCATIONGRANULARITY
_HEADER_BYTES = -(-HEADER_CELLS * 8 // _GRAIN) * _GRAIN
_SEGMENTS_AT_ONCE = 32
_SEGMENT_BYTES = -(-SEGMENT_TOOLS * TOOL_CELLS * 8 // _GRAIN) * _GRAIN


class CellFile:
    """A file of cells, mapped: `header`, and one memoryview to each tool as far as it was reached.

    With `path` None it is private memory of the same layout: what a full disk leaves.
    """

    def __init__(self, path: Path | None, descriptor: int, writable: bool) -> None:
        self.path = path
        self.is_torn = False  # set by the first reader that finds a tool behind the file's end
        self._descriptor = descriptor
        self._writable = writable
        self._tools: list[memoryview] = []
        self.header = self._map(0, _HEADER_BYTES)

    @classmethod
    def create(cls, path: Path | None, owner: Process) -> CellFile:
        """Make a new file for `owner`. Raises CellsError when the disk has no room or no permission."""
        descriptor = -1
        if path is not None:
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise CellsError(f"can't make {path.name}: {error.strerror}") from error
            try:
                _allocate(descriptor, 0, _HEADER_BYTES)
            except OSError as error:
                os.close(descriptor)
                path.unlink()
                raise CellsError(f"no room for {path.name}: {error.strerror}") from error
        cells = cls(path, descriptor, writable=True)
        header = cells.header
        header[BOOT], header[PID], header[START_TICKS] = owner.boot, owner.pid, owner.start_ticks
        header[MADE_NS] = time.time_ns()
        header[0] = MAGIC  # last: a file without it is not read
        return cells

    @classmethod
    def open(cls, path: Path, *, writable: bool = False) -> CellFile:
        """Map an existing file. Raises CellsError when it is torn, foreign or gone."""
        flags = os.O_RDWR if writable else os.O_RDONLY
        try:  # O_NONBLOCK: a pipe of that name would wait for a writer
            descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise CellsError(f"can't open {path.name}: {error.strerror}") from error
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size < _HEADER_BYTES:
            os.close(descriptor)
            raise CellsError(f"{path.name} is torn: it is shorter than its header, or no file")
        cells = cls(path, descriptor, writable=writable)
        if cells.header[0] != MAGIC:
            cells.close()
            raise CellsError(f"{path.name} is no file of cells of this version")
        return cells

    @property
    def owner(self) -> Process:
        """The process that writes this file."""
        return Process(self.header[BOOT], self.header[PID], self.header[START_TICKS])

    def is_current(self) -> bool:
        """Whether the path still leads to this file and not to a newer one, or to none."""
        if self.path is None:
            return True
        try:
            return self.path.stat().st_ino == os.fstat(self._descriptor).st_ino
        except OSError:
            return False

    def tool(self, number: int) -> memoryview:
        """The cells of tool `number`, 0 first; the file grows for a writer.

        Raises CellsError when the disk has no room for more, or the file is torn.
        """
        while len(self._tools) <= number:
            self._grow()
        return self._tools[number]

    def add_tool(self, name: bytes, kind: int = SERVICE) -> memoryview:
        """Name the next tool (at most NAME_BYTES bytes of UTF-8) and hand out its cells."""
        number = self.header[TOOLS]
        cells = self.tool(number)
        padded = name.ljust(-(-len(name) // 8) * 8, b"\0")
        for place in range(0, len(padded), 8):
            cells[NAME + place // 8] = int.from_bytes(padded[place : place + 8], "little")
        cells[0] = len(name) | kind << 32
        self.header[TOOLS] = number + 1
        return cells

    def close(self) -> None:
        """Give the descriptor back now; the maps go when nobody holds a view of them."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    __del__ = close

    def _grow(self) -> None:
        """Map what comes next: for a writer as much again as there is, for a reader all that is there.

        Each map costs a descriptor, so there are few.
        """
        known = len(self._tools) // SEGMENT_TOOLS
        start = _HEADER_BYTES + known * _SEGMENT_BYTES
        more = min(max(1, known), _SEGMENTS_AT_ONCE)
        if self._descriptor >= 0:
            try:
                if self._writable:
                    more = self._allocated(start, more)
                else:
                    more = (os.fstat(self._descriptor).st_size - start) // _SEGMENT_BYTES
            except OSError as error:
                raise CellsError(f"no room for more tools: {error.strerror}") from error
            if more <= 0:
                raise CellsError("the file is torn: a tool lies behind its end")
        mapped = self._map(start, more * _SEGMENT_BYTES)
        for segment in range(more):
            first = segment * _SEGMENT_BYTES // 8
            for place in range(first, first + SEGMENT_TOOLS * TOOL_CELLS, TOOL_CELLS):
                self._tools.append(mapped[place : place + TOOL_CELLS])

    def _allocated(self, start: int, segments: int) -> int:
        """Give the file that many segments more, or one where the disk has no room for them: how many."""
        try:
            _allocate(self._descriptor, start, segments * _SEGMENT_BYTES)
        except OSError:
            if segments == 1:
                raise
            return self._allocated(start, 1)
        return segments

    def _map(self, start: int, length: int) -> memoryview:
        access = mmap.ACCESS_WRITE if self._writable else mmap.ACCESS_READ
        try:
            mapped = mmap.mmap(self._descriptor, length, access=access, offset=start)
        except (OSError, ValueError) as error:  # no address space, or a file that shrank meanwhile
            raise CellsError(f"can't map cells: {error}") from error
        if hasattr(mmap, "MADV_RANDOM"):  # else a fault brings 16 pages in where one or two are of use
            mapped.madvise(mmap.MADV_RANDOM)
        return memoryview(mapped).cast("Q")


def name_of(cells: memoryview) -> tuple[str, int]:
    """The name in a tool's cells, and its kind: SERVICE, OWN or QUEUE."""
    length = cells[0] & 0xFF
    raw = bytes(cells[NAME : NAME + 31])[: min(length, NAME_BYTES)]
    return raw.decode("utf-8", "replace"), cells[0] >> 32


def _allocate(descriptor: int, start: int, length: int) -> None:
    """Take real blocks: a hole in a file on a full disk ends the process with SIGBUS at the first write."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, start, length)
    else:  # macOS, for development: write the zeros
        os.pwrite(descriptor, bytes(length), start)
