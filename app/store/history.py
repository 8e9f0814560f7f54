"""Reading history: a window's rows, summed over all instances, and where a run's roll-up stands.

What came after the newest roll-up is not in here yet: a reader adds its own counters minus the
watermark. That is exact only if rows and watermark are of the same instant, so `read_history` reads
both in the one transaction of `reading`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from sqlalchemy import Connection, select

from ..model.series import EMPTY, Series
from ..model.windows import Window
from .rows import counters, series_of, watermark_of
from .schema import ALL_TOOLS, rollups, runs, tools


@dataclass(frozen=True, slots=True)
class Watermark:
    """A run's newest roll-up: its number (1, 2, ...), its time in Unix seconds, and the counters then."""

    sequence: int
    rolled_up_s: float
    tools: Mapping[str, Series]


@dataclass(frozen=True, slots=True)
class WindowRows:
    """A window's rows: every period that touches it, whole, summed over all instances.

    `tools` is each tool's sum. `points` is all tools together, one entry to each of `window.starts()`,
    None where no instance rolled up. `tool_points` is the same for each tool in `tools`, with an empty
    Series where some instance rolled up and the tool was not called.
    """

    tools: Mapping[str, Series]
    points: Sequence[Series | None]
    tool_points: Mapping[str, Sequence[Series | None]]


@dataclass(frozen=True, slots=True)
class History:
    """A window's rows and a run's watermark, of the same instant."""

    rows: WindowRows
    watermark: Watermark | None


def read_history(connection: Connection, window: Window, *, instance: str, run: str) -> History:
    """The window's rows and the watermark of `run` (None before its first roll-up)."""
    return History(read_window(connection, window), read_watermark(connection, instance, run))


def read_window(connection: Connection, window: Window) -> WindowRows:
    """The rows of the window's period from the one that holds its start to the one before its end."""
    starts = window.starts()
    points: list[Series | None] = [None] * len(starts)
    tool_points: dict[str, list[Series | None]] = {}
    # whole numbers, because PostgreSQL compares an integer column to a float without its index
    first_s = int(window.start_s // window.period_s) * window.period_s
    query = (
        select(rollups.c.start_s, rollups.c.tool_id, tools.c.name, *counters(rollups))
        .join_from(rollups, tools)
        .where(
            rollups.c.period_s == window.period_s,
            rollups.c.start_s >= first_s,
            rollups.c.start_s < ceil(window.end_s),
        )
    )
    for row in connection.execute(query):
        target = points
        if row.tool_id != ALL_TOOLS:
            target = tool_points.setdefault(row.name, [None] * len(starts))
        number = (row.start_s - starts.start) // window.step_s
        before = target[number]
        target[number] = series_of(row) if before is None else before + series_of(row)
    return WindowRows(
        tools={name: _sum(series) for name, series in tool_points.items()},
        points=points,
        tool_points={name: _without_false_gaps(series, points) for name, series in tool_points.items()},
    )


def read_watermark(connection: Connection, instance: str, run: str) -> Watermark | None:
    """Where the roll-up of a run stands; None before its first."""
    query = select(runs.c.sequence, runs.c.rolled_up_s).where(runs.c.instance == instance, runs.c.run == run)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Watermark(row.sequence, row.rolled_up_s, watermark_of(connection, instance, run))


def read_sequence(connection: Connection, instance: str, run: str) -> int:
    """The number of the run's newest roll-up, 0 before its first: a cheap look whether rows are new."""
    query = select(runs.c.sequence).where(runs.c.instance == instance, runs.c.run == run)
    return connection.execute(query).scalar_one_or_none() or 0


def _sum(points: Sequence[Series | None]) -> Series:
    return sum((series for series in points if series is not None), EMPTY)


def _without_false_gaps(
    points: Sequence[Series | None], all_tools: Sequence[Series | None]
) -> list[Series | None]:
    return [
        EMPTY if series is None and together is not None else series
        for series, together in zip(points, all_tools, strict=True)
    ]
