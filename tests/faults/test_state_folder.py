"""The state folder's disk full, its files gone, torn or foreign: the host answers, and trouble is told."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.loopback import eventually

from .disks import fill, mounted, remounted
from .hasty import ROLL_UP_EVERY_S
from .measured import call, counted, leaders, measured, worker_files
from .stores import hasty, reasons, stores

NOBODY = 65534


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB at the place of the state folder."""
    with mounted(tmp_path / "state", "256k") as place:
        yield place


def elsewhere(folder: Path) -> dict[str, str]:
    """The database beside the state folder, so that only counting has to do with the folder."""
    return {"LAPTIME_DATABASE_URL": f"sqlite:///{folder / 'laptime.db'}"}


def test_a_full_disk_leaves_the_host_untouched_and_counts_in_private_memory(
    tmp_path: Path, tiny_disk: Path
) -> None:
    with measured(tmp_path, workers=1, env=elsewhere(tmp_path), tracebacks=True) as service:
        workers = service.workers()
        counts = call(service, "quick", 500)
        assert counts.of_status(200) == 500
        assert service.workers() == workers
        assert counted(service, "quick") == 500
        assert not list(tiny_disk.glob("runs/*/worker-*.cells"))
        (reason,) = reasons(service)
        assert "private memory" in reason
        assert "No space left on device" in reason
        assert "Measuring is degraded" in service.get("/dashboard/").body.decode()
        assert reason in service.output()


def test_a_disk_that_has_room_again_is_counted_on_again_without_a_restart(
    tmp_path: Path, tiny_disk: Path
) -> None:
    with measured(tmp_path, workers=3, env=elsewhere(tmp_path), tracebacks=True) as service:
        workers = service.workers()
        said = "counting in private memory"
        eventually(lambda: service.output().count(said) == 3, "all workers to find the disk full")
        assert call(service, "quick", 400).of_status(200) == 400
        assert reasons(service)
        remounted(tiny_disk, "size=8m")
        eventually(lambda: len(worker_files(service.state)) == 6, "the files of then and now", within_s=30)
        eventually(lambda: all(reasons(service) == [] for _ in range(12)), "nobody degraded", within_s=30)
        assert {counted(service, "quick") for _ in range(12)} == {400}
        assert call(service, "quick", 300).of_status(200) == 300
        assert {counted(service, "quick") for _ in range(12)} == {700}
        assert service.workers() == workers
        for pid in workers:
            service.kill(pid)
        eventually(lambda: len(service.workers()) == 3, "the next workers")
        eventually(lambda: len(worker_files(service.state)) == 3, "the fold", within_s=30)
        assert counted(service, "quick") == 700


def test_a_disk_that_fills_up_later_ends_no_worker(tmp_path: Path, tiny_disk: Path) -> None:
    remounted(tiny_disk, "size=1m")
    with measured(tmp_path, workers=1, env=elsewhere(tmp_path), tracebacks=True) as service:
        workers = service.workers()
        assert reasons(service) == []
        filler = fill(tiny_disk)
        for number in range(20):  # more tools than the file has room for
            assert service.get(f"/named/tool-{number}").status == 200
        assert call(service, "quick", 300).of_status(200) == 300
        total = service.metrics()["overview"]["total_requests"]
        assert total - counted(service, "health") == 320
        assert counted(service, "(other)") > 0
        assert service.workers() == workers
        assert "new tools count as (other)" in reasons(service)[0]
        filler.unlink()
        eventually(lambda: reasons(service) == [], "room again", within_s=30)
        assert service.get("/named/tool-19").status == 200
        assert counted(service, "tool-19") == 1


def test_a_state_folder_deleted_while_running_costs_no_count_and_is_made_anew(tmp_path: Path) -> None:
    with measured(tmp_path, workers=3, env=elsewhere(tmp_path), tracebacks=True) as service:
        assert call(service, "quick", 200).of_status(200) == 200
        assert reasons(service) == []
        workers = service.workers()
        shutil.rmtree(service.state)
        assert call(service, "quick", 200).of_status(200) == 200
        assert service.workers() == workers
        eventually(lambda: {counted(service, "quick") for _ in range(12)} == {400}, "all of it", within_s=30)
        assert call(service, "quick", 100).of_status(200) == 100
        assert {counted(service, "quick") for _ in range(12)} == {500}
        assert reasons(service) == []
        in_the_hour = service.metrics("?tool_name=quick&window=1h")["total_requests"]
        assert in_the_hour == 500


def test_torn_empty_foreign_and_unreadable_files_in_the_runs_folder_break_nothing(tmp_path: Path) -> None:
    with measured(tmp_path, workers=2) as service:
        assert call(service, "quick", 100).of_status(200) == 100
        eventually(lambda: len(worker_files(service.state)) == 2, "the files of both workers")
        whole = worker_files(service.state)[0]
        folder = whole.parent
        (folder / "worker-1-1.cells").write_bytes(b"")
        (folder / "worker-2-1.cells").write_bytes(whole.read_bytes()[:4100])
        (folder / "worker-3-1.cells").write_bytes(os.urandom(300_000))
        (folder / "worker-4-1.cells").write_bytes(b"laptime1" + bytes(300_000))
        (folder / "worker-5-1.cells").mkdir()
        os.mkfifo(folder / "worker-6-1.cells")
        (folder / "worker-7-1.cells").symlink_to("/etc/passwd")
        (folder / "worker-8-1.cells").write_bytes(bytes(300_000))
        os.chown(folder / "worker-8-1.cells", NOBODY, NOBODY)
        assert call(service, "quick", 100).of_status(200) == 100
        assert counted(service, "quick") == 200
        service.kill(service.workers()[0])
        eventually(lambda: len(service.workers()) == 2, "the next worker")
        eventually((folder / "folded.cells").exists, "the fold beside what is not ours", within_s=25)
        assert counted(service, "quick") == 200


def test_dead_workers_that_can_not_be_folded_for_want_of_room_keep_no_history_from_being_written(
    tmp_path: Path, tiny_disk: Path
) -> None:
    remounted(tiny_disk, "size=1m")
    env = elsewhere(tmp_path)
    with hasty(tmp_path, workers=2, env=env, tracebacks=True) as service:
        eventually(lambda: len(worker_files(service.state)) == 2, "the files of both workers")
        eventually(lambda: len(leaders(service.state)) == 1, "a leader")
        [leader] = leaders(service.state)
        fill(tiny_disk)
        service.kill(next(pid for pid in service.workers() if pid != leader))
        eventually(lambda: "the job roll_up failed" in service.output(), "a fold without room", within_s=20)
        eventually(lambda: "counting in private memory" in service.output(), "the next worker")
        for pid in set(service.workers()) - {leader}:  # it would keep what it counts for itself
            os.kill(pid, signal.SIGSTOP)
        assert call(service, "quick", 200).of_status(200) == 200
        time.sleep(2 * ROLL_UP_EVERY_S + 0.5)
        service.kill()
    (tmp_path / "other").mkdir()
    with hasty(tmp_path / "other", workers=1, env=env) as service:
        stores(service, "quick", 200)
