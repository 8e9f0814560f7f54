"""One elected worker samples and judges; when it is killed another goes on, and all workers see the same."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

from app.capture.samples import RING_FILE, SampleRing

from .load import send, tool_call
from .loopback import eventually
from .service import KEY, Service

QUICK = {"LAPTIME_SAMPLE_INTERVAL_S": "1"}


def leader(service: Service) -> int | None:
    """The worker that holds the election's lock, as the kernel tells."""
    lock = service.state / "leader.lock"
    if not lock.exists():  # nobody has stood for election yet
        return None
    inode = lock.stat().st_ino
    for line in Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if "->" not in fields and fields[3] == "WRITE" and int(fields[5].rpartition(":")[2]) == inode:
            return int(fields[4])
    return None


def samples(service: Service) -> list[tuple[float, float]]:
    system: Any = service.metrics()["system_metrics"]
    gauges = [system[name] for name in ("cpu_usage", "memory_usage", "disk_usage")]
    return [(one["current"], one["max"]) for one in gauges]


def alerts(service: Service) -> dict[tuple[str, str], dict[str, Any]]:
    answer = service.get("/performance/alerts").json()
    assert answer["alert_count"] == len(answer["alerts"])
    return {(alert["type"], alert["tool"]): alert for alert in answer["alerts"]}


def test_all_workers_see_the_samples_of_the_elected_one(tmp_path: Path) -> None:
    with Service(tmp_path, workers=3, env=QUICK) as service:
        eventually(lambda: samples(service)[1][0] > 0, "the first sample of memory")
        for _ in range(12):
            assert all(0 < current <= most <= 100 for current, most in samples(service)[1:])
        assert leader(service) in service.workers()


def test_another_worker_takes_over(tmp_path: Path) -> None:
    with Service(tmp_path, workers=4, env=QUICK) as service:
        ring = SampleRing(service.state / RING_FILE)
        for _ in range(2):
            eventually(lambda: leader(service) in service.workers(), "a leader")
            first = leader(service)
            assert first is not None
            service.kill(first)
            killed_s = time.time()
            eventually(partial(ring.since, killed_s), "a sample of the next leader")
            assert leader(service) not in (None, first)


def test_a_failing_tool_is_an_alert_in_the_api_and_ends_when_it_recovers(tmp_path: Path) -> None:
    window = {"LAPTIME_ALERT_WINDOW_S": "30"}
    with Service(tmp_path, workers=2, env=window) as service:
        assert service.get("/performance/health").json()["health"]["error_count"] == 0
        began_s = time.time()
        send(service.url, KEY, [tool_call("read_file", {"file_path": "missing"})] * 20)
        eventually(lambda: ("low_success_rate", "read_file") in alerts(service), "the alert")
        alert = alerts(service)["low_success_rate", "read_file"]
        assert alert["severity"] == "error"
        assert alert["message"] == "Low success rate: 0.0%"
        assert (
            began_s - 1
            < time.mktime(time.strptime(alert["timestamp"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
        )
        health = service.get("/performance/health").json()["health"]
        assert health["status"] in ("error", "critical")
        assert health["error_count"] == 1
        short = service.get("/performance/dashboard").json()["dashboard"]
        assert short["alerts"]["errors"] == 1
        assert [tool["tool_name"] for tool in short["problematic_tools"]] == ["read_file"]

        def is_over() -> bool:
            send(service.url, KEY, [tool_call("read_file", {"file_path": "README.md"})] * 20)
            return ("low_success_rate", "read_file") not in alerts(service)

        eventually(is_over, "the end", within_s=110)


def test_a_slow_tool_is_an_alert_and_each_slow_request_a_line_in_the_log(tmp_path: Path) -> None:
    env = {"LAPTIME_ALERT_RESPONSE_TIME_MS": "1", "LAPTIME_SLOW_MS": "1"}
    with Service(tmp_path, workers=2, env=env) as service:
        for _ in range(5):
            service.call_tool("analyze_code", {"file_path": "app/settings.py"})
        eventually(lambda: ("high_response_time", "analyze_code") in alerts(service), "the alert")
        alert = alerts(service)["high_response_time", "analyze_code"]
        assert alert["severity"] == "warning"
        assert alert["message"].startswith("High average response time: ")
        lines = [line for line in service.output().splitlines() if "slow request: analyze_code took " in line]
        assert len(lines) == 5


def test_names_that_match_no_route_raise_no_alert(tmp_path: Path) -> None:
    with Service(tmp_path, workers=2) as service:
        for _ in range(10):
            assert service.call_tool("no_such_tool").status == 400
            assert service.get("/no/such/page").status == 404
        assert service.metrics()["tools"]["(unmatched)"]["total_requests"] == 20
        time.sleep(11)  # two rounds of judging
        assert not [key for key in alerts(service) if key[1] != "system"]
