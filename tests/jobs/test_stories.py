"""Random stories of tools, clocks and leaders: each transition is told once, and in order."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from app.model.rules import Level, Rule
from app.settings import Settings
from app.store import make_engine, migrate, notice_log, reading
from tests.answered import answered

from .scripted import NOW_S, Scene

TOOLS = ("ping", "pay", "report")
CONDITIONS = (answered(50), answered(0, 50), answered(50, average_ms=5000), answered(40, 10), None)
TURNS = 900


@pytest.mark.parametrize("seed", range(6))
def test_each_transition_is_told_once_and_what_is_over_was_told_before(tmp_path: Path, seed: int) -> None:
    engine = make_engine(Settings(database_url=f"sqlite:///{tmp_path / 'store.sqlite3'}"))
    migrate(engine)
    draw = random.Random(seed)
    scene = Scene(engine)
    scene.channel("ops", least_severity="info")
    levels = (Level("warning", 1000.0), Level("error", 4000.0))
    scene.rule(
        Rule(name="Held", metric="p95", levels=levels, hold_s=draw.choice((0, 60, 120)), recovery_s=30)
    )
    for _ in range(TURNS):
        if draw.random() < 0.05:
            tool, condition = draw.choice(TOOLS), draw.choice(CONDITIONS)
            scene.script.tools.pop(tool, None)
            if condition is not None:
                scene.script.tools[tool] = condition
        if draw.random() < 0.02:
            scene.start()  # another leader
        if draw.random() < 0.005:
            scene.now_s += draw.choice((-3600, -60, 600, 86_400))
        scene.pass_s(5)
    _check(scene)
    engine.dispose()


def _check(scene: Scene) -> None:
    alerts = {alert.id: alert for alert in scene.alerts()}
    assert len(alerts) > 5
    with reading(scene.engine) as connection:
        notices = list(reversed(notice_log.log(connection, 1000)))
        told = [(notice, one) for notice in notices for one in notice_log.events(connection, notice.id)]
    counted = Counter((one.alert_id, one.event) for _, one in told)
    for id, alert in alerts.items():
        if not counted[
            id, "firing"
        ]:  # it came and went before anybody could be told, or will be told at once
            assert counted[id, "resolved"] == 0
            continue
        assert counted[id, "firing"] == 1
        ends = counted[id, "resolved"]
        assert ends == counted[id, "flapping"] + (alert.resolved_s is not None)
        order = [one.event for _, one in told if one.alert_id == id]
        assert order[0] == "firing"
        assert all(was != now or now in ("worse", "repeat") for was, now in pairwise(order))
    # all that was due went out, each notice once
    sent = Counter(message.id for _, message in scene.post.sent)
    done = [notice for notice in notices if notice.state != "waiting"]
    assert sent == Counter(notice.key for notice in done if notice.state == "delivered")
    assert all(notice.due_s > scene.now_s for notice in notices if notice.state == "waiting")
    assert scene.now_s > NOW_S
