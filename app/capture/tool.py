"""One tool of one worker: its cells, and the stores that count a request in them.

Counting takes no lock, no disk and no call: on an interpreter with the GIL a thread switch or a signal
handler can't fall between the load and the store of `cells[i] += n` while there is no call in between,
so the block of stores in `Tool.count` holds no call. A free-threaded interpreter takes a lock. Sums are
kept beside the cells too, where reading them costs a tenth.
"""

from __future__ import annotations

import sysconfig
import threading
from typing import TYPE_CHECKING

from ..model.histogram import LAST, OCTAVES, SMALL, SMALL_NS, STEPS
from . import cells as layout
from .cells import CellFile
from .naming import Key, name_of, printable

if TYPE_CHECKING:
    from .recorder import Recorder

KEPT_KEYS, KEPT_KEY_LENGTH = 4096, 256  # what is remembered of paths and names that clients choose

# Read as globals while counting, where an attribute of the module would cost a look-up each.
_ENDS, _TIMES, _OK, _FAILED = layout.ENDS, layout.TIMES, layout.OK, layout.FAILED
_TOTAL, _MIN, _MAX = layout.TOTAL_NS, layout.MIN_NS, layout.MAX_NS
_BYTES, _STREAMING, _REQUESTS = layout.RESPONSE_BYTES, layout.STREAMING_NS, layout.REQUESTS
_QUEUED, _QUEUE, _BY_HAND = layout.QUEUED, layout.QUEUE_NS, layout.BY_HAND_NS


class Tool:
    """A tool's cells, its name, and its sums so far.

    `answered` and `closing` are what a note of its requests says, by outcome (see `cells`).
    """

    __slots__ = (
        "answered", "bytes", "cells", "closing", "header", "least_ns", "lock", "most_ns", "name", "requests",
        "total_ns",
    )  # fmt: skip

    def __init__(
        self, header: memoryview, cells: memoryview, number: int, name: str, lock: threading.RLock
    ) -> None:
        self.header, self.cells, self.name, self.lock = header, cells, name, lock
        self.answered = tuple(layout.ANSWERED | outcome << 14 | number for outcome in range(4))
        self.closing = tuple(layout.CLOSING | answered for answered in self.answered)
        self.least_ns, self.most_ns = 1 << 63, 0
        self.requests = self.total_ns = self.bytes = 0

    def count(
        self, note: int, ended_ns: int, taken_ns: int, outcome: int, size: int, streaming_ns: int = 0
    ) -> None:
        """Count one request and take its note away.

        `ended_ns` is the performance counter, `size` is bytes, and of a stream `streaming_ns` the time from
        its first byte on: what is no stream is sent as a whole.
        """
        if taken_ns < SMALL_NS:
            bucket = SMALL[taken_ns]
        else:
            bits = taken_ns.bit_length()
            bucket = OCTAVES[bits] + STEPS[taken_ns >> bits - 13]
            if bucket > LAST:
                bucket = LAST
        cells = self.cells
        # From here on no call: nothing may come between these stores (see the module's docstring). Their
        # order is what readers of a dead worker's cells go by (`merge.unfinished`).
        number = self.requests
        self.requests = number + 1
        place = number & 31
        cells[_ENDS + place] = ended_ns
        cells[_TIMES + place] = taken_ns << 2 | outcome
        if size:
            self.bytes = size = self.bytes + size
            cells[_BYTES] = size
        if taken_ns > self.most_ns:
            self.most_ns = cells[_MAX] = taken_ns
        if taken_ns < self.least_ns:
            self.least_ns = cells[_MIN] = taken_ns
        self.total_ns = taken_ns = self.total_ns + taken_ns
        cells[_TOTAL] = taken_ns
        if streaming_ns:
            cells[_STREAMING] += streaming_ns
        header = self.header
        header[note] = self.closing[outcome]
        if outcome:
            cells[_MAX + outcome] += 1
            cells[_FAILED + bucket] += 1
        else:
            cells[_OK + bucket] += 1
        header[note] = 0
        cells[_REQUESTS] = number + 1

    def count_queue(self, queued_ns: int) -> None:
        """Add the time that a request of this tool waited in a queue before this service."""
        cells = self.cells
        cells[_QUEUE] += queued_ns
        cells[_QUEUED] += 1

    def count_by_hand(self, taken_ns: int) -> None:
        """Tell that the time counted last was no request of a server's: it lies within one, or beside all."""
        self.header[_BY_HAND] += taken_ns


class LockedTool(Tool):
    """The same where threads run at the same time: then a lock keeps the stores together."""

    __slots__ = ()

    def count(
        self, note: int, ended_ns: int, taken_ns: int, outcome: int, size: int, streaming_ns: int = 0
    ) -> None:
        with self.lock:
            super().count(note, ended_ns, taken_ns, outcome, size, streaming_ns)

    def count_queue(self, queued_ns: int) -> None:
        with self.lock:
            super().count_queue(queued_ns)

    def count_by_hand(self, taken_ns: int) -> None:
        with self.lock:
            super().count_by_hand(taken_ns)


KIND = LockedTool if sysconfig.get_config_var("Py_GIL_DISABLED") else Tool


class Tools:
    """The tools of one kind in this worker: `known` by what named a request, `named` by their name."""

    __slots__ = ("kind", "known", "named", "recorder")

    def __init__(self, recorder: Recorder, kind: int) -> None:
        self.recorder = recorder
        self.kind = kind
        self.known: dict[Key, Tool] = {}
        self.named: dict[str, Tool] = {}

    def find(self, key: Key) -> Tool:
        """The tool that `key` names and that is not in `known` yet; `(other)` past the limit of names."""
        name = name_of(key)
        tool = self.named.get(name) or self.recorder.add(name, self)
        length = len(key) if isinstance(key, str) else sum(len(str(part)) for part in key)
        if length < KEPT_KEY_LENGTH:  # any path may come along: what is remembered of them is bounded
            if len(self.known) >= KEPT_KEYS:
                self.known.clear()
            self.known[key] = tool
        return tool


def named(cells: CellFile, name: bytes, kind: int, lock: threading.RLock) -> Tool:
    """The next tool of a file. Raises CellsError when there is no room for it."""
    number = cells.header[layout.TOOLS]
    return KIND(cells.header, cells.add_tool(name, kind), number, name.decode(), lock)


def bounded(name: str) -> bytes:
    """The name as printable UTF-8 of at most NAME_BYTES bytes, cut between characters."""
    raw = (printable(name) or "(unnamed)").encode("utf-8", "replace")
    return raw[: layout.NAME_BYTES].decode("utf-8", "ignore").encode()
