"""Recorder and Reader over real threads, processes and kills: what was counted is read, exactly."""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random

import pytest

from app.capture import cells as layout
from app.capture.cells import CLIENT_ERROR, OTHER, REPORTED, SERVER_ERROR, SUCCESS, CellFile
from app.capture.reader import Reader
from app.capture.recorder import Recorder
from app.model.histogram import Histogram
from app.model.series import Series, Snapshot
from tests.capture.forks import Forks, shared_numbers, until

MS = 1_000_000
OUTCOMES = (SUCCESS, SUCCESS, SUCCESS, CLIENT_ERROR, SERVER_ERROR, REPORTED)


def opened(state: Path, max_tools: int = 1000) -> Recorder:
    recorder = Recorder(state, max_tools)
    recorder.open()
    return recorder


def count(
    recorder: Recorder,
    name: str,
    duration_ns: int = MS,
    outcome: int = SUCCESS,
    size: int = 10,
    *,
    own: bool = False,
) -> None:
    tool = recorder.tool(name, own)
    tool.count(layout.NOWHERE, time.perf_counter_ns(), duration_ns, outcome, size)


def requests(snapshot: Snapshot) -> int:
    return sum(totals.series.requests for totals in snapshot.tools.values())


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "instance"


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads that take turns as often as the interpreter allows."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def test_every_number_of_every_request_is_counted(state: Path) -> None:
    recorder = opened(state)
    random = Random(3)
    done = [(int(random.lognormvariate(15, 3)), random.choice(OUTCOMES)) for _ in range(1000)]
    for duration_ns, outcome in done:
        count(recorder, "list_files", duration_ns, outcome, size=duration_ns % 100)
    expected = Series(
        ok=Histogram.of(duration_ns for duration_ns, outcome in done if outcome == SUCCESS),
        failed=Histogram.of(duration_ns for duration_ns, outcome in done if outcome != SUCCESS),
        client_errors=sum(outcome == CLIENT_ERROR for _, outcome in done),
        server_errors=sum(outcome == SERVER_ERROR for _, outcome in done),
        total_ns=sum(duration_ns for duration_ns, _ in done),
        min_ns=min(duration_ns for duration_ns, _ in done),
        max_ns=max(duration_ns for duration_ns, _ in done),
        response_bytes=sum(duration_ns % 100 for duration_ns, _ in done),
    )
    assert Reader(recorder).snapshot().tools["list_files"].series == expected
    reported = sum(outcome == REPORTED for _, outcome in done)
    assert recorder.tool("list_files", False).cells[layout.REPORTED_FAILURES] == reported


@pytest.mark.parametrize("duration_ns", [0, 1, 999, 1000, 10**9, 3600 * 10**9, 10**15])
def test_the_shortest_and_the_longest_request_are_counted(state: Path, duration_ns: int) -> None:
    recorder = opened(state)
    count(recorder, "tool", duration_ns)
    series = Reader(recorder).snapshot().tools["tool"].series
    assert (series.requests, series.total_ns, series.max_ns) == (1, duration_ns, duration_ns)
    assert series.ok == Histogram.of([duration_ns])


def test_own_pages_are_counted_apart_under_the_same_name(state: Path) -> None:
    recorder = opened(state)
    count(recorder, "GET /")
    count(recorder, "GET /", own=True)
    count(recorder, "GET /", outcome=SERVER_ERROR, own=True)
    snapshot = Reader(recorder).snapshot()
    assert snapshot.tools["GET /"].series.requests == 1
    assert snapshot.own["GET /"].series.requests == 2


@pytest.mark.usefixtures("hasty_threads")
def test_threads_in_several_processes_lose_nothing_while_another_process_reads(
    state: Path, forks: Forks
) -> None:
    processes, threads, each = 3, 4, 2000
    recorder = opened(state)
    told, go = shared_numbers(processes), threading.Barrier(threads)

    def work(number: int) -> None:
        mine = opened(state)

        def client(random: Random) -> None:
            go.wait()
            for turn in range(each):
                count(mine, f"tool {random.randrange(3)}", turn, OUTCOMES[turn % 6])

        clients = [threading.Thread(target=client, args=(Random(seed),)) for seed in range(threads)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        told[number] = 1
        time.sleep(60)

    for number in range(processes):
        forks.start(partial(work, number))
    reader = Reader(recorder)
    before: Snapshot | None = None
    reads = 0
    while not all(told) or reads < 3:
        snapshot = reader.snapshot()
        for name, totals in before.tools.items() if before else ():
            new, old = snapshot.tools[name].series, totals.series
            assert all(n >= o for n, o in zip(_grows(new), _grows(old), strict=True)), name
            assert all(lane >= 0 for lane in (new.ok - old.ok).lanes() + (new.failed - old.failed).lanes())
        before, reads = snapshot, reads + 1
    snapshot = reader.snapshot()
    all_requests = processes * threads * each
    merged = [totals.series for totals in snapshot.tools.values()]
    assert requests(snapshot) == all_requests
    by_outcome = Counter(OUTCOMES[turn % 6] for turn in range(each))
    assert sum(one.client_errors for one in merged) == by_outcome[CLIENT_ERROR] * processes * threads
    assert sum(one.server_errors for one in merged) == by_outcome[SERVER_ERROR] * processes * threads
    assert sum(one.ok.count for one in merged) == by_outcome[SUCCESS] * processes * threads
    assert sum(one.total_ns for one in merged) == sum(range(each)) * processes * threads
    assert sum(one.response_bytes for one in merged) == 10 * all_requests
    assert sum(worker.requests for worker in snapshot.workers) == all_requests
    files = [CellFile.open(path) for path in state.glob("runs/*/worker-*")]
    tools = [cells.tool(number) for cells in files for number in range(cells.header[layout.TOOLS])]
    assert sum(tool[layout.REQUESTS] for tool in tools) == all_requests
    assert len(snapshot.workers) == processes + 1
    assert all(worker.in_flight == 0 for worker in snapshot.workers)


def _grows(series: Series) -> tuple[int, ...]:
    return (series.requests, series.total_ns, series.max_ns, series.client_errors, series.server_errors)


@pytest.mark.parametrize("turn", range(6))
def test_a_kill_at_any_moment_loses_nothing_that_was_counted(state: Path, forks: Forks, turn: int) -> None:
    recorder = opened(state)
    told = shared_numbers(1)

    def work() -> None:
        mine = opened(state)
        while True:
            count(mine, f"tool {told[0] % 50}", 1000 + told[0])
            told[0] += 1

    pid = forks.start(work)
    until(lambda: told[0] > 100 + 500 * turn)
    time.sleep(Random(turn).random() / 100)
    forks.kill(pid)
    snapshot = Reader(recorder).snapshot()
    assert told[0] <= requests(snapshot) <= told[0] + 1
    assert [worker.pid for worker in snapshot.workers] == [os.getpid()]


def test_a_process_forked_in_the_middle_counts_into_a_file_of_its_own(state: Path, forks: Forks) -> None:
    recorder = opened(state)
    for _ in range(100):
        count(recorder, "tool")

    def work() -> None:
        assert not recorder.is_open
        recorder.open()
        for _ in range(50):
            count(recorder, "tool")

    assert forks.run(work) == forks.run(work) == 0
    count(recorder, "tool")
    snapshot = Reader(recorder).snapshot()
    assert snapshot.tools["tool"].series.requests == 201
    assert recorder.tool("tool", False).cells[layout.REQUESTS] == 101


def test_what_a_forked_child_writes_before_it_opened_does_not_reach_its_parent(
    state: Path, forks: Forks
) -> None:
    recorder = opened(state)

    def work() -> None:
        recorder.header[layout.FAULTS] += 1

    assert forks.run(work) == 0
    assert recorder.header[layout.FAULTS] == 0


def test_names_past_the_limit_count_as_other(state: Path) -> None:
    recorder = opened(state, max_tools=10)
    for number in range(25):
        count(recorder, f"tool {number}")
    count(recorder, "tool 3")
    tools = Reader(recorder).snapshot().tools
    assert {name: totals.series.requests for name, totals in tools.items()} == {
        **{f"tool {number}": 1 for number in range(10)},
        "tool 3": 2,
        OTHER: 15,
    }


def test_twenty_thousand_random_names_take_bounded_space_and_lose_no_request(state: Path) -> None:
    recorder, random = opened(state, max_tools=200), Random(5)
    for _ in range(20_000):
        count(recorder, f"/{random.getrandbits(64):x}")
    snapshot = Reader(recorder).snapshot()
    assert requests(snapshot) == 20_000
    assert len(snapshot.tools) == 201
    [file] = state.glob("runs/*/worker-*")
    assert file.stat().st_size <= 8 * layout.HEADER_CELLS + 16 * 16 * layout.TOOL_CELLS * 8


def test_random_names_over_generations_of_workers_stay_bounded(state: Path, forks: Forks) -> None:
    recorder = opened(state, max_tools=20)
    reader = Reader(recorder)
    for generation in range(8):

        def work(generation: int = generation) -> None:
            mine = opened(state, max_tools=20)
            for number in range(100):
                count(mine, f"{generation}/{number}")

        assert forks.run(work) == 0
        reader.retire()
    snapshot = reader.snapshot()
    assert requests(snapshot) == 800
    assert len(snapshot.tools) <= 2 * 20 + 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("größe", "größe"),
        ("a\x00b", "a b"),
        ("\ud800lone\udfff", "?lone?"),
        ("\u202eevil\u202c", "evil"),
        ("line\r\nbreak", "line break"),
        ("", "(unnamed)"),
        ("\x00", "(unnamed)"),
        ("x" * 100_000, "x" * 248),
        ("ä" * 200, "ä" * 124),
        ("x" + "ä" * 200, "x" + "ä" * 123),
        ("€" * 100, "€" * 82),
        ("😀" * 100, "😀" * 62),
        ("(other)", "(other)"),
    ],
)
def test_a_hostile_name_is_counted_under_one_that_can_be_shown(state: Path, name: str, shown: str) -> None:
    recorder = opened(state)
    count(recorder, name)
    count(recorder, name)
    tools = Reader(recorder).snapshot().tools
    assert {tool: totals.series.requests for tool, totals in tools.items()} == {shown: 2}


def test_the_newest_requests_come_newest_first_with_their_real_times(state: Path, forks: Forks) -> None:
    recorder = opened(state)

    def work(start: int) -> None:
        mine = opened(state)
        for number in range(start, start + 300):
            count(mine, "tool", number, SUCCESS if number % 3 else REPORTED)

    began_s = time.time()
    assert forks.run(lambda: work(1000)) == 0
    assert forks.run(lambda: work(2000)) == 0
    for number in range(5):
        count(recorder, "tool", number + 3000)
    ended_s = time.time()
    recent = Reader(recorder).snapshot().tools["tool"].recent
    expected = [*range(3004, 2999, -1), *range(2299, 2288, -1)]
    assert [one.duration_ns for one in recent] == expected
    assert all(one.success == (one.duration_ns >= 3000 or one.duration_ns % 3 != 0) for one in recent)
    times = [one.at_s for one in recent]
    assert times == sorted(times, reverse=True)
    assert began_s - 0.01 <= times[-1] <= times[0] <= ended_s + 0.01


def test_a_clock_that_was_set_is_followed(state: Path) -> None:
    recorder = opened(state)
    recorder.header[layout.EPOCH_NS] -= 3600 * 10**9  # as if the clock had been an hour behind
    recorder.set_clock()
    count(recorder, "tool")
    [request] = Reader(recorder).snapshot().tools["tool"].recent
    assert abs(request.at_s - time.time()) < 60


def test_without_a_usable_folder_counts_go_to_private_memory_and_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    recorder = opened(tmp_path / "file")
    count(recorder, "tool")
    reader = Reader(recorder)
    assert recorder.trouble.startswith("counting in private memory: can't use the state folder")
    assert reader.snapshot().tools["tool"].series.requests == 1
    assert reader.run_id == reader.snapshot().run == "private"
    assert reader.retire() == 0


@pytest.mark.parametrize("room_bytes", [0, 200, 5000, 100_000])
def test_on_a_full_disk_counts_go_to_private_memory_and_it_says_so(
    state: Path, forks: Forks, room_bytes: int
) -> None:
    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room_bytes, resource.RLIM_INFINITY))
        recorder = opened(state)
        assert recorder.is_open
        for number in range(40):
            count(recorder, f"tool {number}")
        assert requests(Reader(recorder).snapshot()) == 40
        assert recorder.trouble.startswith("counting in private memory: ")

    assert forks.run(work) == 0


def test_a_disk_that_fills_up_later_costs_new_names_only(state: Path, forks: Forks) -> None:
    def work() -> None:
        recorder = opened(state)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        for number in range(40):
            count(recorder, f"tool {number}")
        tools = Reader(recorder).snapshot().tools
        assert sum(totals.series.requests for totals in tools.values()) == 40
        assert len(tools) == 15
        assert tools[OTHER].series.requests == 26
        assert recorder.trouble.startswith("new tools count as (other): no room")

    assert forks.run(work) == 0


def test_faults_are_counted_and_logged_once(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    recorder = opened(state)
    for _ in range(5):
        recorder.fault(ValueError("ours"))
    assert recorder.header[layout.FAULTS] == 5
    assert len(caplog.records) == 1


def test_workers_that_live_side_by_side_keep_to_one_limit_of_names(state: Path, forks: Forks) -> None:
    most, workers = 20, 4
    recorder = opened(state, max_tools=most)
    told = shared_numbers(workers)

    def work(number: int) -> None:
        mine = opened(state, max_tools=most)
        until(
            lambda: all(told[other] for other in range(number))
        )  # one after the other: in the same instant each may add one more
        for name in range(most):
            count(mine, f"{number}/{name}")
            count(mine, f"shared {name % 5}")
        told[number] = 1
        time.sleep(60)

    for number in range(workers):
        forks.start(partial(work, number))
    until(lambda: all(told))
    tools = Reader(recorder).snapshot().tools
    assert len(tools) == most + 1
    assert sum(totals.series.requests for totals in tools.values()) == 2 * most * workers
    assert tools["shared 0"].series.requests == 4 * workers
