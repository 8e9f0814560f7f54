"""Why workers ended: their marks, the kernel's count, and that each end is told once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from app.capture import cells as layout
from app.capture.cells import CellFile
from app.capture.process import Process
from app.capture.reader import Reader
from app.capture.recorder import Recorder
from app.capture.runs import worker_file
from app.capture.vitals import Vitals
from app.model.series import Restarts
from tests.capture.forks import Forks
from tests.capture.hosts import Measured, called, environ_of


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    made = Recorder(tmp_path / "instance", 100)
    made.open()
    return made


def restarts(recorder: Recorder, oom_kills: int | None = None) -> Restarts:
    """Of all the dead, folded."""
    Reader(recorder).retire(oom_kills)
    return Reader(recorder).snapshot().restarts


def die(
    forks: Forks, recorder: Recorder, end: Callable[[Vitals], object], *, oom_kills: int | None = None
) -> None:
    """A worker that begins, knowing of so many kills, and then ends."""

    def work() -> None:
        recorder.open()
        vitals = Vitals(recorder, 1, lambda: oom_kills, is_worker=True)
        vitals.beat(time.perf_counter_ns())
        end(vitals)

    forks.join(forks.start(work))


def killed(_: Vitals) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dead(recorder: Recorder, number: int, ending: int, oom_kills: int | None = None) -> CellFile:
    """The file of a worker that died long ago."""
    assert recorder.run is not None
    process = Process(Process.current().boot, 2**22 + 1 + number, 1 + number)
    cells = CellFile.create(worker_file(recorder.run, process), process)
    cells.header[layout.ENDING] = ending
    cells.header[layout.OOM_KILLS] = 0 if oom_kills is None else oom_kills + 1
    return cells


def test_each_reason_has_a_cell() -> None:
    assert len(Restarts._fields) == layout.RESTARTS_END - layout.RESTARTS


def test_who_ends_by_itself_is_recycled_and_who_leaves_no_mark_was_killed(
    recorder: Recorder, forks: Forks
) -> None:
    die(forks, recorder, Vitals.exit)
    assert restarts(recorder) == Restarts(recycled=1)
    die(forks, recorder, killed)
    assert restarts(recorder) == Restarts(recycled=1, killed=1)
    assert restarts(recorder) == Restarts(recycled=1, killed=1)


def test_a_child_that_leaves_marks_nobody(recorder: Recorder, forks: Forks) -> None:
    die(forks, recorder, lambda vitals: Forks().run(vitals.exit))
    assert restarts(recorder) == Restarts(killed=1)


def test_processes_that_are_no_workers_are_not_counted(recorder: Recorder, forks: Forks) -> None:
    def work() -> None:
        recorder.open()
        vitals = Vitals(recorder, 0, lambda: None, is_worker=False)
        vitals.beat(time.perf_counter_ns())
        vitals.exit()

    assert forks.run(work) == 0
    dead(recorder, 1, layout.NO_WORKER)
    assert restarts(recorder) == Restarts()
    assert Reader(recorder).retire() == 0


@pytest.mark.parametrize(
    ("knew", "now", "told"),
    [
        ((5, 5), 5, Restarts(killed=2)),
        ((5, 5), 6, Restarts(killed=1, out_of_memory=1)),
        ((5, 6), 6, Restarts(killed=1, out_of_memory=1)),
        ((5, 5), 9, Restarts(out_of_memory=2)),
        ((5, 5), 1, Restarts(killed=2)),
        ((5, 5), None, Restarts(killed=2)),
        ((None, None), 9, Restarts(killed=2)),
        ((None, 5), 6, Restarts(killed=1, out_of_memory=1)),
        ((0, 0), 1, Restarts(killed=1, out_of_memory=1)),
    ],
)
def test_kills_that_the_kernel_counted_since_were_for_want_of_memory(
    recorder: Recorder, knew: tuple[int | None, ...], now: int | None, told: Restarts
) -> None:
    for number, known in enumerate(knew):
        dead(recorder, number, layout.UNTOLD, known)
    assert restarts(recorder, now) == told


def test_who_said_why_was_not_out_of_memory(recorder: Recorder) -> None:
    dead(recorder, 1, layout.EXITED, 5)
    dead(recorder, 2, layout.TIMED_OUT, 5)
    assert restarts(recorder, 7) == Restarts(recycled=1, timed_out=1)


def test_a_process_with_two_files_ended_once(recorder: Recorder) -> None:
    for ending in (layout.UNTOLD, layout.EXITED):
        dead(recorder, 1, ending)
    assert Reader(recorder).retire() == 2
    assert Reader(recorder).snapshot().restarts == Restarts(recycled=1)


def test_more_dead_than_one_turn_takes_are_all_counted(recorder: Recorder) -> None:
    for number in range(150):
        dead(recorder, number, layout.EXITED)
    while Reader(recorder).retire():
        pass
    assert Reader(recorder).snapshot().restarts == Restarts(recycled=150)


def test_files_that_a_crash_left_behind_are_not_counted_again(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead(recorder, 1, layout.EXITED)
    with monkeypatch.context() as patches:  # all is folded, and nothing removed yet
        patches.setattr(Path, "unlink", lambda *_, **__: None)
        assert Reader(recorder).retire() == 1
    assert Reader(recorder).snapshot().restarts == Restarts(recycled=1)
    dead(recorder, 2, layout.UNTOLD)
    assert Reader(recorder).retire() == 2
    assert Reader(recorder).snapshot().restarts == Restarts(recycled=1, killed=1)


class Server:
    """As gunicorn's worker answers SIGABRT."""

    def handle_abort(self) -> None:
        raise SystemExit(1)


def aborted(_: dict[str, Any], __: Any) -> Iterable[bytes]:
    Server().handle_abort()
    return []


def aborted_in_its_body(_: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [])
    yield b"first"
    Server().handle_abort()


def left(_: dict[str, Any], __: Any) -> Iterable[bytes]:
    raise SystemExit(1)


@pytest.mark.parametrize(
    ("app", "ending"),
    [(aborted, layout.TIMED_OUT), (aborted_in_its_body, layout.TIMED_OUT), (left, layout.UNTOLD)],
)
def test_a_time_out_is_told_by_what_it_raises_in_a_request(tmp_path: Path, app: Any, ending: int) -> None:
    measured = Measured(tmp_path, app)
    measured.start()
    vitals = Vitals(measured.recorder, 1, lambda: None, is_worker=True)
    vitals.beat(time.perf_counter_ns())
    with pytest.raises(SystemExit):
        called(measured.hook, environ_of("/a"))
    assert measured.recorder.header[layout.ENDING] == ending
    vitals.exit()
    assert measured.recorder.header[layout.ENDING] == max(ending, layout.EXITED)
    assert measured.only.server_errors == 1
