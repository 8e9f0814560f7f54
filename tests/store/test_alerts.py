"""The life of an alert: opened, kept up to date, resolved, forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from app.model.alerting import ActiveAlert, Condition
from app.store import Engine, reading, writing
from app.store.alerts import PastAlert, active, prune_resolved, recent, sync


def _condition(
    type: str = "high_response_time", tool: str = "ping", *, severity: str = "warning", value: float = 2150.45
) -> Condition:
    return Condition(type, tool, severity, f"{type} of {tool}: {value}", value, 2000.0)


def _sync(engine: Engine, now_s: float, *conditions: Condition) -> None:
    with writing(engine) as connection:
        sync(connection, conditions, now_s)


def _active(engine: Engine) -> list[ActiveAlert]:
    with reading(engine) as connection:
        return active(connection)


def _recent(engine: Engine, limit: int = 100) -> list[PastAlert]:
    with reading(engine) as connection:
        return recent(connection, limit)


def test_a_condition_opens_one_alert_and_keeps_it_open(store: Engine) -> None:
    _sync(store, 100.0, _condition())
    _sync(store, 110.0, _condition())
    expected = ActiveAlert(
        "high_response_time", "ping", "warning", "high_response_time of ping: 2150.45", 2150.45, 2000.0, 100.0
    )
    assert _active(store) == [expected]
    assert len(_recent(store)) == 1


def test_an_open_alert_shows_what_was_seen_last_and_since_when(store: Engine) -> None:
    _sync(store, 100.0, _condition(value=85.0))
    _sync(store, 110.0, _condition(value=99.0, severity="critical"))
    (alert,) = _active(store)
    assert (alert.since_s, alert.value, alert.severity) == (100.0, 99.0, "critical")
    assert alert.message.endswith("99.0")


def test_an_alert_ends_with_its_condition_and_the_others_stay(store: Engine) -> None:
    _sync(store, 100.0, _condition(tool="a"), _condition(tool="b"))
    _sync(store, 200.0, _condition(tool="b"))
    assert [alert.tool for alert in _active(store)] == ["b"]
    assert {(alert.tool, alert.opened_s, alert.resolved_s) for alert in _recent(store)} == {
        ("a", 100.0, 200.0),
        ("b", 100.0, None),
    }


def test_a_condition_that_comes_back_is_a_new_alert(store: Engine) -> None:
    _sync(store, 100.0, _condition())
    _sync(store, 200.0)
    _sync(store, 300.0, _condition())
    assert [alert.since_s for alert in _active(store)] == [300.0]
    assert [(alert.opened_s, alert.resolved_s) for alert in _recent(store)] == [(300.0, None), (100.0, 200.0)]


def test_the_worst_come_first_and_then_the_oldest(store: Engine) -> None:
    first = _condition(tool="first"), _condition(tool="error", severity="error")
    _sync(store, 100.0, *first)
    later = _condition(tool="later"), _condition(tool="critical", severity="critical")
    _sync(store, 200.0, *later, _condition(tool="info", severity="info"), *first)
    assert [alert.tool for alert in _active(store)] == ["critical", "error", "first", "later", "info"]


def test_the_history_is_bounded_and_newest_first(store: Engine) -> None:
    for number in range(5):
        _sync(store, 100.0 + number, _condition(tool=str(number)))
    assert [alert.tool for alert in _recent(store, 3)] == ["4", "3", "2"]


def test_two_judges_at_the_same_time_open_one_alert(store: Engine) -> None:
    conditions = [_condition(tool=str(number)) for number in range(20)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda now_s: _sync(store, now_s, *conditions), [100.0, 101.0]))
    assert sorted(alert.tool for alert in _recent(store)) == sorted(str(number) for number in range(20))


def test_only_alerts_resolved_long_ago_are_deleted_and_only_so_many_at_once(store: Engine) -> None:
    open_, old = _condition(tool="open"), [_condition(tool=str(number)) for number in range(5)]
    _sync(store, 100.0, open_, *old, _condition(tool="newer"))
    _sync(store, 200.0, open_, _condition(tool="newer"))
    _sync(store, 300.0, open_)
    with writing(store) as connection:
        deleted = [prune_resolved(connection, 300.0, 3) for _ in range(3)]
    assert deleted == [3, 2, 0]
    assert {alert.tool for alert in _recent(store)} == {"open", "newer"}
