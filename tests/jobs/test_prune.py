"""Pruning goes by a clock that this host's samples agree with."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.capture.samples import RING_FILE, SampleRing
from app.jobs.prune import ALERTS_KEPT_S, SETTLED_S, Prune
from app.model.alerting import Condition, SystemSample
from app.model.windows import KEEP_S
from app.settings import Settings
from app.store import alerts, make_engine, migrate, reading, writing
from app.store.longer import behind
from app.store.rollups import roll_up

NOW_S = 1_764_000_000.0
SAMPLE_S = 60.0


@pytest.mark.parametrize(
    ("ahead_s", "left"),
    [(0.0, 0), (86_400.0, 1), (-3600.0, 0)],
    ids=["a clock that has stood", "a clock set ahead just now", "a clock set back just now"],
)
def test_what_is_due_goes_unless_the_clock_was_just_set_ahead(
    tmp_path: Path, ahead_s: float, left: int
) -> None:
    engine = make_engine(Settings(state_dir=tmp_path))
    migrate(engine)
    ended_s = NOW_S - ALERTS_KEPT_S - 7200
    condition = Condition("slow", "tool", "warning", "is slow", 2.0, 1.0)
    with writing(engine) as connection:
        alerts.sync(connection, [condition], ended_s)
        alerts.sync(connection, [], ended_s)
    ring = SampleRing(tmp_path / RING_FILE)
    for number in range(int(2 * SETTLED_S / SAMPLE_S) + 61):  # an hour more than twice what is asked for
        at_s = NOW_S - 2 * SETTLED_S - 3600 + SAMPLE_S * number
        ring.append(SystemSample(at_s, 1.0, 1.0, 1.0))
    Prune(engine, "host", KEEP_S, ring, SAMPLE_S).run(NOW_S + ahead_s)
    with reading(engine) as connection:
        assert len(alerts.recent(connection, 10)) == left
    engine.dispose()


def test_without_samples_nothing_is_pruned(tmp_path: Path) -> None:
    engine = make_engine(Settings(state_dir=tmp_path))
    migrate(engine)
    with writing(engine) as connection:
        alerts.sync(connection, [Condition("slow", "tool", "warning", "is slow", 2.0, 1.0)], 0.0)
        alerts.sync(connection, [], 0.0)
    Prune(engine, "host", KEEP_S, SampleRing(tmp_path / RING_FILE), SAMPLE_S).run(NOW_S)
    with reading(engine) as connection:
        assert len(alerts.recent(connection, 10)) == 1
    engine.dispose()


def test_what_an_instance_left_unbuilt_is_built_by_any_clock(tmp_path: Path) -> None:
    engine = make_engine(Settings(state_dir=tmp_path))
    migrate(engine)
    with writing(engine) as connection:
        roll_up(connection, instance="gone", run="r", started_s=NOW_S, now_s=NOW_S + 10, tools={})
    later_s = NOW_S + 86_400
    with reading(engine) as connection:
        assert behind(connection, later_s) == ["gone"]
    Prune(engine, "host", KEEP_S, SampleRing(tmp_path / RING_FILE), SAMPLE_S).run(later_s)
    with reading(engine) as connection:
        assert behind(connection, later_s) == []
    engine.dispose()
