"""The store locked, read-only, another user's or without room: the reason says which, and requests go on."""

from __future__ import annotations

import os
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.journeys.loopback import eventually
from tests.journeys.service import PROGRAMS, Service

from .disks import fill, mounted, remounted
from .measured import call, counted
from .stores import ASKED, all_say, hasty, is_sane, is_well, stores

NOBODY = 65534
SOON_S = 10  # the longest that a fault may go without being told


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB for the database alone."""
    with mounted(tmp_path / "disk", "1m") as place:
        yield place


def on(place: Path) -> dict[str, str]:
    return {"LAPTIME_DATABASE_URL": f"sqlite:///{place / 'laptime.db'}"}


@contextmanager
def held(path: Path) -> Iterator[None]:
    """The file, held by another process for itself alone."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


def goes_on(service: Service, answered: int) -> None:
    """All of 200 more requests are answered and counted, by the same workers."""
    workers = service.workers()
    assert call(service, "quick", 200).of_status(200) == 200
    assert {counted(service, "quick") for _ in range(ASKED)} == {answered}
    assert service.workers() == workers


def test_a_locked_store_is_told_from_one_that_does_not_answer(tmp_path: Path) -> None:
    with hasty(tmp_path, workers=2, tracebacks=True) as service:
        assert call(service, "quick", 100).of_status(200) == 100
        stores(service, "quick", 100)
        with held(service.state / "laptime.sqlite3"):
            all_say(service, "the store is locked by another process: ", within_s=SOON_S)
            goes_on(service, 300)
            assert "is locked by another process" in service.get("/dashboard/").body.decode()
        eventually(lambda: is_well(service), "recovery", within_s=30)
        stores(service, "quick", 300)
    assert is_sane(service.state / "laptime.sqlite3")


def test_a_full_disk_is_told_and_what_was_counted_meanwhile_is_stored_when_there_is_room(
    tmp_path: Path, disk: Path
) -> None:
    with hasty(tmp_path, workers=2, env=on(disk), tracebacks=True) as service:
        assert call(service, "quick", 100).of_status(200) == 100
        stores(service, "quick", 100)
        filler = fill(disk)
        for number in range(100):  # what the log of the database has no room for
            assert service.get(f"/named/tool-{number}").status == 200
        all_say(service, "the store has no room: its disk is full: ", within_s=SOON_S)
        goes_on(service, 300)
        filler.unlink()
        eventually(lambda: is_well(service), "recovery", within_s=30)
        stores(service, "quick", 300)
        assert service.metrics("?window=1h")["overview"]["total_requests"] - 400 == counted(service, "health")
    assert is_sane(disk / "laptime.db")


def test_a_read_only_disk_is_told_and_recovered_from(tmp_path: Path, disk: Path) -> None:
    with hasty(tmp_path, workers=2, env=on(disk)) as service:
        assert call(service, "quick", 100).of_status(200) == 100
    remounted(disk, "ro")
    with hasty(tmp_path, workers=2, env=on(disk), tracebacks=True) as service:
        all_say(service, "the store is read-only: so is its disk", within_s=SOON_S)
        goes_on(service, 200)
        remounted(disk, "rw")
        eventually(lambda: is_well(service), "recovery", within_s=30)
        stores(service, "quick", 300)
    assert is_sane(disk / "laptime.db")


@pytest.fixture
def unprivileged(tmp_path: Path) -> Path:
    """A folder with a gunicorn that can't pass over a file's permissions, though it runs as root."""
    folder = tmp_path / "programs"
    folder.mkdir()
    lowered = "exec setpriv --bounding-set=-dac_override,-dac_read_search"
    (folder / "gunicorn").write_text(f'#!/bin/sh\n{lowered} {shlex.quote(str(PROGRAMS / "gunicorn"))} "$@"\n')
    (folder / "gunicorn").chmod(0o755)
    return folder


def test_a_store_of_another_user_is_told_and_recovered_from(
    tmp_path: Path, disk: Path, unprivileged: Path
) -> None:
    with hasty(tmp_path, workers=2, env=on(disk)) as service:
        assert call(service, "quick", 100).of_status(200) == 100
    words = f"the store belongs to another user (id {NOBODY}; the service runs as {os.geteuid()})"
    os.chown(disk / "laptime.db", NOBODY, NOBODY)
    with hasty(tmp_path, workers=2, env=on(disk), programs=unprivileged, tracebacks=True) as service:
        all_say(service, words, within_s=SOON_S)
        os.chown(disk / "laptime.db", os.geteuid(), os.getegid())
        eventually(lambda: is_well(service), "recovery", within_s=30)
        os.chown(disk, NOBODY, NOBODY)
        all_say(service, words, within_s=SOON_S)
        goes_on(service, 200)
        os.chown(disk, os.geteuid(), os.getegid())
        eventually(lambda: is_well(service), "recovery", within_s=30)
        stores(service, "quick", 300)
    assert is_sane(disk / "laptime.db")
