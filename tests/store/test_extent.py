"""How far the store reaches and how much room it takes, on both databases."""

from __future__ import annotations

from sqlalchemy import Engine

from app.model.histogram import Histogram
from app.model.series import Series
from app.store import reading, writing
from app.store.extent import extent
from app.store.rollups import roll_up

START_S = 1_763_995_200


def test_an_empty_store_reaches_nowhere(store: Engine) -> None:
    with reading(store) as connection:
        found = extent(connection)
    assert found.kind in ("SQLite", "PostgreSQL")
    assert found.oldest_s == {}
    assert found.size_bytes > 0


def test_the_oldest_row_of_each_period_is_told(store: Engine) -> None:
    for end_s in (START_S + 10, START_S + 20):
        with writing(store) as connection:
            tools = {"ping": Series(ok=Histogram.of([1_000_000] * (end_s - START_S)))}
            roll_up(connection, instance="a", run="r", started_s=START_S, now_s=end_s, tools=tools)
    with reading(store) as connection:
        assert extent(connection).oldest_s[10] == START_S
