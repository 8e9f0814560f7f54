"""Forgetting in time: rows past their window, runs that ended, tools that nothing names any more.

Every call deletes a bounded number of rows, so that it holds no lock for long; a job calls again
while there is something left.
"""

from __future__ import annotations

from math import ceil

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, tuple_

from ..model.windows import KEEP_S
from .schema import ALL_TOOLS, rollups, runs, tools, watermarks

# A run that is silent for this long, while others rolled up, has ended without saying so.
SILENT_RUN_S = 86_400


def prune(connection: Connection, now_s: float, limit: int) -> int:
    """Delete at most `limit` rows that are due at `now_s` (Unix seconds); returns how many it deleted."""
    deleted = 0
    for period_s, keep_s in KEEP_S.items():
        due = (rollups.c.period_s == period_s) & (rollups.c.start_s < ceil(now_s - keep_s))
        deleted += _delete_some(connection, rollups, due, limit - deleted)
    deleted += _prune_runs(connection, limit - deleted)
    return deleted + _prune_tools(connection, limit - deleted)


def _prune_runs(connection: Connection, limit: int) -> int:
    # Measured from the newest roll-up and not from now: a machine that slept over the weekend goes on
    # with the run that it had, and without its watermark that run would be counted twice.
    newest = select(func.max(runs.c.rolled_up_s)).scalar_subquery()
    silent = select(runs.c.instance, runs.c.run).where(runs.c.rolled_up_s < newest - SILENT_RUN_S)
    marks = tuple_(watermarks.c.instance, watermarks.c.run)
    deleted = _delete_some(connection, watermarks, marks.in_(silent), limit)
    key = tuple_(runs.c.instance, runs.c.run)
    emptied = key.in_(silent) & key.not_in(select(watermarks.c.instance, watermarks.c.run))
    return deleted + _delete_some(connection, runs, emptied, limit - deleted)


def _prune_tools(connection: Connection, limit: int) -> int:
    in_rows = select(rollups.c.tool_id).where(rollups.c.tool_id == tools.c.id).exists()
    in_runs = select(watermarks.c.tool_id).where(watermarks.c.tool_id == tools.c.id).exists()
    due = ~in_rows & ~in_runs & (tools.c.id != ALL_TOOLS)
    # Lock, then look again: between the first look and its lock a roll-up may have come back to a tool.
    query = select(tools.c.id).where(due).order_by(tools.c.id).limit(limit)
    ids = connection.execute(query.with_for_update(skip_locked=True)).scalars().all()
    return connection.execute(delete(tools).where(tools.c.id.in_(ids), due)).rowcount


def _delete_some(connection: Connection, table: Table, due: ColumnElement[bool], limit: int) -> int:
    """Delete the first `limit` rows, in the order of the primary key, that are due."""
    key = list(table.primary_key)
    some = select(*key).where(due).order_by(*key).limit(limit)
    return connection.execute(delete(table).where(tuple_(*key).in_(some))).rowcount
