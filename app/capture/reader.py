"""All workers' cells merged into one Snapshot, by any process, at any moment, without a lock.

Cells only grow, so a sum over all files is a state that the service really passed through, and a
request that was counted is in it. A worker counts a request just after its last byte went out, so a
client may ask again before that: the reader waits, a few milliseconds at most, for requests that
are answered and not yet counted. That is what makes a total exact in the very next read.

Dead workers' files stay in the sum. The elected worker folds them into one file (`retire`) and removes
them; the folded file names what it holds, so no crash in between counts anything twice.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from ..errors import CellsError
from ..model.series import Snapshot
from . import cells as layout
from .cells import CellFile
from .fold import fold, held_by, identity
from .recorder import Recorder
from .runs import Run
from .totals import Totals

_SETTLE_S = 0.05
_ATTEMPTS = 10


class Reader:
    """Reads the run that `recorder` writes in. Maps of files are kept from read to read."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._open: dict[Path, CellFile] = {}
        self._stuck: dict[Path, set[tuple[int, int]]] = {}
        self._totals = Totals()
        self._lock = threading.RLock()  # threads of one worker share the maps

    @property
    def run_id(self) -> str:
        """The id of the run that is read; "private" where counts are not shared."""
        return self._recorder.run.id if self._recorder.run else _PRIVATE

    @property
    def instance(self) -> str:
        """The name of the host that the run is of."""
        return self._recorder.run.instance if self._recorder.run else self._recorder.instance

    @property
    def trouble(self) -> str:
        """Why this worker's counts are not whole or not shared, as a sentence; "" when all is well."""
        recorder = self._recorder
        if recorder.run is not None and not recorder.cells.is_current():
            return "the files of counts were removed: for a moment each worker shows its own counts alone"
        return recorder.trouble

    def snapshot(self) -> Snapshot:
        """All workers of the run merged, dead ones included. Raises CellsError if the run can't be read."""
        recorder = self._recorder
        if recorder.run is None:
            with self._lock:
                made_s = recorder.cells.header[layout.MADE_NS] / 1e9
                return self._totals.read(_PRIVATE, made_s, [recorder.cells])
        with self._lock:
            self._settle(recorder.run)
            with recorder.lock:  # so that no file is on its way from one of these to another
                files: list[CellFile] = self._files(recorder.run)
                there = {identity(cells) for cells in files}
                # What was removed beneath us, or left in private memory, was counted all the same.
                for cells in (recorder.cells, *recorder.left):
                    if identity(cells) not in there:
                        files = [*files, cells]
            return self._totals.read(recorder.run.id, recorder.run.started_s, files)

    def past(self, run: Run) -> Snapshot:
        """A run that ended: the same for files that nobody writes any more."""
        with self._lock:
            return Totals().read(run.id, run.started_s, self._files(run))

    def retire(self, oom_kills: int | None = None) -> int:
        """Fold dead workers' files into one and remove them; how many. Only the elected worker may.

        `oom_kills` are the kernel's kills for want of memory until now, None if not known.
        Raises CellsError when the disk has no room for the folded file: the dead then stay as they are.
        """
        run = self._recorder.run
        if run is None:
            return 0
        with self._lock:
            mapped = self._mapped(run.worker_files())
            dead = [(path, cells) for path, cells in mapped.items() if not cells.owner.is_alive()]
            folded = self._folded(run)
            held = held_by(folded) if folded else frozenset[tuple[int, int]]()
            # Those that a crash left behind come first: a file must be named until it is removed.
            dead.sort(key=lambda one: identity(one[1]) not in held)
            batch = dict(dead[: layout.FOLDED_MOST])
            if batch:
                fold(run.folder / _FOLDED, folded, batch, oom_kills)
            return len(batch)

    def _files(self, run: Run) -> list[CellFile]:
        """The files that make up the run at one instant: the folded one and all that it does not hold."""
        for _ in range(_ATTEMPTS):
            before = self._folded(run)
            files = self._mapped(run.worker_files())
            self._open = files | ({run.folder / _FOLDED: before} if before else {})
            if self._folded(run) is before:  # nothing was folded and removed meanwhile
                held = held_by(before) if before else frozenset[tuple[int, int]]()
                fresh = [cells for cells in files.values() if identity(cells) not in held]
                return [before, *fresh] if before else fresh
        raise CellsError("the files of dead workers are folded faster than they can be read")

    def _folded(self, run: Run) -> CellFile | None:
        path = run.folder / _FOLDED
        return self._mapped([path]).get(path)

    def _mapped(self, paths: list[Path]) -> dict[Path, CellFile]:
        """The files that can be read, mapped once and again when another has taken the name."""
        mapped: dict[Path, CellFile] = {}
        for path in paths:
            cells = self._open.get(path)
            if cells is None or not cells.is_current():
                try:
                    cells = self._open[path] = CellFile.open(path)
                except CellsError:  # just removed, just being made, or not ours: it has nothing to add
                    self._open.pop(path, None)
                    continue
            mapped[path] = cells
        return mapped

    def _settle(self, run: Run) -> None:
        """Wait for requests that are answered and not yet counted, at most _SETTLE_S altogether."""
        deadline = time.monotonic() + _SETTLE_S
        stuck: dict[Path, set[tuple[int, int]]] = {}
        for path, cells in self._mapped(run.worker_files()).items():
            waiting = set(_answered(cells))
            old = self._stuck.get(path, set()) & waiting
            while waiting - old and cells.owner.is_alive():
                if time.monotonic() > deadline:
                    old = waiting  # a long download: it is not waited for again
                    break
                time.sleep(0.0005)
                waiting &= set(_answered(cells))
            if old:
                stuck[path] = old
        self._stuck = stuck


_FOLDED = "folded.cells"
_PRIVATE = "private"


def _answered(cells: CellFile) -> list[tuple[int, int]]:
    """The places and notes of requests that are answered and not yet counted."""
    notes = enumerate(cells.header[layout.NOTES : layout.NOTES_END].tolist())
    return [(place, note) for place, note in notes if note & layout.ANSWERED]
