"""What other instances of the fleet count, as the store has it: as of their newest roll-up.

Their memory is out of reach, but each writes the state of its counters at every roll-up. Added to what this
host's workers count, that is the whole service, since the start of its oldest run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace

from .errors import UnavailableError
from .model.series import EMPTY, Series, Snapshot, ToolTotals
from .store import Connection, history

# An instance that has not rolled up for so long is no more, and no longer part of the totals.
GONE_S = 120.0
_KEPT_S = 1.0


class Fleet:
    """The other instances of one store. `reading` is a transaction that reads it."""

    def __init__(self, reading: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._reading = reading
        self._lock = threading.Lock()
        self._asked_s = float("-inf")
        self._others: Sequence[history.OtherRun] = ()
        self._theirs: dict[str, Series] = {}
        self._generation: history.Generation = ()
        self._read_s = 0.0
        self._merged: dict[str, tuple[ToolTotals | None, Series, ToolTotals]] = {}

    def added_to(self, snapshot: Snapshot, instance: str, now_s: float, monotonic_s: float) -> Snapshot:
        """The snapshot of this host together with the others; while the store is away, as it was last."""
        with self._lock:
            if monotonic_s - self._asked_s >= _KEPT_S:
                self._asked_s = monotonic_s
                with suppress(UnavailableError):  # said elsewhere; what was known is better than nothing
                    self._ask(instance, now_s)
            if not self._others:
                return snapshot
            started_s = min(snapshot.started_s, *(other.started_s for other in self._others))
            return replace(snapshot, started_s=started_s, tools=self._together(snapshot.tools))

    def _ask(self, instance: str, now_s: float) -> None:
        with self._reading() as connection:
            generation = history.read_generation(connection)
            if generation == self._generation and 0 <= now_s - self._read_s < GONE_S / 4:
                return  # nobody has rolled up since, and nobody can be gone yet
            self._others = history.read_other_runs(connection, instance, now_s - GONE_S)
        self._generation, self._read_s = generation, now_s
        self._theirs = {}
        for other in self._others:
            for name, series in other.tools.items():
                self._theirs[name] = self._theirs.get(name, EMPTY) + series

    def _together(self, own: Mapping[str, ToolTotals]) -> dict[str, ToolTotals]:
        theirs = self._theirs
        before, self._merged = self._merged, {}
        for name in own.keys() | theirs.keys():
            totals, series = own.get(name), theirs.get(name, EMPTY)
            known = before.get(name)
            if known is None or known[0] is not totals or known[1] != series:
                mine = totals or ToolTotals(EMPTY)
                known = totals, series, ToolTotals(mine.series + series, mine.recent)
            self._merged[name] = known
        return {name: merged for name, (_, _, merged) in self._merged.items()}
