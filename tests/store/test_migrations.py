"""Bringing a store to the schema, alone and with many at once."""

from __future__ import annotations

import subprocess
import sys
import zlib
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, inspect, text
from sqlalchemy.exc import ProgrammingError

from app.errors import UnavailableError
from app.model.histogram import Histogram
from app.model.series import Series, total
from app.model.windows import PERIODS_S
from app.settings import Settings
from app.store import Engine, alerting_schema, make_engine, migrate, migrations, reading, writing
from app.store.migrations import REVISIONS, VERSION_TABLE
from app.store.schema import metadata

from .data import START_S, built, roll, rows, series, sums

assert alerting_schema.rules.metadata is metadata  # which has the tables of both modules


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
from app.model.histogram import Histogram
from app.model.series import Series, total
from app.model.windows import PERIODS_S
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


def _as_it_was(counters: Series) -> dict[str, object]:
    """A Series in the columns of revision 0003: fifteen, and all lanes of its histograms."""

    def lanes(histogram: Histogram) -> bytes:
        raw = histogram.packed.to_bytes(8192, "little").rstrip(b"\0")
        raw += bytes(-len(raw) % 8)
        return zlib.compress(b"".join(raw[byte::8] for byte in range(8))) if raw else b""

    numbers = ("client_errors", "server_errors", "total_ns", "min_ns", "max_ns", "response_bytes")
    return {
        "ok": counters.ok.count,
        "failed": counters.failed.count,
        **{name: getattr(counters, name) for name in numbers},
        "buckets_ok": lanes(counters.ok),
        "buckets_failed": lanes(counters.failed),
    }


def _fill_as_it_was(engine: Engine, now_s: int) -> dict[str, Series]:
    """A store of revision 0003 with rows of two tools, and the sum of each; its run goes on."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    sums: dict[str, Series] = {}
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        old = MetaData()
        old.reflect(connection)
        insert = {
            name: old.tables[f"laptime_{name}"].insert()
            for name in ("tools", "rollups", "runs", "watermarks")
        }
        for number, name in enumerate(("ping", "größe"), 1):
            connection.execute(insert["tools"].values(id=number, name=name))
            sums[name] = total(series(*range(1, 50 + number), failed=number) for _ in range(3))
        sums[""] = total(sums.values())
        for number, counters in enumerate((sums[""], sums["ping"], sums["größe"])):
            for period_s in (10, 60, 600, 7200):
                key = {"period_s": period_s, "start_s": now_s // period_s * period_s, "instance": "a"}
                connection.execute(insert["rollups"].values(**key, tool_id=number, **_as_it_was(counters)))
        run = {"instance": "a", "run": "run-1"}
        connection.execute(
            insert["runs"].values(**run, started_s=now_s - 5, rolled_up_s=now_s + 5, sequence=1)
        )
        for number, name in enumerate(("ping", "größe"), 1):
            connection.execute(insert["watermarks"].values(**run, tool_id=number, **_as_it_was(sums[name])))
    return {name: one for name, one in sums.items() if name}


def test_history_of_an_older_laptime_is_kept_and_goes_on(empty: Engine) -> None:
    now_s = int(START_S) + 70_000
    sums_then = _fill_as_it_was(empty, now_s)
    migrate(empty)
    roll(empty, now_s + 15, {name: one + series(7) for name, one in sums_then.items()})
    built(empty, now_s + 15)
    expected = {name: one + series(7) for name, one in sums_then.items()}
    for period_s in PERIODS_S:
        found = rows(empty, now_s, now_s + 15, period_s=period_s, step_s=period_s)
        assert sums(found.tools) == sums(expected)
    built(empty, now_s + 3_000_000)
    for period_s in PERIODS_S:
        found = rows(empty, now_s, now_s + 15, period_s=period_s, step_s=period_s)
        assert sums(found.tools) == sums(expected)
        assert sums({"": total(one for one in found.points if one)}) == sums({"": total(expected.values())})


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
