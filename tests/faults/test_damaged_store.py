"""The SQLite file cut, zeroed, overwritten or removed while it is open: put aside, said so, begun anew."""

from __future__ import annotations

import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import psutil

from tests.journeys.loopback import eventually
from tests.journeys.service import Service

from .measured import call, counted
from .stores import ASKED, all_say, file_of, hasty, is_sane, is_well, stores

GARBAGE = random.Random(3).randbytes(50_000)


def cut_to_nothing(path: Path) -> None:
    os.truncate(path, 0)


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def zero(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(GARBAGE)


def put_aside(service: Service) -> list[Path]:
    """The damaged files, without their logs."""
    return sorted(service.state.glob("laptime.sqlite3.broken-*Z"))


def has_open(pid: int) -> bool:
    """Whether a worker has opened the store."""
    return any(Path(one.path).name == "laptime.sqlite3" for one in psutil.Process(pid).open_files())


def flush(path: Path) -> None:
    """Bring what is in the write-ahead log into the file itself, so that its damage is the store's."""
    with closing(sqlite3.connect(path, timeout=20)) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_a_store_damaged_while_it_is_open_is_put_aside_and_this_run_is_in_the_next(tmp_path: Path) -> None:
    with hasty(tmp_path, workers=3, tracebacks=True) as service:
        for number, damage in enumerate((cut_to_nothing, cut_in_half, zero, overwrite)):
            assert call(service, "quick", 50).of_status(200) == 50
            eventually(lambda: all(map(has_open, service.workers())), "the store to be open")
            flush(file_of(service))
            damage(file_of(service))
            assert call(service, "quick", 50).of_status(200) == 50
            eventually(lambda: len(put_aside(service)) == 1, "the damaged file to be put aside", within_s=30)
            [aside] = put_aside(service)
            all_say(service, f"put aside as {aside.name}")
            stores(service, "quick", 100 * number + 100)
            assert {counted(service, "quick") for _ in range(ASKED)} == {100 * number + 100}
            assert put_aside(service) == [aside]
            assert is_sane(file_of(service))
            assert service.output().count("history begins anew") == number + 1
            aside.unlink()


def test_a_file_that_is_no_store_is_put_aside_once_an_hour_and_by_one_of_many(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "laptime.sqlite3").write_bytes(GARBAGE)
    with hasty(tmp_path, workers=4, tracebacks=True) as service:
        assert call(service, "quick", 100).of_status(200) == 100
        stores(service, "quick", 100)
        [aside] = put_aside(service)
        assert aside.read_bytes() == GARBAGE
        flush(file_of(service))
        overwrite(file_of(service))
        all_say(service, f"damaged again, and one was put aside within the hour, as {aside.name}")
        assert call(service, "quick", 100).of_status(200) == 100
        assert counted(service, "quick") == 200
        assert put_aside(service) == [aside]
        assert file_of(service).read_bytes()[: len(GARBAGE)] == GARBAGE
        # An hour later, as far as the names tell.
        aside.rename(aside.with_name("laptime.sqlite3.broken-20250101T000000Z"))
        stores(service, "quick", 200)
        assert len(put_aside(service)) == 2
        assert is_sane(file_of(service))


def test_a_file_removed_without_its_log_is_made_anew(tmp_path: Path) -> None:
    with hasty(tmp_path, workers=3, tracebacks=True) as service:
        assert call(service, "quick", 100).of_status(200) == 100
        stores(service, "quick", 100)
        file_of(service).unlink()
        assert call(service, "quick", 100).of_status(200) == 100
        eventually(file_of(service).exists, "another store")
        eventually(lambda: is_well(service), "recovery", within_s=30)
        stores(service, "quick", 200)
        assert put_aside(service) == []
        assert is_sane(file_of(service))


def test_a_damaged_file_that_the_settings_name_is_left_to_its_owner(tmp_path: Path) -> None:
    named = tmp_path / "of the host.db"
    named.write_bytes(GARBAGE)
    env = {"DATABASE_URL": f"sqlite:///{named}"}
    with hasty(tmp_path, workers=2, env=env, tracebacks=True) as service:
        assert call(service, "quick", 100).of_status(200) == 100
        all_say(service, "a file that the settings name is left as it is")
        assert named.read_bytes() == GARBAGE
        named.rename(tmp_path / "moved away")
        eventually(lambda: is_well(service), "recovery", within_s=30)
        stores(service, "quick", 100)
