"""The SQLite file behind an engine: made in one step, waited for, let go where its name leads elsewhere.

A file that is damaged is put aside with its date, and a new one is made in its place: at most once an hour,
by one process for all, and only the file that nobody else keeps anything in: our own in the state folder.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from ..errors import UnavailableError
from .why import is_damage, is_read_only, no_access

log = logging.getLogger("laptime")

BUSY_TIMEOUT_S = 2.0
REST_S = 3600
# Options of a connection that are read when a transaction begins.
BEGIN, WAIT_S = "laptime_begin", "laptime_wait_s"
_RETRY_S = 0.02
# What a connection keeps of the file in memory. The system keeps it too, for all workers at once.
_CACHE_KIB = 256
_BROKEN, _DATE = ".broken-", "%Y%m%dT%H%M%SZ"
_BROKEN_MOST = 3
_BESIDE = ("-wal", "-shm")


class SqliteFile:
    """The file at `path`; `is_own` where it is ours alone."""

    def __init__(self, path: Path, *, is_own: bool) -> None:
        self.path = path
        self._is_own = is_own
        self._opened = 0  # what the connections have open, by its inode
        self._damaged = 0  # in which one damage was met

    def listen(self, engine: Engine) -> None:
        """Make and open the file for `engine`'s connections."""
        event.listen(engine, "do_connect", self._create)
        event.listen(engine, "connect", self._limit)
        event.listen(engine, "begin", _begin)

    def met(self, engine: Engine, error: SQLAlchemyError) -> None:
        """Learn from an error: that the file is damaged, or that it was opened while nobody might write."""
        if is_damage(error):
            self._damaged = self._opened or _look(self.path)[0]
        elif is_read_only(error):
            engine.dispose()  # a descriptor stays read-only for ever

    def tend(self, engine: Engine, now_s: float) -> bool:
        """Let go of a file that was removed, and put aside one that is damaged. True where either was.

        Raises UnavailableError for a damaged file that has to stay where it is.
        """
        found, is_empty = _look(self.path)
        if found and found == self._opened and is_empty:
            self._damaged = found  # cut to nothing, which SQLite takes for a new file
        if self._damaged and self._damaged == found:
            try:
                self._put_aside(now_s)
            except OSError as error:
                raise UnavailableError(f"the store is damaged, and can't be put aside: {error}") from error
        elif not self._damaged and self._opened in (0, found):
            return False
        self._damaged = self._opened = 0
        engine.dispose()
        return True

    def _put_aside(self, now_s: float) -> None:
        """Give the damaged file another name, so that the next connection makes a new one."""
        if not self._is_own:
            raise UnavailableError(
                "the store is damaged, and a file that the settings name is left as it is: move it away, "
                "and a new one is made"
            )
        with _alone(self.path.parent):
            if _look(self.path)[0] != self._damaged or not _is_damaged(self.path):
                return  # another process was faster, or it was a stale connection that met the damage
            last = next(iter(self._broken()), None)
            if last is not None and abs(now_s - _dated(last)) < REST_S:
                raise UnavailableError(
                    f"the store is damaged again, and one was put aside within the hour, as {last.name}"
                )
            aside = f"{self.path.name}{_BROKEN}{datetime.fromtimestamp(now_s, UTC):{_DATE}}"
            # The log first: a new file must never find the log of another.
            for suffix in (*_BESIDE, ""):
                with suppress(FileNotFoundError):
                    Path(f"{self.path}{suffix}").rename(self.path.with_name(aside + suffix))
            for old in self._broken()[_BROKEN_MOST:]:
                for suffix in ("", *_BESIDE):
                    Path(f"{old}{suffix}").unlink(missing_ok=True)
        log.error("the store was damaged and is put aside as %s: history begins anew", aside)

    def put_aside_lately(self, now_s: float) -> str:
        """What was put aside within the hour, as a sentence; "" for nothing."""
        last = next(iter(self._broken()), None)
        if last is None or abs(now_s - _dated(last)) >= REST_S:
            return ""
        return f"the store was damaged and is put aside as {last.name}: history began anew then"

    def _broken(self) -> list[Path]:
        """The files that were put aside, newest first."""
        found = self.path.parent.glob(f"{self.path.name}{_BROKEN}*Z")
        return sorted((path for path in found if _dated(path)), reverse=True)

    def _create(self, _dialect: object, _entry: object, _cargs: object, _cparams: object) -> None:
        """Make the file if it is not there, for its owner alone and with a write-ahead log.

        It appears under its name in one step. Processes that change the journal of one file at the same
        time end in "database is locked", whatever they are ready to wait.
        """
        if self._is_there():
            return
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (
                _alone(self.path.parent),
                TemporaryDirectory(dir=self.path.parent, prefix=f".{self.path.name}-") as folder,
            ):
                if self._is_there():
                    return
                for suffix in _BESIDE if self._is_own else ():  # of a file that was removed without them
                    Path(f"{self.path}{suffix}").unlink(missing_ok=True)
                born = Path(folder) / self.path.name
                os.close(os.open(born, os.O_CREAT | os.O_WRONLY, 0o600))
                with closing(sqlite3.connect(born)) as connection:
                    connection.execute("PRAGMA journal_mode = WAL")
                with suppress(FileExistsError):  # a host that shares the file was faster: its file is as good
                    born.replace(self.path) if self._is_own else self.path.hardlink_to(born)
        except (OSError, sqlite3.Error) as error:
            raise UnavailableError(f"the store's file can't be made: {error}") from error

    def _is_there(self) -> bool:
        try:
            return self.path.stat().st_size > 0 or not self._is_own
        except FileNotFoundError:
            return False
        except OSError as error:
            raise UnavailableError(f"the store {no_access(self.path)}") from error

    def _limit(self, dbapi_connection: Any, _entry: ConnectionPoolEntry) -> None:
        dbapi_connection.isolation_level = None  # the driver would begin only at the first write
        dbapi_connection.execute("PRAGMA synchronous = NORMAL")
        dbapi_connection.execute("PRAGMA foreign_keys = ON")
        dbapi_connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._opened = self._opened or _look(self.path)[0]


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    deadline_s = time.monotonic() + options.get(WAIT_S, BUSY_TIMEOUT_S)
    # SQLite's own patience sleeps in C, which under gevent would hold up every request of the worker.
    connection.exec_driver_sql("PRAGMA busy_timeout = 10")
    while True:
        try:
            # A writer takes the lock at once: one that has read first can't wait for it any more.
            connection.exec_driver_sql(f"BEGIN {options.get(BEGIN, 'IMMEDIATE')}")
        except OperationalError as error:
            is_busy = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() >= deadline_s:
                raise
            time.sleep(_RETRY_S)
        else:
            return


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Be the only process that makes or moves files of the store in this folder; the others wait briefly."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    deadline_s = time.monotonic() + BUSY_TIMEOUT_S
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline_s:
                    raise
                time.sleep(_RETRY_S)
        try:
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # also where a forked child has the descriptor still
    finally:
        os.close(descriptor)


def _is_damaged(path: Path) -> bool:
    """Whether a look of its own finds the damage too: what is moved away is not easily brought back."""
    if not path.stat().st_size:
        return True
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=0.1)) as connection:
            return bool(connection.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",))
    except sqlite3.Error as error:
        return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _dated(path: Path) -> float:
    """When a file was put aside (Unix seconds), by its name; 0 for a name that is not ours."""
    try:
        return datetime.strptime(path.name.rpartition(_BROKEN)[2], _DATE).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def _look(path: Path) -> tuple[int, bool]:
    """Which file has that name (0: none), and whether nothing is in it."""
    try:
        found = path.stat()
        return found.st_ino, not found.st_size
    except OSError:
        return 0, True
