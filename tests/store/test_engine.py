"""The door to the store: addresses, limits, and what a transaction is."""

from __future__ import annotations

import sqlite3
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from app.errors import SettingError, UnavailableError
from app.settings import Settings
from app.store import Engine, database_url, make_engine, migrate, reading, writing
from app.store.rollups import roll_up
from app.store.schema import tools

from .data import START_S, series


def test_without_a_setting_the_store_is_a_file_in_the_state_folder(tmp_path: Path) -> None:
    url = database_url(Settings(state_dir=tmp_path))
    assert (url.drivername, url.database) == ("sqlite", str(tmp_path / "laptime.sqlite3"))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_name_of_postgresql_leads_to_psycopg(scheme: str) -> None:
    url = database_url(Settings(database_url=f"{scheme}://u:p%40ss@db.example:5433/d?sslmode=require"))
    assert url.render_as_string(hide_password=False) == (
        "postgresql+psycopg://u:p%40ss@db.example:5433/d?sslmode=require"
    )


def test_a_relative_sqlite_path_is_fixed_to_the_folder_of_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = database_url(Settings(database_url="sqlite:///history.db"))
    assert url.database == str(tmp_path / "history.db")


@pytest.mark.parametrize(
    "wrong",
    [
        "mysql://user:secret@host/db",
        "postgresql+psycopg2://user:secret@host/db",
        "postgres://user:secret@host:port/db",
        "user:secret@host",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:secret?mode=memory&uri=true",
        "sqlite://user:secret@host/file",
        "mysql://host/db?password=secret",
    ],
)
def test_any_other_address_stops_the_start_in_one_line_without_the_password(wrong: str) -> None:
    with pytest.raises(SettingError) as caught:
        make_engine(Settings(database_url=wrong))
    message = caught.value.detail
    assert "DATABASE_URL" in message
    assert "allowed is postgresql://" in message
    assert "secret" not in message
    assert "\n" not in message


def test_making_an_engine_opens_nothing(tmp_path: Path) -> None:
    make_engine(Settings(state_dir=tmp_path / "state"))
    assert list(tmp_path.iterdir()) == []


def test_the_sqlite_file_is_its_owners_alone_and_has_a_write_ahead_log(tmp_path: Path) -> None:
    engine = make_engine(Settings(state_dir=tmp_path / "state"))
    migrate(engine)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    engine.dispose()
    assert modes == {f"laptime.sqlite3{suffix}": 0o600 for suffix in ("", "-shm", "-wal")}
    with closing(sqlite3.connect(tmp_path / "state" / "laptime.sqlite3")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_is_there_already_is_opened_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
    path.chmod(0o640)
    engine = make_engine(Settings(database_url=f"sqlite:///{path}"))
    migrate(engine)
    with reading(engine) as store:
        assert store.execute(text("SELECT count(*) FROM notes")).scalar() == 0
    engine.dispose()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_store_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for url in ("postgresql://u:secret@127.0.0.1:1/d", f"sqlite:///{tmp_path}/file/store.sqlite3"):
        engine = make_engine(Settings(database_url=url))
        with pytest.raises(UnavailableError) as caught, reading(engine):
            pass
        assert "secret" not in caught.value.detail


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite3").write_bytes(b"no database" * 1000)
    engine = make_engine(Settings(database_url=f"sqlite:///{tmp_path}/store.sqlite3"))
    with pytest.raises(UnavailableError):
        migrate(engine)
    engine.dispose()


def test_a_reader_sees_one_instant_while_others_write(store: Engine) -> None:
    names = select(tools.c.name).where(tools.c.name != "")
    with reading(store) as reader:
        before = reader.execute(names).all()
        with writing(store) as writer:
            writer.execute(insert(tools).values(name="new"))
        assert reader.execute(names).all() == before == []
    with reading(store) as reader:
        assert reader.execute(names).scalars().all() == ["new"]


def test_an_exception_takes_back_all_of_a_transaction(store: Engine) -> None:
    def write_and_fail() -> None:
        with writing(store) as connection:
            connection.execute(insert(tools).values(name="new"))
            connection.execute(text("CREATE TABLE more (n INTEGER)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with writing(store) as connection:
        assert connection.execute(select(tools.c.name)).scalars().all() == [""]
        connection.execute(text("CREATE TABLE more (n INTEGER)"))


def test_a_wrong_statement_of_ours_keeps_its_own_error(store: Engine) -> None:
    with pytest.raises(IntegrityError), writing(store) as connection:
        connection.execute(insert(tools).values(name=""))


def test_a_roll_up_that_waits_too_long_for_another_gives_up_and_changes_nothing(store: Engine) -> None:
    counters = {"ping": series(1.0)}
    with writing(store) as first:
        roll_up(first, instance="a", run="one", started_s=START_S, now_s=START_S + 10, tools=counters)
        with pytest.raises(UnavailableError), writing(store, wait_s=1) as second:
            roll_up(second, instance="a", run="two", started_s=START_S, now_s=START_S + 10, tools=counters)
    with reading(store) as connection:
        assert connection.execute(text("SELECT run FROM laptime_runs")).scalars().all() == ["one"]


def test_patience_of_one_transaction_does_not_outlive_it(empty: Engine) -> None:
    query = "PRAGMA busy_timeout" if empty.dialect.name == "sqlite" else "SHOW statement_timeout"
    with writing(empty, wait_s=61) as connection:
        long = connection.execute(text(query)).scalar()
    with writing(empty) as connection:
        usual = connection.execute(text(query)).scalar()
    assert (long, usual) in [(10, 10), ("61s", "5s")]


def test_a_file_that_another_holds_is_waited_for_without_sleeping_in_sqlite(tmp_path: Path) -> None:
    """Under gevent a sleep in SQLite would hold up every greenlet; ours lets others run."""
    engine = make_engine(Settings(database_url=f"sqlite:///{tmp_path}/store.sqlite3"))
    migrate(engine)
    turns: list[int] = []
    with ThreadPoolExecutor(1) as pool, writing(engine):
        second = pool.submit(_write_nothing, engine)
        while not second.done():
            turns.append(1)
            time.sleep(0.01)
        with pytest.raises(UnavailableError):
            second.result()
    assert len(turns) > 10
    with writing(engine):
        pass
    engine.dispose()


def _write_nothing(engine: Engine) -> None:
    with writing(engine):
        pass
