"""One tool's cells as a Series, and dead workers' files folded into one.

Blocks of buckets are read as one integer (see `model.histogram`), so merging costs no loop over cells.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ..errors import CellsError
from ..model.histogram import BUCKETS, Histogram
from ..model.series import Request, Series, total
from . import cells as layout
from .cells import CellFile, name_of
from .process import Process

log = logging.getLogger("laptime")


def read_tool(cells: memoryview) -> tuple[Series, tuple[Request, ...]]:
    """The counters of one tool, and its newest requests in no order (at most RING_SIZE)."""
    failed = layout.FAILED
    series = Series(
        ok=_histogram(cells[layout.OK : layout.OK + BUCKETS]),
        failed=_histogram(cells[failed : failed + BUCKETS]),
        client_errors=cells[layout.CLIENT_ERRORS],
        server_errors=cells[layout.SERVER_ERRORS],
        total_ns=cells[layout.TOTAL_NS],
        min_ns=cells[layout.MIN_NS],
        max_ns=cells[layout.MAX_NS],
        response_bytes=cells[layout.RESPONSE_BYTES],
    )
    return series, _recent(cells)


def tools_of(cells: CellFile) -> Iterator[memoryview]:
    """The tools of a file in their order, as far as it goes: one cut short has no more to tell."""
    for number in range(cells.header[layout.TOOLS]):
        try:
            tool = cells.tool(number)
        except CellsError as error:
            if not cells.is_torn:
                cells.is_torn = True
                named = cells.header[layout.TOOLS]
                log.warning("%s: counts of %d tools are lost: %s", cells.path, named - number, error)
            return
        yield tool


def unfinished(cells: CellFile) -> Iterator[tuple[memoryview, Series]]:
    """What a dead worker had answered and not counted: a tool's cells, and those requests of it.

    A note without a time is of a request whose class and bucket were about to be stored, all else of it
    being there. Its bucket is there too unless the tool's claims are more than its counts.
    """
    by_mark: dict[int, list[int]] = {}
    for note in notes_of(cells):
        by_mark.setdefault(note & 0xFFFF, []).append(note)
    for number, tool in enumerate(tools_of(cells)):
        notes = by_mark.get(number + 1, [])
        series = total(_noted(note) for note in notes if note >> 18)
        closing = [note for note in notes if not note >> 18]
        counted, _ = read_tool(tool)
        if tool[layout.CLAIMED] > counted.requests:
            series += _claimed_last(tool, counted, closing)
        if series.requests:
            yield tool, series


def _noted(note: int) -> Series:
    taken_ns, outcome = note >> 18, note >> 16 & 3
    one = Histogram.of([taken_ns])
    return Series(
        ok=Histogram() if outcome else one,
        failed=one if outcome else Histogram(),
        client_errors=int(outcome == layout.CLIENT_ERROR),
        server_errors=int(outcome == layout.SERVER_ERROR),
        total_ns=taken_ns,
        min_ns=taken_ns,
        max_ns=taken_ns,
    )


def _claimed_last(tool: memoryview, counted: Series, closing: list[int]) -> Series:
    """The request that was being counted, if its bucket, or that and its class, are all that is missing."""
    classes = sum(tool[layout.CLIENT_ERRORS : layout.REPORTED_FAILURES + 1])
    has_class = classes > counted.failed.count
    if not closing and not has_class:
        return Series()
    outcome = 0 if has_class else closing[0] >> 16 & 3
    newest = tool[layout.RING + 2 * ((tool[layout.CLAIMED] - 1) % layout.RING_SIZE) + 1]
    one = Histogram.of([newest >> 8])
    return Series(
        ok=one if newest & 1 else Histogram(),
        failed=Histogram() if newest & 1 else one,
        client_errors=int(outcome == layout.CLIENT_ERROR),
        server_errors=int(outcome == layout.SERVER_ERROR),
    )


def notes_of(cells: CellFile) -> list[int]:
    """The notes of requests that are answered and not yet counted."""
    return [note for note in cells.header[layout.NOTES : layout.NOTES_END].tolist() if note]


def fold(path: Path, folded: CellFile | None, dead: Mapping[Path, CellFile]) -> None:
    """Write `folded` (what was folded before) and `dead` as one new file at `path`, then remove the dead.

    The new file names the dead that it holds, and takes its place in one step; so wherever this ends,
    each file is counted once. Raises CellsError when the disk has no room.
    """
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    new = [cells for cells in dead.values() if folded is None or not _holds(folded, cells)]
    try:
        target = CellFile.create(fresh, Process(0, 0, 0))  # nobody's, so nobody waits for it
        _copy([folded, *new] if folded else new, target)
    except CellsError:
        fresh.unlink(missing_ok=True)  # a disk without room needs what it took
        raise
    for place, cells in enumerate(dead.values()):
        pair = layout.FOLDED + 2 * place
        target.header[pair], target.header[pair + 1] = cells.owner.pid, cells.owner.start_ticks
    fresh.replace(path)
    for gone in dead:
        try:
            gone.unlink(missing_ok=True)
        except OSError as error:
            raise CellsError(f"can't remove {gone.name}: {error.strerror}") from error


def _copy(sources: Iterable[CellFile], target: CellFile) -> None:
    places: dict[tuple[str, bool], memoryview] = {}
    for cells in sources:
        for source in tools_of(cells):
            name, own = key = name_of(source)
            if key not in places:
                places[key] = target.add_tool(name.encode(), own)
            series, requests = read_tool(source)
            _add(series, requests, places[key])
        for tool, series in unfinished(cells):
            _add(series, (), places[name_of(tool)])


def _add(series: Series, requests: tuple[Request, ...], target: memoryview) -> None:
    before, earlier = read_tool(target)
    after = before + series
    target[layout.CLIENT_ERRORS], target[layout.SERVER_ERRORS] = after.client_errors, after.server_errors
    target[layout.TOTAL_NS], target[layout.RESPONSE_BYTES] = after.total_ns, after.response_bytes
    target[layout.MIN_NS], target[layout.MAX_NS] = after.min_ns, after.max_ns
    for start, histogram in ((layout.OK, after.ok), (layout.FAILED, after.failed)):
        for bucket, count in histogram.counts().items():
            target[start + bucket] = count
    newest = sorted((*earlier, *requests), key=lambda one: one.at_s)[-layout.RING_SIZE :]
    for place, request in enumerate(newest):
        _put_recent(target, place, request)
    target[layout.CLAIMED] = len(newest)


def _histogram(block: memoryview) -> Histogram:
    return Histogram(int.from_bytes(block.tobytes(), "little"))


def _recent(cells: memoryview) -> tuple[Request, ...]:
    claimed = cells[layout.CLAIMED]
    ring = cells[layout.RING : layout.RING + 2 * layout.RING_SIZE].tolist()
    found: list[Request] = []
    for number in range(max(0, claimed - layout.RING_SIZE), claimed):
        place = number % layout.RING_SIZE * 2
        end, time = ring[place], ring[place + 1]
        if end & 255 == number & 255 and time >> 1 & 127 == number & 127:  # else it is being written
            found.append(Request((end >> 8 << 10) / 1e9, time >> 8, bool(time & 1)))
    return tuple(found)


def _put_recent(cells: memoryview, number: int, request: Request) -> None:
    place = layout.RING + number % layout.RING_SIZE * 2
    cells[place] = round(request.at_s * 1e9) >> 10 << 8 | number & 255
    cells[place + 1] = request.duration_ns << 8 | (number & 127) << 1 | request.success


def _holds(folded: CellFile, cells: CellFile) -> bool:
    pairs = folded.header[layout.FOLDED : layout.FOLDED + 2 * layout.FOLDED_MOST].tolist()
    return (cells.owner.pid, cells.owner.start_ticks) in zip(pairs[::2], pairs[1::2], strict=True)
