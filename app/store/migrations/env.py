"""Run by Alembic for each command: hands the caller's connection and transaction to the revisions.

Alembic loads this file by its path, so it can't import from the package around it.
"""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="laptime_version",
    transactional_ddl=True,
)
context.run_migrations()
