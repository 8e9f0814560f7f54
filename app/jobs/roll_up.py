"""From memory to rows in the store: what was counted and sampled since the last time, in one transaction.

The store keeps what was already rolled up of this run (the watermark) beside the rows, so a crash at any
point neither loses nor doubles. Runs that ended are rolled up to their last request, and then their
files go. Last, rows of longer periods are built where their time is over.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from ..capture import runs
from ..capture.reader import Reader
from ..capture.recorder import Recorder
from ..capture.samples import SampleRing
from ..model.series import Series, Snapshot
from ..settings import Settings
from ..store import Connection, Engine, longer, releases, rollups, vitals, writing
from ..store.history import Watermark
from .container import oom_kills
from .leader import check

_BUILDS_A_TURN = 5
_LOOKS_BACK_S = 60.0
# How long counts that are missing are waited for: a worker whose files were removed writes them anew.
PATIENCE_S = 30.0


class RollUp:
    """Rolls up the run of `recorder`; only the elected worker may, while it `leads`.

    /proc and /sys lie in `root`.
    """

    def __init__(
        self,
        recorder: Recorder,
        reader: Reader,
        ring: SampleRing,
        engine: Engine,
        settings: Settings,
        leads: Callable[[], bool] = lambda: True,
        root: Path = Path("/"),
    ) -> None:
        self._recorder = recorder
        self._reader = reader
        self._ring = ring
        self._engine = engine
        self._state = settings.state_dir
        self._release = settings.release
        self._leads = leads
        self._root = root
        self._known: Watermark | None = None  # what the store has of the run
        self._lost_s: float | None = None  # since when some counts are missing

    def run(self, now_s: float) -> None:
        """Roll up this run, end the past ones, fold the dead. Raises UnavailableError, CellsError."""
        run = self._recorder.run
        if run is None:  # private memory: nothing that another worker could continue
            return
        is_lost = self._lost_s is not None and not 0 <= now_s - self._lost_s < PATIENCE_S
        if self._store_ours(run.instance, now_s, may_shrink=is_lost):
            self._lost_s = None
        elif self._lost_s is None:
            self._lost_s = now_s
        for past in runs.ended(self._state, run):
            self._end(past)
        self._bury(run.instance)
        self._build(run.instance, now_s)
        # After history, which goes on where there is no room for the folded file.
        check(self._leads)
        self._reader.retire(oom_kills(self._root))

    def _build(self, instance: str, now_s: float) -> None:
        """Build longer rows; after a long absence there are many, and the next turn goes on."""
        for _ in range(_BUILDS_A_TURN):
            with writing(self._engine) as connection:
                if not longer.build(connection, instance, now_s):
                    return

    def _end(self, past: runs.Run) -> None:
        """Roll up what the past run counted last, and put its files aside: they are never read again."""
        snapshot = self._reader.past(past)
        ends = [totals.recent[0].at_s for totals in snapshot.tools.values() if totals.recent]
        with writing(self._engine) as connection:
            self._add(connection, snapshot, past.instance, max(ends, default=past.started_s))
        grave = self._state / "ended"
        grave.mkdir(mode=0o700, exist_ok=True)
        past.folder.rename(grave / past.id)

    def _bury(self, instance: str) -> None:
        """Forget the runs that were put aside; a crash before may have left some."""
        for folder in sorted((self._state / "ended").glob("*")):
            with writing(self._engine) as connection:
                check(self._leads)
                past = runs.Run(folder.name, 0, folder).instance
                rollups.finish_run(connection, past, folder.name, heir=instance)
            shutil.rmtree(folder)

    def _store_ours(self, instance: str, now_s: float, *, may_shrink: bool) -> bool:
        """What this run counted and this host sampled; False while some of the counts are missing."""
        snapshot = self._reader.snapshot()
        with writing(self._engine) as connection:
            stand = self._add(connection, snapshot, instance, now_s, may_shrink, self._known)
            # The sample before the first new one too: what the kernel counts is told by differences.
            since_s = vitals.fresh_since(connection, instance, now_s)
            vitals.add_samples(connection, instance, self._ring.since(since_s - _LOOKS_BACK_S), since_s)
            if self._release and stand is not None and stand.sequence == 1:
                releases.note(connection, instance, self._release, snapshot.started_s)
        self._known = stand
        return stand is not None

    def _add(
        self,
        connection: Connection,
        snapshot: Snapshot,
        instance: str,
        now_s: float,
        may_shrink: bool = True,
        known: Watermark | None = None,
    ) -> Watermark | None:
        rollups.take_turns(connection, instance)
        check(self._leads)  # whoever leads by now waits for this transaction's end
        return rollups.roll_up(
            connection,
            instance=instance,
            run=snapshot.run,
            started_s=snapshot.started_s,
            now_s=now_s,
            tools=_series(snapshot),
            queue=snapshot.queue,
            may_shrink=may_shrink,
            known=known,
        )


def _series(snapshot: Snapshot) -> Mapping[str, Series]:
    return {name: totals.series for name, totals in snapshot.tools.items()}
