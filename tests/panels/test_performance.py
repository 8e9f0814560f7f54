"""The JSON API's four answers as numbers: what is added, judged, ranked and rounded."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from app.capture.cells import CLIENT_ERROR, REPORTED, SERVER_ERROR
from app.model.alerting import SystemSample
from app.model.histogram import Histogram
from app.model.series import Series, Snapshot, ToolTotals, Worker
from app.model.windows import named
from app.panels import measuring, performance
from app.panels.answers import Container, DiskIo, Network, instant
from tests.counting import Counting


@pytest.fixture
def counting(tmp_path: Path) -> Counting:
    return Counting(tmp_path)


def test_a_tools_times_are_those_of_its_requests(counting: Counting) -> None:
    for number in range(1, 101):
        counting.count("a", ms=number)
    found = performance.tool("a", None, counting.live)
    assert found.total_requests == 100
    assert found.avg_response_time == 50.5
    assert (found.min_response_time, found.max_response_time) == (1.0, 100.0)
    assert found.p50_response_time == pytest.approx(50, rel=0.011)
    assert found.p95_response_time == pytest.approx(95, rel=0.011)
    assert found.p99_response_time == pytest.approx(99, rel=0.011)
    assert [one.response_time for one in found.recent_performance] == [float(ms) for ms in range(100, 90, -1)]


def test_every_kind_of_failure_is_an_error_and_two_are_counted_apart(counting: Counting) -> None:
    counting.count("a", 4)
    counting.count("a", 2, outcome=CLIENT_ERROR)
    counting.count("a", 1, outcome=SERVER_ERROR)
    counting.count("a", 1, outcome=REPORTED)
    found = performance.tool("a", None, counting.live)
    assert (found.error_count, found.client_errors, found.server_errors) == (4, 2, 1)
    assert found.success_rate == 50.0


def test_the_overview_adds_all_tools_and_rounds_to_two_places(counting: Counting) -> None:
    counting.count("a", 145)
    counting.count("b", 5, outcome=SERVER_ERROR)
    counting.count("GET /dashboard", 50, own=True, outcome=SERVER_ERROR)
    found = performance.metrics(None, counting.live, counting.started_s + 3600).overview
    assert (found.total_requests, found.total_errors) == (150, 5)
    assert found.overall_success_rate == 96.67
    assert found.uptime_seconds == pytest.approx(3600, abs=0.001)
    assert found.start_time == instant(counting.started_s)


def test_without_a_request_nothing_has_failed(counting: Counting) -> None:
    found = performance.metrics(None, counting.live, counting.started_s).overview
    assert (found.total_requests, found.overall_success_rate, found.uptime_seconds) == (0, 100.0, 0.0)


def test_the_system_is_averaged_over_the_last_25_minutes(counting: Counting) -> None:
    now_s = counting.started_s
    for age_s, cpu in ((1600, 99.0), (1400, 40.0), (700, 20.0), (5, 30.0)):
        counting.ring.append(SystemSample(now_s - age_s, cpu, 50.0, 60.0))
    found = performance.metrics(None, counting.live, now_s).system_metrics.cpu_usage
    assert (found.current, found.average, found.max) == (30.0, 30.0, 40.0)
    found = performance.metrics(named("1h", now_s), counting.live, now_s).system_metrics.cpu_usage
    assert (found.current, found.average, found.max) == (30.0, 47.25, 99.0)


def test_the_system_tells_whose_its_figures_are_and_what_goes_through(counting: Counting) -> None:
    now_s = time.time()
    sample = SystemSample(
        now_s - 5, 10.0, 20.0, 30.0, 371, 512,
        load_average=0.5, received_bytes_per_s=1, sent_bytes_per_s=0,
        read_bytes_per_s=3, written_bytes_per_s=4,
    )  # fmt: skip
    counting.ring.append(sample)
    found = performance.metrics(None, counting.live, now_s).system_metrics
    assert (found.load_average, found.container) == (0.5, None)
    assert (found.network, found.disk_io) == (Network(1, 0), DiskIo(3, 4))
    limited = sample._replace(memory_source="container", oom_kills=1)
    for at_s, kills in ((now_s - 2, 1), (now_s - 1, 3)):
        counting.ring.append(limited._replace(at_s=at_s, oom_kills=kills, received_bytes_per_s=None))
    found = performance.metrics(None, counting.live, now_s).system_metrics
    assert (found.network, found.container) == (None, Container(None, 512, 0, 2))
    counting.ring.append(sample._replace(at_s=now_s, cpu_limit_cores=0.5))
    found = performance.metrics(None, counting.live, now_s).system_metrics
    assert found.container == Container(0.5, None, 0, 2)


def test_without_a_sample_the_system_is_zeros(counting: Counting) -> None:
    found = performance.dashboard(None, counting.live, counting.started_s)
    assert (found.system_metrics.cpu_usage, found.system_metrics.status) == (0.0, "healthy")


@pytest.mark.parametrize(
    ("sample", "status"),
    [
        ((80.0, 80.0, 90.0), "healthy"),
        ((80.1, 0.0, 0.0), "warning"),
        ((0.0, 80.1, 0.0), "warning"),
        ((0.0, 0.0, 90.1), "warning"),
        ((95.1, 0.0, 0.0), "critical"),
        ((0.0, 95.1, 0.0), "critical"),
        ((0.0, 0.0, 95.1), "critical"),
    ],
)
def test_the_machines_health_follows_its_newest_sample(
    counting: Counting, sample: tuple[float, float, float], status: str
) -> None:
    now_s = counting.started_s
    counting.ring.append(SystemSample(now_s - 10, 99.0, 99.0, 99.0))
    counting.ring.append(SystemSample(now_s - 5, *sample))
    found = performance.dashboard(None, counting.live, now_s)
    assert found.overview.system_health == found.system_metrics.status == status


def test_the_five_most_used_tools_come_first_and_ties_by_name(counting: Counting) -> None:
    for name, times in {"z": 3, "y": 3, "x": 9, "w": 1, "v": 2, "u": 2, "t": 1}.items():
        counting.count(name, times)
    found = performance.dashboard(None, counting.live, counting.started_s)
    assert [line.tool_name for line in found.top_tools] == ["x", "y", "z", "u", "v"]


@pytest.mark.parametrize(
    ("good", "bad", "ms", "is_problem"),
    [(9, 1, 1.0, False), (8, 1, 1.0, True), (1, 0, 2000.0, False), (1, 0, 2000.01, True)],
)
def test_a_tool_is_problematic_beyond_the_limits_and_not_on_them(
    counting: Counting, good: int, bad: int, ms: float, is_problem: bool
) -> None:
    counting.count("a", good, ms=ms)
    counting.count("a", bad, outcome=SERVER_ERROR)
    found = performance.dashboard(None, counting.live, counting.started_s + 60)
    assert [line.tool_name for line in found.problematic_tools] == (["a"] if is_problem else [])


def test_the_limits_of_a_problem_are_the_settings(tmp_path: Path) -> None:
    counting = Counting(tmp_path, alert_response_time_ms=10.0, alert_success_rate_percent=50.0)
    counting.count("slow", ms=11)
    counting.count("shaky", 2)
    counting.count("shaky", 1, outcome=SERVER_ERROR)
    found = performance.dashboard(None, counting.live, counting.started_s + 60)
    assert [line.tool_name for line in found.problematic_tools] == ["slow"]


def test_a_problem_is_of_the_last_hour_and_totals_are_since_the_start(counting: Counting) -> None:
    started_s = counting.started_s
    counting.count("once-slow", ms=9000)
    counting.roll_up(started_s + 10)
    counting.count("now-slow", ms=9000)
    counting.roll_up(started_s + 7200)
    found = performance.dashboard(None, counting.live, started_s + 1800)
    assert [line.tool_name for line in found.problematic_tools] == ["now-slow", "once-slow"]
    counting.roll_up(started_s + 7210)
    found = performance.dashboard(None, counting.live, started_s + 7200 + 600)
    assert [line.tool_name for line in found.problematic_tools] == []
    assert {line.tool_name for line in found.top_tools} == {"now-slow", "once-slow"}


def test_in_a_window_only_its_tools_and_newest_requests_are_shown(counting: Counting) -> None:
    counting.count("a", 2)
    counting.roll_up(counting.started_s + 10)
    counting.roll_up(counting.started_s + 4000)
    counting.count("b")
    later_s = counting.started_s + 4000 + 5
    found = performance.metrics(named("15m", later_s), counting.live, later_s)
    assert set(found.tools) == {"b"}
    assert found.overview.total_requests == 1
    assert performance.tool("a", named("15m", later_s), counting.live).recent_performance == []
    assert performance.tool("a", named("6h", later_s), counting.live).total_requests == 2


def test_active_alerts_add_up_to_the_worst_of_them(counting: Counting) -> None:
    now_s = counting.started_s + 1
    counting.count("slow", 3, ms=5000)
    counting.judge(now_s)
    assert performance.health(counting.live).status == "warning"
    counting.count("shaky", 3, outcome=SERVER_ERROR)
    counting.judge(now_s + 5)
    assert performance.health(counting.live).status == "error"
    for at_s in (now_s + 4, now_s + 7, now_s + 9):
        counting.ring.append(SystemSample(at_s, 99.0, 1.0, 1.0))
    counting.judge(now_s + 10)
    found = performance.health(counting.live)
    assert found.status == "critical"
    assert (found.alerts_count, found.critical_count, found.error_count, found.warning_count) == (3, 1, 1, 1)
    assert [one.severity for one in performance.alerts(counting.live, now_s)] == [
        "critical",
        "error",
        "warning",
    ]
    assert performance.alerts(counting.live, now_s)[2].timestamp == instant(now_s)


def cost_of(own_ns: int) -> Series:
    times = [own_ns] * 99 + [5_000_000]  # one lost its processor for a while
    return Series(ok=Histogram.of(times), total_ns=sum(times), min_ns=own_ns, max_ns=max(times))


def test_what_laptime_costs_is_told_by_request_and_as_a_share_of_the_workers_time() -> None:
    own = {"GET /dashboard/": ToolTotals(Series(ok=Histogram.of([50_000_000] * 4), total_ns=200_000_000))}
    workers = (Worker(1, 0.0, 300_000, 0), Worker(2, 0.0, 200_000, 0))
    snapshot = Snapshot("run", 0.0, {}, own, workers, own_cost=cost_of(4000))
    cost = measuring.own_cost(snapshot, now_s=100.0)
    assert cost.timed_requests == 100
    assert cost.microseconds_per_request == pytest.approx(4.0, rel=0.011)
    # 500,000 requests of 4 us each in the 100 s of two workers
    assert cost.worker_time_percent == pytest.approx(1.0, rel=0.011)
    assert (cost.page_requests, cost.page_avg_response_time) == (4, 50.0)
    assert cost.page_worker_time_percent == 0.1


def test_what_was_not_measured_is_told_as_null() -> None:
    snapshot = Snapshot("run", 0.0, {}, {}, ())
    cost, queue = measuring.own_cost(snapshot, now_s=100.0), measuring.queue_time(snapshot.queue)
    assert (cost.microseconds_per_request, cost.worker_time_percent) == (None, None)
    assert (queue.measured_requests, queue.average, queue.p95) == (0, None, None)
