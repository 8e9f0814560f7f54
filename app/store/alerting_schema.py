"""The store's tables of rules, alerts, silences, channels, and notices.

A notice is what one channel is sent at once: it lies here from the transaction that changed the alerts until
it was delivered, and stays as the log of deliveries.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from .schema import metadata


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=text("''"))


rules = Table(
    "laptime_rules",
    metadata,
    Column("id", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("data", Text, nullable=False),  # model.rules.Rule as JSON
    Column("is_default", Integer, nullable=False),
    Column("changed_s", Double),
    _text("changed_by"),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("type"),  # the default rules, which are made by whichever instance comes first
)

# What is known of a rule and a target between two judgements; what is inactive for long has no row.
watches = Table(
    "laptime_watches",
    metadata,
    Column("type", Text, nullable=False),
    Column("tool", Text, nullable=False),
    Column("instance", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),  # model.life.Watch as MessagePack
    PrimaryKeyConstraint("type", "tool", "instance"),
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
    _text("instance"),  # whose machine; empty for a tool's alert
    Column("state", Text, nullable=False, server_default=text("'firing'")),
    Column("peak", Double),
    _text("peak_severity"),
    Column("requests", BigInteger),
    Column("failures", BigInteger),
    Column("acknowledged_s", Double),
    _text("acknowledged_by"),
    _text("acknowledged_note"),
    _text("resolved_by"),
    _text("resolved_note"),
    _text("release"),  # that began shortly before it
    Column("release_s", Double),
    Column("told_s", Double),  # when people were last told that it fires, and how severe it was
    _text("told_severity"),
    PrimaryKeyConstraint("id"),
    # The open alerts, and the promise that there is one at most to each rule, tool and instance. It is
    # partial, WHERE resolved_s IS NULL: to say so here, SQLAlchemy would load PostgreSQL's dialect, 2 MB,
    # beside SQLite's.
    Index("laptime_alerts_open", "type", "tool", "instance", unique=True),
    Index("laptime_alerts_by_opened_s", "opened_s", "id"),  # pages of the history
    Index("laptime_alerts_by_tool_opened_s", "tool", "opened_s", "id"),  # the same of one tool
    Index("laptime_alerts_by_type_opened_s", "type", "opened_s", "id"),  # the same of one rule
    Index("laptime_alerts_by_resolved_s", "resolved_s"),  # alerts resolved long ago, to be pruned
)

silences = Table(
    "laptime_silences",
    metadata,
    Column("id", Integer, nullable=False),
    Column("start_s", Double, nullable=False),
    Column("end_s", Double, nullable=False),
    _text("type"),
    _text("tools"),  # patterns as JSON, empty for all
    _text("severity"),
    _text("reason"),
    _text("author"),
    PrimaryKeyConstraint("id"),
    Index("laptime_silences_by_end_s", "end_s"),  # those that are not over; the oldest, to be pruned
)

channels = Table(
    "laptime_channels",
    metadata,
    Column("id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("data", Text, nullable=False),  # model.channels.Channel as JSON
    Column("service", Text, nullable=False),
    Column("shown", Text, nullable=False),  # the address without its secrets
    _text("sealed"),  # the address, encrypted; empty for one of the environment
    _text("source"),  # which of the environment's addresses it is; empty for one that somebody entered
    PrimaryKeyConstraint("id"),
    UniqueConstraint("name"),
)

notices = Table(
    "laptime_notices",
    metadata,
    Column("id", Integer, nullable=False),
    Column("key", Text, nullable=False),  # what receivers tell a repetition by
    Column("channel_id", ForeignKey(channels.c.id, ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("created_s", Double, nullable=False),
    Column("due_s", Double, nullable=False),
    Column("expires_s", Double, nullable=False),
    Column("tries", Integer, nullable=False),
    _text("title"),
    _text("body"),
    _text("detail"),  # how the newest try ended
    Column("finished_s", Double),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("key"),
    Index("laptime_notices_by_state_due_s", "state", "due_s"),  # what is to be sent
    Index("laptime_notices_by_channel_id", "channel_id", "id"),  # a channel's log
    Index("laptime_notices_by_created_s", "created_s"),  # the oldest, to be pruned
)

# What a notice tells: an alert, and what happened to it.
notice_events = Table(
    "laptime_notice_events",
    metadata,
    Column("id", Integer, nullable=False),
    Column("notice_id", ForeignKey(notices.c.id, ondelete="CASCADE"), nullable=False),
    Column("alert_id", Integer, nullable=False),
    Column("event", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("value", Double, nullable=False),
    Column("at_s", Double, nullable=False),
    PrimaryKeyConstraint("id"),
    Index("laptime_notice_events_by_notice_id", "notice_id"),
    Index("laptime_notice_events_by_alert_id", "alert_id"),  # who was told of an alert, and when
)

# Each try to deliver a notice, and how it ended.
deliveries = Table(
    "laptime_deliveries",
    metadata,
    Column("id", Integer, nullable=False),
    Column("notice_id", ForeignKey(notices.c.id, ondelete="CASCADE"), nullable=False),
    Column("at_s", Double, nullable=False),
    Column("took_s", Double),
    Column("detail", Text, nullable=False),
    PrimaryKeyConstraint("id"),
    Index("laptime_deliveries_by_notice_id", "notice_id"),
)
