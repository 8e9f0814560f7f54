"""Bringing a store to the schema, alone and with many at once."""

from __future__ import annotations

import subprocess
import sys
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import ProgrammingError

from app.errors import UnavailableError
from app.settings import Settings
from app.store import Engine, make_engine, migrate, migrations, reading, writing
from app.store.migrations import REVISIONS, VERSION_TABLE
from app.store.schema import metadata


def test_a_migrated_store_has_exactly_the_declared_schema(store: Engine) -> None:
    with reading(store) as connection:
        options = {"version_table": VERSION_TABLE, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_alerts_are_unique_while_they_are_open_alone(store: Engine) -> None:
    indexes = {index["name"]: index for index in inspect(store).get_indexes("laptime_alerts")}
    found = indexes["laptime_alerts_open"]
    assert found["unique"]
    assert "resolved_s IS NULL" in str(found["dialect_options"][f"{store.dialect.name}_where"])


def test_the_names_of_constraints_are_the_same_on_both_databases(store: Engine) -> None:
    found = inspect(store)
    for table in metadata.sorted_tables:
        assert found.get_pk_constraint(table.name)["name"] == table.primary_key.name
        foreign = {key["name"] for key in found.get_foreign_keys(table.name)}
        assert foreign == {key.name for key in table.foreign_key_constraints}


def test_the_revisions_that_are_named_are_those_that_are_there() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    found = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert found == list(reversed(REVISIONS))


OPENING = """
import sys
from app.settings import Settings
from app.store import make_engine, migrate
migrate(make_engine(Settings(database_url=sys.argv[1])))
print("alembic" in sys.modules)
"""


def test_only_a_process_that_migrates_loads_alembic(database_url: str) -> None:
    command = [sys.executable, "-c", OPENING, database_url]
    said = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(2)]
    assert said == ["True\n", "False\n"]


def test_migrating_again_changes_nothing(store: Engine) -> None:
    with writing(store) as connection:
        connection.execute(text("INSERT INTO laptime_tools (name) VALUES ('ping')"))
    migrate(store)
    with reading(store) as connection:
        names = connection.execute(text("SELECT name FROM laptime_tools ORDER BY id")).scalars().all()
        assert names == ["", "ping"]


def test_the_hosts_own_migrations_and_tables_are_left_alone(empty: Engine) -> None:
    with writing(empty) as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('of-the-host')"))
        connection.execute(text("CREATE TABLE tools (id INTEGER)"))
    migrate(empty)
    with reading(empty) as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "of-the-host"
    added = set(inspect(empty).get_table_names()) - {"alembic_version", "tools"}
    assert added == {VERSION_TABLE, *metadata.tables}
    assert all(name.startswith("laptime_") for name in added)


def test_a_migration_that_fails_halfway_leaves_nothing_behind(empty: Engine) -> None:
    with writing(empty) as connection:
        connection.execute(text("CREATE TABLE laptime_alerts (in_the_way INTEGER)"))
    with pytest.raises((UnavailableError, ProgrammingError)):
        migrate(empty)
    assert inspect(empty).get_table_names() == ["laptime_alerts"]


def test_a_store_of_a_newer_laptime_is_refused_and_left_alone(store: Engine) -> None:
    with writing(store) as connection:
        connection.execute(text("UPDATE laptime_version SET version_num = '9999'"))
    with pytest.raises(UnavailableError, match=r"newer Laptime \(revision 9999\)"):
        migrate(store)
    with reading(store) as connection:
        assert connection.execute(text("SELECT version_num FROM laptime_version")).scalar() == "9999"


def _open(database_url: str, together: Barrier) -> None:
    engine = make_engine(Settings(database_url=database_url))
    together.wait()
    migrate(engine)
    with writing(engine) as connection:
        connection.execute(text("INSERT INTO laptime_tools (name) VALUES ('ping') ON CONFLICT DO NOTHING"))
    engine.dispose()


@pytest.mark.slow
def test_eight_processes_open_a_new_store_at_the_same_time(database_url: str) -> None:
    spawn = get_context("spawn")
    together = spawn.Barrier(8)
    workers = [spawn.Process(target=_open, args=(database_url, together)) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 8
    engine = make_engine(Settings(database_url=database_url))
    with reading(engine) as connection:
        assert connection.execute(text("SELECT name FROM laptime_tools")).scalars().all() == ["", "ping"]
        assert connection.execute(text("SELECT count(*) FROM laptime_version")).scalar() == 1
    engine.dispose()
