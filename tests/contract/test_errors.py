"""Every error is a problem that says what was wrong, which value it was, and what is allowed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.front_door import CALL, KEY, Front, problem


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Front:
    return Front(tmp_path_factory.mktemp("front"), max_body_bytes=2048, max_file_bytes=1024)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/performance/none", 404, "not_found"),
        ("/performance", 404, "not_found"),
        ("/nowhere", 404, "not_found"),
        (CALL, 405, "method_not_allowed"),
    ],
)
def test_what_is_not_there_is_a_problem(front: Front, path: str, status: int, code: str) -> None:
    problem(front.get(path), status, code)


def test_a_method_that_is_not_allowed_says_which_are(front: Front) -> None:
    response = front.browser().post("/performance/metrics", headers={"X-API-Key": KEY})
    problem(response, 405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize(
    ("name", "arguments", "status", "code", "told"),
    [
        ("nope", {}, 400, "unknown_tool", ["'nope'", "ping, read_file, list_files"]),
        ("read_file", {}, 400, "bad_arguments", ["file_path"]),
        ("read_file", {"file_path": 5}, 400, "bad_arguments", ["file_path"]),
        ("read_file", {"file_path": "../x"}, 400, "bad_arguments", ["../x"]),
        ("ping", {"extra": 1}, 400, "bad_arguments", ["extra", "no argument"]),
        ("read_file", {"file_path": "absent"}, 404, "not_found", ["absent"]),
        ("read_file", {"file_path": "large"}, 413, "too_large", ["large", "1,024"]),
        ("ping", {"x": "y" * 3000}, 413, "too_large", ["2,048"]),
    ],
)
def test_a_wrong_call_is_told_what_is_wrong(
    front: Front, name: str, arguments: dict[str, object], status: int, code: str, told: list[str]
) -> None:
    (front.settings.workspace / "large").write_text("x" * 1025)
    detail = problem(front.call(name, arguments), status, code)
    assert all(words in detail for words in told), detail


def test_a_body_that_is_no_json_is_told_what_is_allowed(front: Front) -> None:
    response = front.browser().post(CALL, data=b"{]", headers={"X-API-Key": KEY})
    assert '{"name": "<tool>"' in problem(response, 400, "bad_request")


def test_a_store_that_fails_is_told_and_what_memory_knows_still_answers(tmp_path: Path) -> None:
    front = Front(tmp_path)
    front.call("ping")
    assert front.json("/performance/health")["health"]["degraded"] is False
    with closing(sqlite3.connect(front.settings.state_dir / "laptime.sqlite3")) as store:
        store.execute("DROP TABLE laptime_alerts")
        store.execute("DROP TABLE laptime_runs")
    assert front.json("/performance/alerts")["alerts"] == []
    health = front.json("/performance/health")["health"]
    assert (health["status"], health["degraded"]) == ("healthy", True)
    [reason] = health["reasons"]
    assert reason.startswith("the store has lost its tables (since ")
    assert "sqlite" not in reason.lower()
    assert front.json("/performance/metrics")["metrics"]["overview"]["total_requests"] == 1
    assert front.json("/performance/dashboard")["dashboard"]["overview"]["total_requests"] == 1
    problem(front.get("/performance/metrics?window=1h"), 503, "unavailable")
