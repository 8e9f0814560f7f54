"""What the JSON API's parameters may be; what its answers hold is the contract's to test."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from tests.front_door import Front, problem


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Front:
    started = Front(tmp_path_factory.mktemp("front"))
    started.call("ping")
    started.roll_up(time.time())
    return started


@pytest.mark.parametrize("endpoint", ["metrics", "dashboard"])
@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("window=5m", ["'5m'", "15m, 1h, 6h, 24h, 7d, 30d, 1y"]),
        ("window=1H", ["'1H'", "15m, 1h"]),
        ("window=", ["window", "1 to 1000"]),
        ("window=1h&window=6h", ["window", "2 times"]),
        ("window=1h&from=2025-08-07T18:00:00Z", ["window", "from/to"]),
        ("window=%ED%A0%80", ["window is", "15m"]),
        ("window=%00", ["'\\x00'", "15m"]),
        ("window=" + "9" * 2000, ["2000 characters", "1 to 1000"]),
        ("to=2025-08-07T18:00:00Z", ["to needs a from"]),
        ("from=yesterday", ["'yesterday'", "ISO 8601"]),
        ("from=2025-08-07T18:00:00", ["'2025-08-07T18:00:00'", "offset"]),
        ("from=1754589600", ["'1754589600'", "ISO 8601"]),
        ("from=2025-13-07T18:00:00Z", ["2025-13-07", "ISO 8601"]),
        ("from=2025-08-07T18:00:00Z&to=soon", ["to is 'soon'", "ISO 8601"]),
        ("from=2025-08-07T18:00:00Z&to=2025-08-07T17:00:00Z", ["is not before"]),
        ("from=2025-08-07T18:00:00Z&to=2025-08-07T18:00:00Z", ["is not before"]),
        ("from=2020-01-01T00:00:00Z", ["longer than a year"]),
        ("from=0001-01-01T00:00:00%2B23:59", ["longer than a year"]),
        ("from=9999-12-31T23:59:58Z&to=9999-12-31T23:59:59Z", ["9999-12-31T23:59:58Z", "ahead"]),
    ],
)
def test_a_span_that_is_none_is_refused(front: Front, endpoint: str, query: str, told: list[str]) -> None:
    detail = problem(front.get(f"/performance/{endpoint}?{query}"), 400, "bad_request")
    assert all(words in detail for words in told), detail


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("tool_name=", ["tool_name has 0 characters", "1 to 1000"]),
        ("tool_name=" + "x" * 1001, ["1001 characters", "1 to 1000"]),
        ("tool_name=a&tool_name=b", ["tool_name", "2 times"]),
    ],
)
def test_a_tool_name_that_is_none_is_refused(front: Front, query: str, told: list[str]) -> None:
    detail = problem(front.get(f"/performance/metrics?{query}"), 400, "bad_request")
    assert all(words in detail for words in told), detail


@pytest.mark.parametrize("name", ["%00", "%ff", "%ED%A0%80", "%0d%0a", "'%22%3C", "x" * 1000, "%F0%9F%92%A5"])
def test_an_odd_tool_name_is_only_one_never_seen(front: Front, name: str) -> None:
    body = front.json(f"/performance/metrics?tool_name={name}")
    assert body["metrics"]["total_requests"] == 0


def test_a_parameter_that_this_route_does_not_have_is_ignored(front: Front) -> None:
    assert front.get("/performance/health?window=never&x=1").status_code == 200


@pytest.mark.parametrize("written", ["{}", "{}+00:00", "{}Z", "{}.250000+05:30", "{}-0800"])
@pytest.mark.parametrize("separator", ["T", " "])
def test_an_instant_may_be_written_in_any_form_of_iso_8601(
    front: Front, written: str, separator: str
) -> None:
    start = (datetime.now(UTC) - timedelta(days=2)).strftime(f"%Y-%m-%d{separator}%H:%M:%S")
    response = front.get(f"/performance/metrics?from={quote(written.format(start))}")
    assert response.status_code == (400 if written == "{}" else 200)


@pytest.mark.parametrize(
    ("days", "there"), [(0.001, True), (0.3, True), (3, True), (20, True), (200, True), (365, True)]
)
def test_a_span_of_any_length_that_ends_now_holds_what_was_counted(
    front: Front, days: float, there: bool
) -> None:
    start = quote((datetime.now(UTC) - timedelta(days=days)).isoformat())
    tools = front.json(f"/performance/metrics?from={start}")["metrics"]["tools"]
    assert ("ping" in tools) is there
