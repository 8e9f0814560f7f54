"""Bringing a store to the schema of this code, when it is opened for the first time in a process.

Many processes may do so at once: one of them migrates, in one transaction, and the others wait.
"""

from __future__ import annotations

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from ...errors import UnavailableError
from ..engine import reading, writing

# The host may keep its own Alembic version in the same database.
VERSION_TABLE = "laptime_version"
_WAIT_S = 60
_ALONE = threading.Lock()  # Alembic keeps what it works on in globals
_LOCK = 0x6C617074696D65  # "laptime": the advisory lock that a migration holds


def migrate(engine: Engine) -> None:
    """Bring the store to the newest revision; does nothing to one that is there already.

    Raises UnavailableError for a store that a newer Laptime has migrated (it is left as it is), and
    for one that does not answer.
    """
    try:
        with _ALONE:
            _migrate(engine)
    except SQLAlchemyError as error:  # no permission, a foreign table of our name: not a matter of waiting
        raise UnavailableError(f"the store can't be prepared: {type(error).__name__}: {error}") from error


def _migrate(engine: Engine) -> None:
    script = ScriptDirectory.from_config(_config())
    with reading(engine) as connection:
        if _is_current(connection, script):
            return
    with writing(engine, wait_s=_WAIT_S) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if not _is_current(connection, script):
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _is_current(connection: Connection, script: ScriptDirectory) -> bool:
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    found = context.get_current_heads()
    known = {revision.revision for revision in script.walk_revisions()}
    unknown = sorted(set(found) - known)
    if unknown:
        raise UnavailableError(
            f"the store was migrated by a newer Laptime (revision {unknown[0]}); this one knows revisions "
            f"up to {script.get_current_head()}"
        )
    return set(found) == set(script.get_heads())


def _config() -> Config:
    config = Config()
    folder = str(Path(__file__).parent).replace("%", "%%")  # the value is interpolated
    config.set_main_option("script_location", folder)
    return config
