"""The guarantee of the histogram: 1.1 % at every bound of every bucket and for every quantile."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from math import ceil
from random import Random

import pytest

from app.model.histogram import BUCKETS, RELATIVE_ERROR, Histogram, bounds_ns, bucket_of, value_ns

US, MS, S = 1_000, 1_000_000, 1_000_000_000
HOUR = 3600 * S
SIZES = (1, 2, 3, 5, 10, 100, 1000, 5000)
QUANTILES = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0)


def _zoom_in(random: Random) -> Iterator[float]:
    for step in range(10_000):
        yield (step if random.random() < 0.5 else 20_000 - step) * 10 * US + US


def _zoom_out(random: Random) -> Iterator[float]:
    for step in range(10_000):
        yield (10_000 + (step if random.random() < 0.5 else -step)) * 10 * US


def _drawn(draw: Callable[[Random], float]) -> Callable[[Random], Iterator[float]]:
    def forever(random: Random) -> Iterator[float]:
        while True:
            yield draw(random)

    return forever


# Those that sketches are usually tested with, laid over the range that response times have.
DISTRIBUTIONS: dict[str, Callable[[Random], Iterator[float]]] = {
    "uniform forward": lambda _: (US + step * 100 * US for step in range(10_000)),
    "uniform backward": lambda _: (S - step * 100 * US for step in range(10_000)),
    "uniform zoom in": _zoom_in,
    "uniform zoom out": _zoom_out,
    "uniform sqrt": lambda _: (US * (1 + step**0.5) for step in range(10_000)),
    "uniform": _drawn(lambda random: random.uniform(US, HOUR)),
    "constant": _drawn(lambda _: 42 * MS),
    "least": _drawn(lambda _: US),
    "greatest": _drawn(lambda _: HOUR),
    "exponential": _drawn(lambda random: random.expovariate(1 / (20 * MS))),
    "lognormal": _drawn(lambda random: random.lognormvariate(16, 2)),
    "normal": _drawn(lambda random: random.gauss(200 * MS, 40 * MS)),
    "laplace": _drawn(lambda r: 100 * MS + r.choice((-1, 1)) * r.expovariate(1 / (10 * MS))),
    "bimodal": _drawn(lambda r: r.gauss(*r.choice([(5 * MS, MS), (3 * S, 100 * MS)]))),
    "trimodal": _drawn(lambda r: r.gauss(*r.choice([(90 * US, 9 * US), (9 * MS, MS), (30 * S, S)]))),
    "mixed": _drawn(lambda r: r.gauss(2 * MS, MS / 4) if r.random() < 0.99 else r.paretovariate(0.5) * S),
    "pareto": _drawn(lambda random: random.paretovariate(1.0) * MS),
    "whole milliseconds": _drawn(lambda random: random.randint(1, 50) * MS),
}


def test_there_are_eighteen_distributions() -> None:
    assert len(DISTRIBUTIONS) == 18


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("size", SIZES)
def test_every_quantile_is_within_the_guarantee_of_the_nearest_rank(name: str, size: int) -> None:
    drawn = islice(DISTRIBUTIONS[name](Random(f"{name} {size}")), size)
    data = sorted(min(HOUR, max(US, int(value))) for value in drawn)
    estimates = Histogram.of(data).quantiles_ns(QUANTILES)
    assert estimates is not None
    for q, estimate in zip(QUANTILES, estimates, strict=True):
        truth = data[max(1, ceil(q * size)) - 1]
        assert abs(estimate - truth) <= RELATIVE_ERROR * truth, (q, truth, estimate)


def test_a_bucket_takes_what_lies_between_its_bounds_and_stands_for_it_within_the_guarantee() -> None:
    for bucket in range(BUCKETS):
        low, high = bounds_ns(bucket)
        first, last = ceil(low), ceil(high) - 1
        assert bucket_of(first) == bucket_of(last) == bucket
        assert bucket_of(first - 1) == max(0, bucket - 1)
        for duration_ns in (low, first, last, high):
            assert abs(value_ns(bucket) - duration_ns) <= RELATIVE_ERROR * duration_ns


def test_the_buckets_leave_no_gap_from_a_microsecond_to_an_hour() -> None:
    assert all(
        bounds_ns(bucket)[1] == bounds_ns(following)[0] for bucket, following in pairwise(range(BUCKETS))
    )
    assert bounds_ns(0)[0] <= US
    assert bounds_ns(BUCKETS - 1)[1] > HOUR


@pytest.mark.parametrize(
    ("duration_ns", "bucket"), [(0, 0), (1, 0), (999, 0), (24 * HOUR, BUCKETS - 1), (1 << 63, BUCKETS - 1)]
)
def test_the_first_and_the_last_bucket_take_what_lies_outside(duration_ns: int, bucket: int) -> None:
    assert bucket_of(duration_ns) == bucket


def test_an_empty_histogram_has_no_quantiles() -> None:
    assert Histogram().quantiles_ns((0.5,)) is None
    assert Histogram().count == 0
    assert Histogram().counts() == {}


def test_a_sum_is_the_histogram_of_all_durations_and_a_difference_of_the_later_ones() -> None:
    random = Random(7)
    earlier = [int(random.lognormvariate(16, 3)) for _ in range(2000)]
    later = [int(random.lognormvariate(18, 2)) for _ in range(3000)]
    both = Histogram.of(earlier) + Histogram.of(later)
    assert both == Histogram.of(earlier + later)
    assert both - Histogram.of(earlier) == Histogram.of(later)
    assert both - both == Histogram()
    assert both.count == 5000


def test_counts_do_not_run_over_into_the_next_bucket() -> None:
    many = Histogram.from_counts({0: 2**63, 1: 1, BUCKETS - 1: 2**63})
    summed = many + Histogram.from_counts({0: 2**63 - 1})
    assert summed.counts() == {0: 2**64 - 1, 1: 1, BUCKETS - 1: 2**63}


@pytest.mark.parametrize(
    "counts",
    [
        {},
        {0: 1},
        {BUCKETS - 1: 1},
        {BUCKETS - 1: 2**64 - 1},
        dict.fromkeys(range(BUCKETS), 2**64 - 1),
        {bucket: bucket * 0x0102_0304_0506 + 1 for bucket in range(BUCKETS)},
    ],
)
def test_what_is_encoded_is_decoded_again(counts: dict[int, int]) -> None:
    histogram = Histogram.from_counts(counts)
    assert histogram.counts() == counts
    assert Histogram.decode(histogram.encode()) == histogram


def test_an_empty_histogram_takes_no_space() -> None:
    assert Histogram().encode() == b""
    assert Histogram.decode(b"") == Histogram()


def test_a_usual_histogram_is_encoded_in_a_few_hundred_bytes() -> None:
    random = Random(1)
    usual = Histogram.of(int(random.lognormvariate(17, 0.5)) for _ in range(5000))
    assert len(usual.encode()) < 400


_GOOD = Histogram.of(range(1000, 100_000, 1000)).encode()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\0" * 64,
        b"no deflated stream",
        _GOOD[:-1],
        _GOOD[:10],
        _GOOD + b"x",
        _GOOD + _GOOD,
        zlib.compress(bytes(7)),
        zlib.compress(bytes(BUCKETS * 8 + 8)),
        zlib.compress(bytes(50_000_000)),
        zlib.compress(b"\1" * (BUCKETS * 8 + 1)),
    ],
)
def test_bytes_that_no_histogram_encodes_to_are_refused(garbage: bytes) -> None:
    with pytest.raises(ValueError, match="a histogram"):
        Histogram.decode(garbage)


def test_a_histogram_can_be_shown_however_much_it_counted() -> None:
    full = Histogram.from_counts(dict.fromkeys(range(BUCKETS), 2**64 - 1))
    assert repr(Histogram.of([42 * MS])) == f"Histogram.from_counts({{{bucket_of(42 * MS)}: 1}})"
    assert "Histogram.from_counts" in repr(full)
