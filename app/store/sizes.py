"""How large the store is, and what of it belongs to each period.

Counting would read every row. So the rows of a period are counted at a few of its starts, which the key
finds at once, and the others are taken to be like those: an estimate, exact where there are no more starts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, literal, select, text, union_all

from ..model.windows import PERIODS_S
from .alerting_schema import alerts, notices
from .schema import rollups, vitals

STARTS = 16
# Multiples of it, modulo 1, lie evenly and never in step with a day or a week (Weyl's equidistribution).
_GOLDEN = 0.618033988749895
# What a row takes beside its data: its key and header, and in PostgreSQL an entry of the key's index too.
_BESIDE_BYTES = {"sqlite": 24, "postgresql": 92}
_TABLES = (rollups, vitals)
_Part = tuple[str, int]  # a table's name and a period
_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(frozen=True, slots=True)
class Held:
    """The rows of one period: the oldest start (Unix seconds, None without any), how many, and their bytes.

    `is_estimate`: they were not all counted.
    """

    oldest_s: int | None
    rows: int
    size_bytes: int
    is_estimate: bool


@dataclass(frozen=True, slots=True)
class Size:
    """The store: database and version, all of Laptime's bytes in it, and what it holds by period."""

    database: str
    total_bytes: int
    periods: Mapping[int, Held]
    alerts: int
    notices: int


def read_size(connection: Connection) -> Size:
    """What the store holds now, in a few statements whatever it holds."""
    dialect = connection.dialect
    version = ".".join(str(part) for part in dialect.server_version_info or ())
    found = _parts(connection)
    counts = [select(func.count()).select_from(one).scalar_subquery() for one in (alerts, notices)]
    number_of = connection.execute(select(*counts)).one()
    return Size(
        database=f"{_NAMES[dialect.name]} {version}",
        total_bytes=_total_bytes(connection),
        periods={one: _together([found[table.name, one] for table in _TABLES]) for one in PERIODS_S},
        alerts=number_of[0],
        notices=number_of[1],
    )


def _total_bytes(connection: Connection) -> int:
    if connection.dialect.name == "sqlite":
        pages, page_bytes = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "page_size")
        )
        return int(pages * page_bytes)
    query = text(
        "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class "
        "WHERE relkind = 'r' AND relname LIKE 'laptime\\_%' AND pg_table_is_visible(oid)"
    )
    return int(connection.execute(query).scalar_one())


def _parts(connection: Connection) -> dict[_Part, Held]:
    """The rows of each table and period, from those at some starts between the oldest and the newest."""
    edges = _edges(connection)
    chosen = {
        part: _chosen((newest_s - oldest_s) // part[1] + 1) for part, (oldest_s, newest_s) in edges.items()
    }
    counted = _counted(connection, {part: edges[part][0] for part in edges}, chosen)
    beside_bytes = _BESIDE_BYTES[connection.dialect.name]
    found = {(table.name, one): Held(None, 0, 0, False) for table in _TABLES for one in PERIODS_S}
    for part, (oldest_s, newest_s) in edges.items():
        starts, (rows, data_bytes) = (newest_s - oldest_s) // part[1] + 1, counted[part]
        scale = starts / len(chosen[part])
        size_bytes = round((data_bytes + rows * beside_bytes) * scale)
        found[part] = Held(oldest_s, round(rows * scale), size_bytes, len(chosen[part]) < starts)
    return found


def _edges(connection: Connection) -> dict[_Part, tuple[int, int]]:
    """The oldest and the newest start of each table and period that has any."""
    parts = [(table, one) for table in _TABLES for one in PERIODS_S]
    columns = [
        select(table.c.start_s).where(table.c.period_s == one).order_by(order).limit(1).scalar_subquery()
        for table, one in parts
        for order in (table.c.start_s.asc(), table.c.start_s.desc())
    ]
    row = connection.execute(select(*columns)).one()
    edges = {
        (table.name, one): (row[2 * place], row[2 * place + 1]) for place, (table, one) in enumerate(parts)
    }
    return {part: found for part, found in edges.items() if None not in found}


def _counted(
    connection: Connection, oldest_s: Mapping[_Part, int], chosen: Mapping[_Part, Collection[int]]
) -> dict[_Part, tuple[int, int]]:
    """The rows at the chosen starts of each part, and the bytes of their data."""
    queries = []
    for table in _TABLES:
        for period_s in PERIODS_S:
            part = table.name, period_s
            if part in chosen:
                starts = [oldest_s[part] + period_s * one for one in chosen[part]]
                data_bytes = func.coalesce(func.sum(func.length(table.c.data)), 0)
                within = table.c.period_s == period_s, table.c.start_s.in_(starts)
                columns = literal(table.name), literal(period_s), func.count(), data_bytes
                queries.append(select(*columns).where(*within))
    if not queries:
        return {}
    found = connection.execute(union_all(*queries))
    return {(name, period_s): (rows, int(data_bytes)) for name, period_s, rows, data_bytes in found}


def _together(parts: Collection[Held]) -> Held:
    return Held(
        min((one.oldest_s for one in parts if one.oldest_s is not None), default=None),
        sum(one.rows for one in parts),
        sum(one.size_bytes for one in parts),
        any(one.is_estimate for one in parts),
    )


def _chosen(count: int) -> Collection[int]:
    """All of so many places, or some that lie evenly among them."""
    if count <= STARTS:
        return range(count)
    return {int(number * _GOLDEN % 1 * count) for number in range(1, STARTS + 1)}
