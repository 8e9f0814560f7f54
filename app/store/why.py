"""Why the store did not do what it was asked, in a few words for whoever has to mend it.

Never the driver's whole message: statements, values and addresses may be in there.
"""

from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

SILENT = "does not answer"
_FULL = "has no room: its disk is full"
_NO_TABLES = "has lost its tables"
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_SQLITE = {
    sqlite3.SQLITE_BUSY: "is locked by another process",
    sqlite3.SQLITE_LOCKED: "is locked by another process",
    sqlite3.SQLITE_CORRUPT: "is damaged",
    sqlite3.SQLITE_NOTADB: "is damaged: it is no SQLite file",
    sqlite3.SQLITE_FULL: _FULL,
}
_PERMISSION = frozenset(
    {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR}
)
# PostgreSQL, appendix A, by the longest beginning that is in here
_POSTGRESQL = {
    "25006": "is read-only",
    "28": "does not let us in: its user or password is wrong",
    "3D000": "is not there: the server has no database of that name",
    "42P01": _NO_TABLES,
    "53100": _FULL,
    "53300": "has no connection left",
    "55P03": "is locked by another process",
    "57P": "is being started or stopped",
}
_FORBIDDEN = "42501"
# What libpq tells of a refused connection comes without a code.
_REFUSED = re.compile(r"FATAL: +([^\n]{1,200})")


def why(error: SQLAlchemyError, path: Path | None) -> str:
    """What is wrong with the store, to follow "the store"; `path` is SQLite's file."""
    original = getattr(error, "orig", None)
    code = _code_of(original)
    if path is not None and code is not None:
        if code in _PERMISSION:
            return no_access(path)
        if "no such table" in str(original):
            return _NO_TABLES
        return _SQLITE.get(code, SILENT)
    state = str(getattr(original, "sqlstate", None) or "")
    if state == _FORBIDDEN:
        diagnosis: Any = getattr(original, "diag", None)
        return f"forbids what is needed: {diagnosis.message_primary}"
    for length in (5, 3, 2):
        if state[:length] in _POSTGRESQL:
            return _POSTGRESQL[state[:length]]
    refused = _REFUSED.search(str(original))
    return f"does not let us in: {refused[1]}" if refused else SILENT


def is_damage(error: SQLAlchemyError) -> bool:
    """Whether a SQLite file is no database, or has pages that can't be ones."""
    return _code_of(getattr(error, "orig", None)) in _DAMAGE


def is_read_only(error: SQLAlchemyError) -> bool:
    """Whether a connection to SQLite may not write."""
    return _code_of(getattr(error, "orig", None)) == sqlite3.SQLITE_READONLY


def _code_of(original: BaseException | None) -> int | None:
    """SQLite's primary result code; None for an error that is not SQLite's."""
    code: int | None = getattr(original, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def no_access(path: Path) -> str:
    """Why a file can't be opened or written, as the system tells."""
    try:
        disk = os.statvfs(path.parent)
        if disk.f_flag & os.ST_RDONLY:
            return "is read-only: so is its disk"
        if not disk.f_bavail:
            return _FULL
        for place, needed in ((path.parent, os.W_OK | os.X_OK), (path, os.R_OK | os.W_OK)):
            if not os.access(place, needed, effective_ids=True):
                owner = place.stat().st_uid
                if owner != os.geteuid():
                    return f"belongs to another user (id {owner}; the service runs as {os.geteuid()})"
                return "is read-only: its permissions forbid to write"
    except OSError as error:
        return f"can't be reached: {error.strerror}"
    return "can't be opened or written"
