"""What is noise: drawn from one distribution it is told as no change, from two as one."""

from __future__ import annotations

import random

import pytest

from app.model.histogram import Histogram
from app.model.noise import is_clear
from app.model.series import EMPTY, Series


def drawn(requests: int, seed: int, slower: float = 1.0) -> Series:
    rng = random.Random(seed)
    times = [int(5e6 * slower * rng.lognormvariate(0, 0.8)) for _ in range(requests)]
    return Series(ok=Histogram.of(times), min_ns=min(times), max_ns=max(times))


@pytest.mark.parametrize("requests", [20, 100, 1000])
def test_two_draws_of_one_distribution_seldom_differ(requests: int) -> None:
    told = sum(is_clear(drawn(requests, seed), drawn(requests, 1000 + seed)) for seed in range(200))
    assert told <= 8


def test_a_tool_that_became_a_third_slower_is_told_with_enough_requests() -> None:
    told = sum(is_clear(drawn(2000, seed, slower=1.33), drawn(2000, 1000 + seed)) for seed in range(50))
    assert told >= 48


def test_nothing_differs_from_nothing() -> None:
    assert not is_clear(EMPTY, drawn(50, 1))
    assert not is_clear(drawn(50, 1), EMPTY)
