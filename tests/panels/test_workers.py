"""The workers: what each takes, how busy all are, how many it takes, and how others ended."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from app.capture.vitals import Vitals
from app.model.formats import NOTHING
from app.model.series import Restarts
from app.model.windows import named
from app.panels.look import Look
from app.panels.performance import metrics
from app.panels.workers import Workers, workers, workers_answer
from tests.counting import Counting

from .fake import MB, NOW_S, VARIANTS, FakeSources

HOUR = named("1h", NOW_S)


@cache
def shown(variant: str) -> Workers:
    return workers(HOUR, Look(VARIANTS[variant]()), NOW_S)


def test_the_busiest_workers_come_first_and_all_are_counted() -> None:
    found = shown("many")
    assert (len(found.rows), found.count, found.busy) == (12, 40, 2)
    assert [row.in_flight for row in found.rows[:3]] == [1, 1, 0]


def test_a_row_tells_what_a_worker_takes_and_a_dash_for_what_nobody_tells() -> None:
    row = shown("healthy").rows[0]
    assert (row.busy, row.memory, row.open_files, row.threads) == ("20 %", "71 MB", "23", "4")
    row = shown("untold").rows[0]
    assert (row.busy, row.memory, row.open_files, row.threads) == (NOTHING, NOTHING, NOTHING, NOTHING)


def test_the_load_is_told_now_and_for_the_busiest_minute() -> None:
    assert shown("healthy").load == (
        "In the last 5 s they had 0.80 requests at once, 20 % of the 4 they can. The busiest minute of the "
        "last hour had 0.80 requests at once: with 4 workers at most 5 % of them would have had to wait."
    )
    assert "213 requests at once, 67 % of the 320 they can." in shown("many").load
    assert "with 30 workers at most" in shown("many").load
    assert "The busiest minute so far had" in shown("first_minutes").load


@pytest.mark.parametrize("variant", ["untold", "empty"])
def test_where_the_load_or_the_slots_are_not_known_nothing_is_made_up(variant: str) -> None:
    assert shown(variant).load == ""


def test_an_old_sample_tells_nothing_of_now() -> None:
    assert shown("unsampled").load.startswith("The busiest minute of the last hour")


def test_restarts_are_told_with_their_reasons() -> None:
    assert shown("healthy").restarts == ""
    assert shown("restless").restarts == (
        "Since the start 1,210 workers ended: 1,204 recycled, 1 killed, 2 killed for want of memory, "
        "3 past the time-out."
    )
    one = FakeSources(restarts=Restarts(killed=1))
    assert workers(HOUR, one, NOW_S).restarts == "Since the start 1 worker ended: 1 killed."


def test_the_api_tells_the_same_as_numbers() -> None:
    sources = FakeSources(in_flight=1.0, restarts=Restarts(2, 1))
    found = workers_answer(sources.snapshot(), sources, NOW_S)
    assert (found.count, found.busy, found.slots, found.saturation_percent, found.needed) == (
        4,
        2,
        4,
        25.0,
        4,
    )
    assert (found.restarts.recycled, found.restarts.killed, found.restarts.timed_out) == (2, 1, 0)
    assert [one.pid for one in found.processes] == [41, 42, 43, 44]
    first = found.processes[0]
    assert (first.age_seconds, first.in_flight, first.busy_percent) == (2280.0, 1, 25.0)
    assert (first.resident_bytes, first.open_files, first.threads) == (71 * MB, 23, 4)


def test_the_api_tells_null_for_what_is_not_known() -> None:
    sources = FakeSources(slots_each=None)
    found = workers_answer(sources.snapshot(), sources, NOW_S)
    assert (found.slots, found.saturation_percent, found.needed) == (None, None, None)
    assert {one.busy_percent for one in found.processes} == {one.threads for one in found.processes} == {None}


def test_some_workers_that_tell_no_slots_do_not_change_what_the_others_need() -> None:
    sources = FakeSources(in_flight=1.0)
    snapshot = sources.snapshot()
    young = replace(snapshot.workers[0], pid=99, slots=None)
    found = workers_answer(replace(snapshot, workers=(*snapshot.workers, young)), sources, NOW_S)
    assert (found.count, found.slots, found.needed) == (5, 4, 4)


def test_a_running_worker_is_in_the_metrics_with_all_that_it_tells(tmp_path: Path) -> None:
    counting = Counting(tmp_path)
    counting.count("a", 3)
    Vitals(counting.recorder, 1, lambda: 0, is_worker=True).beat(10**12)
    found = metrics(None, counting.live, counting.started_s + 10).workers
    [process] = found.processes
    assert (found.count, found.slots, process.requests) == (1, 1, 3)
    assert process.age_seconds == pytest.approx(10, abs=1)
    assert process.resident_bytes
    assert process.open_files
