"""An opened store on each database, and series to put into it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.settings import Settings
from app.store import Engine, make_engine, migrate


@pytest.fixture
def empty(database_url: str) -> Iterator[Engine]:
    """The engine of a store that nothing was done to yet."""
    engine = make_engine(Settings(database_url=database_url))
    yield engine
    engine.dispose()


@pytest.fixture
def store(empty: Engine) -> Engine:
    """The engine of a store with its tables."""
    migrate(empty)
    return empty
