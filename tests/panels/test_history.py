"""The course of each metric: its points, its gaps, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.capture.cells import CLIENT_ERROR, SERVER_ERROR
from app.errors import BadRequestError
from app.model.alerting import SystemSample
from app.model.metrics import OF_REQUESTS, OF_THE_MACHINE
from app.model.windows import NAMED, between, named
from app.panels.answers import History
from app.panels.history import history
from tests.counting import Counting


@pytest.fixture
def counting(tmp_path: Path) -> Counting:
    return Counting(tmp_path)


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Counting:
    """One that nothing is called of, so that all tests which only ask it may share it."""
    return Counting(tmp_path_factory.mktemp("idle"))


def values(found: History) -> list[float | int | None]:
    return [point.value for point in found.points]


def test_what_came_lies_in_the_newest_points_and_before_the_start_is_a_gap(counting: Counting) -> None:
    counting.count("a", 3, ms=10)
    counting.count("a", 1, ms=10, outcome=CLIENT_ERROR)
    counting.count("b", 2, ms=100, outcome=SERVER_ERROR)
    now_s = counting.started_s + 1
    window = named("15m", now_s)
    told = {
        metric: values(history(metric, None, window, counting.live))[-2:]
        for metric in ("requests", "errors", "client_errors", "server_errors", "bytes", "success_rate")
    }
    sums = {metric: sum(value or 0 for value in found) for metric, found in told.items()}
    assert sums == {
        "requests": 6, "errors": 3, "client_errors": 1, "server_errors": 2, "bytes": 60, "success_rate": 50.0,
    }  # fmt: skip
    assert set(values(history("requests", None, window, counting.live))[:-3]) == {None}


@pytest.mark.parametrize(
    ("metric", "expected"), [("average", 55.0), ("p50", 10.0), ("p95", 100.0), ("max", 100.0)]
)
def test_times_are_of_merged_buckets(counting: Counting, metric: str, expected: float) -> None:
    counting.count("a", 1, ms=10)
    counting.count("a", 1, ms=100)
    window = named("15m", counting.started_s + 1)
    [value] = [one for one in values(history(metric, "a", window, counting.live)) if one is not None]
    assert value == pytest.approx(expected, rel=0.011)


def test_a_tool_that_was_not_called_has_zeros_where_the_service_ran_and_no_time(counting: Counting) -> None:
    counting.count("a", 5)
    window = named("15m", counting.started_s + 1)
    requests = values(history("requests", "never", window, counting.live))
    assert {one for one in requests if one is not None} == {0}
    assert set(values(history("p95", "never", window, counting.live))) == {None}
    assert set(values(history("queue_time", "a", window, counting.live))) == {None}


def test_the_machine_is_the_mean_of_each_steps_samples(counting: Counting) -> None:
    start_s = counting.started_s // 60 * 60
    for second, cpu in ((1, 10.0), (2, 30.0), (61, 50.0)):
        counting.ring.append(SystemSample(start_s + second, cpu, 40.0, 70.0))
    window = named("1h", start_s + 119)
    assert values(history("cpu", None, window, counting.live))[-2:] == [20.0, 50.0]
    assert values(history("disk", None, window, counting.live))[-3:] == [None, 70.0, 70.0]


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("metric", [*OF_REQUESTS, *OF_THE_MACHINE])
def test_every_metric_has_every_window_in_a_bounded_number_of_points(
    idle: Counting, name: str, metric: str
) -> None:
    found = history(metric, None, named(name, idle.started_s + 1), idle.live)
    assert 60 <= len(found.points) <= 370
    stamps = [point.timestamp for point in found.points]
    assert stamps == sorted(stamps)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2025-11-24T00:00:00+00:00", "2025-11-24T00:00:01+00:00"),
        ("2024-12-01T00:00:00Z", "2025-11-24T00:00:00Z"),
    ],
)
def test_two_dates_are_bounded_too(idle: Counting, start: str, end: str) -> None:
    window = between(start, end, idle.started_s)
    assert 1 <= len(history("requests", None, window, idle.live).points) <= 400


@pytest.mark.parametrize(
    ("metric", "tool", "told"),
    [
        ("speed", None, "allowed is requests, errors, "),
        ("", None, "metric is ''"),
        ("cpu", "ping", "is of the machine and not of a tool"),
    ],
)
def test_nonsense_is_told_what_is_allowed(idle: Counting, metric: str, tool: str | None, told: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        history(metric, tool, named("1h", idle.started_s), idle.live)
    assert told in caught.value.detail
