"""Pages of the history: as a plain list filtered in Python, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import insert

from app.store import Engine, alert_pages, reading, writing
from app.store.alert_pages import STATES, Cursor, Filter, newer, page
from app.store.alerting_schema import alerts

START_S = 1_763_000_000.0
SEVERITIES = ("info", "warning", "error", "critical")


def made(count: int) -> Iterator[dict[str, Any]]:
    """Alerts of many kinds, oldest first, three at each instant; one in six is open."""
    for number in range(count):
        at_s = START_S + number // 3 * 7.25
        state = ("resolved", "resolved", "resolved", "resolved", "resolved", "firing")[number % 6]
        if state == "firing" and number % 5 == 0:
            state = ("flapping", "no_data")[number % 2]
        yield {
            "id": number + 1,
            "type": f"rule_{number % 7}",
            "tool": f"tool {number}" if state != "resolved" else f"Tool_{number % 10}%",
            "severity": "info",
            "peak_severity": SEVERITIES[number % 4],
            "message": f"Average {number}.00ms, O'Hara",
            "value": float(number),
            "threshold": 2000.0,
            "opened_s": at_s,
            "resolved_s": at_s + 60 if state == "resolved" else None,
            "state": state,
            "acknowledged_s": at_s + 1 if number % 4 == 1 else None,
            "release": f"v{number // 100}",
        }


def fill(engine: Engine, count: int) -> list[dict[str, Any]]:
    """Put so many into the store; all of them, newest first."""
    rows = made(count)
    while batch := list(islice(rows, 20_000)):
        with writing(engine) as connection:
            connection.execute(insert(alerts), batch)
    return list(made(count))[::-1]


def walk(engine: Engine, wanted: Filter, limit: int) -> list[int]:
    """The ids of all pages, one after the other."""
    found: list[int] = []
    after: Cursor | None = None
    while True:
        with reading(engine) as connection:
            one = page(connection, wanted, limit, after)
        assert len(one.alerts) <= limit
        found += [alert.id for alert in one.alerts]
        if one.following is None:
            return found
        after = one.following


def is_in(row: dict[str, Any], state: str) -> bool:
    """Whether an alert is in a state as people say it."""
    if state in ("", row["state"]) and (state in ("", "resolved") or row["acknowledged_s"] is None):
        return True
    is_open = row["resolved_s"] is None
    return is_open and (state == "active" or (state == "acknowledged" and row["acknowledged_s"] is not None))


def fits(row: dict[str, Any], wanted: Filter) -> bool:
    text = wanted.text.casefold()
    return (
        wanted.tool in ("", row["tool"])
        and wanted.type in ("", row["type"])
        and wanted.severity in ("", row["peak_severity"])
        and is_in(row, wanted.state)
        and any(text in row[name].casefold() for name in ("tool", "message", "type", "release"))
        and (wanted.from_s is None or row["opened_s"] >= wanted.from_s)
        and (wanted.to_s is None or row["opened_s"] < wanted.to_s)
    )


WANTED = [
    Filter(),
    Filter(tool="Tool_4%"),
    Filter(type="rule_3"),
    Filter(tool="Tool_4%", type="rule_3"),
    *(Filter(severity=severity) for severity in SEVERITIES),
    *(Filter(state=state) for state in STATES),
    Filter(type="rule_3", state="firing"),
    Filter(tool="Tool_4%", state="active"),
    Filter(text="average 99"),
    Filter(text="TOOL_1%"),
    Filter(text="%"),
    Filter(text="o'hara"),
    Filter(text="v3"),
    Filter(text="nothing"),
    Filter(from_s=START_S + 72.5, to_s=START_S + 725),
    Filter(severity="error", state="resolved", text="rule_1", from_s=START_S + 100),
]


@pytest.mark.parametrize("scanned", [20_000, 64])
def test_the_pages_of_each_filter_are_the_whole(
    store: Engine, monkeypatch: pytest.MonkeyPatch, scanned: int
) -> None:
    monkeypatch.setattr(alert_pages, "SCANNED", scanned)
    whole = fill(store, 1000)
    for wanted in WANTED:
        expected = [row["id"] for row in whole if fits(row, wanted)]
        for limit in (7, 500):
            assert walk(store, wanted, limit) == expected, wanted


@pytest.mark.slow
def test_what_is_open_is_on_the_first_page_however_old_it_is(store: Engine) -> None:
    whole = fill(store, 100_000)
    with writing(store) as connection:
        connection.execute(alerts.update().where(alerts.c.id > 100).values(resolved_s=1.0, state="resolved"))
    with reading(store) as connection:
        found = page(connection, Filter(state="active"), 50)
        assert [one.id for one in found.alerts] == [
            row["id"] for row in whole if row["id"] <= 100 and row["resolved_s"] is None
        ]
        assert found.following is None
        rare = page(connection, Filter(type="rule_1"), 50)
        assert len(rare.alerts) == 50
        last = page(connection, Filter(), 50, Cursor(START_S + 8, 7))
        assert [one.id for one in last.alerts] == [6, 5, 4, 3, 2, 1]
        none = page(connection, Filter(text="nothing"), 50)
        assert (none.alerts, none.following is not None) == ((), True)
        before = newer(connection, Filter(type="rule_1"), 50, Cursor(START_S, 1))
        assert before is not None
        assert [one.id for one in before.alerts] == [row["id"] for row in whole if row["type"] == "rule_1"][
            -50:
        ]
