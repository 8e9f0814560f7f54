"""The page of the machines: its sentence, figures, charts, sizing, and who reports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.model.alerting import Alert
from app.model.formats import NOTHING
from app.model.histogram import Histogram
from app.model.series import Restarts, Series
from app.model.vitals import Vitals, mean_of
from app.model.windows import NAMED, Window, named
from app.panels.alerting.drawing import amount_axis
from app.panels.look import Look
from app.panels.machines import charts, fleet
from app.panels.machines.endings import endings
from app.panels.machines.figures import machine_figures
from app.panels.machines.head import machine_head
from app.panels.machines.sizing import sizing
from app.panels.machines.stretches import stretches
from app.store.history import Reported

from .fake import MB, NOW_S, FakeSources, contained, critical, empty, healthy

HOUR = named("1h", NOW_S)


class Told(FakeSources):
    """Two instances, one of which nobody has heard of for a while, with queues and ends of workers."""

    def vitals(self, window: Window):  # type: ignore[no-untyped-def]
        waited = Series(ok=Histogram.of([5_000_000] * 9 + [90_000_000]), min_ns=5_000_000, max_ns=90_000_000)
        points = []
        for number, point in enumerate(super().vitals(window)):
            ended = {"out_of_memory": 1} if number == 20 else {"recycled": 4} if number == 40 else {}
            told = {name: replace(one, counters=ended, queue=waited) for name, one in point.items()}
            points.append(told | ({"two": one} if (one := told.get("one")) else {}))
        return points


def test_a_machine_with_room_is_told_so_with_its_levels() -> None:
    head = machine_head(HOUR, healthy(), NOW_S)
    assert (head.severity, head.sentence) == ("ok", "The machine has room")
    assert head.detail == "CPU 55 %, memory 72 %, disk 46 %."
    facts = {fact.label: fact for fact in head.facts}
    assert facts["Workers"].note == "needed 4"
    assert facts["Told of"].value == "the host"
    assert facts["Samples"].value == "2 s old"


def test_an_alert_of_the_machine_is_its_heading_and_one_of_a_tool_is_not() -> None:
    assert machine_head(HOUR, critical(), NOW_S).sentence == "CPU is high: 98 %"
    failing = Alert("low_success_rate", "ping", "error", "", 10.0, 90.0, NOW_S - 60)
    assert machine_head(HOUR, FakeSources(active=(failing,)), NOW_S).severity == "ok"


def test_nobody_knows_of_a_machine_that_is_not_sampled() -> None:
    assert machine_head(HOUR, empty(), NOW_S).sentence == "Nothing sampled yet"
    silent = machine_head(HOUR, FakeSources(active=(), sample_age_s=200), NOW_S)
    assert (silent.severity, silent.sentence) == ("unknown", "Not sampled for 3 min")


def test_workers_that_ended_by_force_stand_in_the_heading() -> None:
    facts = {fact.label: fact for fact in machine_head(HOUR, Told(active=()), NOW_S).facts}
    # Both instances tell the same here, so all is there twice.
    assert (facts["Ended workers"].value, facts["Ended workers"].note) == ("10", "2 by force")
    assert facts["Ended workers"].tone == "worse"


def test_the_figures_have_their_limits_and_what_they_were() -> None:
    cpu, memory, disk, network = machine_figures(HOUR, healthy(), NOW_S).tiles
    assert float(cpu.figure.text) == pytest.approx(54.8, abs=10)
    assert (memory.figure.text, memory.figure.unit) == ("371", "of 512 MB")
    assert memory.delta.than.startswith("than the hour before (")
    assert (disk.figure.unit, disk.delta.text) == ("of 10.0 GB", "As before")
    assert (network.figure.text, network.figure.unit) == ("392", "kB/s")
    assert all(tile.spark.limit is not None for tile in (cpu, memory, disk))
    assert all(tile.spark.was for tile in (cpu, memory, disk, network))


def test_before_the_first_sample_figures_are_dashes_and_charts_say_so() -> None:
    assert {tile.figure.text for tile in machine_figures(HOUR, empty(), NOW_S).tiles} == {NOTHING}
    assert charts.cpu(HOUR, empty(), NOW_S).missing == "No sample in this window"
    assert fleet.truth(HOUR, empty(), NOW_S).rows == ()
    assert not endings(HOUR, empty(), NOW_S).is_sampled
    assert sizing(HOUR, empty(), NOW_S).rows == ()


@pytest.mark.parametrize("name", NAMED)
def test_stretches_are_few_and_lose_no_sample(name: str) -> None:
    window, sources = named(name, NOW_S), healthy()
    parts = stretches(window, sources)
    assert len(parts) <= 122
    assert [part.start_s for part in parts[1:]] == [part.end_s for part in parts[:-1]]
    told = sum(one.gauges["cpu_percent"].samples for part in parts for one in part.instances)
    assert told == sum(
        one.gauges["cpu_percent"].samples for at in sources.vitals(window) for one in at.values()
    )


def test_the_course_of_cpu_has_its_limits_its_most_and_the_hour_before() -> None:
    view = charts.cpu(HOUR, contained(), NOW_S)
    assert view.chart
    assert [line.name for line in view.chart.lines] == ["value", "most", "before"]
    assert [limit.severity for limit in view.chart.limits] == ["warning", "critical"]
    assert view.note.startswith("The container was throttled in ")
    assert len({len(line.values) for line in view.chart.lines}) == 1
    assert [key.label for key in view.keys] == ["Mean", "Most", "Before"]
    alone = charts.cpu(HOUR, healthy(), NOW_S, compare="off")
    assert alone.chart
    assert [line.name for line in alone.chart.lines] == ["value", "most"]


def test_requests_at_work_are_drawn_against_what_the_workers_can() -> None:
    view = charts.at_work(HOUR, healthy(), NOW_S)
    assert view.chart
    assert view.chart.limits[0].value == 4
    assert view.keys[0].figure == "0.80"


def test_a_queue_is_told_in_percentiles_and_one_that_nobody_measures_says_how() -> None:
    silent = charts.queue(HOUR, healthy(), NOW_S)
    assert (silent.chart, silent.missing) == (None, "Queue time is not measured")
    assert "X-Request-Start" in silent.how
    view = charts.queue(HOUR, Told(), NOW_S)
    assert view.chart
    assert [line.name for line in view.chart.lines] == ["p50", "p95", "p99"]
    assert view.keys[0].figure == "5.0 ms"


def test_the_sizing_answer_marks_what_is_enough_and_what_is_there() -> None:
    view = sizing(HOUR, FakeSources(in_flight=0.3), NOW_S)
    assert view.say == "2 workers are enough for the busiest minute of the last hour"
    marked = {row.workers: (row.is_enough, row.is_now) for row in view.rows}
    assert marked[2] == (True, False)
    assert marked[4] == (False, True)
    assert view.rows[0].waiting != NOTHING
    assert sizing(HOUR, FakeSources(slots_each=None), NOW_S).rows == ()


def test_ends_of_workers_lie_in_the_lane_of_their_reason() -> None:
    view = endings(HOUR, Told(restarts=Restarts(recycled=4)), NOW_S)
    lanes = {lane.label: lane for lane in view.lanes}
    assert (lanes["Out of memory"].number, lanes["Out of memory"].severity) == (2, "error")
    assert (lanes["Recycled"].number, lanes["Recycled"].severity) == (8, "")
    assert view.forced == 2
    (tick,) = lanes["Out of memory"].ticks
    assert 30 < tick.left_percent < 40


def test_an_instance_that_is_silent_is_gone_and_stands_last() -> None:
    reported = (Reported("aaa", NOW_S - 9000, NOW_S - 600), Reported("one", NOW_S - 2280, NOW_S - 4))
    view = fleet.instances(HOUR, FakeSources(reported=reported), NOW_S)
    assert [(row.name, row.is_gone) for row in view.rows] == [("one", False), ("aaa", True)]
    assert (view.rows[0].workers, view.rows[1].workers) == ("4", NOTHING)
    assert view.gone == 1


def test_whose_limits_count_is_told_and_nothing_is_made_up() -> None:
    host = fleet.truth(HOUR, healthy(), NOW_S)
    assert {row.whose for row in host.rows[:4]} == {"host"}
    assert [row.value for row in host.rows[4:]] == ["no limit", "no limit"]
    inside = fleet.truth(HOUR, contained(), NOW_S)
    assert (inside.rows[0].whose, inside.rows[1].value) == ("container", "371 of 512 MB")
    assert inside.rows[0].value.endswith("of 0.5 cores")


def test_own_cost_before_anything_was_timed_is_a_dash() -> None:
    rows = {row.label: row.figure for row in fleet.own_cost(HOUR, healthy(), NOW_S).rows}
    assert rows["Per request"] == NOTHING
    assert rows["Workers' memory"] == "284 MB"


def test_all_workers_are_there_however_many() -> None:
    assert len(fleet.all_workers(HOUR, FakeSources(workers=40), NOW_S).rows) == 40


def test_one_look_reads_the_machines_once() -> None:
    asked: list[Window] = []

    class Asked(FakeSources):
        def vitals(self, window: Window):  # type: ignore[no-untyped-def]
            asked.append(window)
            return super().vitals(window)

    look = Look(Asked())
    for panel in (charts.cpu, charts.memory, charts.network, endings, machine_figures, fleet.instances):
        panel(HOUR, look, NOW_S)
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize(
    ("top", "ticks"),
    [
        (700 * 1024, ["0 B", "200 kB", "400 kB", "600 kB", "800 kB"]),
        (3 * MB, ["0 B", "1 MB", "2 MB", "3 MB", "4 MB"]),
    ],
)
def test_bytes_are_counted_off_in_their_own_unit(top: int, ticks: list[str]) -> None:
    assert [label for _, label in amount_axis("bytes per second", [float(top), None]).ticks] == ticks


def test_what_is_added_up_of_several_instances_is_their_sum() -> None:
    (part,) = {part.start_s: part for part in stretches(HOUR, Told())[30:31]}.values()
    assert isinstance(part.instances[0], Vitals)
    assert mean_of(part.instances, "in_flight") == pytest.approx(1.6)
