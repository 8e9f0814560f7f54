"""The first schema: counters by period, where each run's roll-up stands, and alerts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables; the tool with id 0 stands for all tools together."""
    _create_tools()
    _create_rollups()
    _create_runs()
    _create_watermarks()
    _create_alerts()


def _counters() -> list[sa.Column[Any]]:
    numbers = ("client_errors", "server_errors", "total_ns", "min_ns", "max_ns", "response_bytes")
    buckets = ("buckets_ok", "buckets_failed")
    return [
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("ok", "failed", *numbers)),
        *(sa.Column(name, sa.LargeBinary, nullable=False) for name in buckets),
    ]


def _create_tools() -> None:
    tools = op.create_table(
        "laptime_tools",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="laptime_tools_pk"),
        sa.UniqueConstraint("name", name="laptime_tools_by_name"),
    )
    op.execute(tools.insert().values(id=0, name=""))


def _create_rollups() -> None:
    op.create_table(
        "laptime_rollups",
        sa.Column("period_s", sa.Integer, nullable=False),
        sa.Column("start_s", sa.BigInteger, nullable=False),
        sa.Column("tool_id", sa.Integer, nullable=False),
        sa.Column("instance", sa.Text, nullable=False),
        *_counters(),
        sa.PrimaryKeyConstraint("period_s", "start_s", "tool_id", "instance", name="laptime_rollups_pk"),
        sa.ForeignKeyConstraint(["tool_id"], ["laptime_tools.id"], name="laptime_rollups_tool_id_fk"),
    )
    op.create_index("laptime_rollups_by_tool_id", "laptime_rollups", ["tool_id"])


def _create_runs() -> None:
    op.create_table(
        "laptime_runs",
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("started_s", sa.Double, nullable=False),
        sa.Column("rolled_up_s", sa.Double, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("instance", "run", name="laptime_runs_pk"),
    )
    op.create_index("laptime_runs_by_rolled_up_s", "laptime_runs", ["rolled_up_s"])


def _create_watermarks() -> None:
    op.create_table(
        "laptime_watermarks",
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("tool_id", sa.Integer, nullable=False),
        *_counters(),
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


def _create_alerts() -> None:
    op.create_table(
        "laptime_alerts",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("tool", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("threshold", sa.Double, nullable=False),
        sa.Column("opened_s", sa.Double, nullable=False),
        sa.Column("resolved_s", sa.Double),
        sa.PrimaryKeyConstraint("id", name="laptime_alerts_pk"),
    )
    still_open = sa.text("resolved_s IS NULL")
    op.create_index(
        "laptime_alerts_open",
        "laptime_alerts",
        ["type", "tool"],
        unique=True,
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    op.create_index("laptime_alerts_by_opened_s", "laptime_alerts", ["opened_s"])
    op.create_index("laptime_alerts_by_resolved_s", "laptime_alerts", ["resolved_s"])
