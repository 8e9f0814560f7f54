"""A store that is older, newer or away when the service starts: told in a line, and requests go on."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config

from app.settings import Settings
from app.store import make_engine, migrations, writing
from app.store.migrations import REVISIONS
from tests import postgres
from tests.journeys.loopback import eventually

from .measured import call, counted, under_load
from .stores import ASKED, all_say, hasty, in_the_hour, is_sane, is_well, stores

WORKERS = 8


def made(state: Path, revision: str) -> Path:
    """A store in the state folder as an earlier Laptime has left it."""
    engine = make_engine(Settings(state_dir=state))
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()
    return state / "laptime.sqlite3"


def versions(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as store:
        return [version for (version,) in store.execute("SELECT version_num FROM laptime_version")]


def contents(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as store:
        return list(store.iterdump())


def test_an_older_store_is_migrated_once_though_eight_workers_race(tmp_path: Path) -> None:
    path = made(tmp_path / "state", REVISIONS[0])
    assert versions(path) == [REVISIONS[0]]
    with hasty(tmp_path, workers=WORKERS, preload=True) as service:
        assert call(service, "quick", 100).of_status(200) == 100
        stores(service, "quick", 100)
        assert "history is not available" not in service.output()
        assert is_well(service)
    assert versions(path) == [REVISIONS[-1]]
    assert is_sane(path)


def test_a_newer_store_is_said_to_be_one_and_not_touched(tmp_path: Path) -> None:
    path = made(tmp_path / "state", "head")
    with closing(sqlite3.connect(path)) as store, store:
        store.execute("UPDATE laptime_version SET version_num = '9999'")
    before = contents(path)
    with hasty(tmp_path, workers=WORKERS, preload=True) as service:
        all_say(service, "the store was migrated by a newer Laptime (revision 9999)")
        assert call(service, "quick", 100).of_status(200) == 100
        assert {counted(service, "quick") for _ in range(ASKED)} == {100}
    assert contents(path) == before
    assert list(path.parent.glob("*.broken-*")) == []


def test_a_server_that_is_down_at_the_start_and_dies_later_holds_up_nobody_and_misses_nothing(
    tmp_path: Path,
) -> None:
    with postgres.server() as url:
        env = {"DATABASE_URL": postgres.new_database(url)}
        began_s = time.monotonic()
        with hasty(tmp_path, workers=2, env=env):
            usual_s = time.monotonic() - began_s
        postgres.kill(url)
        began_s = time.monotonic()
        with hasty(tmp_path, workers=2, env=env, tracebacks=True) as service:
            assert time.monotonic() - began_s < usual_s + 5
            assert call(service, "quick", 100).of_status(200) == 100
            all_say(service, "the store does not answer (since ")
            assert {counted(service, "quick") for _ in range(ASKED)} == {100}
            postgres.start_again(url)
            eventually(lambda: is_well(service), "recovery", within_s=30)
            stores(service, "quick", 100)
            with under_load(service, "quick", clients=2) as counts:
                postgres.kill(url)
                time.sleep(2)
                postgres.start_again(url)
                time.sleep(1)
            assert not counts.unanswered
            eventually(lambda: is_well(service), "recovery", within_s=30)
            stores(service, "quick", 100 + counts.total)
        with hasty(tmp_path, workers=1, env=env) as service:  # by the store alone
            eventually(
                lambda: in_the_hour(service, "quick") == 100 + counts.total, "all stored, once", within_s=20
            )
