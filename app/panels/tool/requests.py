"""Single requests of it: the newest, and the slowest of each span of the window."""

from __future__ import annotations

from dataclasses import dataclass

from ...model import formats
from ...model.series import NS_PER_MS
from ...model.windows import Window
from ...sources import Sources
from ..points import asked_of, merged
from ..traffic import days_of, step_of

_NEWEST, _SLOWEST = 16, 10
_SPANS = 62


@dataclass(frozen=True, slots=True)
class One:
    """A request: when (Unix seconds), how long, how it went, and its length as a share of the longest."""

    at_s: float
    time: str
    exact: str
    is_success: bool
    percent: float


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest requests of this instance since the service started, newest first."""

    rows: tuple[One, ...]


@dataclass(frozen=True, slots=True)
class Slowest:
    """The slowest request of each span of `step`, slowest first; `at_s` is when the span begins."""

    rows: tuple[One, ...]
    step: str
    days: bool


def newest(window: Window, sources: Sources, now_s: float, *, tool: str) -> Newest:  # noqa: ARG001 - every panel is asked alike
    """What the workers remember of it; the window does not matter."""
    totals = sources.snapshot().tools.get(tool)
    recent = list(totals.recent[:_NEWEST]) if totals else []
    longest_ns = max((one.duration_ns for one in recent), default=0) or 1
    return Newest(
        tuple(
            _one(one.at_s, one.duration_ns, 100 * one.duration_ns / longest_ns, is_success=one.success)
            for one in recent
        )
    )


def slowest(window: Window, sources: Sources, now_s: float, *, tool: str) -> Slowest:  # noqa: ARG001 - every panel is asked alike
    """Of each span only the slowest is kept, and whether it succeeded is not."""
    asked = asked_of(window, sources, tool)
    points = merged(window, asked.points, asked.started_s, _SPANS)
    found = [(point.series.max_ns, point.start_s) for point in points if point.series and point.series.max_ns]
    found.sort(reverse=True)
    longest_ns = found[0][0] if found else 1
    rows = tuple(
        _one(at_s, time_ns, 100 * time_ns / longest_ns, is_success=True) for time_ns, at_s in found[:_SLOWEST]
    )
    return Slowest(rows, step_of(points), days_of(window))


def _one(at_s: float, duration_ns: int, percent: float, *, is_success: bool) -> One:
    ms = duration_ns / NS_PER_MS
    return One(at_s, str(formats.response_time(ms)), f"{ms:,.3f} ms", is_success, round(percent, 1))
