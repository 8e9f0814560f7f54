"""Where the store's rows and memory meet: what came since the newest roll-up, in the newest points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil

from .model.series import EMPTY, Series, Snapshot
from .model.windows import Window
from .store.history import WindowRows


class ToolPoints(Mapping[str, Sequence[Series | None]]):
    """Each tool's points with what came since; made when they are asked for."""

    def __init__(self, rows: WindowRows, first_live: int, rest: Mapping[str, Series]) -> None:
        self._rows = rows
        self._first_live = first_live
        self._rest = rest

    def __getitem__(self, name: str) -> Sequence[Series | None]:
        rows = self._rows
        if name not in rows.tools and name not in self._rest:
            raise KeyError(name)
        points = rows.tool_points.get(name) or [EMPTY if one else None for one in rows.points]
        return continued(points, self._first_live, self._rest.get(name, EMPTY))

    def __iter__(self) -> Iterator[str]:
        return iter({*self._rows.tools, *self._rest})

    def __len__(self) -> int:
        return len({*self._rows.tools, *self._rest})


def rows_of(window: Window) -> tuple[int, int, int]:
    """Which rows answer the window: their period, and the numbers of the first and the last."""
    period_s = window.period_s
    return period_s, int(window.start_s // period_s), (ceil(window.end_s) - 1) // period_s


def rest_of(snapshot: Snapshot, watermark: Mapping[str, Series]) -> dict[str, Series]:
    """What each tool counted since the watermark, tools without anything new left out."""
    gained = {
        name: totals.series.since(watermark.get(name, EMPTY)) for name, totals in snapshot.tools.items()
    }
    return {name: series for name, series in gained.items() if series.requests}


def continued(points: Sequence[Series | None], first_live: int, rest: Series) -> list[Series | None]:
    """The points with `rest` in the newest; since the newest roll-up there is no gap: we are running."""
    continued = list(points)
    for number in range(first_live, len(continued)):
        continued[number] = continued[number] or EMPTY
    newest = continued[-1]
    continued[-1] = rest if newest is None else newest + rest
    return continued
