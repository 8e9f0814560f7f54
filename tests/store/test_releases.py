"""Releases: a mark where the service began to run from another one."""

from __future__ import annotations

import pytest

from app.store import Engine, reading, writing
from app.store.releases import Release, newest, note, read_releases

from .data import START_S


def noted(engine: Engine, *started: tuple[str, str, float]) -> list[Release]:
    for instance, release, at_s in started:
        with writing(engine) as connection:
            note(connection, instance, release, START_S + at_s)
    with reading(engine) as connection:
        return read_releases(connection, START_S, START_S + 1000)


def test_a_start_with_another_release_is_a_mark_and_one_with_the_same_is_none(store: Engine) -> None:
    found = noted(store, ("a", "v1", 0), ("b", "v1", 5), ("a", "v1", 50), ("a", "v2", 60), ("b", "v2", 70))
    assert [(one.release, one.at_s - START_S) for one in found] == [("v1", 0), ("v2", 60)]


def test_a_release_that_comes_back_is_a_mark_again(store: Engine) -> None:
    found = noted(store, ("a", "v1", 0), ("a", "v2", 60), ("a", "v1", 90))
    assert [one.release for one in found] == ["v1", "v2", "v1"]


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_instances_that_start_together_make_one_mark(store: Engine, order: tuple[str, str]) -> None:
    first, second = order
    found = noted(store, (first, "v3", 10.2), (second, "v3", 10.1))
    assert len(found) == 1


def test_the_newest_is_the_one_that_began_last(store: Engine) -> None:
    with reading(store) as connection:
        assert newest(connection) is None
    noted(store, ("a", "v2", 60), ("b", "v1", 20))
    with reading(store) as connection:
        found = newest(connection)
    assert found is not None
    assert found.release == "v2"
