"""Rules as rows, the life of alerts, silences, channels, and the notices that are to be sent."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """What was open goes on; nobody is told of it again, because nobody was told of it before."""
    _extend_alerts()
    _create_rules()
    _create_channels()
    _create_notices()


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=sa.text("''"))


def _extend_alerts() -> None:
    state = sa.Column("state", sa.Text, nullable=False, server_default=sa.text("'firing'"))
    amounts = [sa.Column("requests", sa.BigInteger), sa.Column("failures", sa.BigInteger)]
    times = [sa.Column(name, sa.Double) for name in ("peak", "acknowledged_s", "release_s", "told_s")]
    names = ("acknowledged_by", "acknowledged_note", "resolved_by", "resolved_note", "release")
    texts = [_text(name) for name in ("peak_severity", *names, "told_severity")]
    columns: list[sa.Column[Any]] = [state, *amounts, *times, *texts]
    for column in columns:
        op.add_column("laptime_alerts", column)
    op.execute("UPDATE laptime_alerts SET peak = value, peak_severity = severity")
    op.execute("UPDATE laptime_alerts SET state = 'resolved' WHERE resolved_s IS NOT NULL")
    op.drop_index("laptime_alerts_by_opened_s", "laptime_alerts")
    op.create_index("laptime_alerts_by_opened_s", "laptime_alerts", ["opened_s", "id"])
    op.create_index("laptime_alerts_by_tool_opened_s", "laptime_alerts", ["tool", "opened_s", "id"])
    op.create_index("laptime_alerts_by_type_opened_s", "laptime_alerts", ["type", "opened_s", "id"])


def _create_rules() -> None:
    op.create_table(
        "laptime_rules",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("is_default", sa.Integer, nullable=False),
        sa.Column("changed_s", sa.Double),
        _text("changed_by"),
        sa.PrimaryKeyConstraint("id", name="laptime_rules_pk"),
        sa.UniqueConstraint("type", name="laptime_rules_by_type"),
    )
    op.create_table(
        "laptime_watches",
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("tool", sa.Text, nullable=False),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("type", "tool", "instance", name="laptime_watches_pk"),
    )
    op.create_table(
        "laptime_silences",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("start_s", sa.Double, nullable=False),
        sa.Column("end_s", sa.Double, nullable=False),
        *(_text(name) for name in ("type", "tools", "severity", "reason", "author")),
        sa.PrimaryKeyConstraint("id", name="laptime_silences_pk"),
    )
    op.create_index("laptime_silences_by_end_s", "laptime_silences", ["end_s"])


def _create_channels() -> None:
    op.create_table(
        "laptime_channels",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
        _text("sealed"),
        _text("source"),
        sa.PrimaryKeyConstraint("id", name="laptime_channels_pk"),
        sa.UniqueConstraint("name", name="laptime_channels_by_name"),
    )


def _create_notices() -> None:
    op.create_table(
        "laptime_notices",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("channel_id", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("created_s", sa.Double, nullable=False),
        sa.Column("due_s", sa.Double, nullable=False),
        sa.Column("expires_s", sa.Double, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        *(_text(name) for name in ("title", "body", "detail")),
        sa.Column("finished_s", sa.Double),
        sa.PrimaryKeyConstraint("id", name="laptime_notices_pk"),
        sa.UniqueConstraint("key", name="laptime_notices_by_key"),
        sa.ForeignKeyConstraint(
            ["channel_id"],
            ["laptime_channels.id"],
            name="laptime_notices_channel_id_fk",
            ondelete="CASCADE",
        ),
    )
    op.create_index("laptime_notices_by_state_due_s", "laptime_notices", ["state", "due_s"])
    op.create_index("laptime_notices_by_channel_id", "laptime_notices", ["channel_id", "id"])
    op.create_index("laptime_notices_by_created_s", "laptime_notices", ["created_s"])
    _create_of_notices(
        "notice_events",
        sa.Column("alert_id", sa.Integer, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
    )
    op.create_index("laptime_notice_events_by_alert_id", "laptime_notice_events", ["alert_id"])
    _create_of_notices(
        "deliveries",
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("took_s", sa.Double),
        sa.Column("detail", sa.Text, nullable=False),
    )


def _create_of_notices(name: str, *columns: sa.Column[object]) -> None:
    """A table of what belongs to a notice and goes with it."""
    op.create_table(
        f"laptime_{name}",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("notice_id", sa.Integer, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"laptime_{name}_pk"),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["laptime_notices.id"], name=f"laptime_{name}_notice_id_fk", ondelete="CASCADE"
        ),
    )
    op.create_index(f"laptime_{name}_by_notice_id", f"laptime_{name}", ["notice_id"])
