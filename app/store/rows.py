"""How a Series lies in a row, and the statements that both databases know under their own names.

All of a Series is one value, `data`: the members of `Series` in their order as MessagePack, the two
histograms encoded. Databases would spend more on fifteen columns than on what is in them, and no query
looks inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, Table, select

from ..model.histogram import Histogram, packed_of
from ..model.series import Series
from .schema import instances, tools, watermarks

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


def encoded(series: Series) -> bytes:
    """A Series as `data`."""
    return msgspec.msgpack.encode(
        (
            series.ok.encode(),
            series.failed.encode(),
            series.client_errors,
            series.server_errors,
            series.total_ns,
            series.min_ns,
            series.max_ns,
            series.response_bytes,
            series.streaming_ns,
            series.queued,
            series.queue_ns,
        )
    )


def decoded(data: bytes) -> Series:
    """The inverse of encoded()."""
    ok, failed, *numbers = _unpack(data)
    return Series(Histogram.decode(ok), Histogram.decode(failed), *numbers)


def summed(rows: Iterable[bytes]) -> Series:
    """The sum of many rows: what adding them one by one gives, in a quarter of the time."""
    ok = failed = client_errors = server_errors = total_ns = max_ns = 0
    response_bytes = streaming_ns = queued = queue_ns = 0
    least = []
    for data in rows:
        row = _unpack(data)
        ok += packed_of(row[0])
        if row[1]:
            failed += packed_of(row[1])
            client_errors += row[2]
            server_errors += row[3]
        total_ns += row[4]
        if row[5]:
            least.append(row[5])
        if row[6] > max_ns:
            max_ns = row[6]
        response_bytes += row[7]
        streaming_ns += row[8]
        queued += row[9]
        queue_ns += row[10]
    min_ns = min(least, default=0)
    return Series(
        Histogram(ok), Histogram(failed), client_errors, server_errors, total_ns, min_ns, max_ns,
        response_bytes, streaming_ns, queued, queue_ns,
    )  # fmt: skip


_unpack = msgspec.msgpack.Decoder(tuple[bytes, bytes, int, int, int, int, int, int, int, int, int]).decode


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


def instance_id(connection: Connection, name: str) -> int:
    """The id of an instance; one that is new gets one."""
    query = select(instances.c.id).where(instances.c.name == name)
    found: int | None = connection.execute(query).scalar_one_or_none()
    if found is None:
        insert_new(connection, instances, [{"name": name}])
        found = connection.execute(query).scalar_one()
    return found


def watermark_of(connection: Connection, instance: str, run: str) -> Mapping[str, Series]:
    """The counters of each tool of a run at its newest roll-up."""
    query = (
        select(tools.c.name, watermarks.c.data)
        .join_from(watermarks, tools)
        .where(watermarks.c.instance == instance, watermarks.c.run == run)
    )
    return {row.name: decoded(row.data) for row in connection.execute(query)}
