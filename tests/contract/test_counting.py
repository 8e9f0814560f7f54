"""What counts, under which name, and that it is in the very next read."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.front_door import CALL, KEY, Front

CALL_ROUTE = f"POST {CALL}"


@pytest.fixture
def front(tmp_path: Path) -> Front:
    return Front(tmp_path)


def tools(front: Front, query: str = "") -> dict[str, Any]:
    found: dict[str, Any] = front.json(f"/performance/metrics{query}")["metrics"]["tools"]
    return found


def requests(front: Front, query: str = "") -> dict[str, int]:
    return {name: one["total_requests"] for name, one in tools(front, query).items()}


def test_every_call_is_in_the_very_next_read_under_its_own_name(front: Front) -> None:
    for number in range(1, 21):
        assert front.call("ping").status_code == 200
        assert requests(front) == {"ping": number}


def test_client_errors_are_errors_of_their_tool_and_counted_apart(front: Front) -> None:
    front.call("read_file", {"file_path": "notes.txt"})
    for _ in range(3):
        assert front.call("read_file", {"file_path": "absent"}).status_code == 404
    found = tools(front)["read_file"]
    assert (found["total_requests"], found["error_count"]) == (4, 3)
    assert (found["client_errors"], found["server_errors"]) == (3, 0)
    assert found["success_rate"] == 25.0
    overview = front.json("/performance/metrics")["metrics"]["overview"]
    assert overview["total_requests"] == 4
    assert overview["total_errors"] == 3
    assert overview["overall_success_rate"] == 25.0


def test_an_unknown_tool_counts_as_unmatched_and_its_name_is_nowhere(front: Front) -> None:
    front.call("made-up-by-a-stranger")
    front.get("/no/such/page")
    assert requests(front) == {"(unmatched)": 2}
    assert "made-up" not in front.get("/performance/metrics").text


def test_a_call_that_names_no_tool_counts_under_its_route(front: Front) -> None:
    browser = front.browser()
    browser.post(CALL, data=b"{", headers={"X-API-Key": KEY})
    front.get("/tools/list")
    assert requests(front) == {CALL_ROUTE: 1, "GET /tools/list": 1}


def test_whoever_is_turned_away_calls_no_tool_and_raises_no_tools_alert(front: Front) -> None:
    front.call("ping", key=None)
    front.call("ping", key="not the key at all")
    assert requests(front) == {"(unmatched)": 2}
    front.judge(time.time())
    assert front.json("/performance/alerts")["alerts"] == []


def test_a_call_that_is_too_large_counts_as_a_client_error(tmp_path: Path) -> None:
    front = Front(tmp_path, max_body_bytes=1024)
    assert front.call("ping", {"x": "y" * 2000}).status_code == 413
    assert tools(front)[CALL_ROUTE]["client_errors"] == 1


def test_laptimes_own_requests_are_in_no_total_and_no_table(front: Front) -> None:
    front.call("ping")
    for path in ("/", "/health", "/dashboard", "/dashboard/signin", "/favicon.ico"):
        front.get(path, key=None)
    for path in ("/performance/health", "/performance/none", "/performance", "/performance/metrics?window=x"):
        front.get(path)
    assert requests(front) == {"ping": 1}
    assert requests(front, "?window=15m") == {"ping": 1}
    dashboard = front.json("/performance/dashboard")["dashboard"]
    assert dashboard["overview"]["total_requests"] == 1
    assert [line["tool_name"] for line in dashboard["top_tools"]] == ["ping"]
    assert dashboard["problematic_tools"] == []


@pytest.mark.parametrize("query", ["", "&window=15m", "&window=1y"])
def test_a_name_never_seen_is_zeros_and_nothing_remembers_it(front: Front, query: str) -> None:
    front.call("ping")
    body = front.json(f"/performance/metrics?tool_name={quote('never seen/é')}{query}")
    assert body["metrics"] == {
        "tool_name": "never seen/é",
        "total_requests": 0,
        "success_rate": 0.0,
        "avg_response_time": 0.0,
        "min_response_time": 0.0,
        "max_response_time": 0.0,
        "error_count": 0,
        "recent_performance": [],
        "p50_response_time": 0.0,
        "p95_response_time": 0.0,
        "p99_response_time": 0.0,
        "client_errors": 0,
        "server_errors": 0,
        "response_bytes": 0,
        "avg_first_byte_time": 0.0,
        "avg_queue_time": None,
    }
    front.roll_up(time.time())
    assert "never seen" not in front.get("/performance/metrics").text
    assert set(front.app.service.sources().snapshot().tools) == {"ping"}


def test_one_tools_object_is_the_one_in_the_table(front: Front) -> None:
    for _ in range(12):
        front.call("ping")
    assert front.json("/performance/metrics?tool_name=ping")["metrics"] == tools(front)["ping"]


def test_recent_performance_is_the_newest_ten_newest_first(front: Front) -> None:
    before = datetime.now(UTC)
    for number in range(13):
        front.call("read_file", {"file_path": "notes.txt" if number < 11 else "absent"})
    after = datetime.now(UTC)
    found = tools(front)["read_file"]["recent_performance"]
    assert [one["success"] for one in found] == [False, False] + [True] * 8
    times = [datetime.fromisoformat(one["timestamp"]) for one in found]
    assert times == sorted(times, reverse=True)
    slack = timedelta(milliseconds=5)  # the performance counter and the clock are two
    assert before - slack <= times[-1] <= times[0] <= after + slack


def test_the_figures_of_a_tool_are_in_order(front: Front) -> None:
    for _ in range(30):
        front.call("list_files", {"directory": "."})
    one = tools(front)["list_files"]
    assert 0 < one["min_response_time"] <= one["avg_response_time"] <= one["max_response_time"]
    assert one["p50_response_time"] <= one["p95_response_time"] <= one["p99_response_time"]
    assert one["p99_response_time"] <= one["max_response_time"] * 1.011
    assert one["min_response_time"] <= one["p50_response_time"] * 1.011


@pytest.mark.parametrize("query", ["?window=15m", "?window=1h", "?window=24h", "?window=7d", "?window=1y"])
def test_a_window_that_holds_everything_says_the_same_before_and_after_a_roll_up(
    front: Front, query: str
) -> None:
    front.call("ping")
    assert requests(front, query) == {"ping": 1}
    front.roll_up(time.time())
    assert requests(front, query) == {"ping": 1}
    front.call("ping")
    front.call("no_such_tool")
    assert requests(front, query) == {"ping": 2, "(unmatched)": 1}


def test_a_span_holds_what_lies_in_it(front: Front) -> None:
    front.call("ping")
    front.roll_up(time.time())
    now = datetime.now(UTC)

    def span(start: timedelta, end: timedelta | None) -> dict[str, int]:
        query = f"?from={quote((now + start).isoformat())}"
        if end is not None:
            query += f"&to={quote((now + end).isoformat())}"
        return requests(front, query)

    assert span(timedelta(minutes=-5), None) == {"ping": 1}
    assert span(timedelta(minutes=-5), timedelta(minutes=5)) == {"ping": 1}
    assert span(timedelta(days=-2), timedelta(days=-1)) == {}
    assert span(timedelta(minutes=-9), timedelta(minutes=-8)) == {}


def test_top_tools_are_the_five_most_used(front: Front) -> None:
    plan = {"ping": 6, "read_file": 5, "list_files": 4, "get_system_status": 3, "analyze_code": 2}
    for name, times in plan.items():
        for _ in range(times):
            front.call(name, {})
    front.get("/no/such/page")
    top = front.json("/performance/dashboard")["dashboard"]["top_tools"]
    assert [(line["tool_name"], line["total_requests"]) for line in top] == list(plan.items())


def test_a_failing_tool_is_problematic_and_unmatched_requests_are_not(front: Front) -> None:
    for _ in range(3):
        front.call("read_file", {"file_path": "absent"})
        front.call("no_such_tool")
        front.call("ping")
    dashboard = front.json("/performance/dashboard")["dashboard"]
    assert [line["tool_name"] for line in dashboard["problematic_tools"]] == ["read_file"]


def test_totals_begin_with_the_start_of_the_service(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    front = Front(tmp_path)
    front.call("ping")
    overview = front.json("/performance/metrics")["metrics"]["overview"]
    started = datetime.fromisoformat(overview["start_time"])
    assert before <= started <= datetime.now(UTC)
    passed_s = (datetime.now(UTC) - started).total_seconds()
    assert 0 <= overview["uptime_seconds"] <= passed_s + 0.001
