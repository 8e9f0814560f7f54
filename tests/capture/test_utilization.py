"""How busy a worker is: by what was counted and by what is in flight, to the nanosecond."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.capture import cells as layout
from app.capture import utilization
from app.capture.measure import Measure
from app.capture.reader import Reader
from app.capture.vitals import Vitals
from tests.capture.forks import Forks, shared_numbers, until
from tests.capture.hosts import OWN_PATH, Measured, called, environ_of

S = 1_000_000_000
NOW_NS = 1_000 * S


@pytest.fixture
def header() -> memoryview:
    cells = memoryview(bytearray(8 * layout.HEADER_CELLS)).cast("Q")
    cells[layout.SLOTS] = 1
    return cells


def test_before_anything_is_told_nothing_is_known(header: memoryview) -> None:
    assert utilization.busy_percent(header, NOW_NS, 0) is None
    utilization.write(header, NOW_NS, 0)
    assert utilization.busy_percent(header, NOW_NS, 0) is None
    assert utilization.busy_percent(header, NOW_NS + 2 * S, S) == 50.0


def test_without_known_slots_there_is_no_share(header: memoryview) -> None:
    header[layout.SLOTS] = 0
    utilization.write(header, NOW_NS, 0)
    assert utilization.busy_percent(header, NOW_NS + 60 * S, S) is None


def test_a_young_worker_is_judged_since_its_start(header: memoryview) -> None:
    for turn in range(4):  # it works half of the time
        utilization.write(header, NOW_NS + turn * 5 * S, turn * 5 * S // 2)
    assert utilization.busy_percent(header, NOW_NS + 20 * S, 10 * S) == 50.0


@pytest.mark.parametrize("turns", [13, 16, 17, 100, 1000])
def test_an_old_worker_is_judged_by_the_last_minute(header: memoryview, turns: int) -> None:
    for turn in range(turns):  # all of the time until then
        utilization.write(header, NOW_NS + turn * 5 * S, turn * 5 * S)
    then_ns, busy = NOW_NS + (turns - 1) * 5 * S, (turns - 1) * 5 * S
    for turn in range(1, 7):  # and none in the last half of a minute
        utilization.write(header, then_ns + turn * 5 * S, busy)
    assert utilization.busy_percent(header, then_ns + 30 * S, busy) == pytest.approx(50.0, abs=1)


def test_a_share_is_of_all_slots_and_stays_within_its_bounds(header: memoryview) -> None:
    utilization.write(header, NOW_NS, 5 * S)
    header[layout.SLOTS] = 4
    assert utilization.busy_percent(header, NOW_NS + 10 * S, 15 * S) == 25.0
    assert utilization.busy_percent(header, NOW_NS + 10 * S, 500 * S) == 100.0
    assert utilization.busy_percent(header, NOW_NS + 10 * S, 0) == 0.0


def test_what_is_answered_and_what_is_measured_by_hand_is_not_at_work() -> None:
    notes = [0, NOW_NS - 3, layout.BY_HAND | NOW_NS - 5, layout.ANSWERED | 7, layout.CLOSING | 7, NOW_NS - 4]
    assert utilization.in_flight_ns(notes, NOW_NS) == 7


def answer(_: dict[str, Any], start_response: Any, during: Callable[[], object]) -> Iterable[bytes]:
    during()
    start_response("200 OK", [])
    return [b"done"]


def test_requests_are_at_work_from_their_entry_and_count_once(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    def look() -> None:
        time.sleep(0.02)
        now_ns = time.perf_counter_ns()
        seen.append((utilization.busy_ns(measured.recorder, now_ns), measured.reader.snapshot().busy_ns))

    measured = Measured(tmp_path, partial(answer, during=look))
    for turn in range(1, 4):
        called(measured.hook, environ_of("/a"))
        total_ns = measured.tools["GET /a"].total_ns
        assert utilization.busy_ns(measured.recorder, 0) == measured.reader.snapshot().busy_ns == total_ns
        assert total_ns > turn * 20_000_000
        assert all(turn * 20_000_000 < busy < total_ns for busy in seen[-1])
    called(measured.hook, environ_of(OWN_PATH))
    own_ns = sum(one.total_ns for one in measured.own.values())
    assert measured.reader.snapshot().busy_ns == total_ns + own_ns


def test_a_measure_within_a_request_is_not_work_twice(tmp_path: Path) -> None:
    def inner() -> None:
        with Measure("inner", measured.recorder, measured.start):
            time.sleep(0.02)
            assert measured.reader.snapshot().busy_ns < 1.5 * (time.perf_counter_ns() - began_ns)

    measured = Measured(tmp_path, partial(answer, during=inner))
    began_ns = time.perf_counter_ns()
    called(measured.hook, environ_of("/a"))
    assert measured.reader.snapshot().busy_ns == measured.tools["GET /a"].total_ns
    assert measured.tools["inner"].total_ns > 20_000_000
    assert utilization.busy_ns(measured.recorder, 0) == measured.reader.snapshot().busy_ns


def test_the_sum_goes_on_when_the_dead_are_folded(tmp_path: Path, forks: Forks) -> None:
    measured = Measured(tmp_path, partial(answer, during=lambda: None))
    called(measured.hook, environ_of("/a"))

    def work() -> None:
        called(measured.hook, environ_of("/b"))
        with Measure("beside", measured.recorder, measured.start):
            time.sleep(0.01)

    assert forks.run(work) == 0
    before = measured.reader.snapshot()
    assert before.busy_ns == measured.tools["GET /a"].total_ns + measured.tools["GET /b"].total_ns
    assert measured.reader.retire() == 1
    assert measured.reader.snapshot().busy_ns == before.busy_ns


def test_another_process_tells_the_share_of_one_that_is_stuck(tmp_path: Path, forks: Forks) -> None:
    measured = Measured(tmp_path, partial(answer, during=lambda: until(lambda: told[1])))
    measured.start()
    told = shared_numbers(2)

    def work() -> None:
        measured.start()
        vitals = Vitals(measured.recorder, 2, lambda: None, is_worker=True)
        vitals.beat(time.perf_counter_ns())
        told[0] = 1
        called(measured.hook, environ_of("/a"))

    pid = forks.start(work)
    until(lambda: told[0] and measured.worker_of(pid).in_flight)
    until(lambda: measured.worker_of(pid).busy_percent is not None)
    until(lambda: 40 < (measured.worker_of(pid).busy_percent or 0) <= 50)  # one of two slots, since the start
    told[1] = 1
    assert forks.join(pid) == 0


def test_threads_that_come_and_go_never_make_the_sum_fall_or_leap(tmp_path: Path) -> None:
    measured = Measured(tmp_path, partial(answer, during=lambda: time.sleep(0.001)))
    measured.start()
    ended = threading.Event()

    def go_on() -> None:
        while not ended.is_set():
            called(measured.hook, environ_of("/a"))

    threads = [threading.Thread(target=go_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        began_ns, reader = time.perf_counter_ns(), Reader(measured.recorder)
        for _ in range(100):
            busy = utilization.busy_ns(measured.recorder, time.perf_counter_ns())
            read = reader.snapshot().busy_ns
            span_ns = time.perf_counter_ns() - began_ns
            assert 0 <= busy <= 4.2 * span_ns + 50_000_000
            assert 0 <= read <= 4.2 * span_ns + 50_000_000
    finally:
        ended.set()
        for thread in threads:
            thread.join()
