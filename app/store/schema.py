"""The store's tables: counters by period of time, where each run's roll-up stands, and alerts.

Names begin with `laptime_`, because the database may be the host's own. The migrations make exactly
this; a test compares the two.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "uq": "%(table_name)s_by_%(column_0_N_name)s",
        "fk": "%(table_name)s_%(column_0_N_name)s_fk",
    }
)

# The row "all tools together": it is written at every roll-up, so that its absence is a gap in time.
ALL_TOOLS = 0


def _counters() -> list[Column[Any]]:
    """A Series in columns: counts, nanoseconds, bytes, and two histograms in their compact form."""
    numbers = ("client_errors", "server_errors", "total_ns", "min_ns", "max_ns", "response_bytes")
    buckets = ("buckets_ok", "buckets_failed")
    later = ("streaming_ns", "queued", "queue_ns")
    return [
        *(Column(name, BigInteger, nullable=False) for name in ("ok", "failed", *numbers)),
        *(Column(name, LargeBinary, nullable=False) for name in buckets),
        *(Column(name, BigInteger, nullable=False, server_default="0") for name in later),
    ]


tools = Table(
    "laptime_tools",
    metadata,
    Column("id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("name"),  # a roll-up's look-up of ids by names
)

rollups = Table(
    "laptime_rollups",
    metadata,
    Column("period_s", Integer, nullable=False),
    Column("start_s", BigInteger, nullable=False),
    Column("tool_id", ForeignKey(tools.c.id), nullable=False),
    Column("instance", Text, nullable=False),
    *_counters(),
    # a window's rows (one period, a range of starts); a roll-up's rows; the oldest rows of a period
    PrimaryKeyConstraint("period_s", "start_s", "tool_id", "instance"),
    Index("laptime_rollups_by_tool_id", "tool_id"),  # whether any row still names a tool, before it is pruned
)

runs = Table(
    "laptime_runs",
    metadata,
    Column("instance", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("started_s", Double, nullable=False),
    Column("rolled_up_s", Double, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    PrimaryKeyConstraint("instance", "run"),  # one run's standing
    Index("laptime_runs_by_rolled_up_s", "rolled_up_s"),  # runs that are long silent, to be pruned
)

watermarks = Table(
    "laptime_watermarks",
    metadata,
    Column("instance", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("tool_id", ForeignKey(tools.c.id), nullable=False),
    *_counters(),
    PrimaryKeyConstraint("instance", "run", "tool_id"),  # all counters of one run
    ForeignKeyConstraint(["instance", "run"], [runs.c.instance, runs.c.run], ondelete="CASCADE"),
    Index("laptime_watermarks_by_tool_id", "tool_id"),  # whether any run still counts a tool
)

alerts = Table(
    "laptime_alerts",
    metadata,
    Column("id", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("tool", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("value", Double, nullable=False),
    Column("threshold", Double, nullable=False),
    Column("opened_s", Double, nullable=False),
    Column("resolved_s", Double),
    Column(
        "instance", Text, nullable=False, server_default=text("''")
    ),  # whose machine; empty for a tool's alert
    PrimaryKeyConstraint("id"),
    # The open alerts, and the promise that there is one at most to each rule, tool and instance. It is
    # partial, WHERE resolved_s IS NULL: to say so here, SQLAlchemy would load PostgreSQL's dialect, 2 MB,
    # beside SQLite's.
    Index("laptime_alerts_open", "type", "tool", "instance", unique=True),
    Index("laptime_alerts_by_opened_s", "opened_s"),  # the newest alerts
    Index("laptime_alerts_by_resolved_s", "resolved_s"),  # alerts resolved long ago, to be pruned
)

claims = Table(
    "laptime_claims",
    metadata,
    Column("name", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("expires_s", Double, nullable=False),
    PrimaryKeyConstraint("name"),  # who may do that
)
