"""From counters in memory to rows in the store: the difference since the last time, in one transaction.

The store keeps what was already rolled up of this run (the watermark) beside the rows, so a crash at any
point neither loses nor doubles. Runs that ended are rolled up to their last request, and then their
files go.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from ..capture import runs
from ..capture.reader import Reader
from ..capture.recorder import Recorder
from ..model.series import Series, Snapshot
from ..store import Engine, rollups, writing

# How long counts that are missing are waited for: a worker whose files were removed writes them anew.
PATIENCE_S = 30.0


class RollUp:
    """Rolls up the run of `recorder`; only the elected worker may."""

    def __init__(self, recorder: Recorder, reader: Reader, engine: Engine, state: Path) -> None:
        self._recorder = recorder
        self._reader = reader
        self._engine = engine
        self._state = state
        self._lost_s: float | None = None  # since when some counts are missing

    def run(self, now_s: float) -> None:
        """Fold the dead, roll up this run, end the past ones. Raises UnavailableError, CellsError."""
        run = self._recorder.run
        if run is None:  # private memory: nothing that another worker could continue
            return
        self._reader.retire()
        is_lost = self._lost_s is not None and not 0 <= now_s - self._lost_s < PATIENCE_S
        if self._store(self._reader.snapshot(), run.instance, now_s, may_shrink=is_lost):
            self._lost_s = None
        elif self._lost_s is None:
            self._lost_s = now_s
        for past in runs.ended(self._state, run):
            self._end(past)
        self._bury()

    def _end(self, past: runs.Run) -> None:
        """Roll up what the past run counted last, and put its files aside: they are never read again."""
        snapshot = self._reader.past(past)
        ends = [totals.recent[0].at_s for totals in snapshot.tools.values() if totals.recent]
        self._store(snapshot, past.instance, max(ends, default=past.started_s))
        grave = self._state / "ended"
        grave.mkdir(mode=0o700, exist_ok=True)
        past.folder.rename(grave / past.id)

    def _bury(self) -> None:
        """Forget the runs that were put aside; a crash before may have left some."""
        for folder in sorted((self._state / "ended").glob("*")):
            with writing(self._engine) as connection:
                rollups.finish_run(connection, runs.Run(folder.name, 0, folder).instance, folder.name)
            shutil.rmtree(folder)

    def _store(self, snapshot: Snapshot, instance: str, now_s: float, *, may_shrink: bool = True) -> bool:
        with writing(self._engine) as connection:
            return rollups.roll_up(
                connection,
                instance=instance,
                run=snapshot.run,
                started_s=snapshot.started_s,
                now_s=now_s,
                tools=_series(snapshot),
                may_shrink=may_shrink,
            )


def _series(snapshot: Snapshot) -> Mapping[str, Series]:
    return {name: totals.series for name, totals in snapshot.tools.items()}
