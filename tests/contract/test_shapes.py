"""Every answer of the JSON API, member by member and type by type, of an idle and of a used service."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from app.capture.samples import RING_FILE, SampleRing
from app.jobs.sample_system import SampleSystem
from tests.contract.shapes import ANSWERS, CALLED, differences
from tests.front_door import Front


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Front:
    return Front(tmp_path_factory.mktemp("idle"))


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Front:
    """A service with successes, client errors, a sample of the machine, alerts and rolled-up history."""
    # Judged by limits that hold for sure, so that every kind of alert is there.
    lowest: dict[str, Any] = {"alert_cpu_percent": 1, "alert_memory_percent": 1, "alert_disk_percent": 1}
    front = Front(tmp_path_factory.mktemp("used"), alert_response_time_ms=0.0001, **lowest)
    for _ in range(3):
        assert front.call("ping").status_code == 200
    front.roll_up(time.time())
    assert front.call("read_file", {"file_path": "absent"}).status_code == 404
    assert front.call("no_such_tool").status_code == 400
    ring = SampleRing(front.settings.state_dir / RING_FILE)
    job = SampleSystem(ring, front.settings.state_dir, front.app.service.sources().snapshot)
    for _ in range(2):
        job.run(time.time())
    front.judge(time.time())
    return front


@pytest.mark.parametrize("path", ANSWERS)
def test_an_idle_service_answers_in_the_shape_of_the_contract(idle: Front, path: str) -> None:
    assert differences(idle.json(path), ANSWERS[path]) == []


@pytest.mark.parametrize("path", ANSWERS)
def test_a_used_service_answers_in_the_shape_of_the_contract(used: Front, path: str) -> None:
    assert differences(used.json(path), ANSWERS[path]) == []


def test_the_used_service_fills_every_list_of_the_contract(used: Front) -> None:
    assert used.json("/performance/alerts")["alerts"]
    dashboard = used.json("/performance/dashboard")["dashboard"]
    assert dashboard["top_tools"]
    assert dashboard["problematic_tools"]
    assert used.json("/performance/metrics?tool_name=ping")["metrics"]["recent_performance"]
    assert used.json("/performance/metrics")["metrics"]["system_metrics"]["memory_usage"]["current"] > 0


@pytest.mark.parametrize("path", ANSWERS)
def test_answers_are_json_that_nobody_stores(used: Front, path: str) -> None:
    response = used.get(path)
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ping", {}),
        ("read_file", {"file_path": "notes.txt"}),
        ("list_files", {"directory": "."}),
        ("get_system_status", {}),
        ("analyze_code", {"file_path": "notes.txt"}),
    ],
)
def test_every_tool_answers_in_the_shape_of_the_contract(
    used: Front, name: str, arguments: dict[str, str]
) -> None:
    response = used.call(name, arguments)
    assert response.status_code == 200
    assert differences(response.json, CALLED) == []
    assert response.json is not None
    assert response.json["tool"] == name
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"status": "healthy", "version": "1", "timestamp": "2025-08-07T18:00:00"}, "which is no instant"),
        ({"status": "fine", "version": "1", "timestamp": "2025-08-07T18:00:00+00:00"}, "which is no member"),
        ({"status": "healthy", "version": 1, "timestamp": "2025-08-07T18:00:00+00:00"}, "which is no text"),
        ({"status": "healthy", "version": "1"}, "is missing"),
        ({"status": "healthy", "version": "1", "timestamp": "2025-08-07T18:00:00Z", "x": 1}, "not in the"),
    ],
)
def test_the_check_finds_what_is_wrong(value: object, told: str) -> None:
    found = differences(value, ANSWERS["/health"])
    assert len(found) == 1
    assert told in found[0]


def test_liveness_does_not_touch_the_store(tmp_path: Path) -> None:
    front = Front(tmp_path, waits=False, database_url=f"sqlite:///{tmp_path}")  # a folder is no database
    assert front.get("/health", key=None).status_code == 200
