"""Erlang's formulas against values that can be had by hand or from his own tables."""

from __future__ import annotations

from math import factorial

import pytest

from app.model.alerting import SystemSample
from app.model.staffing import busiest_minute, saturation_percent, servers_needed, waiting, workers_needed

MINUTE_S = 1_754_589_600.0  # a whole minute


def by_definition(servers: int, erlangs: float) -> float:
    """Erlang's C formula as he wrote it, with its sums."""
    last = erlangs**servers / factorial(servers) * servers / (servers - erlangs)
    return last / (sum(erlangs**number / factorial(number) for number in range(servers)) + last)


@pytest.mark.parametrize(("servers", "erlangs"), [(1, 0.3), (2, 1.0), (4, 3.9), (10, 7.5), (40, 31.0)])
def test_the_recursion_gives_what_the_definition_says(servers: int, erlangs: float) -> None:
    assert waiting(servers, erlangs) == pytest.approx(by_definition(servers, erlangs), rel=1e-9)


@pytest.mark.parametrize(("servers", "share"), [(1, 1.0), (2, 1 / 3), (3, 1 / 11), (4, 1 / 49)])
def test_one_erlang_waits_as_in_the_textbook(servers: int, share: float) -> None:
    assert waiting(servers, 1.0) == pytest.approx(share)


def test_one_server_is_taken_as_often_as_it_is_loaded() -> None:
    assert waiting(1, 0.25) == pytest.approx(0.25)
    assert waiting(3, 0.0) == 0.0


@pytest.mark.parametrize("erlangs", [2.0, 2.1, 50.0])
def test_a_load_that_is_not_below_the_servers_always_waits(erlangs: float) -> None:
    assert waiting(2, erlangs) == 1.0


@pytest.mark.parametrize(
    ("erlangs", "servers"), [(0.0, 1), (0.05, 1), (0.06, 2), (1.0, 4), (10.0, 17), (100.0, 119)]
)
def test_the_least_number_of_servers_is_found(erlangs: float, servers: int) -> None:
    assert servers_needed(erlangs) == servers
    assert waiting(servers, erlangs) <= 0.05
    assert servers == 1 or waiting(servers - 1, erlangs) > 0.05


def test_workers_are_so_many_that_their_slots_are_enough() -> None:
    assert workers_needed(1.0, slots=2, workers=2) == 4
    assert workers_needed(1.0, slots=8, workers=2) == 1
    assert workers_needed(10.0, slots=6, workers=2) == 6


def test_saturation_is_a_share_and_never_more_than_all() -> None:
    assert saturation_percent(1.0, 4) == 25.0
    assert saturation_percent(4.2, 4) == 100.0
    assert saturation_percent(1.0, None) is None
    assert saturation_percent(None, 4) is None


def sample(at_s: float, in_flight: float | None) -> SystemSample:
    return SystemSample(MINUTE_S + at_s, 1.0, 1.0, 1.0, in_flight=in_flight)


def test_the_busiest_minute_is_the_mean_of_what_was_sampled_in_it() -> None:
    calm = [sample(second, 0.5) for second in range(0, 120, 5)]
    rush = [sample(second, 3.0 if second % 10 else 1.0) for second in range(120, 180, 5)]
    assert busiest_minute([*calm, *rush]) == pytest.approx(2.0)


def test_samples_count_by_the_time_that_they_tell_of() -> None:
    assert busiest_minute([sample(0, 9.0), sample(10, 4.0), sample(50, 1.0)]) == pytest.approx(1.6)


def test_a_moment_is_no_minute() -> None:
    assert busiest_minute([]) is None
    assert busiest_minute([sample(0, 5.0)]) is None
    assert busiest_minute([sample(second, 5.0) for second in (0, 5, 10)]) is None
    assert busiest_minute([sample(0, 1.0), sample(60, 2.0)]) == 2.0


def test_what_is_not_known_is_no_calm_minute() -> None:
    known = [sample(second, 1.0) for second in range(0, 60, 5)]
    unknown = [sample(second, None) for second in range(60, 120, 5)]
    assert busiest_minute([*known, *unknown]) == 1.0
    assert busiest_minute(unknown) is None
