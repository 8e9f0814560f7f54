"""Which run a worker joins: that of its siblings, and a new one once all of a service has ended."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from app.capture import runs
from app.capture.process import Process
from app.capture.recorder import Recorder
from app.capture.runs import Run, ended, join
from app.errors import CellsError
from tests.capture.forks import Forks, shared_numbers, until


class Service:
    """Masters and their workers over one state folder; each worker tells its run under its name."""

    def __init__(self, folder: Path, forks: Forks) -> None:
        self.state, self.told, self.forks = folder / "instance", folder / "told", forks
        self.told.mkdir()

    def worker(self, name: str, stay: bool = False) -> None:
        """The life of one worker: join, say so, and stay or go."""
        recorder = Recorder(self.state, 100)
        recorder.open()
        assert recorder.run is not None
        (self.told / f"{name}.new").write_text(recorder.run.id)
        (self.told / f"{name}.new").rename(self.told / name)
        if stay:
            signal.pause()

    def once(self, name: str) -> None:
        """The life of a whole service: a master with one worker."""
        assert self.forks.run(lambda: Forks().run(lambda: self.worker(name))) == 0

    def run_of(self, name: str) -> str:
        until((self.told / name).exists)
        return (self.told / name).read_text()


@pytest.fixture
def service(tmp_path: Path, forks: Forks) -> Service:
    return Service(tmp_path, forks)


def test_workers_of_one_master_share_a_run_even_when_none_of_them_lives_at_times(service: Service) -> None:
    def master() -> None:
        for number in range(3):
            assert Forks().run(partial(service.worker, f"{number}")) == 0

    assert service.forks.run(master) == 0
    assert service.run_of("0") == service.run_of("1") == service.run_of("2")


def test_once_the_master_and_all_workers_are_gone_a_new_run_begins(service: Service) -> None:
    for name in ("first", "second"):
        service.once(name)
    assert service.run_of("first") != service.run_of("second")


def test_a_worker_that_outlives_its_master_hands_its_run_to_the_next_one(service: Service) -> None:
    orphan = shared_numbers(1)

    def first() -> None:
        orphan[0] = Forks().start(lambda: service.worker("old", stay=True))
        service.run_of("old")

    assert service.forks.run(first) == 0
    try:
        service.once("new")
    finally:
        os.kill(orphan[0], signal.SIGKILL)
    assert service.run_of("old") == service.run_of("new")


def test_workers_that_start_at_once_agree_and_one_of_them_began_the_run(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = runs._begun

    def slowly(state: Path, process: Process, instance: str, again: Run | None) -> Run:
        time.sleep(0.05)  # long enough for all the others to come by
        return begin(state, process, instance, again)

    monkeypatch.setattr(runs, "_begun", slowly)
    begun, go = shared_numbers(8), shared_numbers(1)

    def work(number: int) -> None:
        until(lambda: go[0])
        run, _, is_first = join(service.state, "host")
        begun[number] = 1 + is_first
        (service.told / f"{number}").write_text(run.id)

    pids = [service.forks.start(partial(work, number)) for number in range(8)]
    go[0] = 1
    assert [service.forks.join(pid) for pid in pids] == [0] * 8
    assert sorted(begun) == [1] * 7 + [2]
    assert len({service.run_of(f"{number}") for number in range(8)}) == 1


@pytest.mark.parametrize(
    "record",
    [
        b"", b"{", b"[]", b"null", b'"text"', b"\xff", b"{}",
        b'{"id": 5, "started_s": 1, "supervisor": null}',
        b'{"id": "gone", "started_s": 1, "supervisor": null}',
        b'{"id": "gone", "started_s": 1, "supervisor": [1]}',
    ],
)  # fmt: skip
def test_a_record_that_can_not_be_read_begins_a_new_run(tmp_path: Path, record: bytes) -> None:
    (tmp_path / "current.json").write_bytes(record)
    run, _, begun = join(tmp_path, "host")
    assert begun
    assert run.folder.is_dir()
    again, _, begun = join(tmp_path, "host")
    assert (again, begun) == (run, False)


def test_runs_that_ended_are_told_apart_from_the_current_one(service: Service) -> None:
    for name in ("first", "second"):
        service.once(name)
    current, _, _ = join(service.state, "host")
    past = ended(service.state, current)
    assert [run.id for run in past] == [service.run_of("first"), service.run_of("second")]
    assert all(run.started_s <= current.started_s for run in past)
    assert all(len(run.worker_files()) == 1 for run in past)
    assert current.is_running()
    assert not any(run.is_running() for run in past)


def test_a_run_with_somebody_alive_has_not_ended(service: Service) -> None:
    service.forks.start(lambda: service.worker("alive", stay=True))
    elsewhere = Run("1-1", 0.0, service.state / "runs" / "1-1")
    service.run_of("alive")
    assert ended(service.state, elsewhere) == []


@pytest.mark.parametrize("name", ["notes", "my-backup", "12-old", "-", "1-2-3", "1-2x"])
def test_what_is_no_run_is_left_alone(tmp_path: Path, name: str) -> None:
    current, _, _ = join(tmp_path, "host")
    (tmp_path / "runs" / name).mkdir()
    (tmp_path / "runs" / "123-456").write_text("a file")
    assert ended(tmp_path, current) == []


def test_a_state_folder_that_can_not_be_used_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CellsError, match=f"can't use the state folder {tmp_path}/file: Not a directory"):
        join(tmp_path / "file", "host")


def test_the_folders_are_for_the_service_alone(tmp_path: Path) -> None:
    run, _, _ = join(tmp_path / "instance", "host")
    for path in (run.folder, run.folder.parent, *run.worker_files()):
        assert path.stat().st_mode & 0o077 == 0, path
