"""Digests: sent at their time, once, to those who want them, with what happened."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.jobs.digest import SendDigests
from app.model.digests import is_due, newest_turn_s
from app.model.rules import Level, Rule
from app.store import channels, writing
from tests.answered import answered

from .scripted import NOW_S, Scene

DAILY = Rule(name="Every day", kind="digest", at="12:00")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("every", "now", "turn"),
    [
        ("day", "2026-11-18T11:59:59", "2026-11-17T12:00"),
        ("day", "2026-11-18T12:00:00", "2026-11-18T12:00"),
        ("week", "2026-11-18T11:59:59", "2026-11-16T12:00"),
        ("week", "2026-11-16T11:59:59", "2026-11-09T12:00"),
        ("week", "2026-11-16T12:00:00", "2026-11-16T12:00"),
    ],
)
def test_turns_are_times_of_day_and_mondays(every: str, now: str, turn: str) -> None:
    rule = Rule(name="x", kind="digest", at="12:00", every=every)  # type: ignore[arg-type]
    assert newest_turn_s(rule, at(now)) == at(turn)


def test_one_is_due_once_and_not_hours_later() -> None:
    noon_s = at("2026-11-18T12:00")
    assert is_due(DAILY, noon_s - 86_400, noon_s)
    assert not is_due(DAILY, noon_s, noon_s + 60)
    assert not is_due(DAILY, noon_s - 86_400, noon_s + 7 * 3600)


def mail(scene: Scene, name: str) -> None:
    """A channel that is mail."""
    identity = scene.channel(name)
    with writing(scene.engine) as connection:
        stored = channels.one(connection, identity)
        assert stored is not None
        channels.put(connection, identity, stored.channel, {"service": "E-mail"})


def test_a_digest_goes_to_all_mail_once_a_day_and_begins_with_its_next_turn(scene: Scene) -> None:
    mail(scene, "ops")
    scene.channel("chat")
    scene.script.tools = {"run_query": answered(900, 100, average_ms=50), "ping": answered(2000)}
    scene.rule(DAILY)
    scene.rule(Rule(name="Answers", kind="objective", target_percent=99.0, levels=(Level("warning"),)))
    digests = SendDigests(scene.script, scene.engine, "one")
    assert datetime.fromtimestamp(NOW_S, UTC).strftime("%H:%M") == "11:06"
    for _ in range(3 * 24 * 6):
        scene.now_s += 600
        digests.run(scene.now_s)
        scene.deliver()
    assert [url for url, _ in scene.post.sent] == ["ops"] * 3
    message = scene.post.sent[0][1]
    assert message.title == "Daily digest: 3,000 requests, 96.66 % succeeded"
    assert "Requests 3,000 (the day before 3,000)" in message.body
    assert "No alert was opened." in message.body
    assert "Failing tools\n  run_query: 1,000 requests, 90.00 % succeeded" in message.body
    assert "Objectives over 30 days\n  Answers: the budget is spent 3.3 times over" in message.body


def test_a_digest_names_the_alerts_and_goes_where_its_rule_says(scene: Scene) -> None:
    mail(scene, "ops")
    scene.channel("chat", least_severity="critical")
    scene.rule(Rule(name="Every day", kind="digest", at="12:00", channels=("chat",)))
    scene.script.tools = {"ping": answered(0, 50)}
    digests = SendDigests(scene.script, scene.engine, "one")
    digests.run(scene.now_s)
    scene.pass_s(30)
    scene.now_s = at("2026-11-18T12:00:30")
    digests.run(scene.now_s)
    scene.deliver()
    [(_, message)] = [sent for sent in scene.post.sent if sent[0] == "chat"]
    assert "Alerts, newest first\n  error ping: Low success rate: 0.0%, still" in message.body


def test_only_who_leads_sends_a_digest(scene: Scene) -> None:
    mail(scene, "ops")
    scene.rule(DAILY)
    one, two = (SendDigests(scene.script, scene.engine, name) for name in ("one", "two"))
    one.run(scene.now_s)
    scene.now_s = at("2026-11-18T12:00:30")
    for digests in (one, two, one):
        digests.run(scene.now_s)
    assert len(scene.notices()) == 1
