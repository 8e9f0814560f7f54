"""This worker's writer: every number of every request enters here, and goes into this worker's cells.

The recorder finds the tool that a request belongs to, by what names it, and names new ones within the
limit; `tool` does the counting.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from pathlib import Path
from socket import gethostname

from ..errors import CellsError
from . import cells as layout
from .cells import COST, OTHER, OWN, QUEUE, SERVICE, CellFile
from .fold import written
from .process import Process
from .runs import Names, Run, join, worker_file
from .tool import KEPT_KEY_LENGTH, KEPT_KEYS, Tool, Tools, bounded, named

log = logging.getLogger("laptime")

_TIMES = {QUEUE: b"(queue)", COST: b"(measuring)"}


class Recorder:
    """One worker's counters. `open()` makes them shared; until then, and after a fork, nothing is open.

    `header` is the file's header, `run` the service's run, `instance` the name of this host, `free` the
    places of notes that are not taken (none while nothing is open), `paths` what `methods_of` remembers, and
    `trouble` a sentence on why counts are not shared, or "".
    """

    def __init__(self, state: Path, max_tools: int, instance: str = "") -> None:
        self._state = state
        self.instance = instance or gethostname()
        self._max_tools = max_tools
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """Back to nothing open: a forked child must not write into its parent's file."""
        self.lock = threading.RLock()
        self.is_open = False
        self.run: Run | None = None
        self.trouble = ""
        # Nobody's cells: what a forked child counts on its way out of a hook must not reach its parent.
        self.header = memoryview(bytearray(layout.HEADER_CELLS * 8)).cast("Q")
        self.free: deque[int] = deque()
        self.tools, self.own = Tools(self, SERVICE), Tools(self, OWN)
        self.paths: dict[str, dict[str, Tool]] = {}
        self._other_times: dict[int, Tool] = {}
        self._names: Names | None = None
        self.left: tuple[CellFile, ...] = ()
        self._left_headers: list[memoryview] = []
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
                run, shared, begun = join(self._state, self.instance)
                self._count_in(shared, run)
            except CellsError as error:
                if shared is not None and shared.path is not None:
                    shared.path.unlink(missing_ok=True)  # without room for a tool it would count nothing
                self.trouble = f"counting in private memory: {error}"
                log.error("%s", self.trouble)
                self._count_in(CellFile.create(None, Process.current()), None)
            self.free = deque(range(layout.NOTES, layout.NOTES_END))
            self.is_open = True
            return begun

    def recover(self) -> None:
        """Share counts again as soon as the state folder lets us; called once a second.

        A worker that counts in private memory, or in a file that was removed, begins a new file, and leaves
        what it had counted in another one beside it. That is done a turn later, when no thread is in the
        middle of counting where it did before; until then `left` holds it.
        """
        try:
            with self.lock:
                if not self.is_open:
                    return
                if self.run is None or not self.cells.is_current():
                    self._share_again()
                    return
                run, left = self.run, next(iter(self.left), None)
                if left is None:
                    self._find_room()
                    return
            path = worker_file(run, Process.current())
            fresh = written(left, path, Process.current())
            with self.lock:  # so that no reader sees both, or neither
                fresh.replace(path)
                self.left = self.left[1:]
            self.trouble = ""
            log.warning("counts are shared again")
        except (CellsError, OSError) as error:
            self.trouble = self.trouble or f"counts are not shared: {error}"

    def _share_again(self) -> None:
        run, cells, _ = join(self._state, self.instance, again=self.run)
        before, known = self.cells, self.run is None or run == self.run
        try:
            self._count_in(cells, run)
        except CellsError:
            if cells.path is not None:
                cells.path.unlink(missing_ok=True)
            raise
        self._left_headers.append(before.header)
        if known:
            self.left = (*self.left, before)
        else:  # the others have begun anew: what was counted for the run before belongs to none any more
            self.left = ()
            log.error("counts since the last roll-up are dropped: the state folder was removed")

    def _find_room(self) -> None:
        """Name new tools again where there was no room for them. Raises CellsError if there still is none."""
        if self.trouble:
            self.cells.tool(self.header[layout.TOOLS])
            for tools in (self.tools, self.own):
                tools.known = {}
            self.paths = {}
            self.trouble = ""

    def _count_in(self, cells: CellFile, run: Run | None) -> None:
        """Begin to count in `cells`. Raises CellsError when they have no room for any tool."""
        tools, own = Tools(self, SERVICE), Tools(self, OWN)
        for kind in (tools, own):
            kind.named[OTHER] = named(cells, OTHER.encode(), kind.kind, self.lock)
        self._names = Names(run)
        # The tools first: a request between the stores then counts in the new file, wherever its note is.
        self.tools, self.own, self._other_times = tools, own, {}
        self.paths = {}
        self.run, self.cells, self.header = run, cells, cells.header
        self.set_clock()

    def set_clock(self) -> None:
        """Follow the system's clock: called now and then, since a clock can be set."""
        self.epoch_ns = time.time_ns() - time.perf_counter_ns()
        self.header[layout.EPOCH_NS] = max(0, self.epoch_ns)

    def fault(self, error: Exception) -> None:
        """Count a fault of ours that was kept from the host; log one a minute."""
        if self.is_open:
            self.header[layout.FAULTS] += 1
        now_s = time.monotonic()
        if now_s - self._fault_logged_s >= 60:
            self._fault_logged_s = now_s
            log.error("a fault of Laptime's own was kept from a request", exc_info=error)

    def enter(self) -> tuple[memoryview, int]:
        """A place for a note of what begins now, and the header that it is of: `leave` gives it back.

        Where none is free it is a place that nobody reads.
        """
        try:
            return self.header, self.free.popleft()
        except IndexError:
            with self.lock:
                self.header[layout.UNNOTED] += 1
            return self.header, layout.NOWHERE

    def enter_again(self, header: memoryview, note: int) -> tuple[memoryview, int]:
        """The place of what began elsewhere: before a fork, or before this worker's file was another."""
        if not any(header is left for left in self._left_headers):
            return self.enter()
        if note == layout.NOWHERE:
            with self.lock:
                self.header[layout.UNNOTED] += 1
        return self.header, note  # places are given out once, whichever file they are written in

    def leave(self, header: memoryview, note: int) -> None:
        """Give the place of what is over back; nothing of it stays noted, even if it could not be counted."""
        if header is not self.header:  # of a parent's file, or of one that was left behind
            return
        header[note] = 0
        if note != layout.NOWHERE:
            self.free.append(note)
        else:
            with self.lock:
                header[layout.UNNOTED] -= 1

    def methods_of(self, path: str) -> dict[str, Tool]:
        """A path of the service's: the tools that it names, by method; remembered within bounds."""
        if len(path) >= KEPT_KEY_LENGTH:
            return {}
        if len(self.paths) >= KEPT_KEYS:
            self.paths = {}
        return self.paths.setdefault(path, {})

    def queue(self, tool: Tool, ended_ns: int, queued_ns: int) -> None:
        """Count that a request of `tool`, which has just ended, had waited in a queue before this service."""
        tool.count_queue(queued_ns)
        # The least that is told from none: a reader looks for buckets between the extremes.
        self._times(QUEUE).count(layout.NOWHERE, ended_ns, queued_ns or 1, layout.SUCCESS, 0)

    def spent(self, ended_ns: int, own_ns: int) -> None:
        """Count what the hook took for a request that was timed from the inside."""
        self._times(COST).count(layout.NOWHERE, ended_ns, own_ns, layout.SUCCESS, 0)

    def _times(self, kind: int) -> Tool:
        """The cells of times that are no requests."""
        found = self._other_times.get(kind)
        if found is None:
            with self.lock:
                if kind not in self._other_times:
                    self._other_times[kind] = named(self.cells, _TIMES[kind], kind, self.lock)
                found = self._other_times[kind]
        return found

    def tool(self, name: str, own: bool) -> Tool:
        """A tool of this worker by its name; `(other)` past the limit of names."""
        tools = self.own if own else self.tools
        return tools.named.get(name) or self.add(name, tools)

    def add(self, name: str, tools: Tools) -> Tool:
        """A tool that is not in `tools`, which is `self.tools` or `self.own`, yet."""
        with self.lock:
            if not self.is_open or self._names is None:  # a forked child: its parent's file is not its own
                raise CellsError("no file is open in this process")
            raw = bounded(name)
            found = tools.named.get(raw.decode())
            if found is not None:
                return found
            other = tools.named[OTHER]
            if len(self.tools.named) + len(self.own.named) > self._max_tools + 1:
                return other
            if not self._names.has_room_for((raw.decode(), tools.kind), self._max_tools):
                return other
            try:
                tools.named[raw.decode()] = tool = named(self.cells, raw, tools.kind, self.lock)
            except CellsError as error:
                self.trouble = f"new tools count as {OTHER}: {error}"
                return other
            return tool
