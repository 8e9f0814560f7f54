"""The three headers on every measured response, and the line in the log for a slow one."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from tests.front_door import Front

OURS = {"X-Response-Time", "X-Request-Success", "Server-Timing"}


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Front:
    return Front(tmp_path_factory.mktemp("front"))


@pytest.mark.parametrize(
    ("path", "success"),
    [
        ("/tools/list", "true"),
        ("/", "true"),
        ("/performance/health", "true"),
        ("/performance/metrics?window=x", "false"),
        ("/nowhere", "false"),
    ],
)
def test_every_response_tells_its_time_and_its_success(front: Front, path: str, success: str) -> None:
    headers = front.get(path).headers
    time_ms = re.fullmatch(r"(\d+\.\d\d)ms", headers["X-Response-Time"])
    assert time_ms
    assert headers["Server-Timing"] == f"app;dur={time_ms[1]}"
    assert headers["X-Request-Success"] == success


def test_a_refused_call_is_no_success(front: Front) -> None:
    assert front.call("ping", key=None).headers["X-Request-Success"] == "false"
    assert front.call("ping").headers["X-Request-Success"] == "true"


def test_the_headers_can_be_turned_off(tmp_path: Path) -> None:
    front = Front(tmp_path, response_headers=False)
    assert OURS.isdisjoint(front.get("/tools/list").headers.keys())
    assert set(front.json("/performance/metrics")["metrics"]["tools"]) == {"GET /tools/list"}


def test_a_request_over_the_slow_threshold_is_logged_with_its_tool(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    front = Front(tmp_path, slow_ms=0.001)
    with caplog.at_level(logging.WARNING, "laptime.slow"):
        front.call("ping")
    (record,) = [record for record in caplog.records if record.name == "laptime.slow"]
    assert record.levelno == logging.WARNING
    assert re.fullmatch(r"slow request: ping took \d+\.\d ms \(status 200\)", record.getMessage())


def test_a_quick_request_is_not_logged(front: Front, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "laptime.slow"):
        front.call("ping")
    assert [record for record in caplog.records if record.name == "laptime.slow"] == []
