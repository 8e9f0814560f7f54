"""Memory and store joined: no request is missing and none is there twice, at any time around a roll-up."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from app.live import Live
from app.model.histogram import Histogram
from app.model.series import Series, total
from app.model.windows import NAMED, Window, named
from app.sources import Traffic
from app.store import writing
from app.store.rollups import finish_run, roll_up
from app.store.rows import encoded, instance_id, tool_ids, upsert
from app.store.schema import rollups
from tests.counting import INSTANCE, Counting, requests

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture
def counting(tmp_path: Path) -> Counting:
    return Counting(tmp_path)


def by_tool(traffic: Traffic) -> dict[str, int]:
    return {name: series.requests for name, series in traffic.tools.items() if series.requests}


def agrees(traffic: Traffic, live: Live) -> None:
    """Sums by tool, by point and by tool and point are the same requests."""
    assert requests(traffic.points) == requests(traffic.tools.values())
    courses = live.courses(traffic.window, traffic.tools)
    for name, series in traffic.tools.items():
        assert requests(courses[name]) == series.requests
    assert all(len(points) == len(traffic.window.starts()) for points in courses.values())
    assert len(traffic.points) == len(traffic.window.starts())


def is_gap(points: Sequence[Series | None]) -> list[bool]:
    return [one is None for one in points]


@pytest.mark.parametrize("name", NAMED)
def test_totals_are_exact_before_between_and_after_roll_ups(counting: Counting, name: str) -> None:
    now_s = counting.started_s
    for number in range(1, 6):
        counting.count("a", 3)
        counting.count("b")
        for _ in range(2):
            traffic = counting.live.traffic(named(name, now_s + 1))
            assert by_tool(traffic) == {"a": 3 * number, "b": number}
            agrees(traffic, counting.live)
        now_s += 10
        counting.roll_up(now_s)
        traffic = counting.live.traffic(named(name, now_s + 1))
        assert by_tool(traffic) == {"a": 3 * number, "b": number}
        agrees(traffic, counting.live)


@pytest.mark.parametrize("seed", range(3))
def test_totals_are_exact_in_any_order_of_requests_roll_ups_and_reads(counting: Counting, seed: int) -> None:
    chance, now_s = random.Random(seed), counting.started_s
    counted = dict.fromkeys("abc", 0)
    for _ in range(80):
        now_s += chance.choice([0.5, 3, 10])
        match chance.randrange(3):
            case 0:
                tool, times = chance.choice("abc"), chance.randrange(1, 4)
                counting.count(tool, times, ms=chance.uniform(0.1, 3000))
                counted[tool] += times
            case 1:
                counting.roll_up(now_s)
            case _:
                traffic = counting.live.traffic(named(chance.choice(["15m", "6h", "24h", "7d"]), now_s))
                assert by_tool(traffic) == {name: times for name, times in counted.items() if times}
                agrees(traffic, counting.live)


def test_a_run_that_ends_in_the_turn_in_which_the_next_begins_leaves_no_old_answer_standing(
    counting: Counting,
) -> None:
    now_s = counting.started_s

    def roll_up_past(last: Mapping[str, Series]) -> None:
        with writing(counting.engine) as connection:
            roll_up(
                connection, instance=INSTANCE, run="past", started_s=now_s - 60, now_s=now_s - 30, tools=last
            )

    roll_up_past({})
    counting.count("a", 2)
    assert by_tool(counting.live.traffic(named("1h", now_s + 11))) == {"a": 2}
    counting.roll_up(now_s + 10)
    roll_up_past({"a": Series(ok=Histogram.of([1_000_000] * 7))})
    with writing(counting.engine) as connection:  # as many runs, and as many roll-ups of them, as before
        finish_run(connection, INSTANCE, "past", heir=INSTANCE)
    assert by_tool(counting.live.traffic(named("1h", now_s + 11))) == {"a": 9}


def test_a_run_that_was_never_rolled_up_before_its_end_leaves_no_old_answer_standing(
    counting: Counting,
) -> None:
    now_s = counting.started_s
    run = counting.recorder.run
    assert run is not None
    counting.count("a", 2)
    counting.roll_up(now_s + 10)
    assert by_tool(counting.live.traffic(named("1h", now_s + 11))) == {"a": 2}
    with writing(counting.engine) as connection:
        last = {"a": Series(ok=Histogram.of([1_000_000] * 7))}
        roll_up(connection, instance=INSTANCE, run="past", started_s=now_s - 60, now_s=now_s - 30, tools=last)
    with writing(counting.engine) as connection:  # the only run is the one that there was
        finish_run(connection, INSTANCE, "past", heir=run.instance)
    assert by_tool(counting.live.traffic(named("1h", now_s + 11))) == {"a": 9}


def test_nothing_is_missing_or_double_while_roll_ups_run(counting: Counting) -> None:
    ended = threading.Event()
    counted = [0]

    def work() -> None:
        while not ended.is_set():
            counting.count("a")
            counted[0] += 1

    def roll() -> None:
        now_s = counting.started_s
        while not ended.wait(0.002):
            now_s += 10
            counting.roll_up(now_s)

    threads = [threading.Thread(target=work), threading.Thread(target=roll)]
    for thread in threads:
        thread.start()
    window = named("24h", counting.started_s + 3600)
    try:
        for _ in range(40):
            least = counted[0]
            seen = by_tool(counting.live.traffic(window)).get("a", 0)
            assert least <= seen <= counted[0] + 1
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert by_tool(counting.live.traffic(window)) == {"a": counted[0]}


def test_times_and_classes_come_through_with_the_counts(counting: Counting) -> None:
    counting.count("a", ms=10)
    counting.roll_up(counting.started_s + 10)
    counting.count("a", ms=30, outcome=1)
    counting.count("a", ms=20, outcome=2)
    series = counting.live.traffic(named("15m", counting.started_s + 11)).tools["a"]
    assert (series.requests, series.errors, series.client_errors, series.server_errors) == (3, 2, 1, 1)
    assert series.total_ns == 60_000_000
    assert series.min_ns == 10_000_000
    assert series.max_ns == pytest.approx(30_000_000, rel=0.011)
    assert series.response_bytes == 30


def test_laptimes_own_requests_are_not_in_it(counting: Counting) -> None:
    counting.count("GET /dashboard", own=True)
    counting.count("a")
    counting.roll_up(counting.started_s + 10)
    counting.count("GET /dashboard", own=True)
    assert by_tool(counting.live.traffic(named("15m", counting.started_s + 11))) == {"a": 1}


def boundary(counting: Counting, number: int) -> float:
    """The end of the `number`th ten seconds since the start, when the elected worker rolls up."""
    return (counting.started_s // 10 + number) * 10


def test_before_the_start_is_a_gap_and_an_idle_service_is_zero(counting: Counting) -> None:
    for number in range(1, 7):
        counting.roll_up(boundary(counting, number))
    traffic = counting.live.traffic(named("15m", boundary(counting, 7) - 1))
    assert is_gap(traffic.points) == [True] * (len(traffic.points) - 7) + [False] * 7
    assert traffic.window.starts()[-7] <= counting.started_s < traffic.window.starts()[-6]
    assert requests(traffic.points) == 0


def test_a_tool_that_is_not_called_is_zero_where_the_service_ran_and_a_gap_where_it_did_not(
    counting: Counting,
) -> None:
    for number, times in enumerate((2, 0, 0, 1), 1):
        counting.count("a", times)
        counting.count("b")
        counting.roll_up(boundary(counting, number))
    traffic = counting.live.traffic(named("15m", boundary(counting, 5) - 1))
    [course] = counting.live.courses(traffic.window, "a").values()
    assert is_gap(course) == is_gap(traffic.points)
    found = [one.requests for one in course if one is not None]
    assert found == [2, 0, 0, 1, 0]


def test_since_the_newest_roll_up_there_is_no_gap(counting: Counting) -> None:
    counting.count("a")
    counting.roll_up(boundary(counting, 1))
    counting.count("a", 2)
    traffic = counting.live.traffic(named("15m", boundary(counting, 4) - 1))
    for points in (traffic.points, *counting.live.courses(traffic.window, "a").values()):
        assert [one and one.requests for one in points[-5:]] == [None, 1, 0, 0, 2]


def test_rows_that_were_read_are_read_anew_after_a_roll_up(counting: Counting) -> None:
    window = named("15m", boundary(counting, 2) - 1)
    counting.count("a", 3)
    assert [one and one.requests for one in counting.live.traffic(window).points[-2:]] == [0, 3]
    counting.roll_up(boundary(counting, 1))
    counting.count("a")
    assert [one and one.requests for one in counting.live.traffic(window).points[-2:]] == [3, 1]


def test_rows_are_kept_until_anybody_has_rolled_up_and_go_when_nobody_asks(counting: Counting) -> None:
    window = named("15m", boundary(counting, 2) - 1)
    counting.roll_up(boundary(counting, 1))
    counting.live.traffic(window)
    start_s, end_s = boundary(counting, 1), boundary(counting, 2)
    with writing(counting.engine) as connection:
        [tool_id] = tool_ids(connection, ["elsewhere"]).values()
        number = instance_id(connection, "two")
        row = {"period_s": 10, "start_s": start_s, "tool_id": tool_id, "instance_id": number}
        series = Series(ok=Histogram.of([1_000_000]))
        upsert(connection, rollups, [{**row, "data": encoded(series)}])  # without a roll-up
    counting.live.forget(time.monotonic())
    assert by_tool(counting.live.traffic(window)) == {}
    counting.live.forget(time.monotonic() + 60)
    assert by_tool(counting.live.traffic(window)) == {"elsewhere": 1}
    with writing(counting.engine) as connection:
        roll_up(connection, instance="two", run="two", started_s=start_s, now_s=end_s, tools={"b": series})
    assert by_tool(counting.live.traffic(window)) == {"elsewhere": 1, "b": 1}


def test_the_time_between_two_runs_is_a_gap(counting: Counting) -> None:
    former_s = boundary(counting, -30)
    counting.count("a")
    tools = {"a": counting.live.snapshot().tools["a"].series}
    with writing(counting.engine) as connection:
        roll_up(
            connection, instance=INSTANCE, run="former", started_s=former_s, now_s=former_s + 10, tools=tools
        )
    traffic = counting.live.traffic(named("15m", counting.started_s))
    for points in (traffic.points, *counting.live.courses(traffic.window, "a").values()):
        assert is_gap(points)[-32:] == [True] + [False] + [True] * 29 + [False]
    assert by_tool(traffic) == {"a": 2}


def test_a_span_that_ended_before_the_newest_roll_up_holds_rows_alone(counting: Counting) -> None:
    counting.count("a")
    counting.roll_up(counting.started_s + 10)
    counting.roll_up(counting.started_s + 600)
    counting.count("b", 5)
    past = Window("", counting.started_s - 60, counting.started_s + 30, 10, 10)
    assert by_tool(counting.live.traffic(past)) == {"a": 1}


def test_spans_that_end_in_the_same_hour_are_told_apart(counting: Counting) -> None:
    hour_s = (counting.started_s // 3600 + 1) * 3600
    counting.roll_up(hour_s)
    counting.count("a")
    counting.roll_up(hour_s + 600)
    counting.count("b")
    counting.roll_up(hour_s + 1800)
    counting.roll_up(hour_s + 3000)
    week_s = hour_s - 6 * 86_400
    early = counting.live.traffic(Window("", week_s, hour_s + 600, 600, 3600))
    late = counting.live.traffic(Window("", week_s, hour_s + 2400, 600, 3600))
    assert by_tool(early) == {"a": 1}
    assert by_tool(late) == {"a": 1, "b": 1}


FORMER_RUN = """
import sys
from pathlib import Path
from tests.counting import Counting
former = Counting(Path(sys.argv[1]))
former.count("a", 4)
if sys.argv[2] == "rolled":
    former.roll_up(former.started_s + 5)
former.count("a", 3)
former.count("b", 2)
"""


@pytest.mark.parametrize("rolled", ["rolled", "never"])
def test_a_restart_loses_nothing_and_counts_nothing_twice(tmp_path: Path, rolled: str) -> None:
    subprocess.run(
        [sys.executable, "-c", FORMER_RUN, str(tmp_path), rolled], cwd=CHECKOUT, timeout=60, check=True
    )
    counting = Counting(tmp_path)
    assert counting.live.snapshot().tools == {}  # since this start
    counting.count("a")
    now_s = counting.started_s
    for _ in range(3):
        now_s += 10
        counting.roll_up(now_s)
        traffic = counting.live.traffic(named("15m", now_s + 1))
        assert by_tool(traffic) == {"a": 8, "b": 2}
        agrees(traffic, counting.live)
    assert total(one.series for one in counting.live.snapshot().tools.values()).requests == 1
    assert len(list((tmp_path / "runs").glob("*-*"))) == 1
