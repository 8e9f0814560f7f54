"""Fixtures that more than one room's tests need."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.jobs.schedule import Schedule

from . import postgres

CHECKOUT = Path(__file__).parents[1]
_SOURCES = ("app", "pyproject.toml", "requirements.txt", "README.md", "LICENSE")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a PostgreSQL server that runs as long as the tests do."""
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store: each test that asks for it runs on both databases."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite3'}"
    return postgres.new_database(request.getfixturevalue("postgres_url"))


@pytest.fixture(autouse=True)
def _jobs_end_with_their_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stop the timetables that services in this process have started: they would go on without a store."""
    started: list[Schedule] = []
    start = Schedule.start

    def noted(schedule: Schedule) -> None:
        started.append(schedule)
        start(schedule)

    monkeypatch.setattr(Schedule, "start", noted)
    yield
    for schedule in started:
        schedule.stop()


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that the checkout stays as it is."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    subprocess.run(["cp", "-R", *(CHECKOUT / name for name in _SOURCES), source], check=True)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", target, source], check=True, stdin=subprocess.DEVNULL)
    (built,) = target.iterdir()
    return built
