"""Series: what is merged by adding, and what came in between by taking the difference."""

from __future__ import annotations

import pytest

from app.model.histogram import RELATIVE_ERROR, Histogram
from app.model.series import EMPTY, NS_PER_MS, Series, total

MS = 1_000_000


def series(ok: list[int], client: list[int] = [], server: list[int] = [], told: list[int] = []) -> Series:  # noqa: B006 - read only
    """The counters after these requests, in nanoseconds; `told` are failures that the host reported."""
    failed = [*client, *server, *told]
    durations = [*ok, *failed]
    return Series(
        ok=Histogram.of(ok),
        failed=Histogram.of(failed),
        client_errors=len(client),
        server_errors=len(server),
        total_ns=sum(durations),
        min_ns=min(durations, default=0),
        max_ns=max(durations, default=0),
        response_bytes=10 * len(durations),
    )


def test_failures_that_the_host_reports_are_errors_of_neither_class() -> None:
    one = series([MS] * 6, client=[MS], server=[MS] * 2, told=[MS])
    assert (one.requests, one.errors, one.client_errors, one.server_errors) == (10, 4, 1, 2)
    assert one.success_percent == 60.0
    assert one.average_ms == 1.0


def test_without_requests_nothing_is_made_up() -> None:
    assert EMPTY.requests == EMPTY.errors == 0
    assert EMPTY.success_percent is None
    assert EMPTY.average_ms is None
    assert EMPTY.quantiles_ms() is None


def test_adding_is_as_if_one_worker_had_counted_all() -> None:
    here = series([3 * MS, 9 * MS], client=[2 * MS])
    there = series([MS], server=[40 * MS], told=[5 * MS])
    assert here + there == series([3 * MS, 9 * MS, MS], [2 * MS], [40 * MS], [5 * MS])
    assert total([here, there]) == there + here
    assert total([]) == EMPTY


@pytest.mark.parametrize("one", [EMPTY, series([7 * MS]), series([], server=[MS])])
def test_adding_nothing_changes_nothing(one: Series) -> None:
    assert one + EMPTY == one == EMPTY + one


def test_since_is_the_inverse_of_adding() -> None:
    earlier, later = series([5 * MS] * 4, client=[6 * MS]), series([20 * MS] * 3, server=[900 * MS])
    rest = (earlier + later).since(earlier)
    for name in ("ok", "failed", "client_errors", "server_errors", "total_ns", "response_bytes"):
        assert getattr(rest, name) == getattr(later, name), name


def test_since_nothing_keeps_the_exact_extremes() -> None:
    one = series([1_234_567, 7_654_321])
    assert one.since(EMPTY) == one


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ([MS, 500 * MS], [20 * MS, 30 * MS]),
        ([20 * MS], [MS, 500 * MS]),
        ([20 * MS], [20 * MS]),
        ([500 * MS], [20 * MS, 900 * MS]),
        ([1_000_003], [1_000_001]),
    ],
)
def test_the_extremes_of_a_difference_are_within_the_guarantee(earlier: list[int], later: list[int]) -> None:
    rest = series(earlier + later).since(series(earlier))
    assert rest.min_ns == pytest.approx(min(later), rel=RELATIVE_ERROR)
    assert rest.max_ns == pytest.approx(max(later), rel=RELATIVE_ERROR)
    assert min(earlier + later) <= rest.min_ns <= rest.max_ns <= max(earlier + later)


def test_nothing_since_then_is_empty() -> None:
    one = series([5 * MS], client=[7 * MS])
    assert one.since(one) == EMPTY


def test_quantiles_never_leave_the_exact_extremes() -> None:
    one = series([1_234_567] * 3)
    assert one.quantiles_ms((0.0, 0.5, 1.0)) == [1_234_567 / NS_PER_MS] * 3


def test_quantiles_are_taken_over_successes_and_failures_together() -> None:
    one = series([10 * MS] * 90, server=[1000 * MS] * 10)
    found = one.quantiles_ms((0.5, 0.9, 0.91))
    assert found == pytest.approx([10, 10, 1000], rel=RELATIVE_ERROR)


def test_counters_that_shrank_gained_nothing() -> None:
    """A file of theirs is gone: a difference would be negative in some buckets."""
    earlier = Series(ok=Histogram.of([1_000_000, 5_000_000]), total_ns=6_000_000, max_ns=5_000_000)
    shrunk = Series(ok=Histogram.of([5_000_000, 9_000_000, 9_000_000]), total_ns=23_000_000, max_ns=9_000_000)
    assert shrunk.since(earlier) == EMPTY
    assert earlier.since(earlier) == Series(min_ns=0, max_ns=0)
