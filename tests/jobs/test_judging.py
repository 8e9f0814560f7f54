"""From the condition to the outbox, on both databases: alerts open and end, and people are told once."""

from __future__ import annotations

from typing import Any

import pytest

from app.errors import SupersededError, UnavailableError
from app.model.rules import Level, Rule
from app.model.silencing import Silence
from app.model.vitals import Gauge, Vitals
from app.store import claims
from tests.answered import answered

from .scripted import NOW_S, Scene

OK, BROKEN, SLOW = answered(50), answered(0, 50), answered(50, average_ms=3000)


def machine(cpu: float) -> Vitals:
    values = {"cpu_percent": cpu, "memory_percent": 10.0, "disk_percent": 10.0}
    return Vitals({name: Gauge(12, 12 * value, value) for name, value in values.items()})


def failing(scene: Scene, *tools: str) -> None:
    scene.script.tools = dict.fromkeys(tools, BROKEN)


def test_an_outage_is_told_once_and_its_end_too(scene: Scene) -> None:
    scene.channel("ops")
    failing(scene, "ping")
    scene.pass_s(600)
    assert scene.states() == [("low_success_rate", "ping", "firing")]
    assert scene.events() == [("ping", "firing")]
    scene.script.tools = {"ping": OK}
    scene.pass_s(120)
    [alert] = scene.alerts()
    assert alert.resolved_s is not None
    assert alert.state == "resolved"
    assert alert.resolved_s == scene.now_s - 55
    assert (alert.peak, alert.peak_severity, alert.since_s) == (0.0, "error", NOW_S + 5)
    scene.pass_s(120)
    assert scene.events() == [("ping", "firing"), ("ping", "resolved")]
    titles = [message.title for _, message in scene.post.sent]
    assert titles == ["Error: ping, Low success rate: 0.0%", "Resolved: ping, Low success rate: 0.0%"]


def test_what_fires_together_is_one_notice(scene: Scene) -> None:
    scene.channel("ops")
    failing(scene, *(f"tool {number}" for number in range(500)))
    scene.pass_s(60)
    assert len(scene.alerts()) == 500
    [(_, message)] = scene.post.sent
    assert message.title == "Error: 500 alerts, tool 0 and others"
    assert "And 480 more: https://laptime.example/dashboard/alerts" in message.body
    assert len(message.body) < 10_000


def test_a_notice_says_what_since_when_how_bad_and_where(scene: Scene) -> None:
    scene.channel("ops")
    scene.script.tools = {"run_query": answered(116, 264), "other": OK}
    scene.pass_s(30)
    [(url, message)] = scene.post.sent
    assert (url, message.severity) == ("ops", "error")
    assert message.title == "Error: run_query, Low success rate: 30.5%"
    lines = message.body.splitlines()
    assert lines[0] == "run_query: Low success rate: 30.5%"
    assert lines[1].startswith("  Error since ")
    assert lines[2] == "  Value 30.5%, limit 90.0%, 264 of 380 requests failed in 5 min."
    assert lines[3].startswith("  Last hour ")
    alert = scene.alerts()[0]
    assert lines[4] == f"  https://laptime.example/dashboard/alerts/{alert.id}"
    assert "Worst tools of the last hour\n  run_query: 69.47 % of 380 requests failed" in message.body
    assert message.body.endswith(f"Notice {message.id} from Laptime")


def test_a_rule_fires_after_its_hold_time_and_grows_worse(scene: Scene) -> None:
    scene.channel("ops")
    levels = (Level("warning", 1000.0), Level("critical", 5000.0))
    type = scene.rule(Rule(name="Slow", metric="p95", levels=levels, hold_s=60))
    scene.script.tools = {"ping": answered(50, average_ms=1500)}
    scene.pass_s(60)
    assert scene.states() == []
    scene.pass_s(10)
    assert scene.states() == [(type, "ping", "firing")]
    scene.script.tools = {"ping": answered(50, average_ms=9000)}
    scene.pass_s(70)
    [worse] = [one for one in scene.alerts() if one.type == type]
    assert (worse.severity, worse.peak_severity, worse.threshold) == ("critical", "critical", 5000.0)
    events = [event for event in scene.events() if event[0] == "ping"]
    assert ("ping", "worse") in events


def test_one_that_comes_back_soon_is_the_same_alert_that_flaps(scene: Scene) -> None:
    scene.channel("ops")
    failing(scene, "ping")
    scene.pass_s(60)
    scene.script.tools = {"ping": OK}
    scene.pass_s(300)
    failing(scene, "ping")
    scene.pass_s(60)
    assert scene.states() == [("low_success_rate", "ping", "flapping")]
    scene.script.tools = {"ping": OK}
    scene.pass_s(1700)
    assert scene.states() == [("low_success_rate", "ping", "flapping")]
    scene.pass_s(200)
    assert scene.states() == [("low_success_rate", "ping", "resolved")]
    assert scene.events() == [
        ("ping", "firing"), ("ping", "resolved"), ("ping", "flapping"), ("ping", "resolved"),
    ]  # fmt: skip


def test_without_requests_nobody_knows_and_after_a_while_it_is_over(scene: Scene) -> None:
    failing(scene, "ping")
    scene.pass_s(10)
    scene.script.tools = {}
    scene.pass_s(10)
    assert scene.states() == [("low_success_rate", "ping", "no_data")]
    scene.pass_s(1800)
    [alert] = scene.alerts()
    assert (alert.state, alert.resolved_note) == ("resolved", "no data")


def test_a_restart_neither_forgets_nor_repeats(scene: Scene) -> None:
    scene.channel("ops")
    scene.rule(Rule(name="Slow", metric="average", levels=(Level("error", 2500.0),), hold_s=120))
    scene.script.tools = {"ping": SLOW, "pong": BROKEN}
    scene.pass_s(60)
    for _ in range(3):
        scene.start()
        scene.pass_s(25)
    assert {one[:2] for one in scene.states()} == {
        ("slow", "ping"), ("high_response_time", "ping"), ("low_success_rate", "pong"),
    }  # fmt: skip
    assert sorted(scene.events()) == [("ping", "firing"), ("ping", "firing"), ("pong", "firing")]


def test_it_is_repeated_while_nobody_acknowledges_it(scene: Scene) -> None:
    scene.channel("ops")
    failing(scene, "ping")
    scene.pass_s(60)
    scene.pass_s(9 * 3600, turn_s=300)
    assert scene.events() == [("ping", "firing"), ("ping", "repeat"), ("ping", "repeat")]
    seen = scene.desk.alerts.acknowledge(scene.alerts()[0].id, "Ada", "rolling back")
    assert (seen.stage, seen.acknowledged_by, seen.acknowledged_note) == (
        "acknowledged", "Ada", "rolling back",
    )  # fmt: skip
    scene.pass_s(9 * 3600, turn_s=300)
    assert len(scene.events()) == 3
    assert scene.states() == [("low_success_rate", "ping", "acknowledged")]
    assert scene.desk.alerts.take_back(seen.id).stage == "firing"
    scene.pass_s(600, turn_s=300)
    assert len(scene.events()) == 4


def test_one_that_is_resolved_by_hand_keeps_quiet_until_it_was_well(scene: Scene) -> None:
    scene.channel("ops")
    failing(scene, "ping")
    scene.pass_s(60)
    over = scene.desk.alerts.resolve(scene.alerts()[0].id, "Ada", "known")
    assert (over.state, over.resolved_by, over.resolved_note) == ("resolved", "Ada", "known")
    scene.pass_s(3600, turn_s=15)
    assert len(scene.alerts()) == 1
    scene.script.tools = {"ping": OK}
    scene.pass_s(120)
    failing(scene, "ping")
    scene.pass_s(60)
    assert [one.state for one in scene.alerts()] == ["firing", "resolved"]


def test_a_silence_keeps_quiet_and_what_is_open_at_its_end_is_told(scene: Scene) -> None:
    scene.channel("ops")
    silence = Silence(0, scene.now_s, scene.now_s + 600, tools=("pi*",), reason="a move", author="Ada")
    scene.desk.silences.make(silence)
    failing(scene, "ping", "other")
    scene.pass_s(590)
    assert scene.events() == [("other", "firing")]
    assert [(one.alert.tool, one.silence is not None) for one in scene.desk.alerts.active()] == [
        ("other", False), ("ping", True),
    ]  # fmt: skip
    scene.pass_s(60)
    assert scene.events() == [("other", "firing"), ("ping", "firing")]


def test_a_silence_that_is_ended_early_is_over(scene: Scene) -> None:
    scene.channel("ops")
    made = scene.desk.silences.make(Silence(0, scene.now_s, scene.now_s + 6000))
    failing(scene, "ping")
    scene.pass_s(60)
    assert scene.events() == []
    scene.desk.silences.end(made.id)
    scene.pass_s(10)
    assert scene.events() == [("ping", "firing")]


def test_each_channel_is_told_what_it_takes(scene: Scene) -> None:
    scene.channel("all", least_severity="info")
    scene.channel("pages", least_severity="error")
    scene.channel("cpu", types=("high_cpu_usage",))
    scene.channel("off", enabled=False)
    scene.script.tools = {"slow": SLOW, "broken": BROKEN}
    scene.script.machines = {"here": machine(90.0)}
    scene.pass_s(30)
    told = [("broken", "firing"), ("slow", "firing"), ("system", "firing")]
    assert sorted(scene.events("all")) == told
    assert scene.events("pages") == [("broken", "firing")]
    assert scene.events("cpu") == [("system", "firing")]
    assert scene.events("off") == []


def test_a_rule_tells_the_channels_that_it_names(scene: Scene) -> None:
    scene.channel("one")
    scene.channel("two")
    scene.rule(Rule(name="Slow", levels=(Level("error", 2500.0),), channels=("two",), tools=("ping",)))
    scene.script.tools = {"ping": answered(2, average_ms=3000)}
    scene.pass_s(30)
    assert (scene.events("one"), scene.events("two")) == ([], [("ping", "firing")])


def test_in_quiet_hours_only_the_critical_is_told(scene: Scene) -> None:
    # NOW_S is 11:06:40 UTC
    scene.channel("ops", quiet_from="22:00", quiet_to="12:00")
    failing(scene, "ping")
    scene.pass_s(600)
    assert scene.post.sent == []
    scene.script.machines = {"here": machine(99.0)}
    scene.pass_s(60)
    [(_, message)] = scene.post.sent
    assert message.title == "Critical: 2 alerts, system (here) and others"
    failing(scene, "ping", "pong")
    scene.pass_s(2400, turn_s=15)
    assert len(scene.post.sent) == 1
    scene.pass_s(600, turn_s=15)
    assert [message.title for _, message in scene.post.sent[1:]] == ["Error: pong, Low success rate: 0.0%"]


def test_a_rule_that_is_turned_off_or_changed_ends_its_alerts(scene: Scene) -> None:
    scene.channel("ops")
    failing(scene, "ping")
    scene.pass_s(30)
    [stored] = [one for one in scene.desk.rules.all() if one.type == "low_success_rate"]
    changed = scene.desk.rules.change(stored.id, Rule(**_members(stored.rule) | {"enabled": False}), "Ada")
    assert (changed.changed_by, changed.rule.enabled) == ("Ada", False)
    scene.pass_s(60)
    [alert] = scene.alerts()
    assert (alert.state, alert.resolved_note) == ("resolved", "the rule was turned off")
    assert scene.events() == [("ping", "firing"), ("ping", "resolved")]
    scene.desk.rules.reset(stored.id)
    scene.pass_s(10)
    assert [one.state for one in scene.alerts()] == ["firing", "resolved"]
    scene.desk.rules.change(stored.id, Rule(**_members(stored.rule) | {"window_s": 600}), "Ada")
    scene.pass_s(10)
    # the alert that is open is judged by the rule as it is now
    assert [one.resolved_note for one in scene.alerts()] == ["", "the rule was turned off"]
    scene.desk.rules.change(stored.id, Rule(**_members(stored.rule) | {"hold_s": 600}), "Ada")
    scene.pass_s(10)
    assert [one.resolved_note for one in scene.alerts()] == ["judged anew", "the rule was turned off"]


def _members(rule: Rule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in rule.__struct_fields__}


def test_each_machine_is_judged_by_itself(scene: Scene) -> None:
    scene.script.machines = {"one": machine(90.0), "two": machine(20.0)}
    scene.pass_s(10)
    [alert] = scene.alerts()
    assert (alert.tool, alert.instance, alert.message) == ("system", "one", "High CPU usage: 90.0% on one")
    scene.script.machines = {"two": machine(99.0)}
    scene.pass_s(10)
    assert {(one.instance, one.state) for one in scene.alerts()} == {("one", "no_data"), ("two", "firing")}


def test_absence_is_an_alert_of_a_tool_that_was_called(scene: Scene) -> None:
    scene.rule(Rule(name="Nightly job", metric="absence", tools=("nightly",), window_s=600))
    scene.script.tools = {"ping": OK}
    scene.pass_s(10)
    [alert] = scene.alerts()
    assert (alert.tool, alert.message) == ("nightly", "No request for 10 min")


def test_what_an_older_laptime_left_open_goes_on(scene: Scene) -> None:
    failing(scene, "ping", "pong")
    scene.pass_s(10)
    with scene.door.changing() as connection:
        connection.exec_driver_sql("DELETE FROM laptime_watches")
    failing(scene, "ping")
    scene.pass_s(10)
    notes = {one.tool: (one.state, one.resolved_note) for one in scene.alerts()}
    assert notes == {"ping": ("firing", ""), "pong": ("resolved", "judged anew")}


def test_quiet_targets_leave_nothing_behind(scene: Scene) -> None:
    failing(scene, "ping")
    scene.pass_s(30)
    scene.script.tools = {"ping": OK, "pong": OK}
    scene.pass_s(120)
    assert scene.watches() == 1  # until it can't flap any more
    scene.pass_s(1800)
    assert scene.watches() == 0


def test_who_does_not_lead_or_has_not_the_claim_writes_nothing(scene: Scene) -> None:
    failing(scene, "ping")
    scene.leads = False
    with pytest.raises(SupersededError):
        scene.pass_s(5)
    scene.leads = True
    with scene.door.changing() as connection:
        claims.take(connection, claims.EVALUATE, "other", claims.shared_now_s(connection, scene.now_s))
    scene.pass_s(5)
    assert scene.alerts() == []


def test_half_a_window_is_not_judged(scene: Scene) -> None:
    failing(scene, "ping")
    scene.script.is_whole = False
    with pytest.raises(UnavailableError):
        scene.pass_s(5)
    assert scene.alerts() == []
