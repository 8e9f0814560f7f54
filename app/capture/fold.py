"""Dead workers' files folded into one, so that workers may come and go without end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..errors import CellsError
from ..model.series import EMPTY, Series
from . import cells as layout
from .cells import CellFile, name_of
from .endings import restarts_of
from .merge import read_ring, read_tools, tools_of, unfinished
from .process import Process

_NOTES = layout.NOTES_END - layout.NOTES
_SUMS = (layout.FAULTS, layout.BY_HAND_NS, *range(layout.RESTARTS, layout.RESTARTS_END))


def fold(
    path: Path, folded: CellFile | None, dead: Mapping[Path, CellFile], oom_kills: int | None = None
) -> None:
    """Write `folded` (what was folded before) and `dead` as one new file at `path`, then remove the dead.

    The new file names the dead that it holds, and takes its place in one step; so wherever this ends,
    each file is counted once, and so is the end of each worker (`oom_kills`: see `restarts_of`). Raises
    CellsError when the disk has no room.
    """
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    held = held_by(folded) if folded else frozenset[tuple[int, int]]()
    new = [cells for cells in dead.values() if identity(cells) not in held]
    try:
        target = CellFile.create(fresh, Process(0, 0, 0))  # nobody's, so nobody waits for it
        _copy([folded, *new] if folded else new, target)
    except CellsError:
        fresh.unlink(missing_ok=True)  # a disk without room needs what it took
        raise
    for reason, ended in enumerate(restarts_of(new, oom_kills), layout.RESTARTS):
        target.header[reason] += ended
    for place, cells in enumerate(dead.values()):
        pair = layout.FOLDED + 2 * place
        target.header[pair], target.header[pair + 1] = identity(cells)
    fresh.replace(path)
    for gone in dead:
        try:
            gone.unlink(missing_ok=True)
        except OSError as error:
            raise CellsError(f"can't remove {gone.name}: {error.strerror}") from error


def written(left: CellFile, path: Path, owner: Process) -> Path:
    """Write what was counted in `left`, where nobody counts any more, beside `path`, to take that name.

    Requests that were in flight there are left out: they are counted where they end. Raises CellsError when
    the disk has no room, or OSError when the folder is gone.
    """
    left.header[layout.NOTES : layout.NOTES_END] = memoryview(bytes(8 * _NOTES)).cast("Q")
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    try:
        _copy([left], CellFile.create(fresh, owner))
    except CellsError:
        fresh.unlink(missing_ok=True)
        raise
    return fresh


def identity(cells: CellFile) -> tuple[int, int]:
    """What tells a worker's file from all others of its run; a process may have had two."""
    return cells.header[layout.PID], cells.header[layout.MADE_NS]


def held_by(folded: CellFile) -> frozenset[tuple[int, int]]:
    """The identities of the files that the folded one holds and that may still lie there."""
    pairs = folded.header[layout.FOLDED : layout.FOLDED + 2 * layout.FOLDED_MOST].tolist()
    return frozenset(zip(pairs[::2], pairs[1::2], strict=True))


def _copy(sources: Iterable[CellFile], target: CellFile) -> None:
    places: dict[tuple[str, int], memoryview] = {}
    for cells in sources:
        for sums in _SUMS:
            target.header[sums] += cells.header[sums]
        rest = {name_of(tool): series for tool, series in unfinished(cells)}
        epoch_ns = cells.header[layout.EPOCH_NS]
        for source in tools_of(cells):
            name, kind = key = name_of(source)
            if key not in places:
                places[key] = target.add_tool(name.encode(), kind)
            ends, times = read_ring(source)
            ended = list(zip(map(epoch_ns.__add__, ends), times, strict=True))
            _add(places[key], read_tools([source]) + rest.get(key, EMPTY), ended)


def _add(target: memoryview, series: Series, ended: Sequence[tuple[int, int]]) -> None:
    """Add a tool's counters to the folded ones; `ended` are requests of its ring, their ends Unix times."""
    newest = sorted((*zip(*read_ring(target), strict=True), *ended))[1 - layout.RING_SIZE :]
    after = read_tools([target]) + series
    target[layout.CLIENT_ERRORS], target[layout.SERVER_ERRORS] = after.client_errors, after.server_errors
    reported = after.failed.count - after.client_errors - after.server_errors
    target[layout.REPORTED_FAILURES] = reported
    target[layout.TOTAL_NS], target[layout.RESPONSE_BYTES] = after.total_ns, after.response_bytes
    target[layout.STREAMING_NS] = after.streaming_ns
    target[layout.QUEUED], target[layout.QUEUE_NS] = after.queued, after.queue_ns
    target[layout.MIN_NS], target[layout.MAX_NS] = after.min_ns, after.max_ns
    for start, histogram in ((layout.OK, after.ok), (layout.FAILED, after.failed)):
        for bucket, count in histogram.counts().items():
            target[start + bucket] = count
    requests = after.requests
    for number, (at_ns, cell) in enumerate(newest, requests - len(newest)):
        place = number % layout.RING_SIZE
        target[layout.ENDS + place], target[layout.TIMES + place] = at_ns, cell
    target[layout.REQUESTS] = requests
