"""Rows of longer periods, built from those of shorter ones as soon as their time is over.

A minute is the sum of its six rows of 10 s, and so on up to two weeks. Up to when an instance's rows of a
period are there is stored in the same transaction (`built`): a crash in between leaves both as they were, and
readers take the shorter rows from there on. What comes for a time that is built already is added to all rows
of that time by who writes it (`rollups`, `vitals`).
"""

from __future__ import annotations

from itertools import pairwise

from sqlalchemy import ColumnElement, Connection, Table, func, select, update

from ..model.vitals import Vitals
from ..model.windows import PERIODS_S
from . import vitals as vitals_rows
from .built import built_until
from .rollups import take_turns
from .rows import encoded, instance_id, summed, upsert
from .schema import built, instances, rollups, vitals

_ROWS_AT_ONCE = 30


def build(connection: Connection, instance: str, now_s: float) -> bool:
    """Build what is due for an instance whose rows of 10 s are complete up to `now_s`.

    Up to thirty rows of each tool are built at a time; whether there may be more to do. The connection must
    be in a transaction of `writing`, which a failure has to roll back.
    """
    take_turns(connection, instance)
    number = instance_id(connection, instance)
    built_s = dict(built_until(connection, number, now_s))
    left, complete_s = _ROWS_AT_ONCE, now_s
    for shorter_s, period_s in pairwise(PERIODS_S):
        due_s = int(complete_s // period_s) * period_s
        while left and built_s[period_s] < due_s:
            first_s = _oldest(connection, number, shorter_s, built_s[period_s], due_s)
            if first_s is None:  # nothing was measured: no row, which is a gap
                built_s[period_s] = due_s
                break
            start_s = first_s // period_s * period_s
            _sum_up(connection, number, shorter_s, period_s, start_s)
            built_s[period_s] = start_s + period_s
            left -= 1
        mark = update(built).where(built.c.instance_id == number, built.c.period_s == period_s)
        connection.execute(mark.values(until_s=built_s[period_s]))
        complete_s = min(complete_s, built_s[period_s])
    return not left


def behind(connection: Connection, now_s: float) -> list[str]:
    """The instances whose longer rows are not built up to `now_s`; those that are no more among them."""
    late = [(built.c.period_s == one) & (built.c.until_s < int(now_s // one) * one) for one in PERIODS_S[1:]]
    query = select(instances.c.name).distinct().join(built, built.c.instance_id == instances.c.id)
    names: set[str] = set()
    for condition in late:
        names.update(connection.execute(query.where(condition)).scalars())
    return sorted(names)


def _oldest(connection: Connection, instance: int, period_s: int, from_s: int, to_s: int) -> int | None:
    """Where the first row of a period in that span starts."""
    starts = []
    for table in (rollups, vitals):
        query = select(func.min(table.c.start_s)).where(
            table.c.period_s == period_s,
            table.c.start_s >= from_s,
            table.c.start_s < to_s,
            table.c.instance_id == instance,
        )
        starts.append(connection.execute(query).scalar_one())
    return min((start_s for start_s in starts if start_s is not None), default=None)


def _sum_up(connection: Connection, instance: int, shorter_s: int, period_s: int, start_s: int) -> None:
    """One row of `period_s` of each tool, and one of the vitals, from the shorter ones in it."""

    def within(table: Table) -> tuple[ColumnElement[bool], ...]:
        return (
            table.c.period_s == shorter_s,
            table.c.start_s >= start_s,
            table.c.start_s < start_s + period_s,
            table.c.instance_id == instance,
        )

    key = {"period_s": period_s, "start_s": start_s, "instance_id": instance}
    by_tool: dict[int, list[bytes]] = {}
    for tool_id, data in connection.execute(
        select(rollups.c.tool_id, rollups.c.data).where(*within(rollups))
    ):
        by_tool.setdefault(tool_id, []).append(data)
    made = {
        tool_id: rows[0] if len(rows) == 1 else encoded(summed(rows)) for tool_id, rows in by_tool.items()
    }
    upsert(connection, rollups, [{**key, "tool_id": one, "data": data} for one, data in made.items()])
    found = connection.execute(select(vitals.c.data).where(*within(vitals))).scalars().all()
    if found:
        whole = sum(map(vitals_rows.decode, found), Vitals())
        upsert(connection, vitals, [{**key, "data": vitals_rows.encode(whole)}])
