"""What a worker tells of itself, against what the system says of the process from outside."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.capture import cells as layout
from app.capture.reader import Reader
from app.capture.recorder import Recorder
from app.capture.vitals import EVERY_NS, Vitals, server_worker, slots_of
from app.model.series import Worker

NOW_NS = 10**12


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    made = Recorder(tmp_path / "instance", 100)
    made.open()
    return made


def vitals_of(recorder: Recorder, slots: int = 1) -> Vitals:
    return Vitals(recorder, slots, lambda: 3, is_worker=True)


def worker_of(recorder: Recorder) -> Worker:
    [worker] = Reader(recorder).snapshot().workers
    return worker


def test_a_worker_that_told_nothing_is_not_zero(recorder: Recorder) -> None:
    told = worker_of(recorder)
    assert (told.slots, told.busy_percent, told.resident_bytes) == (None, None, None)
    assert (told.open_files, told.threads) == (None, None)
    assert Reader(recorder).snapshot().slots is None


def test_what_it_takes_is_what_the_system_says(recorder: Recorder) -> None:
    vitals_of(recorder, slots=4).beat(NOW_NS)
    told, me = worker_of(recorder), psutil.Process()
    assert told.resident_bytes == pytest.approx(me.memory_info().rss, rel=0.1)
    assert told.open_files == pytest.approx(me.num_fds(), abs=3)
    assert told.threads == me.num_threads()
    assert told.slots == Reader(recorder).snapshot().slots == 4


def test_it_is_written_every_few_seconds(recorder: Recorder) -> None:
    vitals = vitals_of(recorder)
    vitals.beat(NOW_NS)
    before, ended = worker_of(recorder).threads, threading.Event()
    assert before is not None
    thread = threading.Thread(target=ended.wait)
    thread.start()
    try:
        vitals.beat(NOW_NS + EVERY_NS - 1)
        assert worker_of(recorder).threads == before
        vitals.beat(NOW_NS + EVERY_NS)
        assert worker_of(recorder).threads == before + 1
    finally:
        ended.set()
        thread.join()
    assert recorder.header[layout.BUSY_PAIRS] == 2


def test_a_file_that_is_begun_anew_is_told_at_once(recorder: Recorder, tmp_path: Path) -> None:
    vitals = vitals_of(recorder)
    vitals.beat(NOW_NS)
    shutil.rmtree(tmp_path / "instance")
    for _ in range(2):  # what was counted before is shared a turn later
        recorder.recover()
        vitals.beat(NOW_NS + 1)
    told = worker_of(recorder)
    assert told.slots == 1
    assert told.resident_bytes
    assert recorder.header[layout.ENDING] == layout.UNTOLD


def test_a_kernel_that_does_not_count_leaves_its_cell_unknown(recorder: Recorder) -> None:
    Vitals(recorder, 1, lambda: None, is_worker=True).beat(NOW_NS)
    assert recorder.header[layout.OOM_KILLS] == 0
    Vitals(recorder, 1, lambda: 0, is_worker=True).beat(NOW_NS)
    assert recorder.header[layout.OOM_KILLS] == 1


class Handling:
    """What a server's worker has to do with its signals."""

    pid = os.getpid()

    def handle_abort(self, *_: object) -> None:
        raise SystemExit(1)


@pytest.fixture
def handling() -> Iterator[Handling]:
    worker, before = Handling(), signal.getsignal(signal.SIGABRT)
    signal.signal(signal.SIGABRT, worker.handle_abort)
    yield worker
    signal.signal(signal.SIGABRT, before)


def test_a_process_without_a_servers_worker_has_none() -> None:
    assert server_worker() is None
    assert slots_of(None) == 0


def test_a_servers_worker_is_found_by_its_signals_and_not_in_a_child_of_it(handling: Handling) -> None:
    assert server_worker() is handling
    assert slots_of(handling) == 0  # nobody knows how many that one has
    handling.pid = os.getppid()
    assert server_worker() is None
