"""What was read of a run's files, brought up to date by reading only what changed since.

The number of requests that a tool has counted is stored last, so a tool whose number stands still has
nothing new to read: of a thousand tools in eight workers, a glance at 8,000 cells finds the few that were
called. What is merged once is handed out as the same object until something is counted.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TypeVar

from ..model.series import EMPTY, Restarts, Series, Snapshot, ToolTotals, Worker, total
from . import cells as layout
from .cells import COST, OWN, QUEUE, SERVICE, CellFile, name_of
from .merge import read_tools, tools_of, unfinished
from .newest import Newest
from .utilization import busy_percent, in_flight_ns, notes_in

_CLOCK_SET_NS = 1_000_000_000
_ATTEMPTS = 5

_WORK = (SERVICE, OWN)

_Name = tuple[str, int]
_Number = TypeVar("_Number", int, float)


class Totals:
    """The tools of a changing set of files, merged."""

    def __init__(self) -> None:
        self._files: dict[CellFile, _Seen] = {}
        self._merged: dict[_Name, ToolTotals] = {}

    def read(self, run_id: str, started_s: float, files: Sequence[CellFile]) -> Snapshot:
        """All that the files hold at this instant."""
        before, self._files = self._files, {}
        changed: set[_Name] = set()
        for cells in files:
            seen = self._files[cells] = before.pop(cells) if cells in before else _Seen(cells)
            changed |= seen.look()
        for gone in before.values():
            changed.update(gone.names)
        for key in changed:
            self._merge(key)
        of_kind: dict[int, dict[str, ToolTotals]] = {SERVICE: {}, OWN: {}, QUEUE: {}, COST: {}}
        for (name, kind), totals in self._merged.items():
            of_kind[kind][name] = totals
        workers: dict[int, Worker] = {}
        for one in (seen.worker() for seen in self._files.values() if seen.is_alive):
            workers[one.pid] = one if one.pid not in workers else _together(one, workers[one.pid])
        return Snapshot(
            run_id,
            started_s,
            of_kind[SERVICE],
            of_kind[OWN],
            tuple(workers[pid] for pid in sorted(workers)),
            queue=total(totals.series for totals in of_kind[QUEUE].values()),
            own_cost=total(totals.series for totals in of_kind[COST].values()),
            busy_ns=sum(seen.busy_ns for seen in self._files.values()),
            restarts=Restarts(*map(sum, zip(*(seen.restarts for seen in self._files.values()), strict=True))),
        )

    def _merge(self, name: _Name) -> None:
        parts = [(seen, part) for seen in self._files.values() for part in seen.parts.get(name, ())]
        series = read_tools([part for _, part in parts]) if parts else EMPTY
        for seen in self._files.values():
            if name in seen.unfinished:
                series += seen.unfinished[name]
        if not series.requests:
            self._merged.pop(name, None)
            return
        self._merged[name] = ToolTotals(series, Newest([(seen.epoch_ns, part) for seen, part in parts]))


class _Seen:
    """One file as it was at the last look.

    `parts` are the cells of each name, `unfinished` what a dead worker had answered and not counted, and
    `busy_ns` is the time that its requests took until then, those in flight included.
    """

    def __init__(self, cells: CellFile) -> None:
        self._cells = cells
        self._tools: list[memoryview] = []
        self._counted: list[int] = []
        self._times_ns: list[int] = []
        self._notes: list[int] = []
        self._looked_ns = self.busy_ns = 0
        self.names: list[_Name] = []
        self.parts: dict[_Name, list[memoryview]] = {}
        self.unfinished: dict[_Name, Series] = {}
        self.is_alive = True
        self._epoch_ns = self.epoch_ns

    @property
    def epoch_ns(self) -> int:
        """The Unix time of this file's performance counter's zero."""
        return self._cells.header[layout.EPOCH_NS]

    def look(self) -> set[_Name]:
        """The names whose counts are not what they were at the last look."""
        # Before its counts: who dies meanwhile is dead in the next look.
        is_alive = self._cells.owner.is_alive()
        if self._cells.header[layout.TOOLS] > len(self._tools) and not self._cells.is_torn:
            self._meet(list(tools_of(self._cells, len(self._tools))))
        changed = set()
        # Until no request ended between the look at the notes and that at the sums.
        for _ in range(_ATTEMPTS):
            self._looked_ns, self._notes = time.perf_counter_ns(), notes_in(self._cells.header)
            changed |= self._count()
            if self._notes == notes_in(self._cells.header):
                break
        if abs(self.epoch_ns - self._epoch_ns) > _CLOCK_SET_NS:
            self._epoch_ns = self.epoch_ns
            changed.update(self.names)
        if self.is_alive and not is_alive:
            self.is_alive = False
            self.unfinished = {name_of(tool): series for tool, series in unfinished(self._cells)}
            changed.update(self.names)  # the last store may be missing that tells of a change
        self.busy_ns = sum(self._times_ns) - self._cells.header[layout.BY_HAND_NS]
        if is_alive:
            self.busy_ns += in_flight_ns(self._notes, self._looked_ns)
        for (_, kind), series in self.unfinished.items():
            self.busy_ns += series.total_ns if kind in _WORK else 0
        return changed

    def _count(self) -> set[_Name]:
        """Take down what was counted since the last time, and the names that it was counted of."""
        changed = set()
        counted = self._counted
        for number, tool in enumerate(self._tools):
            requests = tool[layout.REQUESTS]
            if requests != counted[number]:
                counted[number] = requests
                changed.add(self.names[number])
                if self.names[number][1] in _WORK:
                    self._times_ns[number] = tool[layout.TOTAL_NS]
        return changed

    @property
    def restarts(self) -> list[int]:
        """The workers that ended and are folded in here, by reason."""
        restarts: list[int] = self._cells.header[layout.RESTARTS : layout.RESTARTS_END].tolist()
        return restarts

    def worker(self) -> Worker:
        """The process that writes the file, and what it has in hand."""
        header = self._cells.header
        requests = sum(
            counted for (_, kind), counted in zip(self.names, self._counted, strict=True) if kind == SERVICE
        )
        return Worker(
            self._cells.owner.pid,
            header[layout.MADE_NS] / 1e9,
            requests,
            in_flight=sum(map(bool, self._notes)) + header[layout.UNNOTED],
            slots=header[layout.SLOTS] or None,
            busy_percent=busy_percent(header, self._looked_ns, self.busy_ns),
            resident_bytes=header[layout.RESIDENT_BYTES] or None,
            open_files=header[layout.OPEN_FILES] or None,
            threads=header[layout.THREADS] or None,
        )

    def _meet(self, tools: Sequence[memoryview]) -> None:
        for tool in tools:
            name = name_of(tool)
            self._tools.append(tool)
            self._counted.append(0)
            self._times_ns.append(0)
            self.names.append(name)
            self.parts.setdefault(name, []).append(tool)


def _together(one: Worker, other: Worker) -> Worker:
    """A worker that has two files: the folder of the first was full or removed."""
    return Worker(
        one.pid,
        min(one.started_s, other.started_s),
        one.requests + other.requests,
        one.in_flight + other.in_flight,
        _known(one.slots, other.slots),
        _known(one.busy_percent, other.busy_percent),
        _known(one.resident_bytes, other.resident_bytes),
        _known(one.open_files, other.open_files),
        _known(one.threads, other.threads),
    )


def _known(one: _Number | None, other: _Number | None) -> _Number | None:
    """The larger of the two, as far as they are known: one of the files tells nothing new any more."""
    return max((number for number in (one, other) if number is not None), default=None)
