"""Bringing a store to the schema of this code, when it is opened for the first time in a process.

Many processes may do so at once: one of them migrates, in one transaction, and the others wait. Alembic
is loaded by that one alone: it takes 8 MB, which every worker would keep for nothing.
"""

from __future__ import annotations

import threading
from importlib import import_module

from sqlalchemy import Connection, Engine, String, column, inspect, select, table, text
from sqlalchemy.exc import SQLAlchemyError

from ...errors import UnavailableError
from ..engine import reading, writing

# The host may keep its own Alembic version in the same database.
VERSION_TABLE = "laptime_version"
REVISIONS = ("0001", "0002", "0003", "0004", "0005")  # all in `versions`, oldest first; a test compares
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
        said = str(getattr(error, "orig", error)).partition("\n")[0][:200]
        raise UnavailableError(f"the store can't be prepared: {type(error).__name__}: {said}") from error


def _migrate(engine: Engine) -> None:
    with reading(engine) as connection:
        if _is_current(connection):
            return
    with writing(engine, wait_s=_WAIT_S) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if not _is_current(connection):
            import_module(".upgrade", __package__).upgrade(connection)


def _is_current(connection: Connection) -> bool:
    if not inspect(connection).has_table(VERSION_TABLE):
        return False
    versions = select(column("version_num", String)).select_from(table(VERSION_TABLE))
    found = set(connection.execute(versions).scalars())
    unknown = sorted(found.difference(REVISIONS))
    if unknown:
        raise UnavailableError(
            f"the store was migrated by a newer Laptime (revision {unknown[0]}); this one knows revisions "
            f"up to {REVISIONS[-1]}"
        )
    return found == {REVISIONS[-1]}
