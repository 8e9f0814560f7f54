"""Samples of the real machine, by psutil, through the real ring."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil
import pytest

from app.capture.samples import SampleRing
from app.errors import CellsError
from app.jobs.sample_system import SampleSystem
from app.model.alerting import SystemSample
from tests.capture.forks import Forks, shared_numbers

NOW_S = 1_754_589_600.0


def test_a_sample_is_of_this_machine_and_lands_in_the_ring(tmp_path: Path) -> None:
    ring = SampleRing(tmp_path / "system.cells")
    job = SampleSystem(ring, tmp_path)
    first, second = job.run(NOW_S), job.run(NOW_S + 5)
    assert [one.at_s for one in ring.since(0)] == [NOW_S, NOW_S + 5]
    for sample in (first, second):
        assert 0 <= sample.cpu_percent <= 100
        assert 0 < sample.memory_percent <= 100
        assert 0 <= sample.disk_percent <= 100
        assert 0 < sample.memory_used_bytes < sample.memory_total_bytes == psutil.virtual_memory().total
        assert sample.disk_total_bytes == shutil.disk_usage(tmp_path).total


def test_work_on_all_processors_shows_in_the_share_of_cpu(tmp_path: Path, forks: Forks) -> None:
    job, go = SampleSystem(SampleRing(tmp_path / "system.cells"), tmp_path), shared_numbers(1)

    def spin() -> None:
        while not go[0]:
            pass

    pids = [forks.start(spin) for _ in range(psutil.cpu_count() or 1)]
    sample = job.run(NOW_S)
    go[0] = 1
    assert [forks.join(pid) for pid in pids] == [0] * len(pids)
    assert sample.cpu_percent > 20


def test_a_sample_as_written_is_the_sample_as_read(tmp_path: Path) -> None:
    ring = SampleRing(tmp_path / "system.cells")
    sample = SampleSystem(ring, tmp_path).run(NOW_S)
    [read] = ring.since(0)
    assert isinstance(read, SystemSample)
    assert read.memory_used_bytes == sample.memory_used_bytes
    assert read.cpu_percent == pytest.approx(sample.cpu_percent, abs=0.001)


def test_a_ring_that_can_not_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CellsError):
        SampleSystem(SampleRing(tmp_path / "gone" / "system.cells"), tmp_path).run(NOW_S)
