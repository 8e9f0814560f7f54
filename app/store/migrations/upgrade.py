"""Alembic's part of a migration, for the one process that migrates."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def upgrade(connection: Connection) -> None:
    """Run the revisions that are missing, within the caller's transaction."""
    config = Config()
    folder = str(Path(__file__).parent).replace("%", "%%")  # the value is interpolated
    config.set_main_option("script_location", folder)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
