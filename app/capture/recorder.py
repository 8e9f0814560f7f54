"""This worker's writer: every number of every request enters here, and goes into this worker's cells.

Counting takes no lock, no disk and no allocation: on an interpreter with the GIL a thread switch or a
signal handler can't fall between the load and the store of `cells[i] += n` while there is no call in
between, so the block of stores in `Tool.count` holds no call. A free-threaded interpreter takes a lock.
"""

from __future__ import annotations

import logging
import os
import sysconfig
import threading
import time
from pathlib import Path

from ..errors import CellsError
from ..model.histogram import BUCKETS, FIRST, TABLE
from . import cells as layout
from .cells import CellFile
from .naming import printable
from .process import Process
from .runs import Run, join

log = logging.getLogger("laptime")

OTHER = "(other)"
_NEEDS_LOCK = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

# Read as globals while counting, where an attribute of the module would cost a look-up each.
_RING, _OK, _FAILED = layout.RING, layout.OK, layout.FAILED
_TOTAL, _MIN, _MAX = layout.TOTAL_NS, layout.MIN_NS, layout.MAX_NS
_BYTES, _CLAIMED = layout.RESPONSE_BYTES, layout.CLAIMED
_LAST = BUCKETS - 1


class Tool:
    """One tool of this worker: its cells, and its extremes so far, which are cheaper to compare here.

    `mark` is the tool's number plus 1, as notes of requests carry it.
    """

    __slots__ = ("cells", "header", "least_ns", "mark", "most_ns", "name", "recorder")

    def __init__(
        self, recorder: Recorder, header: memoryview, cells: memoryview, mark: int, name: str
    ) -> None:
        self.recorder, self.header, self.cells, self.mark = recorder, header, cells, mark
        self.name = name
        self.least_ns, self.most_ns = 1 << 63, 0

    def count(self, note: int, ended_ns: int, taken_ns: int, outcome: int, size: int) -> None:
        """Count one request and take its note away (0: none). `size` is bytes."""
        if taken_ns < 1000:
            bucket = 0
        else:
            scaled = taken_ns << 3
            octave = scaled.bit_length() - 1
            bucket = ((octave - 3) << 5) + TABLE[(scaled >> (octave - 12)) & 4095] - FIRST
            if bucket > _LAST:
                bucket = _LAST
        end = ended_ns + self.recorder.epoch_ns >> 10 << 8
        cells = self.cells
        # From here on no call: nothing may come between these stores (see the module's docstring).
        claimed = cells[_CLAIMED]
        cells[_CLAIMED] = claimed + 1
        place = _RING + ((claimed & 15) << 1)
        cells[place] = end | claimed & 255
        if outcome:
            cells[place + 1] = taken_ns << 8 | (claimed & 127) << 1
            bucket += _FAILED
        else:
            cells[place + 1] = taken_ns << 8 | (claimed & 127) << 1 | 1
            bucket += _OK
        if size:
            cells[_BYTES] += size
        if taken_ns > self.most_ns:
            self.most_ns = cells[_MAX] = taken_ns
        if taken_ns < self.least_ns:
            self.least_ns = cells[_MIN] = taken_ns
        cells[_TOTAL] += taken_ns
        if note:
            self.header[note] = outcome << 16 | self.mark
        if outcome:
            cells[_MAX + outcome] += 1
        cells[bucket] += 1
        if note:
            self.header[note] = 0


class LockedTool(Tool):
    """The same where threads run at the same time: then a lock keeps the stores together."""

    __slots__ = ()

    def count(self, note: int, ended_ns: int, taken_ns: int, outcome: int, size: int) -> None:
        with self.recorder.lock:
            super().count(note, ended_ns, taken_ns, outcome, size)


class Recorder:
    """One worker's counters. `open()` makes them shared; until then, and after a fork, nothing is open.

    `header` is the file's header (hooks count requests entered there), `run` the service's
    run, `free` the places of notes that are not taken, `trouble` a sentence on why counts are not shared,
    or "".
    """

    def __init__(self, state: Path, max_tools: int) -> None:
        self._state = state
        self._max_tools = max_tools
        self.lock = threading.RLock()
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """Back to nothing open: a forked child must not write into its parent's file."""
        self.lock = threading.RLock()
        self.is_open = False
        self.run: Run | None = None
        self.trouble = ""
        # Nobody's cells: what a forked child counts on its way out of a hook must not reach its parent.
        self.header = memoryview(bytearray(layout.PAGE_CELLS * 8)).cast("Q")
        self.free = list(range(layout.NOTES, layout.NOTES_END))
        self.tools: dict[str, Tool] = {}
        self.own: dict[str, Tool] = {}
        self._known: frozenset[tuple[str, bool]] = frozenset()
        self._room = self._max_tools
        self._fault_logged_s = float("-inf")

    def open(self) -> bool:
        """Join the service's run and make this worker's file. True where this began the run.

        Without a usable state folder the counts go to private memory, and `trouble` says so.
        """
        with self.lock:
            if self.is_open:
                return False
            begun = False
            shared: CellFile | None = None
            try:
                run, shared, begun = join(self._state)
                self._share(run, shared)
            except CellsError as error:
                if shared is not None and shared.path is not None:
                    shared.path.unlink(missing_ok=True)  # without room for a tool it would count nothing
                self.trouble = f"counting in private memory: {error}"
                log.error("%s", self.trouble)
                self._share(None, CellFile.create(None, Process.current()))
            self.header = self.cells.header
            # Unix time of the performance counter's zero: the end of a request costs no third clock.
            self.epoch_ns = time.time_ns() - time.perf_counter_ns()
            self.is_open = True
            return begun

    def _share(self, run: Run | None, cells: CellFile) -> None:
        """Begin to count in `cells`. Raises CellsError when they have no room for any tool."""
        self.tools[OTHER] = self._named(cells, OTHER.encode(), own=False)
        self.own[OTHER] = self._named(cells, OTHER.encode(), own=True)
        # Names of workers before count too, or every generation of workers would add its own.
        self._known = run.names() if run else frozenset()
        self._room = self._max_tools - sum(name != OTHER for name, _ in self._known)
        self.run, self.cells = run, cells

    def set_clock(self) -> None:
        """Follow the system's clock: called now and then, since a clock can be set."""
        self.epoch_ns = time.time_ns() - time.perf_counter_ns()

    def fault(self, error: Exception) -> None:
        """Count a fault of ours that was kept from the host; log one a minute."""
        if self.is_open:
            self.header[layout.FAULTS] += 1
        now_s = time.monotonic()
        if now_s - self._fault_logged_s >= 60:
            self._fault_logged_s = now_s
            log.error("a fault of Laptime's own was kept from a request", exc_info=error)

    def tool(self, name: str, own: bool) -> Tool:
        """A tool of this worker; `(other)` past the limit of names."""
        names = self.own if own else self.tools
        return names.get(name) or self.add(name, names)

    def add(self, name: str, names: dict[str, Tool]) -> Tool:
        """A tool that is not in `names`, which is `tools` or `own`, yet."""
        own = names is self.own
        with self.lock:
            found = names.get(name)
            if found is not None:
                return found
            if not self.is_open:  # a forked child: its parent's file is not its own
                raise CellsError("no file is open in this process")
            raw = _bounded(name)
            is_new = (raw.decode(), own) not in self._known
            if len(self.tools) + len(self.own) > self._max_tools + 1 or (is_new and self._room <= 0):
                return names[OTHER]
            try:
                names[name] = self._named(self.cells, raw, own)
                self._room -= is_new
            except CellsError as error:
                self.trouble = f"new tools count as {OTHER}: {error}"
                return names[OTHER]
            return names[name]

    def _named(self, cells: CellFile, name: bytes, own: bool) -> Tool:
        number = cells.header[layout.TOOLS]
        kind = LockedTool if _NEEDS_LOCK else Tool
        return kind(self, cells.header, cells.add_tool(name, own), number + 1, name.decode())


def _bounded(name: str) -> bytes:
    """The name as printable UTF-8 of at most NAME_BYTES bytes, cut between characters."""
    raw = (printable(name) or "(unnamed)").encode("utf-8", "replace")
    return raw[: layout.NAME_BYTES].decode("utf-8", "ignore").encode()
