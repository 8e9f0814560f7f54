"""The door to the store: which database it is, how long it may take, and what a transaction is.

`reading` sees one instant of the store from its first query to its last; `writing` is all or nothing.
Neither lets an error of the database out under its own name: a store that is away, full or too slow is
an UnavailableError. An engine holds connections, so it is made after a fork, one to each process.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    TimeoutError,
)
from sqlalchemy.pool import ConnectionPoolEntry

from ..errors import SettingError, UnavailableError
from ..settings import Settings

FILE_NAME = "laptime.sqlite3"
BUSY_TIMEOUT_S = 2.0
CONNECT_TIMEOUT_S = 3
STATEMENT_TIMEOUT_S = 5
_RETRY_S = 0.02
# What a connection to SQLite keeps of the file in memory. The system keeps it too, for all workers at once.
_CACHE_KIB = 256
_CONNECTIONS = 2
_POSTGRESQL = "postgresql+psycopg"
_SCHEMES = frozenset({"postgres", "postgresql", _POSTGRESQL})
_SETTING = "LAPTIME_DATABASE_URL (or DATABASE_URL)"
_ALLOWED = "allowed is postgresql://user:password@host/database or sqlite:///path"
# These say that a statement of ours is wrong, not that the store is away: they keep their name.
_OURS = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
_UNDEFINED_TABLE = "42P01"  # PostgreSQL, appendix A: somebody has emptied the database beneath us
# The file that each engine's connections have open, by its inode.
_inodes: WeakKeyDictionary[Engine, int] = WeakKeyDictionary()
# Options of a connection that the SQLite side reads when a transaction begins.
_BEGIN, _WAIT_S = "laptime_begin", "laptime_wait_s"


def database_url(settings: Settings) -> URL:
    """The address of the store that the settings name; by default a SQLite file in the state folder.

    Raises SettingError for anything but PostgreSQL and a SQLite file. The message never holds the
    value beyond its scheme: passwords hide in more than one place of an address.
    """
    if not settings.database_url:
        return URL.create("sqlite", database=str((settings.state_dir / FILE_NAME).absolute()))
    try:
        url = make_url(settings.database_url)
    except (ArgumentError, ValueError):
        raise SettingError(f"{_SETTING} is no database address; {_ALLOWED}") from None
    if url.drivername in _SCHEMES:
        return url.set(drivername=_POSTGRESQL)
    if url.drivername == "sqlite" and url == URL.create("sqlite", database=url.database):
        if url.database and not url.database.startswith((":", "file:")):
            return url.set(database=str(Path(url.database).absolute()))
        raise SettingError(f"{_SETTING} names no file for SQLite; {_ALLOWED}")
    raise SettingError(f"{_SETTING} begins with {url.drivername}:; {_ALLOWED}")


def make_engine(settings: Settings) -> Engine:
    """The store's engine, with bounded connections and waits. Nothing is opened before the first use."""
    url = database_url(settings)
    postgresql = url.drivername == _POSTGRESQL
    engine = create_engine(
        url,
        connect_args=_postgresql_arguments() if postgresql else {},
        pool_size=_CONNECTIONS,
        max_overflow=_CONNECTIONS,
        pool_timeout=CONNECT_TIMEOUT_S,
        pool_pre_ping=postgresql,
        hide_parameters=True,
    )
    if postgresql:
        event.listen(engine, "do_connect", import_module(".patience", __package__).connect)
        event.listen(engine, "connect", _limit_postgresql)
    else:
        event.listen(engine, "do_connect", _create_sqlite)
        event.listen(engine, "connect", _limit_sqlite)
        event.listen(engine, "connect", lambda *_: _inodes.setdefault(engine, _inode(str(url.database))))
        event.listen(engine, "begin", _begin_sqlite)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads: every query in it sees the same instant of the store.

    Raises UnavailableError when the store does not answer in time.
    """
    options: dict[str, Any] = {_BEGIN: "DEFERRED"}
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with _answering(), engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, *, wait_s: int | None = None) -> Iterator[Connection]:
    """A transaction that writes: committed at the end, rolled back by an exception.

    `wait_s` replaces the usual patience for locks and statements. Raises UnavailableError when the
    store does not answer in time or takes no more.
    """
    options = {} if wait_s is None else {_WAIT_S: wait_s}
    with (
        _answering(),
        engine.connect().execution_options(**options) as connection,
        connection.begin(),
        _patience(connection, wait_s),
    ):
        yield connection


@contextmanager
def _patience(connection: Connection, wait_s: int | None) -> Iterator[None]:
    """Let a server take its time for what writes: `wait_s`, or as long as any statement may take."""
    if connection.dialect.name != "postgresql":
        yield
        return
    pooled: Any = connection.connection.dbapi_connection
    usual_s = pooled.patience_s
    pooled.patience_s = (wait_s or STATEMENT_TIMEOUT_S) + 1  # a little longer than the server itself
    try:
        if wait_s is not None:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{wait_s}s'")
        yield
    finally:
        pooled.patience_s = usual_s


def let_go_of_removed(engine: Engine) -> None:
    """Close the connections to a SQLite file whose name leads elsewhere by now: what they write is lost."""
    database = engine.url.database
    if engine.dialect.name != "sqlite" or database is None:
        return
    opened, found = _inodes.get(engine), _inode(database)
    if opened is not None and opened != found:
        engine.dispose()
        del _inodes[engine]


def _inode(path: str) -> int:
    """Which file has that name; 0 for none."""
    try:
        return Path(path).stat().st_ino
    except OSError:
        return 0


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except _OURS as error:
        if getattr(error.orig, "sqlstate", None) != _UNDEFINED_TABLE:
            raise
        raise UnavailableError("the store has lost its tables; try again later") from error
    except (DBAPIError, TimeoutError) as error:
        raise UnavailableError("the store does not answer now; try again later") from error


def _postgresql_arguments() -> dict[str, object]:
    """What libpq bounds on this side of the wire, for a server that vanishes without a word."""
    return {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "tcp_user_timeout": 2000 * STATEMENT_TIMEOUT_S,
        "keepalives_idle": STATEMENT_TIMEOUT_S,
        "keepalives_interval": 2,
        "keepalives_count": 2,
        "application_name": "laptime",
    }


def _limit_postgresql(dbapi_connection: Any, _entry: ConnectionPoolEntry) -> None:
    # By SET and not in the start packet: connection poolers refuse options there.
    dbapi_connection.autocommit = True
    dbapi_connection.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT_S}s'")
    dbapi_connection.execute(f"SET idle_in_transaction_session_timeout = '{4 * STATEMENT_TIMEOUT_S}s'")
    dbapi_connection.autocommit = False


def _limit_sqlite(dbapi_connection: Any, _entry: ConnectionPoolEntry) -> None:
    dbapi_connection.isolation_level = None  # the driver would begin only at the first write
    dbapi_connection.execute("PRAGMA synchronous = NORMAL")
    dbapi_connection.execute("PRAGMA foreign_keys = ON")
    dbapi_connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    deadline_s = time.monotonic() + options.get(_WAIT_S, BUSY_TIMEOUT_S)
    # SQLite's own patience sleeps in C, which under gevent would hold up every request of the worker.
    connection.exec_driver_sql("PRAGMA busy_timeout = 10")
    while True:
        try:
            # A writer takes the lock at once: one that has read first can't wait for it any more.
            connection.exec_driver_sql(f"BEGIN {options.get(_BEGIN, 'IMMEDIATE')}")
        except OperationalError:
            if time.monotonic() >= deadline_s:
                raise
            time.sleep(_RETRY_S)
        else:
            return


def _create_sqlite(_dialect: object, _entry: object, cargs: list[str], _cparams: object) -> None:
    """Make the file if it is not there, for its owner alone and with a write-ahead log.

    It appears under its name in one step. Processes that change the journal of one file at the same
    time end in "database is locked", whatever they are ready to wait.
    """
    path = Path(cargs[0])
    if path.exists():
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
            born = Path(folder) / path.name
            os.close(os.open(born, os.O_CREAT | os.O_WRONLY, 0o600))
            with closing(sqlite3.connect(born)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
            with suppress(FileExistsError):  # another process was faster: its file is as good
                path.hardlink_to(born)
    except (OSError, sqlite3.Error) as error:
        raise UnavailableError(f"the store's file can't be made: {error}") from error
