"""Pruning goes by a clock that this host's samples agree with."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.capture.samples import RING_FILE, SampleRing
from app.jobs.prune import SETTLED_S, Prune
from app.model.alerting import SystemSample
from app.model.windows import KEEP_S
from app.settings import Settings
from app.store import Engine, alert_pages, alerts, make_engine, migrate, reading, writing
from app.store.alert_pages import Filter
from app.store.longer import behind
from app.store.retention import ALERTS_KEPT_S
from app.store.rollups import roll_up

NOW_S = 1_764_000_000.0
SAMPLE_S = 60.0


def over(engine: Engine, at_s: float) -> None:
    """An alert that was opened and resolved at that instant."""
    values = {"type": "slow", "tool": "tool", "severity": "warning", "message": "is slow", "value": 2.0}
    with writing(engine) as connection:
        id = alerts.open_alert(connection, values | {"threshold": 1.0, "opened_s": at_s})
        alerts.change(connection, [{"id": id, "resolved_s": at_s}])


def kept(engine: Engine) -> int:
    """How many alerts there are."""
    with reading(engine) as connection:
        return len(alert_pages.page(connection, Filter(), 10).alerts)


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
    over(engine, ended_s)
    ring = SampleRing(tmp_path / RING_FILE)
    for number in range(int(2 * SETTLED_S / SAMPLE_S) + 61):  # an hour more than twice what is asked for
        at_s = NOW_S - 2 * SETTLED_S - 3600 + SAMPLE_S * number
        ring.append(SystemSample(at_s, 1.0, 1.0, 1.0))
    Prune(engine, "host", KEEP_S, ring, SAMPLE_S).run(NOW_S + ahead_s)
    assert kept(engine) == left
    engine.dispose()


def test_without_samples_nothing_is_pruned(tmp_path: Path) -> None:
    engine = make_engine(Settings(state_dir=tmp_path))
    migrate(engine)
    over(engine, 0.0)
    Prune(engine, "host", KEEP_S, SampleRing(tmp_path / RING_FILE), SAMPLE_S).run(NOW_S)
    assert kept(engine) == 1
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
