"""The store's tables: counters and the machine's condition by period of time, where each run's roll-up
stands, releases, and claims. Those of alerts are in `alerting_schema`.

Names begin with `laptime_`, because the database may be the host's own. The migrations make exactly
this; a test compares the two.
"""

from __future__ import annotations

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


tools = Table(
    "laptime_tools",
    metadata,
    Column("id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("name"),  # a roll-up's look-up of ids by names
)

instances = Table(
    "laptime_instances",
    metadata,
    Column("id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("sampled_s", Double, nullable=False, server_default="0"),  # its newest sample in `vitals`
    PrimaryKeyConstraint("id"),
    UniqueConstraint("name"),  # a roll-up's look-up of its id
)

# Rows lie in the order of their key (in SQLite the key is all that finds them), so that a roll-up writes in
# one place and a window is read in one go. No foreign keys: each would need an index half as large as this.
rollups = Table(
    "laptime_rollups",
    metadata,
    Column("period_s", Integer, nullable=False),
    Column("start_s", BigInteger, nullable=False),
    Column("tool_id", Integer, nullable=False),
    Column("instance_id", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    # a window's rows (one period, a range of starts); a roll-up's rows; the oldest rows of a period
    PrimaryKeyConstraint("period_s", "start_s", "tool_id", "instance_id"),
    sqlite_with_rowid=False,
)

# How the machine and the service on it were, all tools and workers together.
vitals = Table(
    "laptime_vitals",
    metadata,
    Column("period_s", Integer, nullable=False),
    Column("start_s", BigInteger, nullable=False),
    Column("instance_id", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("period_s", "start_s", "instance_id"),  # as in rollups
    sqlite_with_rowid=False,
)

# Up to when an instance's rows of a period are there; before that instant what comes is added to them.
built = Table(
    "laptime_built",
    metadata,
    Column("instance_id", Integer, nullable=False),
    Column("period_s", Integer, nullable=False),
    Column("until_s", BigInteger, nullable=False),
    PrimaryKeyConstraint("instance_id", "period_s"),  # one instance's, and all of them for a reader
)

runs = Table(
    "laptime_runs",
    metadata,
    Column("instance", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("started_s", Double, nullable=False),
    Column("rolled_up_s", Double, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("queue", LargeBinary),  # the watermark of the times in the queue; none before the first
    PrimaryKeyConstraint("instance", "run"),  # one run's standing
    Index("laptime_runs_by_rolled_up_s", "rolled_up_s"),  # runs that are long silent, to be pruned
)

watermarks = Table(
    "laptime_watermarks",
    metadata,
    Column("instance", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("tool_id", ForeignKey(tools.c.id), nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("instance", "run", "tool_id"),  # all counters of one run
    ForeignKeyConstraint(["instance", "run"], [runs.c.instance, runs.c.run], ondelete="CASCADE"),
    Index("laptime_watermarks_by_tool_id", "tool_id"),  # whether any run still counts a tool
)

releases = Table(
    "laptime_releases",
    metadata,
    Column("id", Integer, nullable=False),
    Column("at_s", Double, nullable=False),
    Column("instance", Text, nullable=False),
    Column("release", Text, nullable=False),
    PrimaryKeyConstraint("id"),
    Index("laptime_releases_by_at_s", "at_s"),  # a window's releases; the newest; the oldest, to be pruned
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
