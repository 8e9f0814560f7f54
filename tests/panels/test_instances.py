"""Instances of a fleet: who reports, and who has stopped."""

from __future__ import annotations

from app.panels.instances import instances_answer, instances_sentence
from app.store.history import Reported

from .fake import NOW_S, FakeSources


def fleet(*ages_s: float) -> FakeSources:
    """Instances a, b, ... that reported so long ago."""
    reported = [
        Reported(name, NOW_S - 9000, NOW_S - age_s)
        for name, age_s in zip("abcdefghijkl", ages_s, strict=False)
    ]
    return FakeSources(reported=reported)


def test_one_instance_alone_is_no_news() -> None:
    assert instances_sentence(fleet(3), NOW_S) == ""
    [only] = instances_answer(fleet(3), NOW_S)
    assert (only.name, only.status) == ("a", "reporting")


def test_who_has_stopped_reporting_is_named_for_an_hour_and_listed_for_a_day() -> None:
    sources = fleet(3, 9, 600)
    assert instances_sentence(sources, NOW_S) == (
        "2 instances report: a, b. c is gone: it reported last 10 min ago."
    )
    assert [one.status for one in instances_answer(sources, NOW_S)] == ["reporting", "reporting", "gone"]
    later = fleet(3, 9, 4000)
    assert instances_sentence(later, NOW_S) == "2 instances report: a, b."
    assert len(instances_answer(later, NOW_S)) == 3
    assert len(instances_answer(fleet(3, 90_000), NOW_S)) == 1


def test_a_short_silence_is_none() -> None:
    assert [one.status for one in instances_answer(fleet(3, 100), NOW_S)] == ["reporting", "reporting"]


def test_many_instances_are_counted_and_some_of_them_named() -> None:
    said = instances_sentence(fleet(*[3] * 7), NOW_S)
    assert said == "7 instances report: a, b, c, d, e and 2 more."
    said = instances_sentence(fleet(3, *[300] * 7), NOW_S)
    assert said.startswith("1 instance reports: a. b is gone: it reported last 5 min ago. c is gone")
    assert said.endswith("2 more are gone.")
