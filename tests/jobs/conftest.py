from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.settings import Settings
from app.store import make_engine, migrate
from tests.capture.forks import Forks, forks

from .scripted import Scene


@pytest.fixture(name="forks")
def _forks() -> Iterator[Forks]:
    with forks() as made:
        yield made


@pytest.fixture
def scene(database_url: str) -> Iterator[Scene]:
    """A scene on each database."""
    engine = make_engine(Settings(database_url=database_url))
    migrate(engine)
    yield Scene(engine)
    engine.dispose()
