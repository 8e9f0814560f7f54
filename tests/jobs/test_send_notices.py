"""The outbox on both databases: order, back-off, giving up, and what a killed sender leaves behind."""

from __future__ import annotations

import pytest

from app.model.rules import Rule
from app.model.telling import GIVE_UP_S
from app.store import notice_log, notices, reading, writing
from tests.answered import answered

from .scripted import Scene

BROKEN, OK = answered(0, 50), answered(50)


def states(scene: Scene) -> list[tuple[str, int, str]]:
    """State, tries and outcome of all notices, newest first."""
    return [(one.state, one.tries, one.detail) for one in scene.notices()]


def test_a_channel_that_fails_is_tried_again_later_and_later(scene: Scene) -> None:
    scene.channel("ops")
    scene.post.fails["ops"] = "the server answered 503"
    scene.script.tools = {"ping": BROKEN}
    scene.pass_s(25)
    assert states(scene) == [("waiting", 1, "the server answered 503")]
    scene.pass_s(600)
    [(state, tries, _)] = states(scene)
    assert state == "waiting"
    assert 5 <= tries <= 8
    scene.post.fails.clear()
    scene.pass_s(1000)
    assert states(scene) == [("delivered", tries + 1, "delivered")]
    [(_, message)] = scene.post.sent
    with reading(scene.engine) as connection:
        [logged] = notice_log.tries(connection, [scene.notices()[0].id]).values()
    assert [one.detail for one in logged] == ["the server answered 503"] * tries + ["delivered"]
    assert message.id == scene.notices()[0].key


def test_a_notice_that_never_arrives_is_given_up_in_sight(scene: Scene) -> None:
    scene.channel("ops")
    scene.post.fails["ops"] = "refused"
    scene.script.tools = {"ping": BROKEN}
    scene.pass_s(30)
    scene.desk.alerts.acknowledge(scene.alerts()[0].id, "Ada")
    scene.pass_s(GIVE_UP_S + 60, turn_s=60)
    [(state, tries, detail)] = states(scene)
    assert (state, detail) == ("dead", "refused")
    assert 12 <= tries <= 30
    scene.post.fails.clear()
    scene.script.tools = {"ping": OK}
    scene.pass_s(300)
    # nobody was told that it began, so nobody is told that it is over
    assert scene.post.sent == []


def test_what_is_over_before_it_could_be_told_is_told_whole(scene: Scene) -> None:
    scene.channel("ops")
    scene.post.fails["ops"] = "refused"
    scene.script.tools = {"ping": BROKEN}
    scene.pass_s(30)
    scene.script.tools = {"ping": OK}
    scene.pass_s(100)
    scene.post.fails.clear()
    scene.pass_s(400)
    assert [message.title.partition(":")[0] for _, message in scene.post.sent] == ["Error", "Resolved"]


def test_what_came_and_went_while_it_waited_is_one_notice(scene: Scene) -> None:
    scene.channel("ops")
    scene.rule(Rule(name="Quick", metric="average", tools=("ping",), recovery_s=0))
    scene.pass_s(5)
    scene.script.tools = {"ping": answered(2)}
    scene.pass_s(5)
    scene.script.tools = {"ping": answered(2, average_ms=0)}
    scene.pass_s(60)
    [(_, message)] = scene.post.sent
    assert message.title.startswith("Resolved: ping")
    assert message.severity == "ok"


def test_a_slow_or_broken_channel_holds_up_no_other(scene: Scene) -> None:
    scene.channel("broken")
    scene.channel("fine")
    scene.post.fails["broken"] = "refused"
    scene.script.tools = {"ping": BROKEN}
    scene.pass_s(30)
    scene.script.tools = {"ping": OK}
    scene.pass_s(150)
    assert [url for url, _ in scene.post.sent] == ["fine", "fine"]


def test_a_sender_that_was_killed_amid_a_try_leaves_it_to_the_next(scene: Scene) -> None:
    scene.channel("ops")
    scene.script.tools = {"ping": BROKEN}
    scene.judge.run(scene.now_s)
    scene.now_s += 20
    with writing(scene.engine) as connection:
        [notice] = notices.due(connection, scene.now_s)
        assert notices.begin(connection, notice, scene.now_s, 30.0) is not None
        assert notices.begin(connection, notice, scene.now_s, 30.0) is None  # not twice at once
    scene.start()
    scene.pass_s(25)
    assert scene.post.sent == []
    scene.pass_s(15)
    assert len(scene.post.sent) == 1
    with reading(scene.engine) as connection:
        [logged] = notice_log.tries(connection, [notice.id]).values()
    assert [one.detail for one in logged] == ["no outcome: its worker ended", "delivered"]


def test_a_frozen_sender_does_not_undo_what_another_did(scene: Scene) -> None:
    scene.channel("ops")
    scene.script.tools = {"ping": BROKEN}
    scene.judge.run(scene.now_s)
    scene.now_s += 20
    with writing(scene.engine) as connection:
        [notice] = notices.due(connection, scene.now_s)
        frozen = notices.begin(connection, notice, scene.now_s, 30.0)
    scene.pass_s(40)
    assert frozen is not None
    with writing(scene.engine) as connection:
        notices.finish(
            connection, notice, frozen, 99.0, "too late", state=notices.WAITING, now_s=scene.now_s,
            due_s=scene.now_s,
        )  # fmt: skip
    assert states(scene) == [("delivered", 2, "delivered")]


def test_a_test_tells_how_it_went(scene: Scene) -> None:
    ops, broken = scene.channel("ops"), scene.channel("broken")
    scene.post.fails["broken"] = "the mail server refused: 550 no such user"
    scene.script.tools = {}
    first, second = scene.desk.channels.test(ops), scene.desk.channels.test(broken)
    scene.pass_s(5)
    assert scene.desk.channels.notice(first.key).notice.state == "delivered"
    failed = scene.desk.channels.notice(second.key)
    assert (failed.notice.state, failed.channel, failed.tries[0].detail) == (
        "dead", "broken", "the mail server refused: 550 no such user",
    )  # fmt: skip
    [(_, message)] = scene.post.sent
    assert message.title == "Test from Laptime"
    newest = {one.stored.channel.name: one.newest for one in scene.desk.channels.all()}
    assert {name: one and one.state for name, one in newest.items()} == {"ops": "delivered", "broken": "dead"}


def test_a_new_channel_hears_of_what_nobody_was_told(scene: Scene) -> None:
    scene.script.tools = {"ping": BROKEN}
    scene.pass_s(600)
    assert scene.notices() == []
    scene.channel("ops")
    scene.pass_s(30)
    assert len(scene.post.sent) == 1


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "a\r\nBcc: all@example.com", "\u202etxt", "x" * 900]
)
def test_hostile_names_stay_in_their_line(scene: Scene, name: str) -> None:
    scene.channel("ops")
    scene.script.tools = {name: BROKEN}
    scene.pass_s(30)
    [(_, message)] = scene.post.sent
    assert message.title.isprintable()
    assert len(message.title) < 200
    assert all(line.isprintable() for line in message.body.split("\n"))
    assert "\nBcc" not in message.body
