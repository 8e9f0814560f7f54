"""What streams take after their first byte, and what requests waited in a queue before the service."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the sums to every row; what was rolled up before has none of either."""
    for table in ("laptime_rollups", "laptime_watermarks"):
        for name in ("streaming_ns", "queued", "queue_ns"):
            op.add_column(table, sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
