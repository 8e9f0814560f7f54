"""A tool's cells in several files as one Series, and what a dead worker had answered and not counted.

Blocks of buckets are read and added as one integer (see `model.histogram`), so merging costs no loop over
cells.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from ..errors import CellsError
from ..model.histogram import Histogram, bucket_of
from ..model.series import EMPTY, Series, total
from . import cells as layout
from .cells import CellFile

log = logging.getLogger("laptime")

_FIELDS, _FIELDS_END = layout.TOTAL_NS, layout.QUEUE_NS + 1


def read_tools(parts: Sequence[memoryview]) -> Series:
    """The counters of one tool, summed over its cells in several files."""
    rows = [cells[_FIELDS:_FIELDS_END].tolist() for cells in parts]
    (
        total_ns, _min, _max, client_errors, server_errors, reported, response_bytes, _requests,
        streaming_ns, queued, queue_ns,
    ) = map(sum, zip(*rows, strict=True))  # fmt: skip
    max_ns = max([row[2] for row in rows])
    min_ns = min([row[1] for row in rows if row[2]], default=0)
    # Extremes and failures are stored before their buckets, so every bucket that counts lies between.
    first, end = bucket_of(min_ns), bucket_of(max_ns) + 1
    failed = client_errors or server_errors or reported
    return Series(
        ok=_histogram(parts, layout.OK, first, end),
        failed=_histogram(parts, layout.FAILED, first, end) if failed else _NOTHING,
        client_errors=client_errors,
        server_errors=server_errors,
        total_ns=total_ns,
        min_ns=min_ns,
        max_ns=max_ns,
        response_bytes=response_bytes,
        streaming_ns=streaming_ns,
        queued=queued,
        queue_ns=queue_ns,
    )


def read_ring(cells: memoryview, newest: int = layout.RING_SIZE) -> tuple[list[int], list[int]]:
    """The newest requests of one tool, oldest first: their ends, and their times and outcomes.

    Ends are the performance counter's; a time is nanoseconds << 2 | outcome. Those that the writer may have
    come round to meanwhile are left out, so there are RING_SIZE - 1 at most.
    """
    counted = cells[layout.REQUESTS]
    ring = cells[layout.ENDS : layout.TIMES + layout.RING_SIZE].tolist()
    oldest = max(0, counted - newest, cells[layout.REQUESTS] + 1 - layout.RING_SIZE)
    first, end = oldest % layout.RING_SIZE, counted % layout.RING_SIZE
    ends, times = ring[: layout.RING_SIZE], ring[layout.RING_SIZE :]
    if first <= end:
        return ends[first:end], times[first:end]
    return ends[first:] + ends[:end], times[first:] + times[:end]


def tools_of(cells: CellFile, first: int = 0) -> Iterator[memoryview]:
    """The tools of a file from `first` on, as far as it goes: one cut short has no more to tell."""
    for number in range(first, cells.header[layout.TOOLS]):
        try:
            tool = cells.tool(number)
        except CellsError as error:
            if not cells.is_torn:
                cells.is_torn = True
                named = cells.header[layout.TOOLS]
                log.warning("%s: counts of %d tools are lost: %s", cells.path, named - number, error)
            return
        yield tool


def notes_of(cells: CellFile) -> list[int]:
    """The notes of requests in flight, those that are answered and not yet counted included."""
    return [note for note in cells.header[layout.NOTES : layout.NOTES_END].tolist() if note]


def unfinished(cells: CellFile) -> Iterator[tuple[memoryview, Series]]:
    """What a dead worker had answered and not counted: a tool's cells, and those requests of it.

    How long one took that was not being counted yet nobody wrote down: the mean of its tool is taken, or, of
    a tool without another, the least that is told from none. Of one
    that was, all but its class and its bucket is there; its bucket is there too if the tool's buckets hold
    more than it had counted.
    """
    by_number: dict[int, list[int]] = {}
    for note in notes_of(cells):
        if note & layout.ANSWERED:
            by_number.setdefault(note & 0x3FFF, []).append(note)
    for number, tool in enumerate(tools_of(cells)):
        notes = by_number.get(number, [])
        counted = read_tools([tool])
        closing = [note for note in notes if note & _BEING_COUNTED]
        series = _bucket_missing(tool, counted, is_closing=bool(closing))
        mean_ns = (counted.total_ns // counted.requests) if counted.requests else 1
        series += total(_noted(note, mean_ns) for note in notes if note not in closing)
        if series.requests:
            yield tool, series


def _noted(note: int, taken_ns: int) -> Series:
    outcome = note >> 14 & 3
    one = Histogram.of([taken_ns])
    return Series(
        ok=_NOTHING if outcome else one,
        failed=one if outcome else _NOTHING,
        client_errors=int(outcome == layout.CLIENT_ERROR),
        server_errors=int(outcome == layout.SERVER_ERROR),
        total_ns=taken_ns,
        min_ns=taken_ns,
        max_ns=taken_ns,
    )


def _bucket_missing(tool: memoryview, counted: Series, *, is_closing: bool) -> Series:
    """The request that was being counted, if its bucket, or that and its class, are all that is missing."""
    requests = tool[layout.REQUESTS]
    classes = sum(tool[layout.CLIENT_ERRORS : layout.REPORTED_FAILURES + 1])
    has_class = classes > counted.failed.count
    if counted.requests > requests or not (is_closing or has_class):
        return EMPTY
    newest = tool[layout.TIMES + requests % layout.RING_SIZE]
    outcome = newest & 3
    one = Histogram.of([newest >> 2])
    return Series(
        ok=_NOTHING if outcome else one,
        failed=one if outcome else _NOTHING,
        client_errors=int(outcome == layout.CLIENT_ERROR and not has_class),
        server_errors=int(outcome == layout.SERVER_ERROR and not has_class),
    )


_NOTHING = Histogram()
_BEING_COUNTED = layout.CLOSING & ~layout.ANSWERED


def _histogram(parts: Sequence[memoryview], block: int, first: int, end: int) -> Histogram:
    first, end = block + first, block + end
    packed = sum([int.from_bytes(cells[first:end].tobytes(), "little") for cells in parts])
    return Histogram(packed << 64 * (first - block))
