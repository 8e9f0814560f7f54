"""The store away: requests go on, what is wrong is said, and when it is back nothing is missing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import text

from app.errors import UnavailableError
from app.settings import Settings
from app.store import make_engine, reading
from tests import postgres
from tests.journeys.loopback import eventually
from tests.journeys.service import Service

from .measured import call, counted, measured


@contextmanager
def hung(url: str) -> Iterator[None]:
    """The PostgreSQL server at `url` and all that it forked stand still: its kernel answers, it does not."""
    with closing(postgres.connected(url)) as connection:
        [pid] = connection.execute("SELECT pg_backend_pid()").fetchone() or [0]
        master = psutil.Process(pid).parent()
    assert master is not None
    still = [master, *master.children(recursive=True)]
    for process in still:
        process.suspend()
    try:
        yield
    finally:
        for process in still:
            with suppress(psutil.NoSuchProcess):  # one that was about to end
                process.resume()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """A SQLite file that another process holds for writing."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def health(service: Service) -> tuple[bool, list[str]]:
    """Whether the service says that it is degraded, and why."""
    found = service.get("/performance/health").json()["health"]
    return found["degraded"], found["reasons"]


def in_the_hour(service: Service, route: str) -> int:
    found: int = service.metrics(f"?tool_name={route}&window=1h")["total_requests"]
    return found


def test_a_server_that_hangs_holds_up_no_request_and_misses_nothing_afterwards(tmp_path: Path) -> None:
    with postgres.server() as url:
        env = {"DATABASE_URL": postgres.new_database(url)}
        with measured(tmp_path, workers=3, env=env, tracebacks=True) as service:
            eventually(lambda: in_the_hour(service, "quick") == 0, "the store", within_s=20)
            assert call(service, "quick", 100).of_status(200) == 100
            with hung(url):
                assert call(service, "quick", 200).of_status(200) == 200
                eventually(lambda: all(health(service)[0] for _ in range(6)), "all to say so", within_s=40)
                assert "the store does not answer (since " in health(service)[1][0]
                assert counted(service, "quick") == 300
                assert service.get("/performance/metrics?window=1h").status == 503
                page = service.get("/dashboard/").body.decode()
                assert "Measuring is degraded" in page
                assert call(service, "quick", 100).of_status(200) == 100
            eventually(lambda: not any(health(service)[0] for _ in range(6)), "recovery", within_s=30)
            eventually(lambda: in_the_hour(service, "quick") == 400, "all of it in the window", within_s=30)
            assert counted(service, "quick") == 400


def test_a_locked_store_holds_up_no_request_and_misses_nothing_afterwards(tmp_path: Path) -> None:
    with measured(tmp_path, workers=2, tracebacks=True) as service:
        assert call(service, "quick", 100).of_status(200) == 100
        eventually(lambda: in_the_hour(service, "quick") == 100, "the store", within_s=20)
        with locked(service.state / "laptime.sqlite3"):
            assert call(service, "quick", 200).of_status(200) == 200
            eventually(
                lambda: "the job roll_up failed" in service.output(), "a roll-up that fails", within_s=30
            )
            assert in_the_hour(service, "quick") == counted(service, "quick") == 300
        eventually(lambda: in_the_hour(service, "quick") == 300, "all of it", within_s=30)


def test_a_store_deleted_while_it_is_open_is_made_anew_and_this_run_is_in_it(tmp_path: Path) -> None:
    with measured(tmp_path, workers=2, tracebacks=True) as service:
        assert call(service, "quick", 100).of_status(200) == 100
        eventually(lambda: in_the_hour(service, "quick") == 100, "the store", within_s=20)
        for file in service.state.glob("laptime.sqlite3*"):
            file.unlink()
        assert call(service, "quick", 100).of_status(200) == 100
        eventually((service.state / "laptime.sqlite3").exists, "another store", within_s=30)
        eventually(lambda: _tells(service, 200), "this run in it", within_s=40)
        eventually(lambda: not health(service)[0], "recovery", within_s=20)
        with closing(sqlite3.connect(service.state / "laptime.sqlite3")) as store:
            assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _tells(service: Service, number: int) -> bool:
    answer = service.get("/performance/metrics?tool_name=quick&window=1h")
    return answer.status == 200 and answer.json()["metrics"]["total_requests"] == number


def _drop_all(url: str) -> bool:
    with closing(postgres.connected(url)) as connection:
        try:
            connection.execute("DROP SCHEMA public CASCADE")
        except psycopg.errors.DeadlockDetected:  # a roll-up was faster
            return False
        connection.execute("CREATE SCHEMA public")
    return True


def test_tables_dropped_beneath_us_are_made_anew(tmp_path: Path) -> None:
    with postgres.server() as url:
        database = postgres.new_database(url)
        with measured(tmp_path, workers=2, env={"DATABASE_URL": database}, tracebacks=True) as service:
            assert call(service, "quick", 100).of_status(200) == 100
            eventually(lambda: _tells(service, 100), "the store", within_s=20)
            eventually(lambda: _drop_all(database), "the tables to be dropped")
            assert call(service, "quick", 100).of_status(200) == 100
            eventually(lambda: _tells(service, 200), "this run in it", within_s=60)
            eventually(lambda: not any(health(service)[0] for _ in range(6)), "recovery", within_s=20)


def test_a_connection_to_a_server_that_hangs_is_given_up_and_made_anew() -> None:
    with postgres.server() as url:
        engine = make_engine(Settings(database_url=url))
        with reading(engine) as connection:
            connection.execute(text("SELECT 1"))
        with hung(url), pytest.raises(UnavailableError), reading(engine) as connection:
            connection.execute(text("SELECT 1"))
        with reading(engine) as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
        engine.dispose()
