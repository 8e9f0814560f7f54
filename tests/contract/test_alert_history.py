"""The history of alerts by JSON and as a file: pages add up to the whole, and each is bounded."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import insert

from app.store import make_engine, writing
from app.store.alerting_schema import alerts
from tests.contract.shapes import ANSWERS, differences
from tests.front_door import Front, problem

HISTORY = "/performance/alerts/history"
MANY = 100_000


def filled(folder: Path, count: int) -> Front:
    """A service with so many alerts, four at each instant, one in a hundred open."""
    front = Front(folder)
    engine = make_engine(front.settings)
    rows = made(count)
    while batch := list(islice(rows, 20_000)):
        with writing(engine) as connection:
            connection.execute(insert(alerts), batch)
    engine.dispose()
    return front


def made(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        at_s = 1_763_000_000.0 + number // 4 * 7.1
        is_open = number % 100 == 99
        yield {
            "type": f"rule_{number % 3}",
            "tool": f"tool {number}" if is_open else f"tool {number % 10}",
            "severity": ("warning", "error")[number % 2],
            "peak_severity": ("warning", "error")[number % 2],
            "message": f'=number {number}, "said"\r\n',
            "value": 1.5,
            "threshold": 1.0,
            "peak": 2.0,
            "opened_s": at_s,
            "resolved_s": None if is_open else at_s + 60,
            "state": "firing" if is_open else "resolved",
            "acknowledged_s": at_s if number % 200 == 199 else None,
            "acknowledged_by": "@ann" if number % 200 == 199 else "",
            "release": "+1",
        }


def walk(front: Front, query: str, limit: int) -> list[dict[str, Any]]:
    """All alerts of all pages."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = front.json(f"{HISTORY}?limit={limit}&{query}{after}")
        assert differences(page, ANSWERS[HISTORY]) == []
        assert len(page["alerts"]) <= limit
        found += page["alerts"]
        if page["next"] is None:
            return found
        after = f"&after={page['next']}"


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Front:
    return filled(tmp_path_factory.mktemp("some"), 1000)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Front:
    return filled(tmp_path_factory.mktemp("many"), MANY)


@pytest.mark.parametrize("limit", [7, 50, 500])
def test_the_pages_add_up_to_the_whole(front: Front, limit: int) -> None:
    found = walk(front, "", limit)
    assert [one["id"] for one in found] == list(range(1000, 0, -1))


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("tool=tool%203", 100),
        ("type=rule_1", 333),
        ("severity=error", 500),
        ("state=active", 10),
        ("state=firing", 5),
        ("state=acknowledged", 5),
        ("state=flapping", 0),
        ("state=resolved", 990),
        ("q=NUMBER%2099", 11),
        ("type=rule_1&severity=error&state=resolved", 164),
        ("from=2025-11-13T02:13:20Z&to=2025-11-13T02:23:20%2B00:00", 340),
    ],
)
def test_each_filter_holds_on_all_pages(front: Front, query: str, count: int) -> None:
    found = walk(front, query, 50)
    assert len(found) == count
    assert len({one["id"] for one in found}) == count
    for name, _, value in (part.partition("=") for part in query.split("&")):
        if name in ("type", "severity"):
            assert {one[name] for one in found} <= {value}
        if name == "state" and value != "active":
            assert {one["state"] for one in found} <= {value}


def test_what_comes_while_somebody_reads_moves_no_page(tmp_path: Path) -> None:
    front = filled(tmp_path, 100)
    first = front.json(f"{HISTORY}?limit=50")
    engine = make_engine(front.settings)
    with writing(engine) as connection:
        newest = next(made(1)) | {"opened_s": 1_764_000_000.0}
        connection.execute(insert(alerts), [newest])
    engine.dispose()
    second = front.json(f"{HISTORY}?limit=50&after={first['next']}")
    assert [one["id"] for one in first["alerts"] + second["alerts"]] == list(range(100, 0, -1))
    assert second["next"] is None


def test_the_file_is_rfc_4180_without_formulas(front: Front) -> None:
    response = front.get(f"{HISTORY}?format=csv&severity=error")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Disposition"].startswith("attachment")
    head, *rows = csv.reader(StringIO(response.text, newline=""), strict=True)
    assert len(rows) == 500
    assert {len(row) for row in rows} == {len(head)}
    newest = dict(zip(head, rows[0], strict=True))
    assert newest["message"] == '\'=number 999, "said"\r\n'
    assert (newest["value"], newest["release"], newest["acknowledged_by"]) == ("1.5", "'+1", "'@ann")
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)
    assert response.text.count("\r\n") == 501 + 500  # each message has one of its own


def test_a_file_of_nothing_has_its_head(front: Front) -> None:
    response = front.get(f"{HISTORY}?format=csv&q=nothing")
    assert response.text.count("\r\n") == 1
    problem(front.get(f"{HISTORY}?format=xml"), 400, "bad_request")


@pytest.mark.slow
def test_pages_of_a_large_history_are_bounded(large: Front) -> None:
    for query in ("", "q=nothing", "severity=error", "type=rule_2", "state=active", "tool=tool%203"):
        page = large.json(f"{HISTORY}?limit=500&{query}")
        assert len(page["alerts"]) <= 500
        assert (page["next"] is None) == (query == "state=active" and len(page["alerts"]) < 500)
    deep = quote("1763000071.0_41")
    assert [one["id"] for one in large.json(f"{HISTORY}?after={deep}")["alerts"]] == list(range(40, 0, -1))
    needle = walk(large, "q=number%20777,", 50)
    assert [one["id"] for one in needle] == [778]


@pytest.mark.slow
def test_a_large_file_is_sent_in_parts_and_has_an_end(large: Front) -> None:
    client = large.app.test_client()
    response = client.get(f"{HISTORY}?format=csv", headers={"X-API-Key": large.key})
    parts = list(response.iter_encoded())
    assert len(parts) > 10
    assert max(map(len, parts)) < 200_000
    rows = list(csv.reader(StringIO(b"".join(parts).decode(), newline="")))
    assert 10_000 <= len(rows) - 1 < MANY
    response.close()
