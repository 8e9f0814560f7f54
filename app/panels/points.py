"""A window's points made ready to draw: gaps kept, many merged into few, the newest never too thin.

It stands between `sources.traffic` and the panels. Merging adds the series' buckets, so a percentile of
a merged point is that of all its requests and never an average of percentiles.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

from ..model.series import EMPTY, Series, Snapshot, total
from ..model.windows import Window
from ..sources import Sources, Traffic

MOST = 120
ENOUGH_REQUESTS = 20
_ENOUGH_COVERAGE = 0.5


@dataclass(frozen=True, slots=True)
class Point:
    """What was counted from `start_s` on, over `measured_s` seconds; None where nothing was measured."""

    start_s: float
    end_s: float
    measured_s: float
    series: Series | None

    @property
    def middle_s(self) -> float:
        return (self.start_s + self.end_s) / 2

    @property
    def requests_per_minute(self) -> float | None:
        """None in a gap."""
        return None if self.series is None else self.series.requests * 60 / self.measured_s

    def quantiles_ms(self) -> list[float | None]:
        """p50, p95, p99; three None where nothing was measured or nothing was asked."""
        found = self.series.quantiles_ms() if self.series else None
        return list(found) if found else [None, None, None]


def merged(
    window: Window, points: Sequence[Series | None], started_s: float, at_most: int = MOST
) -> list[Point]:
    """`points` of `window` as at most `at_most` + 1 Points, merged on a fixed raster so that none flickers.

    The newest point is still being filled: while less than half of it has passed, it is merged into
    the one before. `started_s`, the service's start, shortens the point that it falls into.
    """
    single = [
        _single(start_s, window, series, started_s)
        for start_s, series in zip(window.starts(), points, strict=True)
    ]
    size = int((window.end_s - window.start_s) / window.step_s) // at_most + 1
    if len(single) > 1 and single[-1].end_s - single[-1].start_s < window.step_s / 2:
        single[-2:] = [_merge(single[-2:])]
    if size == 1:
        return single
    raster_s = size * window.step_s
    return [_merge(list(group)) for _, group in groupby(single, lambda point: point.start_s // raster_s)]


def measured_s(points: Sequence[Point]) -> float:
    """For how much of the points' span something was measured."""
    return sum(point.measured_s for point in points)


def first_s(points: Sequence[Point]) -> float | None:
    """When the first point that was measured began; None if none was."""
    return next((point.end_s - point.measured_s for point in points if point.series is not None), None)


def gaps(points: Sequence[Point]) -> list[tuple[float, float]]:
    """Spans (Unix seconds) in which nothing was measured, oldest first."""
    spans: list[tuple[float, float]] = []
    for is_gap, group in groupby(points, lambda point: point.series is None):
        if is_gap:
            run = list(group)
            spans.append((run[0].start_s, run[-1].end_s))
    return spans


def missing_s(points: Sequence[Point]) -> float:
    """For how long nothing was measured since the first point that was; before that, it had not begun."""
    began_s = first_s(points)
    if began_s is None:
        return 0.0
    return sum(end_s - start_s for start_s, end_s in gaps(points) if start_s > began_s)


def can_compare(points: Sequence[Point], window: Window) -> bool:
    """Whether enough of the window was measured, with enough requests, to compare with it."""
    requests = sum(point.series.requests for point in points if point.series)
    enough = measured_s(points) >= _ENOUGH_COVERAGE * (window.end_s - window.start_s)
    return enough and requests >= ENOUGH_REQUESTS


def measured_from(traffic: Traffic, snapshot: Snapshot) -> float:
    """The service's start (Unix seconds), or 0 where the window holds requests of an earlier run too.

    A point that the start falls into is then no short one: what came before the restart is in it.
    """
    since_start = sum(totals.series.requests for totals in snapshot.tools.values())
    in_window = sum(series.requests for series in traffic.tools.values())
    return snapshot.started_s if in_window <= since_start else 0.0


@dataclass(frozen=True, slots=True)
class AskedOf:
    """The requests of one tool, or of all together: their sum and the window's points.

    `started_s` is for `merged`; `has_history`: something was measured since the start, in this window or not.
    """

    all: Series
    points: Sequence[Series | None]
    started_s: float
    has_history: bool


def asked_of(window: Window, sources: Sources, tool: str = "") -> AskedOf:
    """What was asked of that tool in the window; of all tools if it is empty."""
    traffic, snapshot = sources.traffic(window), sources.snapshot()
    started_s = measured_from(traffic, snapshot)
    if not tool:
        everything, points, known = (
            total(traffic.tools.values()),
            traffic.points,
            list(snapshot.tools.values()),
        )
    else:
        everything = traffic.tools.get(tool, EMPTY)
        points = sources.courses(window, [tool])[tool]
        known = [snapshot.tools[tool]] if tool in snapshot.tools else []
    return AskedOf(everything, points, started_s, any(one.series.requests for one in known))


def courses(window: Window, sources: Sources, tools: Collection[str], at_most: int) -> dict[str, list[Point]]:
    """Each tool's points for a sparkline: of longer periods where those are enough."""
    coarse = window.coarser()
    found = sources.courses(coarse, tools)
    return {name: merged(coarse, points, 0.0, at_most) for name, points in found.items()}


def _single(start_s: int, window: Window, series: Series | None, started_s: float) -> Point:
    end_s = min(float(start_s + window.step_s), max(window.end_s, start_s + 1.0))
    began_s = started_s if start_s < started_s < end_s - 1 else start_s
    return Point(start_s, end_s, end_s - began_s if series is not None else 0.0, series)


def _merge(points: Sequence[Point]) -> Point:
    there = [point.series for point in points if point.series is not None]
    return Point(
        points[0].start_s,
        points[-1].end_s,
        measured_s(points),
        total(there) if there else None,
    )
