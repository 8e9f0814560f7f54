"""Alerts from a call to the JSON API: they appear, say what was promised, and go."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import pytest

from app.capture.cells import NOWHERE, SUCCESS
from app.capture.samples import RING_FILE, SampleRing
from app.model.alerting import SystemSample
from tests.contract.shapes import ANSWERS, differences
from tests.front_door import Front


@pytest.fixture
def front(tmp_path: Path) -> Front:
    return Front(tmp_path)


def slow(front: Front, tool: str, ms: float) -> None:
    """A request that took `ms`, counted as the hook counts it."""
    counted = front.app.service.recorder.tool(tool, False)
    counted.count(NOWHERE, perf_counter_ns(), round(ms * 1e6), SUCCESS, 0)


def sample(front: Front, at_s: float, cpu: float = 5.0, memory: float = 5.0, disk: float = 5.0) -> None:
    ring = SampleRing(front.settings.state_dir / RING_FILE)
    for age_s in (8, 4, 0):  # one alone is not judged
        ring.append(SystemSample(at_s - age_s, cpu, memory, disk))


def alerts(front: Front) -> list[dict[str, Any]]:
    """The active alerts, after checks that hold for all of them."""
    body = front.json("/performance/alerts")
    assert differences(body, ANSWERS["/performance/alerts"]) == []
    assert body["alert_count"] == len(body["alerts"])
    found: list[dict[str, Any]] = body["alerts"]
    return found


def kinds(front: Front) -> list[tuple[str, str, str]]:
    return [(one["type"], one["tool"], one["severity"]) for one in alerts(front)]


def health(front: Front) -> dict[str, Any]:
    body: dict[str, Any] = front.json("/performance/health")["health"]
    return body


def test_an_idle_service_is_healthy(front: Front) -> None:
    front.judge(time.time())
    assert alerts(front) == []
    assert health(front) == {
        "status": "healthy",
        "alerts_count": 0,
        "critical_count": 0,
        "error_count": 0,
        "warning_count": 0,
        "degraded": False,
        "reasons": [],
    }


def test_a_slow_tool_raises_a_warning_that_says_since_when(front: Front) -> None:
    began_s = float(int(time.time()) + 1)
    for _ in range(3):
        slow(front, "analyze_code", 2150.45)
    front.judge(began_s)
    slow(front, "analyze_code", 2150.45)
    front.judge(began_s + 60)
    [alert] = alerts(front)
    expected = {
        "type": "high_response_time",
        "tool": "analyze_code",
        "severity": "warning",
        "message": "High average response time: 2150.45ms",
        "timestamp": datetime.fromtimestamp(began_s, UTC).isoformat(),
    }
    assert {name: alert[name] for name in expected} == expected
    assert health(front)["status"] == "warning"
    assert health(front)["warning_count"] == 1
    assert front.json("/performance/dashboard")["dashboard"]["alerts"] == {
        "count": 1,
        "critical": 0,
        "warnings": 1,
        "errors": 0,
    }


def test_a_failing_tool_raises_an_error(front: Front) -> None:
    front.call("ping")
    for name in ("notes.txt", "absent") * 3:
        front.call("read_file", {"file_path": name})
    front.judge(time.time())
    assert kinds(front) == [("low_success_rate", "read_file", "error")]
    assert alerts(front)[0]["message"] == "Low success rate: 50.0%"
    assert health(front)["status"] == "error"
    assert health(front)["error_count"] == 1


def fail(front: Front, times: int = 3) -> None:
    for _ in range(times):
        front.call("read_file", {"file_path": "absent"})


def test_an_alert_without_requests_stays_for_a_while_and_ends_without_data(front: Front) -> None:
    now_s = time.time()
    fail(front)
    front.roll_up(now_s)
    front.judge(now_s, for_s=320)
    assert [one["state"] for one in alerts(front)] == ["no_data"]
    front.judge(now_s + 320, for_s=1800)
    assert alerts(front) == []
    assert health(front)["status"] == "healthy"


def test_an_alert_ends_when_it_has_been_well_for_a_minute(front: Front) -> None:
    now_s = time.time()
    fail(front, 3)
    front.judge(now_s)
    assert len(alerts(front)) == 1
    for _ in range(27):
        front.call("read_file", {"file_path": "notes.txt"})
    front.judge(now_s + 5, for_s=120)
    assert len(alerts(front)) == 1  # 90 % is not below 90 %, but not well yet
    for _ in range(10):
        front.call("read_file", {"file_path": "notes.txt"})
    front.judge(now_s + 130, for_s=50)
    assert len(alerts(front)) == 1
    front.judge(now_s + 185, for_s=10)
    assert alerts(front) == []


@pytest.mark.parametrize(
    ("ms", "raised"), [(2000.0, []), (2000.01, [("high_response_time", "ping", "warning")])]
)
def test_the_limit_itself_raises_nothing(front: Front, ms: float, raised: list[object]) -> None:
    for _ in range(3):
        slow(front, "ping", ms)
    front.judge(time.time())
    assert kinds(front) == raised


@pytest.mark.parametrize(
    ("measured", "raised"),
    [
        ({"cpu": 80.0, "memory": 80.0, "disk": 90.0}, []),
        ({"cpu": 80.1}, [("high_cpu_usage", "system", "warning")]),
        ({"cpu": 95.0}, [("high_cpu_usage", "system", "warning")]),
        ({"cpu": 95.1}, [("high_cpu_usage", "system", "critical")]),
        ({"memory": 80.1}, [("high_memory_usage", "system", "warning")]),
        ({"memory": 99.0}, [("high_memory_usage", "system", "critical")]),
        ({"disk": 90.1}, [("high_disk_usage", "system", "warning")]),
        ({"disk": 95.1}, [("high_disk_usage", "system", "critical")]),
    ],
)
def test_the_machine_raises_alerts_of_the_system(
    front: Front, measured: dict[str, float], raised: list[tuple[str, str, str]]
) -> None:
    now_s = time.time()
    sample(front, now_s - 1, **measured)
    front.judge(now_s)
    assert kinds(front) == raised
    status = raised[0][2] if raised else "healthy"
    assert health(front)["status"] == status
    dashboard = front.json("/performance/dashboard")["dashboard"]
    assert dashboard["overview"]["system_health"] == status
    assert dashboard["system_metrics"]["status"] == status


def test_an_alert_that_grows_worse_is_the_same_alert(front: Front) -> None:
    now_s = float(int(time.time()) + 1)
    sample(front, now_s - 1, cpu=85)
    front.judge(now_s)
    sample(front, now_s + 74, cpu=99)
    front.judge(now_s + 75)
    (alert,) = alerts(front)
    assert alert["severity"] == "critical"
    assert alert["timestamp"] == datetime.fromtimestamp(now_s, UTC).isoformat()


def test_the_worst_alert_comes_first_and_makes_the_status(front: Front) -> None:
    now_s = time.time()
    for _ in range(3):
        slow(front, "analyze_code", 3000)
    fail(front)
    sample(front, now_s - 1, memory=99)
    front.judge(now_s)
    assert [one["severity"] for one in alerts(front)] == ["critical", "error", "warning"]
    assert health(front) == {
        "status": "critical",
        "alerts_count": 3,
        "critical_count": 1,
        "error_count": 1,
        "warning_count": 1,
        "degraded": False,
        "reasons": [],
    }


def test_an_old_sample_says_nothing_about_now(front: Front) -> None:
    now_s = time.time()
    sample(front, now_s - 120, cpu=99)
    front.judge(now_s)
    assert alerts(front) == []


def test_unmatched_requests_and_laptimes_own_raise_no_alert(front: Front) -> None:
    for _ in range(5):
        front.call("no_such_tool")
        front.get("/performance/metrics?window=x")
    front.judge(time.time())
    assert alerts(front) == []


def test_fewer_requests_than_the_least_raise_no_alert(tmp_path: Path) -> None:
    front = Front(tmp_path, alert_min_requests=5)
    for raised in (0, 0, 0, 0, 1):
        front.call("read_file", {"file_path": "absent"})
        front.judge(time.time())
        assert len(alerts(front)) == raised


def test_one_busy_moment_is_no_alert_and_the_mean_of_a_minute_is_judged(front: Front) -> None:
    ring = SampleRing(front.settings.state_dir / RING_FILE)
    now_s = time.time()
    ring.append(SystemSample(now_s - 10, 100.0, 5.0, 5.0))
    ring.append(SystemSample(now_s - 5, 100.0, 5.0, 5.0))
    front.judge(now_s - 4)
    assert alerts(front) == []
    ring.append(SystemSample(now_s, 20.0, 5.0, 5.0))
    front.judge(now_s)
    assert alerts(front) == []
    for after_s in range(5, 65, 5):
        ring.append(SystemSample(now_s + after_s, 99.0, 5.0, 5.0))
    front.judge(now_s + 75)
    (alert,) = alerts(front)
    assert (alert["type"], alert["severity"]) == ("high_cpu_usage", "critical")
    assert alert["message"] == "High CPU usage: 99.0%"
