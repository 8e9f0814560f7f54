"""Claims of one instance on what only one may do, and whose machine an alert is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_OPEN = sa.text("resolved_s IS NULL")


def upgrade() -> None:
    """One alert may be open to each rule, tool and instance; before there was one instance."""
    op.create_table(
        "laptime_claims",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("expires_s", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("name", name="laptime_claims_pk"),
    )
    instance = sa.Column("instance", sa.Text, nullable=False, server_default=sa.text("''"))
    op.add_column("laptime_alerts", instance)
    # Whose machine these are about nobody knows any more; what still holds is opened again.
    op.execute("UPDATE laptime_alerts SET resolved_s = opened_s WHERE tool = 'system' AND resolved_s IS NULL")
    op.drop_index("laptime_alerts_open", "laptime_alerts")
    op.create_index(
        "laptime_alerts_open",
        "laptime_alerts",
        ["type", "tool", "instance"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
