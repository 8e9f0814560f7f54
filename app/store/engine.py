"""The door to the store: which database it is, how long it may take, and what a transaction is.

`reading` sees one instant of the store from its first query to its last; `writing` is all or nothing.
Neither lets an error of the database out under its own name: a store that is away, full or too slow is
an UnavailableError. An engine holds connections, so it is made after a fork, one to each process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    TimeoutError,
)
from sqlalchemy.pool import ConnectionPoolEntry

from ..errors import SettingError, UnavailableError
from ..settings import Settings
from .sqlite_file import BEGIN, WAIT_S, SqliteFile
from .why import why

FILE_NAME = "laptime.sqlite3"
CONNECT_TIMEOUT_S = 3
STATEMENT_TIMEOUT_S = 5
_CONNECTIONS = 2
_POSTGRESQL = "postgresql+psycopg"
_SCHEMES = frozenset({"postgres", "postgresql", _POSTGRESQL})
_SETTING = "LAPTIME_DATABASE_URL (or DATABASE_URL)"
_ALLOWED = "allowed is postgresql://user:password@host/database or sqlite:///path"
# These say that a statement of ours is wrong, not that the store is away: they keep their name.
_OURS = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
# Unless somebody has emptied the database beneath us, or taken our rights (PostgreSQL, appendix A).
_NOT_OURS = frozenset({"42P01", "42501"})
_files: WeakKeyDictionary[Engine, SqliteFile] = WeakKeyDictionary()


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
        _files[engine] = file = SqliteFile(Path(str(url.database)), is_own=not settings.database_url)
        file.listen(engine)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads: every query in it sees the same instant of the store.

    Raises UnavailableError when the store does not answer in time.
    """
    options: dict[str, Any] = {BEGIN: "DEFERRED"}
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with _answering(engine), engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, *, wait_s: int | None = None) -> Iterator[Connection]:
    """A transaction that writes: committed at the end, rolled back by an exception.

    `wait_s` replaces the usual patience for locks and statements. Raises UnavailableError when the
    store does not answer in time or takes no more.
    """
    options = {} if wait_s is None else {WAIT_S: wait_s}
    with (
        _answering(engine),
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


def tend(engine: Engine, now_s: float) -> bool:
    """Let go of a SQLite file that was removed, and put aside one that is damaged; called now and then.

    True where the store has to be prepared anew. Raises UnavailableError for a damaged one that stays.
    """
    file = _files.get(engine)
    return file is not None and file.tend(engine, now_s)


def put_aside_lately(engine: Engine, now_s: float) -> str:
    """Which damaged file was put aside within the hour, as a sentence; "" for none."""
    file = _files.get(engine)
    return file.put_aside_lately(now_s) if file else ""


@contextmanager
def _answering(engine: Engine) -> Iterator[None]:
    file = _files.get(engine)
    try:
        yield
    except _OURS as error:
        if getattr(error.orig, "sqlstate", None) not in _NOT_OURS:
            raise
        raise UnavailableError(f"the store {why(error, None)}") from error
    except (DBAPIError, TimeoutError) as error:
        if file is not None:
            file.met(engine, error)
        raise UnavailableError(f"the store {why(error, file.path if file else None)}") from error


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
