"""How large the store is, and what of it belongs to each period.

Counting would read every row. So the rows of a period are counted at a few of its starts, which the key
finds at once, and the others are taken to be like those: an estimate, exact where there are no more starts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Table, func, select, text

from ..model.windows import PERIODS_S
from .alerting_schema import alerts, notices
from .schema import rollups, vitals

STARTS = 16
# Multiples of it, modulo 1, lie evenly and never in step with a day or a week (Weyl's equidistribution).
_GOLDEN = 0.618033988749895
# What a row takes beside its data: its key and header, and in PostgreSQL an entry of the key's index too.
_BESIDE_BYTES = {"sqlite": 24, "postgresql": 92}
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
    """What the store holds now."""
    dialect = connection.dialect
    version = ".".join(str(part) for part in dialect.server_version_info or ())
    return Size(
        database=f"{_NAMES[dialect.name]} {version}",
        total_bytes=_total_bytes(connection),
        periods={one: _held(connection, one) for one in PERIODS_S},
        alerts=connection.execute(select(func.count()).select_from(alerts)).scalar_one(),
        notices=connection.execute(select(func.count()).select_from(notices)).scalar_one(),
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


def _held(connection: Connection, period_s: int) -> Held:
    found = [_rows(connection, table, period_s) for table in (rollups, vitals)]
    oldest_s = min((one.oldest_s for one in found if one.oldest_s is not None), default=None)
    rows, size_bytes = sum(one.rows for one in found), sum(one.size_bytes for one in found)
    return Held(oldest_s, rows, size_bytes, any(one.is_estimate for one in found))


def _rows(connection: Connection, table: Table, period_s: int) -> Held:
    """Those of one table, from its rows at some starts between the oldest and the newest."""
    starts = select(table.c.start_s).where(table.c.period_s == period_s).limit(1)
    oldest_s = connection.execute(starts.order_by(table.c.start_s)).scalar_one_or_none()
    newest_s = connection.execute(starts.order_by(table.c.start_s.desc())).scalar_one_or_none()
    if oldest_s is None or newest_s is None:
        return Held(None, 0, 0, False)
    count = (newest_s - oldest_s) // period_s + 1
    chosen = _chosen(count)
    query = select(func.count(), func.coalesce(func.sum(func.length(table.c.data)), 0)).where(
        table.c.period_s == period_s, table.c.start_s.in_([oldest_s + period_s * one for one in chosen])
    )
    rows, data_bytes = connection.execute(query).one()
    scale = count / len(chosen)
    size_bytes = int(data_bytes) + rows * _BESIDE_BYTES[connection.dialect.name]
    return Held(oldest_s, round(rows * scale), round(size_bytes * scale), len(chosen) < count)


def _chosen(count: int) -> Collection[int]:
    """All of so many places, or some that lie evenly among them."""
    if count <= STARTS:
        return range(count)
    return {int(number * _GOLDEN % 1 * count) for number in range(1, STARTS + 1)}
