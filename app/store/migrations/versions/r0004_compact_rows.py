"""Rows of one value each, in the order of their key; longer periods; the machine's condition; releases."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_COUNTERS = (
    "buckets_ok, buckets_failed, client_errors, server_errors, total_ns, min_ns, max_ns, response_bytes, "
    "streaming_ns, queued, queue_ns"
)
_AT_ONCE = 5000
_BUILT_S, _NEW_S = (60, 600, 7200), (93_600, 1_310_400)


def upgrade() -> None:
    """Rewrite what is there; rows of the new periods are built from it when the service runs."""
    _create_instances()
    _create_built()
    _rewrite_rollups()
    _rewrite_watermarks()
    op.add_column("laptime_runs", sa.Column("queue", sa.LargeBinary))
    op.create_table(
        "laptime_vitals",
        sa.Column("period_s", sa.Integer, nullable=False),
        sa.Column("start_s", sa.BigInteger, nullable=False),
        sa.Column("instance_id", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("period_s", "start_s", "instance_id", name="laptime_vitals_pk"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "laptime_releases",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("release", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="laptime_releases_pk"),
    )
    op.create_index("laptime_releases_by_at_s", "laptime_releases", ["at_s"])


def _create_instances() -> None:
    op.create_table(
        "laptime_instances",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sampled_s", sa.Double, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name="laptime_instances_pk"),
        sa.UniqueConstraint("name", name="laptime_instances_by_name"),
    )
    op.execute("INSERT INTO laptime_instances (name) SELECT DISTINCT instance FROM laptime_rollups")


def _create_built() -> None:
    """Rows of the old periods were kept up to the moment, and those of the new ones begin with the oldest."""
    op.create_table(
        "laptime_built",
        sa.Column("instance_id", sa.Integer, nullable=False),
        sa.Column("period_s", sa.Integer, nullable=False),
        sa.Column("until_s", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "period_s", name="laptime_built_pk"),
    )
    named = "FROM laptime_rollups r JOIN laptime_instances i ON i.name = r.instance WHERE r.period_s"
    op.execute(
        "INSERT INTO laptime_built (instance_id, period_s, until_s) "
        f"SELECT i.id, r.period_s, max(r.start_s) + r.period_s {named} IN {_BUILT_S} "
        "GROUP BY i.id, r.period_s"
    )
    for period_s in _NEW_S:
        op.execute(
            "INSERT INTO laptime_built (instance_id, period_s, until_s) "
            f"SELECT i.id, {period_s}, min(r.start_s) / {period_s} * {period_s} {named} = 7200 GROUP BY i.id"
        )


def _rewrite_rollups() -> None:
    op.rename_table("laptime_rollups", "laptime_rollups_old")
    if op.get_bind().dialect.name == "postgresql":  # an index's name is one of the whole schema there
        op.execute("ALTER INDEX laptime_rollups_pk RENAME TO laptime_rollups_old_pk")
    table = op.create_table(
        "laptime_rollups",
        sa.Column("period_s", sa.Integer, nullable=False),
        sa.Column("start_s", sa.BigInteger, nullable=False),
        sa.Column("tool_id", sa.Integer, nullable=False),
        sa.Column("instance_id", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("period_s", "start_s", "tool_id", "instance_id", name="laptime_rollups_pk"),
        sqlite_with_rowid=False,
    )
    found = op.get_bind().execute(
        sa.text(
            f"SELECT r.period_s, r.start_s, r.tool_id, i.id, {_COUNTERS} FROM laptime_rollups_old r "  # noqa: S608 - no input
            "JOIN laptime_instances i ON i.name = r.instance ORDER BY period_s, start_s, tool_id"
        ),
        execution_options={"stream_results": True},
    )
    for rows in _some(found):
        names = ("period_s", "start_s", "tool_id", "instance_id")
        op.bulk_insert(table, [dict(zip(names, row, strict=False), data=_data(row[4:])) for row in rows])
    op.drop_table("laptime_rollups_old")


def _rewrite_watermarks() -> None:
    found = op.get_bind().execute(
        sa.text(f"SELECT instance, run, tool_id, {_COUNTERS} FROM laptime_watermarks")  # noqa: S608 - no input
    )
    kept = [row for rows in _some(found) for row in rows]
    op.drop_table("laptime_watermarks")
    table = op.create_table(
        "laptime_watermarks",
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("tool_id", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("instance", "run", "tool_id", name="laptime_watermarks_pk"),
        sa.ForeignKeyConstraint(["tool_id"], ["laptime_tools.id"], name="laptime_watermarks_tool_id_fk"),
        sa.ForeignKeyConstraint(
            ["instance", "run"],
            ["laptime_runs.instance", "laptime_runs.run"],
            name="laptime_watermarks_instance_run_fk",
            ondelete="CASCADE",
        ),
    )
    op.create_index("laptime_watermarks_by_tool_id", "laptime_watermarks", ["tool_id"])
    names = ("instance", "run", "tool_id")
    op.bulk_insert(table, [dict(zip(names, row, strict=False), data=_data(row[3:])) for row in kept])


def _some(found: sa.CursorResult[Any]) -> Iterator[Sequence[sa.Row[Any]]]:
    while rows := found.fetchmany(_AT_ONCE):
        yield rows


def _data(counters: Sequence[Any]) -> bytes:
    """What a row held in columns as one value; the histograms' form is another too."""
    ok, failed, *numbers = counters
    return msgspec.msgpack.encode((_compact(ok), _compact(failed), *numbers))


def _compact(old: bytes) -> bytes:
    """All lanes from the first on, 8 bytes each, as those that are not empty, as few bytes as it takes."""
    if not old:
        return b""
    regrouped = zlib.decompress(old)
    lanes = len(regrouped) // 8
    planes = [regrouped[byte * lanes : (byte + 1) * lanes] for byte in range(8)]
    while not any(planes[-1]):
        planes.pop()
    first = min(len(plane) - len(plane.lstrip(b"\0")) for plane in planes)
    shape = first << 13 | (lanes - first - 1) << 3 | len(planes) - 1
    deflater = zlib.compressobj(6, zlib.DEFLATED, -9, 1)
    body = b"".join(plane[first:] for plane in planes)
    return shape.to_bytes(3, "little") + deflater.compress(body) + deflater.flush()
