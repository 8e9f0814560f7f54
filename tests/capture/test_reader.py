"""The Reader against dead workers, torn files, and a crash at every step of folding."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.capture import cells as layout
from app.capture.cells import SERVER_ERROR, SUCCESS, CellFile
from app.capture.process import Process
from app.capture.reader import Reader
from app.capture.recorder import Recorder
from app.capture.runs import Run, worker_file
from app.errors import CellsError
from app.model.histogram import bucket_of
from app.model.series import Snapshot
from tests.capture.forks import Forks, until


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    made = Recorder(tmp_path / "instance", 1000)
    made.open()
    return made


def folder_of(recorder: Recorder) -> Path:
    assert recorder.run is not None
    return recorder.run.folder


def die_after(forks: Forks, recorder: Recorder, requests: int, name: str = "tool") -> None:
    """A worker that counts so many requests, every tenth of them failed, and is gone."""

    def work() -> None:
        recorder.open()
        for number in range(requests):
            outcome = SERVER_ERROR if number % 10 == 0 else SUCCESS
            tool = recorder.tool(name, False)
            tool.count(layout.NOWHERE, time.perf_counter_ns(), 1000 + number, outcome, 7)

    assert forks.run(work) == 0


def bury(recorder: Recorder, count: int, each: int) -> None:
    """`count` files as workers that died long ago have left them, with `each` requests in every one."""
    for number in range(count):
        process = Process(Process.current().boot, 2**22 + 1 + number, 1 + number)
        assert recorder.run is not None
        cells = CellFile.create(worker_file(recorder.run, process), process)
        _as_counted(cells.add_tool(b"tool"), each)


def _as_counted(tool: memoryview, requests: int) -> None:
    tool[layout.TOTAL_NS], tool[layout.MIN_NS], tool[layout.MAX_NS] = requests * 50_000_000, *[50_000_000] * 2
    tool[layout.OK + bucket_of(50_000_000)] = tool[layout.REQUESTS] = requests


def requests(snapshot: Snapshot) -> int:
    return sum(totals.series.requests for totals in snapshot.tools.values())


def test_the_dead_are_folded_into_one_file_and_nothing_changes(recorder: Recorder, forks: Forks) -> None:
    reader = Reader(recorder)
    for number in range(3):
        die_after(forks, recorder, 100 + number, name=f"tool {number % 2}")
    before = reader.snapshot()
    assert requests(before) == 303
    assert reader.retire() == 3
    assert reader.snapshot() == before == Reader(recorder).snapshot()
    assert sorted(path.name for path in folder_of(recorder).glob("*.cells")) == [
        "folded.cells",
        f"worker-{os.getpid()}-{Process.current().start_ticks}.cells",
    ]
    assert reader.retire() == 0


def test_later_dead_are_folded_onto_earlier_ones(recorder: Recorder, forks: Forks) -> None:
    reader = Reader(recorder)
    for number in range(1, 6):
        die_after(forks, recorder, 20)
        assert reader.retire() == 1
        snapshot = reader.snapshot()
        assert snapshot.tools["tool"].series.requests == 20 * number
        assert snapshot.tools["tool"].series.server_errors == 2 * number
        assert len(snapshot.tools["tool"].recent) == 16


def test_the_living_are_left_alone(recorder: Recorder, forks: Forks) -> None:
    def live() -> None:
        recorder.open()
        signal.pause()

    pid = forks.start(live)
    until(lambda: len(list(folder_of(recorder).glob("worker-*"))) == 2)
    reader = Reader(recorder)
    until(lambda: len(reader.snapshot().workers) == 2)
    os.kill(pid, signal.SIGSTOP)
    assert reader.retire() == 0
    forks.kill(pid)
    assert reader.retire() == 1


# Folding removes what an earlier crash may have left, names 4 tools, takes the place of the old file, and
# removes 3 files.
STEPS = 1 + 4 + 1 + 3


class Crash:
    """Ends the process at the given call of Path.replace, Path.unlink or CellFile.add_tool."""

    def __init__(self, step: int) -> None:
        self.left = step

    def arm(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for owner, name in ((Path, "replace"), (Path, "unlink"), (CellFile, "add_tool")):
            monkeypatch.setattr(owner, name, self._deadly(getattr(owner, name)))

    def _deadly(self, real: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object, **named: object) -> object:
            if self.left == 0:
                os._exit(77)
            self.left -= 1
            return real(*arguments, **named)

        return step


@pytest.mark.parametrize("step", range(12))
def test_a_crash_at_any_step_of_folding_changes_no_total(
    recorder: Recorder, forks: Forks, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    reader = Reader(recorder)
    die_after(forks, recorder, 50, "a")
    reader.retire()
    bury(recorder, 3, each=100)
    before = reader.snapshot()
    assert requests(before) == 350

    def work() -> None:
        recorder.open()
        with monkeypatch.context() as patches:
            Crash(step).arm(patches)
            Reader(recorder).retire()

    assert forks.run(work) == (77 if step < STEPS else 0)
    for _ in range(3):
        assert reader.snapshot().tools == before.tools
        assert Reader(recorder).snapshot().tools == before.tools
        reader.retire()
    assert len(list(folder_of(recorder).glob("worker-*"))) == 1


def test_files_left_by_a_crash_are_not_counted_again_when_many_more_die(
    recorder: Recorder, forks: Forks, monkeypatch: pytest.MonkeyPatch
) -> None:
    bury(recorder, 64, each=1)

    def work() -> None:
        recorder.open()
        with monkeypatch.context() as patches:
            Crash(3).arm(patches)  # all are folded, and none of their files is removed yet
            Reader(recorder).retire()

    assert forks.run(work) == 77
    reader = Reader(recorder)
    assert requests(reader.snapshot()) == 64
    for pid in range(30):  # their names sort before those that were left
        process = Process(Process.current().boot, 1 + pid, 2)
        assert recorder.run is not None
        cells = CellFile.create(worker_file(recorder.run, process), process)
        _as_counted(cells.add_tool(b"tool"), 1)
    assert requests(reader.snapshot()) == 94
    while reader.retire():
        assert requests(reader.snapshot()) == 94
    assert requests(Reader(recorder).snapshot()) == 94


def test_more_dead_than_one_turn_takes_are_folded_in_several(recorder: Recorder) -> None:
    bury(recorder, 150, each=3)
    reader = Reader(recorder)
    folded = []
    while turn := reader.retire():
        folded.append(turn)
        assert requests(reader.snapshot()) == 450
    assert folded == [64, 64, 22]


def test_readers_in_other_processes_see_the_same_total_while_the_dead_are_folded(
    recorder: Recorder, forks: Forks
) -> None:
    bury(recorder, 128, each=2)

    def work() -> None:
        recorder.open()
        reader = Reader(recorder)
        while len(list(folder_of(recorder).glob("worker-*"))) > 3:
            assert requests(reader.snapshot()) == 256
        assert requests(reader.snapshot()) == 256

    watchers = [forks.start(work) for _ in range(2)]
    until(lambda: len(list(folder_of(recorder).glob("worker-*"))) == 131)
    reader = Reader(recorder)
    while reader.retire():
        pass
    assert [forks.join(pid) for pid in watchers] == [0, 0]


def test_a_reader_that_is_overtaken_by_folding_looks_again(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process folds just between the reader's look at the folder and its opening of the files."""
    bury(recorder, 5, each=10)
    listed, other, reader = Run.worker_files, Reader(recorder), Reader(recorder)
    overtaken: list[int] = []

    def worker_files(run: Run) -> list[Path]:
        paths = listed(run)
        if not overtaken:
            overtaken.append(0)
            overtaken.append(other.retire())
        return paths

    assert recorder.run is not None
    with monkeypatch.context() as patches:
        patches.setattr(Run, "worker_files", worker_files)
        assert requests(reader.past(recorder.run)) == 50
    assert overtaken == [0, 5]


def test_a_disk_without_room_leaves_the_dead_as_they_are(recorder: Recorder, forks: Forks) -> None:
    bury(recorder, 2, each=5)

    def work() -> None:
        recorder.open()
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
        with pytest.raises(CellsError, match="no room"):
            Reader(recorder).retire()

    assert forks.run(work) == 0
    assert requests(Reader(recorder).snapshot()) == 10
    assert list(folder_of(recorder).glob("*.new")) == []


def test_threads_may_read_and_fold_at_once(recorder: Recorder) -> None:
    bury(recorder, 100, each=1)
    reader = Reader(recorder)
    totals: list[int] = []

    def read() -> None:
        totals.extend(requests(reader.snapshot()) for _ in range(20))

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    while reader.retire():
        pass
    for thread in threads:
        thread.join()
    assert totals == [100] * 60


@pytest.mark.parametrize("kept", [0, 100, 4096, 12_288, 13_000, 290_000])
def test_a_torn_file_costs_its_own_counts_only(recorder: Recorder, kept: int) -> None:
    bury(recorder, 3, each=10)
    torn = sorted(folder_of(recorder).glob("worker-4*"))[0]
    os.truncate(torn, kept)
    reader = Reader(recorder)
    assert requests(reader.snapshot()) == 20
    reader.retire()
    assert requests(reader.snapshot()) == 20


def test_foreign_files_are_left_alone(recorder: Recorder) -> None:
    bury(recorder, 1, each=10)
    (folder_of(recorder) / "worker-1-1.cells").write_bytes(os.urandom(100_000))
    (folder_of(recorder) / "worker-2-2.cells").mkdir()
    (folder_of(recorder) / "notes.txt").write_text("mine")
    reader = Reader(recorder)
    assert requests(reader.snapshot()) == 10
    assert reader.retire() == 1
    assert requests(reader.snapshot()) == 10
    assert {"worker-1-1.cells", "notes.txt"} <= {path.name for path in folder_of(recorder).iterdir()}


def test_past_runs_are_read_without_their_workers(recorder: Recorder, forks: Forks) -> None:
    die_after(forks, recorder, 30)
    reader = Reader(recorder)
    run = recorder.run
    assert run is not None
    past = reader.past(run)
    assert requests(past) == 30
    assert (past.run, past.started_s) == (run.id, run.started_s)
    assert requests(reader.snapshot()) == 30
