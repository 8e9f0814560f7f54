"""Alerts as rows: opened once, kept up to date, resolved, forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from app.model.alerting import Alert
from app.store import Engine, alert_pages, alerts, reading, writing
from app.store.alert_pages import Cursor, Filter, Page


def opened(
    engine: Engine, tool: str = "ping", *, at_s: float = 100.0, type: str = "slow", severity: str = "warning"
) -> int:
    values: dict[str, Any] = {
        "type": type,
        "tool": tool,
        "severity": severity,
        "message": f"{tool} is {type}",
    }
    values |= {"value": 3.0, "threshold": 2.0, "opened_s": at_s, "peak_severity": severity}
    with writing(engine) as connection:
        return alerts.open_alert(connection, values)


def resolved(engine: Engine, id: int, at_s: float) -> None:
    with writing(engine) as connection:
        alerts.change(connection, [{"id": id, "resolved_s": at_s, "state": "resolved"}])


def active(engine: Engine) -> list[Alert]:
    with reading(engine) as connection:
        return alerts.active(connection)


def page(engine: Engine, wanted: Filter | None = None, limit: int = 100, after: Cursor | None = None) -> Page:
    with reading(engine) as connection:
        return alert_pages.page(connection, wanted or Filter(), limit, after)


def found(engine: Engine, wanted: Filter) -> list[str]:
    return [alert.tool for alert in page(engine, wanted).alerts]


def test_an_alert_is_active_from_its_opening_to_its_end(store: Engine) -> None:
    id = opened(store)
    expected = Alert(
        "slow", "ping", "warning", "ping is slow", 3.0, 2.0, 100.0, id=id, peak_severity="warning"
    )
    assert active(store) == [expected]
    resolved(store, id, 160.0)
    assert active(store) == []
    with reading(store) as connection:
        over = alerts.one(connection, id)
        assert alerts.some(connection, [id, 99]) == {id: over}
        assert alerts.one(connection, 99) is None
    assert over is not None
    assert (over.resolved_s, over.state) == (160.0, "resolved")


def test_at_most_one_alert_is_open_to_a_rule_and_target(store: Engine) -> None:
    id = opened(store)
    with pytest.raises(IntegrityError):
        opened(store, at_s=200.0)
    resolved(store, id, 210.0)
    assert opened(store, at_s=220.0) > id


def test_several_alerts_change_at_once(store: Engine) -> None:
    ids = [opened(store, tool) for tool in ("a", "b", "c")]
    with writing(store) as connection:
        alerts.change(connection, [])
        alerts.change(connection, [{"id": id, "value": id * 2.0, "state": "no_data"} for id in ids[:2]])
    assert {one.tool: (one.value, one.state) for one in active(store)} == {
        "a": (ids[0] * 2.0, "no_data"),
        "b": (ids[1] * 2.0, "no_data"),
        "c": (3.0, "firing"),
    }


def test_the_newest_alert_of_a_target_is_found_open_or_not(store: Engine) -> None:
    resolved(store, opened(store), 150.0)
    again = opened(store, at_s=200.0)
    opened(store, "pong", at_s=300.0)
    resolved(store, again, 250.0)
    with reading(store) as connection:
        newest = alerts.newest_of(connection, "slow", "ping", "")
        assert newest is not None
        assert newest.id == again
        assert alerts.newest_of(connection, "slow", "ping", "elsewhere") is None


def test_the_worst_come_first_and_then_the_oldest(store: Engine) -> None:
    for tool, severity, at_s in (
        ("first", "warning", 1), ("error", "error", 2), ("later", "warning", 3), ("critical", "critical", 4),
        ("info", "info", 0),
    ):  # fmt: skip
        opened(store, tool, severity=severity, at_s=at_s)
    assert [alert.tool for alert in active(store)] == ["critical", "error", "first", "later", "info"]


def test_pages_go_through_the_history_newest_first_each_alert_once(store: Engine) -> None:
    for number in range(23):
        opened(store, str(number), at_s=100.0 + number // 3)  # some at the same instant
    seen: list[str] = []
    after: Cursor | None = None
    while True:
        part = page(store, limit=5, after=after)
        seen += [alert.tool for alert in part.alerts]
        after = part.following
        if after is None:
            break
    assert seen == [str(number) for number in reversed(range(23))]


def test_filters_find_what_they_name(store: Engine) -> None:
    resolved(store, opened(store, "alpha", at_s=100.0), 150.0)
    opened(store, "beta", at_s=200.0, severity="critical", type="failing")
    opened(store, "a_100%", at_s=300.0)
    assert found(store, Filter(tool="beta")) == ["beta"]
    assert found(store, Filter(type="slow")) == ["a_100%", "alpha"]
    assert found(store, Filter(severity="critical")) == ["beta"]
    assert found(store, Filter(state="active")) == ["a_100%", "beta"]
    assert found(store, Filter(state="resolved")) == ["alpha"]
    assert found(store, Filter(text="IS FAIL")) == ["beta"]
    assert found(store, Filter(text="100%")) == ["a_100%"]
    assert found(store, Filter(text="_")) == ["a_100%"]
    assert found(store, Filter(from_s=150.0, to_s=300.0)) == ["beta"]


def test_a_search_that_finds_little_says_where_it_goes_on(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_pages, "SCANNED", 4)
    for number in range(10):
        opened(
            store, "needle" if number in (1, 8) else f"hay {number}", at_s=float(number), type=f"t{number}"
        )
    seen: list[str] = []
    part = page(store, Filter(text="needle"))
    pages = 1
    while part.following is not None:
        seen += [alert.type for alert in part.alerts]
        part = page(store, Filter(text="needle"), after=part.following)
        pages += 1
    assert (seen + [alert.type for alert in part.alerts], pages) == (["t8", "t1"], 3)


def test_only_alerts_resolved_long_ago_are_deleted_and_only_so_many_at_once(store: Engine) -> None:
    opened(store, "open")
    for number in range(5):
        resolved(store, opened(store, str(number)), 200.0)
    resolved(store, opened(store, "newer"), 300.0)
    with writing(store) as connection:
        deleted = [alerts.prune_resolved(connection, 300.0, 3) for _ in range(3)]
    assert deleted == [3, 2, 0]
    assert {alert.tool for alert in page(store).alerts} == {"open", "newer"}
