"""Reading history: a window's rows, summed over all instances, and where a run's roll-up stands.

What came after the newest roll-up is not in here yet: a reader adds its own counters minus the
watermark. That is exact only if rows and watermark are of the same roll-up: a transaction of `reading`
sees one, and its sequence tells which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from sqlalchemy import Connection, func, select

from ..model.series import EMPTY, Series
from ..model.windows import Window
from .rows import counters, packed, series_of, unpacked, watermark_of
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


def read_window(connection: Connection, window: Window, *, by_tool: bool = True) -> WindowRows:
    """The rows of the window's period from the one that holds its start to the one before its end.

    Without `by_tool` there are no `tool_points`: what they are made of is most of what a window takes.
    """
    starts = window.starts()
    points: list[Series | None] = [None] * len(starts)
    sums: dict[str, Series] = {}
    rows: dict[str, list[bytes]] = {}
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
        series, number = series_of(row), (row.start_s - starts.start) // starts.step
        if row.tool_id == ALL_TOOLS:
            points[number] = (points[number] or EMPTY) + series
        else:
            sums[row.name] = sums.get(row.name, EMPTY) + series
            if by_tool:
                rows.setdefault(row.name, []).append(packed(number, row))
    return WindowRows(sums, points, _ToolPoints(rows, points))


def read_watermark(connection: Connection, instance: str, run: str) -> Watermark | None:
    """Where the roll-up of a run stands; None before its first."""
    query = select(runs.c.sequence, runs.c.rolled_up_s).where(runs.c.instance == instance, runs.c.run == run)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Watermark(row.sequence, row.rolled_up_s, watermark_of(connection, instance, run))


@dataclass(frozen=True, slots=True)
class OtherRun:
    """A run of another instance at its newest roll-up."""

    instance: str
    started_s: float
    tools: Mapping[str, Series]


def read_other_runs(connection: Connection, instance: str, since_s: float) -> list[OtherRun]:
    """The newest run of each other instance that has rolled up since that instant."""
    query = (
        select(runs.c.instance, runs.c.run, runs.c.started_s)
        .where(runs.c.instance != instance, runs.c.rolled_up_s >= since_s)
        .order_by(runs.c.started_s)
    )
    newest = {row.instance: row for row in connection.execute(query).all()}
    return [
        OtherRun(row.instance, row.started_s, watermark_of(connection, row.instance, row.run))
        for row in newest.values()
    ]


def read_rolled_up_s(connection: Connection, instance: str, run: str) -> float | None:
    """When the run was rolled up last; None before its first time."""
    query = select(runs.c.rolled_up_s).where(runs.c.instance == instance, runs.c.run == run)
    found: float | None = connection.execute(query).scalar_one_or_none()
    return found


def read_instances(connection: Connection, since_s: float) -> frozenset[str]:
    """The instances that have rolled up since that instant."""
    query = select(runs.c.instance).where(runs.c.rolled_up_s >= since_s)
    return frozenset(connection.execute(query).scalars())


def read_generation(connection: Connection) -> tuple[int, int]:
    """What changes with every roll-up of anyone: a cheap look whether rows are new."""
    query = select(func.count(), func.coalesce(func.sum(runs.c.sequence), 0))
    count, sequences = connection.execute(query).one()
    return int(count), int(sequences)


class _ToolPoints(Mapping[str, Sequence[Series | None]]):
    """Each tool's points, made of its packed rows when they are asked for: of many tools few are drawn."""

    def __init__(self, rows: Mapping[str, Sequence[bytes]], points: Sequence[Series | None]) -> None:
        self._rows = rows
        self._points = points

    def __getitem__(self, name: str) -> Sequence[Series | None]:
        line: list[Series | None] = [None if together is None else EMPTY for together in self._points]
        for number, series in map(unpacked, self._rows[name]):
            line[number] = (line[number] or EMPTY) + series
        return line

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)
