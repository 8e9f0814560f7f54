"""Up to when rows of longer periods are built: what writers and readers of rows have to know.

Before that instant a row of a longer period is the sum of the shorter ones in it, and whoever adds to one
adds to all. From there on only the shorter ones are there.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from ..model.windows import PERIODS_S
from .rows import upsert
from .schema import built


def built_until(connection: Connection, instance: int, at_s: float) -> Mapping[int, int]:
    """Up to when an instance's longer rows are built, by period; of a new one up to what holds `at_s`."""
    query = select(built.c.period_s, built.c.until_s).where(built.c.instance_id == instance)
    known = {row.period_s: row.until_s for row in connection.execute(query)}
    fresh = {one: int(at_s // one) * one for one in PERIODS_S[1:] if one not in known}
    rows = [{"instance_id": instance, "period_s": one, "until_s": until_s} for one, until_s in fresh.items()]
    upsert(connection, built, rows)
    return {**known, **fresh}


def built_by_all(connection: Connection) -> Mapping[int, int]:
    """Up to when the rows of each period are there of every instance."""
    query = select(built.c.period_s, func.min(built.c.until_s).label("until_s")).group_by(built.c.period_s)
    return {row.period_s: row.until_s for row in connection.execute(query)}
