"""Forgetting in time: rows past their window, runs that ended, tools that nothing names any more.

Every call deletes a bounded number of rows, so that it holds no lock for long; a job calls again
while there is something left.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, tuple_

from ..model.windows import KEEP_S, PERIODS_S, cover
from .built import built_by_all
from .schema import ALL_TOOLS, built, instances, releases, rollups, runs, tools, vitals, watermarks

ALERTS_KEPT_S = 400 * 86_400
NOTICES_KEPT_S = 30 * 86_400
# A run that is silent for this long, while others rolled up, has ended without saying so.
SILENT_RUN_S = 86_400
# After this long the last of an instance's longest rows has been built.
_SETTLED_S = PERIODS_S[-1] + 86_400
_AHEAD_S = 86_400  # by so much a clock may have been ahead for a while


def prune(connection: Connection, now_s: float, limit: int, keep_s: Mapping[int, float] = KEEP_S) -> int:
    """Delete at most `limit` rows that are due at `now_s` (Unix seconds); returns how many it deleted.

    Rows that a longer one is still to be built from are not due, however old.
    """
    built_s = built_by_all(connection)
    deleted = 0
    for period_s, longer_s in zip(PERIODS_S, (*PERIODS_S[1:], 0), strict=True):
        before_s = ceil(now_s - keep_s[period_s])
        if period_s == PERIODS_S[-1]:
            before_s -= period_s  # what it is the sum of, or some of that, is kept until then
        if longer_s in built_s:
            before_s = min(before_s, built_s[longer_s])
        for table in (rollups, vitals):
            due = (table.c.period_s == period_s) & (table.c.start_s < before_s)
            deleted += _delete_some(connection, table, due, limit - deleted)
    deleted += _prune_runs(connection, now_s, limit - deleted)
    deleted += _prune_instances(connection, now_s, limit - deleted)
    deleted += _prune_releases(connection, now_s - keep_s[PERIODS_S[-1]], limit - deleted)
    return deleted + _prune_tools(connection, now_s, built_s, limit - deleted)


def _prune_runs(connection: Connection, now_s: float, limit: int) -> int:
    # Measured from the newest roll-up and not from now: a machine that slept over the weekend goes on
    # with the run that it had, and without its watermark that run would be counted twice.
    silent_s = _newest_s(connection, now_s) - SILENT_RUN_S
    silent = select(runs.c.instance, runs.c.run).where(runs.c.rolled_up_s < silent_s)
    marks = tuple_(watermarks.c.instance, watermarks.c.run)
    deleted = _delete_some(connection, watermarks, marks.in_(silent), limit)
    key = tuple_(runs.c.instance, runs.c.run)
    emptied = key.in_(silent) & key.not_in(select(watermarks.c.instance, watermarks.c.run))
    return deleted + _delete_some(connection, runs, emptied, limit - deleted)


def _newest_s(connection: Connection, now_s: float) -> float:
    """The newest roll-up of anyone, but for one whose clock is ahead."""
    found: float | None = connection.execute(select(func.max(runs.c.rolled_up_s))).scalar_one()
    return min(found or 0.0, now_s)


def _prune_instances(connection: Connection, now_s: float, limit: int) -> int:
    """Forget up to when rows of an instance that is long silent are built: all of them are."""
    silent_s = _newest_s(connection, now_s) - _SETTLED_S
    has_run = select(runs.c.run).where(runs.c.instance == instances.c.name).exists()
    silent = select(instances.c.id).where(instances.c.sampled_s < silent_s, ~has_run)
    return _delete_some(connection, built, built.c.instance_id.in_(silent), limit)


def _prune_releases(connection: Connection, before_s: float, limit: int) -> int:
    return _delete_some(connection, releases, releases.c.at_s < before_s, limit)


def _prune_tools(connection: Connection, now_s: float, built_s: Mapping[int, int], limit: int) -> int:
    """Forget names that no row has: the longest rows have them all, and the shorter ones that came after."""
    if limit <= 0:
        return 0
    in_rows: set[int] = set()
    for one in cover(0, int(now_s) + _AHEAD_S, built_s):
        within = rollups.c.start_s >= one.start_s, rollups.c.start_s < one.end_s
        query = select(rollups.c.tool_id).distinct().where(rollups.c.period_s == one.period_s, *within)
        in_rows.update(connection.execute(query).scalars())
    in_runs = select(watermarks.c.tool_id).where(watermarks.c.tool_id == tools.c.id).exists()
    due = ~in_runs & (tools.c.id != ALL_TOOLS)
    unnamed = set(connection.execute(select(tools.c.id).where(due)).scalars()) - in_rows
    # Lock, then look again: between the first look and its lock a roll-up may have come back to a tool.
    query = select(tools.c.id).where(tools.c.id.in_(sorted(unnamed)[:limit])).order_by(tools.c.id)
    ids = connection.execute(query.with_for_update(skip_locked=True)).scalars().all()
    return connection.execute(delete(tools).where(tools.c.id.in_(ids), due)).rowcount


def _delete_some(connection: Connection, table: Table, due: ColumnElement[bool], limit: int) -> int:
    """Delete the first `limit` rows, in the order of the primary key, that are due."""
    key = list(table.primary_key)
    some = select(*key).where(due).order_by(*key).limit(limit)
    return connection.execute(delete(table).where(tuple_(*key).in_(some))).rowcount
