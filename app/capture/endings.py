"""How workers end: what one can tell itself, and the reason that is made of it when its file is folded.

Nothing of a killed process runs any more, so no mark is a reason too; whether it was for want of memory,
the kernel's own count tells.
"""

from __future__ import annotations

from collections.abc import Iterable
from traceback import walk_tb

from ..model.series import Restarts
from . import cells as layout
from .cells import CellFile
from .process import Process

_ABORT = "handle_abort"  # gunicorn's answer to SIGABRT, which it sends to a worker past its time-out


def note_time_out(header: memoryview, error: SystemExit) -> None:
    """Mark that this worker ends by its server's time-out, if that is what raised `error` in a request.

    gunicorn may kill it all the same a moment later, where something else holds up its exit.
    """
    if any(frame.f_code.co_name == _ABORT for frame, _ in walk_tb(error.__traceback__)):
        _mark(header, layout.TIMED_OUT)


def note_exit(header: memoryview) -> None:
    """Mark that this worker ends by itself; called by the interpreter at its exit."""
    _mark(header, layout.EXITED)


def restarts_of(dead: Iterable[CellFile], oom_kills: int | None) -> Restarts:
    """The workers among the owners of these files, by the reason of their end.

    `oom_kills` is the kernel's count now, None if not known: each dead worker wrote down what it was when it
    lived. A process that measures twice has two files, and ends once.
    """
    marks: dict[Process, tuple[int, int]] = {}
    for cells in dead:
        mark = cells.header[layout.ENDING], cells.header[layout.OOM_KILLS]
        marks[cells.owner] = max(mark, marks.get(cells.owner, mark))
    endings = [ending for ending, _ in marks.values()]
    untold = [known for ending, known in marks.values() if ending == layout.UNTOLD]
    grown = [oom_kills + 1 - known for known in untold if known] if oom_kills is not None else []
    out_of_memory = max(0, min(len(untold), max(grown, default=0)))
    return Restarts(
        recycled=endings.count(layout.EXITED),
        killed=len(untold) - out_of_memory,
        out_of_memory=out_of_memory,
        timed_out=endings.count(layout.TIMED_OUT),
    )


def _mark(header: memoryview, ending: int) -> None:
    if header[layout.ENDING] != layout.NO_WORKER:
        header[layout.ENDING] = max(ending, header[layout.ENDING])
