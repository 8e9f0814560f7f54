"""Reading history: a window's rows, summed over all instances, and where a run's roll-up stands.

What came after the newest roll-up is not in here yet: a reader adds its own counters minus the
watermark. That is exact only if rows and watermark are of the same roll-up: a transaction of `reading`
sees one, and its sequence tells which.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, bindparam, func, select

from ..model.series import EMPTY, Series
from ..model.vitals import Vitals
from ..model.windows import Stretch, Window
from . import vitals
from .built import built_by_all
from .rows import decoded, encoded, summed, watermark_of
from .schema import ALL_TOOLS, rollups, runs, tools

# Longer stretches are those of a store in which next to nothing is built yet.
_LOOKED_UP_MOST = 2000


@dataclass(frozen=True, slots=True)
class Watermark:
    """A run's newest roll-up: its number (1, 2, ...), its time in Unix seconds, and the counters then."""

    sequence: int
    rolled_up_s: float
    tools: Mapping[str, Series]
    queue: Series = EMPTY


@dataclass(frozen=True)
class WindowRows:
    """A window's rows: every period that touches it, whole, summed over all instances.

    They are kept as they are stored, which takes a twentieth of what they take as numbers; as numbers only
    once somebody asks, because the panels of a page ask for the same.
    """

    tool_rows: Mapping[str, bytes]
    point_rows: Sequence[bytes | None]

    @cached_property
    def tools(self) -> Mapping[str, Series]:
        """Each tool's sum."""
        return {name: decoded(data) for name, data in self.tool_rows.items()}

    @cached_property
    def points(self) -> Sequence[Series | None]:
        """All tools together, one entry to each of `window.starts()`, None where no instance rolled up."""
        return [None if data is None else decoded(data) for data in self.point_rows]


@dataclass(frozen=True, slots=True)
class Courses:
    """The rows of single tools, kept in the same way; `measured` tells where some instance rolled up."""

    tool_rows: Mapping[str, Sequence[bytes | None]]
    measured: Sequence[bool]

    def points(self, name: str) -> list[Series | None]:
        """One entry to each of `window.starts()`: empty where some instance rolled up without the tool."""
        own = self.tool_rows.get(name, [None] * len(self.measured))
        silent = (EMPTY if one else None for one in self.measured)
        return [other if one is None else decoded(one) for one, other in zip(own, silent, strict=True)]


def read_window(connection: Connection, window: Window) -> WindowRows:
    """The rows from the one of the window's period that holds its start to the one that holds its end."""
    built_s = built_by_all(connection)
    rows: dict[int, list[bytes]] = {}
    for one in window.stretches(built_s):
        query = select(rollups.c.tool_id, rollups.c.data).where(*_within(one), rollups.c.tool_id != ALL_TOOLS)
        for tool_id, data in connection.execute(query):
            rows.setdefault(tool_id, []).append(data)
    named = connection.execute(select(tools.c.id, tools.c.name)).all()
    sums = {name: _sum(rows[number]) for number, name in named if number in rows}
    return WindowRows(sums, _points(connection, window, built_s, [ALL_TOOLS])[ALL_TOOLS])


def read_courses(connection: Connection, window: Window, names: Collection[str]) -> Courses:
    """The rows of each of these tools, as far as there are any."""
    # compared here: what somebody asks for may be no text that a database takes
    ids = {row.name: row.id for row in connection.execute(select(tools)) if row.name in names}
    built_s = built_by_all(connection)
    found = _points(connection, window, built_s, list(ids.values())) if ids else {}
    measured = _measured(connection, window, built_s)
    return Courses({name: found[number] for name, number in ids.items()}, measured)


def read_vitals(connection: Connection, window: Window) -> Sequence[Mapping[str, Vitals]]:
    """The machines' condition at each of `window.starts()`, by instance; nothing in a gap."""
    stretches = window.stretches(built_by_all(connection), window.step_s)
    return vitals.read_vitals(connection, stretches, window.starts())


def read_watermark(
    connection: Connection, instance: str, run: str, known: Watermark | None = None
) -> Watermark | None:
    """Where the roll-up of a run stands; None before its first. What is `known` already is not read again."""
    query = select(runs.c.sequence, runs.c.rolled_up_s, runs.c.queue)
    row = connection.execute(query.where(runs.c.instance == instance, runs.c.run == run)).one_or_none()
    if row is None:
        return None
    if known and (known.sequence, known.rolled_up_s) == (row.sequence, row.rolled_up_s):
        return known
    queue = decoded(row.queue) if row.queue else EMPTY
    return Watermark(row.sequence, row.rolled_up_s, watermark_of(connection, instance, run), queue)


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


Generation = tuple[float, ...]


class Reported(NamedTuple):
    """An instance's newest run: its start, and when it was rolled up last (Unix seconds)."""

    instance: str
    started_s: float
    rolled_up_s: float


def read_reported(connection: Connection, since_s: float) -> list[Reported]:
    """The instances that have rolled up since that instant, by name."""
    query = select(runs.c.instance, runs.c.started_s, runs.c.rolled_up_s)
    query = query.where(runs.c.rolled_up_s >= since_s).order_by(runs.c.instance, runs.c.rolled_up_s)
    newest = {row.instance: Reported(*row) for row in connection.execute(query)}
    return list(newest.values())


def read_instances(connection: Connection, since_s: float) -> frozenset[str]:
    """The instances that have rolled up since that instant."""
    query = select(runs.c.instance).where(runs.c.rolled_up_s >= since_s)
    return frozenset(connection.execute(query).scalars())


def read_generation(connection: Connection) -> Generation:
    """What changes with every roll-up of anyone: a cheap look whether rows are new.

    A run that ends takes its part of the numbers with it, so that they may come again; times do not.
    """
    numbers = func.count(), func.coalesce(func.sum(runs.c.sequence), 0)
    times = func.coalesce(func.sum(runs.c.rolled_up_s), 0.0), func.coalesce(func.max(runs.c.rolled_up_s), 0.0)
    return tuple(float(one) for one in connection.execute(select(*numbers, *times)).one())


def _within(stretch: Stretch) -> tuple[ColumnElement[bool], ...]:
    # whole numbers, because PostgreSQL compares an integer column to a float without its index
    return (
        rollups.c.period_s == stretch.period_s,
        rollups.c.start_s >= stretch.start_s,
        rollups.c.start_s < stretch.end_s,
    )


def _points(
    connection: Connection, window: Window, built_s: Mapping[int, int], ids: Sequence[int]
) -> Mapping[int, list[bytes | None]]:
    """Each of these tools' rows, summed up to the window's points."""
    starts = window.starts()
    rows: dict[tuple[int, int], list[bytes]] = {}
    for one in window.stretches(built_s, window.step_s):
        wanted = rollups.c.start_s, rollups.c.tool_id, rollups.c.data
        for row in connection.execute(_of_tools(one, ids, *wanted)):
            number = (row.start_s - starts.start) // starts.step
            rows.setdefault((row.tool_id, number), []).append(row.data)
    points: dict[int, list[bytes | None]] = {tool_id: [None] * len(starts) for tool_id in ids}
    for (tool_id, number), found in rows.items():
        points[tool_id][number] = _sum(found)
    return points


def _measured(connection: Connection, window: Window, built_s: Mapping[int, int]) -> list[bool]:
    """At which of the window's points there is a row of all tools together."""
    starts = window.starts()
    measured = [False] * len(starts)
    for one in window.stretches(built_s, window.step_s):
        for start_s in connection.execute(_of_tools(one, [ALL_TOOLS], rollups.c.start_s)).scalars():
            measured[(start_s - starts.start) // starts.step] = True
    return measured


def _sum(rows: Sequence[bytes]) -> bytes:
    return rows[0] if len(rows) == 1 else encoded(summed(rows))


def _of_tools(stretch: Stretch, ids: Sequence[int], *wanted: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """These tools' rows: each is looked up, because between two of them lie those of all other tools."""
    query = select(*wanted).where(rollups.c.tool_id.in_(ids))
    starts = range(stretch.start_s, stretch.end_s, stretch.period_s)
    if len(starts) > _LOOKED_UP_MOST:
        return query.where(*_within(stretch))
    # written out, because hundreds of parameters take longer than what they are for
    listed: BindParameter[list[int]] = bindparam("starts", list(starts), expanding=True, literal_execute=True)
    return query.where(rollups.c.period_s == stretch.period_s, rollups.c.start_s.in_(listed))
