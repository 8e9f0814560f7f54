"""How a Series lies in a row, and the statements that both databases know under their own names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Column, Connection, Row, Table, select

from ..model.histogram import Histogram
from ..model.series import Series
from .schema import tools, watermarks

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

# in the order of the fields of Series
_NUMBERS = (
    "client_errors", "server_errors", "total_ns", "min_ns", "max_ns", "response_bytes", "streaming_ns",
    "queued", "queue_ns",
)  # fmt: skip
_COUNTERS = ("buckets_ok", "buckets_failed", *_NUMBERS)


def counters(table: Table) -> list[Column[Any]]:
    """The columns of `table` that `series_of` reads; select them behind all others."""
    return [table.c[name] for name in _COUNTERS]


def series_of(row: Row[*tuple[Any, ...]]) -> Series:
    """The Series in a row that ends in `counters(table)`."""
    ok, failed, *numbers = row[-len(_COUNTERS) :]
    return Series(Histogram.decode(ok), Histogram.decode(failed), *numbers)


def packed(number: int, row: Row[*tuple[Any, ...]]) -> bytes:
    """`number` and the Series of such a row in about 90 bytes; as objects they take six times that."""
    return msgspec.msgpack.encode((number, *row[-len(_COUNTERS) :]))


def unpacked(data: bytes) -> tuple[int, Series]:
    """The inverse of packed()."""
    number, ok, failed, *numbers = msgspec.msgpack.decode(data)
    return number, Series(Histogram.decode(ok), Histogram.decode(failed), *numbers)


def values_of(series: Series) -> dict[str, int | bytes]:
    """A Series as the values of its columns."""
    numbers: dict[str, int | bytes] = {name: getattr(series, name) for name in _NUMBERS}
    return numbers | {
        "ok": series.ok.count,
        "failed": series.failed.count,
        "buckets_ok": series.ok.encode(),
        "buckets_failed": series.failed.encode(),
    }


def upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Write whole rows, over those that have the same primary key, in one round."""
    if not rows:
        return
    statement = _insert(connection, table)
    keys = list(table.primary_key)
    replaced = {column.name: statement.excluded[column.name] for column in table.c if column not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=replaced), rows)


def insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Write the rows that break no unique key; another process may have written the others just now."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), rows)


def tool_ids(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """The id of each tool; names that are new get one. No id goes away before the transaction ends."""
    wanted = set(names)
    ids = _known(connection, wanted)
    # in one order everywhere, so that two instances with the same new names can't lock each other out
    missing = sorted(wanted - ids.keys())
    if missing:
        insert_new(connection, tools, [{"name": name} for name in missing])
        ids |= _known(connection, missing)
    return ids


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """The database's own insert; to load that of the other one too would take 2 MB for nothing."""
    if connection.dialect.name == "postgresql":
        dialect = import_module("sqlalchemy.dialects.postgresql")
    else:
        dialect = import_module("sqlalchemy.dialects.sqlite")
    made: postgresql.Insert | sqlite.Insert = dialect.insert(table)
    return made


def _known(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    query = select(tools.c.name, tools.c.id).where(tools.c.name.in_(list(names)))
    return {row.name: row.id for row in connection.execute(query.with_for_update(read=True, key_share=True))}


def watermark_of(connection: Connection, instance: str, run: str) -> Mapping[str, Series]:
    """The counters of each tool of a run at its newest roll-up."""
    query = (
        select(tools.c.name, *counters(watermarks))
        .join_from(watermarks, tools)
        .where(watermarks.c.instance == instance, watermarks.c.run == run)
    )
    return {row.name: series_of(row) for row in connection.execute(query)}
