"""This worker's writer: every number of every request enters here, and goes into this worker's cells.

Counting takes no lock, no disk and no allocation: on an interpreter with the GIL a thread switch or a
signal handler can't fall between the load and the store of `cells[i] += n` while there is no call in
between, so the block of stores in `_count` holds no call. A free-threaded interpreter takes a lock.
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
SUCCESS, CLIENT_ERROR, SERVER_ERROR, FAILURE = range(4)

# Read as globals in `_count`, where an attribute of the module would cost a look-up each.
_RING, _OK, _FAILED = layout.RING, layout.OK, layout.FAILED
_TOTAL, _MIN, _MAX = layout.TOTAL_NS, layout.MIN_NS, layout.MAX_NS
_BYTES, _CLAIMED, _CLOSED = layout.RESPONSE_BYTES, layout.CLAIMED, layout.CLOSED
_CLASS = {CLIENT_ERROR: layout.CLIENT_ERRORS, SERVER_ERROR: layout.SERVER_ERRORS}
_LAST = BUCKETS - 1


class Recorder:
    """One worker's counters. `open()` makes them shared; until then, and after a fork, nothing is open.

    `header` is the file's header (hooks count requests entered and answered there), `run` the service's
    run, `trouble` a sentence on why counts are not shared, or "".
    """

    def __init__(self, state: Path, max_tools: int) -> None:
        self._state = state
        self._max_tools = max_tools
        self._lock = threading.RLock()
        if sysconfig.get_config_var("Py_GIL_DISABLED"):
            self.record = self._count_locked
        else:
            self.record = self._count
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """Back to nothing open: a forked child must not write into its parent's file."""
        self._lock = threading.RLock()
        self.is_open = False
        self.run: Run | None = None
        self.trouble = ""
        self.faults = 0
        # Nobody's cells: what a forked child counts on its way out of a hook must not reach its parent.
        self.header = memoryview(bytearray(layout.PAGE_CELLS * 8)).cast("Q")
        self._tools: dict[str, memoryview] = {}
        self._own: dict[str, memoryview] = {}
        self._known: frozenset[tuple[str, bool]] = frozenset()
        self._room = self._max_tools
        self._fault_logged_s = float("-inf")

    def open(self) -> bool:
        """Join the service's run and make this worker's file. True where this began the run.

        Without a usable state folder the counts go to private memory, and `trouble` says so.
        """
        with self._lock:
            if self.is_open:
                return False
            begun = False
            try:
                run, cells, begun = join(self._state)
                self._share(run, cells)
            except CellsError as error:
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
        self._tools[OTHER] = cells.add_tool(OTHER.encode(), own=False)
        self._own[OTHER] = cells.add_tool(OTHER.encode(), own=True)
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

    def _count(
        self, name: str, own: bool, ended_ns: int, duration_ns: int, outcome: int, response_bytes: int
    ) -> None:
        """Count one request. Times are of `perf_counter_ns`; `outcome` is SUCCESS and so on."""
        cells = self._own.get(name) if own else self._tools.get(name)
        if cells is None:
            cells = self._add(name, own)
        if duration_ns < 1000:
            bucket = 0
        else:
            scaled = duration_ns << 3
            octave = scaled.bit_length() - 1
            bucket = ((octave - 3) << 5) + TABLE[(scaled >> (octave - 12)) & 4095] - FIRST
            if bucket > _LAST:
                bucket = _LAST
        failure_class = _CLASS.get(outcome)
        end_us = (ended_ns + self.epoch_ns) // 1000
        header = self.header
        # From here on no call: nothing may come between these stores (see the module's docstring).
        claimed = cells[_CLAIMED]
        cells[_CLAIMED] = claimed + 1
        place = _RING + ((claimed & 15) << 1)
        cells[place] = end_us << 8 | claimed & 255
        if outcome:
            cells[place + 1] = duration_ns << 8 | (claimed & 127) << 1
            bucket += _FAILED
            if failure_class is not None:
                cells[failure_class] += 1
        else:
            cells[place + 1] = duration_ns << 8 | (claimed & 127) << 1 | 1
            bucket += _OK
        cells[_TOTAL] += duration_ns
        cells[_BYTES] += response_bytes
        if duration_ns > cells[_MAX]:
            cells[_MAX] = duration_ns
        least = cells[_MIN]
        if duration_ns < least or not least:
            cells[_MIN] = duration_ns
        cells[bucket] += 1
        header[_CLOSED] += 1

    def _count_locked(
        self, name: str, own: bool, ended_ns: int, duration_ns: int, outcome: int, response_bytes: int
    ) -> None:
        with self._lock:
            self._count(name, own, ended_ns, duration_ns, outcome, response_bytes)

    def _add(self, name: str, own: bool) -> memoryview:
        """The cells of a name not seen before in this worker, or those of `(other)` past the limit."""
        names = self._own if own else self._tools
        with self._lock:
            cells = names.get(name)
            if cells is not None:
                return cells
            raw = _bounded(name)
            is_new = (raw.decode(), own) not in self._known
            if len(self._tools) + len(self._own) > self._max_tools + 1 or (is_new and self._room <= 0):
                return names[OTHER]
            try:
                names[name] = self.cells.add_tool(raw, own)
                self._room -= is_new
            except CellsError as error:
                self.trouble = f"new tools count as {OTHER}: {error}"
                return names[OTHER]
            return names[name]


def _bounded(name: str) -> bytes:
    """The name as printable UTF-8 of at most NAME_BYTES bytes, cut between characters."""
    raw = (printable(name) or "(unnamed)").encode("utf-8", "replace")
    return raw[: layout.NAME_BYTES].decode("utf-8", "ignore").encode()
