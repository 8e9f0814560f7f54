"""How far back the store reaches and how much room it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, func, select, text

from ..model.windows import PERIODS_S
from .schema import metadata, rollups


class Extent(NamedTuple):
    """`kind` of database, its `size_bytes`, and the start of the oldest row of each period (Unix seconds)."""

    kind: str
    size_bytes: int
    oldest_s: Mapping[int, float]


def extent(connection: Connection) -> Extent:
    """Read from the ends of indexes and from what the database says of itself: no row is counted."""
    kind = connection.dialect.name
    oldest = {
        period_s: connection.execute(
            select(func.min(rollups.c.start_s)).where(rollups.c.period_s == period_s)
        ).scalar()
        for period_s in PERIODS_S
    }
    known = {period_s: float(start_s) for period_s, start_s in oldest.items() if start_s is not None}
    return Extent("SQLite" if kind == "sqlite" else "PostgreSQL", _size(connection, kind), known)


def _size(connection: Connection, kind: str) -> int:
    if kind == "sqlite":
        pages, page = (connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in _PRAGMAS)
        return int(pages) * int(page)
    sizes = [func.pg_total_relation_size(func.to_regclass(table.name)) for table in metadata.sorted_tables]
    return sum(size or 0 for size in connection.execute(select(*sizes)).one())


_PRAGMAS = ("page_count", "page_size")
