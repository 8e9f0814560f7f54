"""Samples of the real machine, by psutil, through the real ring."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from app.capture.samples import RING_FILE, SampleRing
from app.errors import CellsError
from app.jobs.sample_system import SampleSystem
from app.model.alerting import SystemSample
from app.model.series import Restarts, Snapshot, Worker
from tests.capture.forks import Forks, shared_numbers
from tests.jobs.test_container import MB, tree, v2

NOW_S = 1_754_589_600.0


def idle() -> Snapshot:
    """A service without a worker."""
    return Snapshot("run", 0.0, {}, {}, ())


def test_a_sample_is_of_this_machine_and_lands_in_the_ring(tmp_path: Path) -> None:
    ring = SampleRing(tmp_path / RING_FILE)
    job = SampleSystem(ring, tmp_path, idle, root=tmp_path)  # no cgroups in it: the host's truth
    first, second = job.run(NOW_S), job.run(NOW_S + 5)
    assert [one.at_s for one in ring.since(0)] == [NOW_S, NOW_S + 5]
    for sample in (first, second):
        assert 0 <= sample.cpu_percent <= 100
        assert 0 < sample.memory_percent <= 100
        assert 0 <= sample.disk_percent <= 100
        assert 0 < sample.memory_used_bytes < sample.memory_total_bytes == psutil.virtual_memory().total
        assert sample.disk_total_bytes == shutil.disk_usage(tmp_path).total
        assert sample.load_average is not None
        assert sample.load_average >= 0


def test_work_on_all_processors_shows_in_the_share_of_cpu(tmp_path: Path, forks: Forks) -> None:
    job, go = SampleSystem(SampleRing(tmp_path / RING_FILE), tmp_path, idle, tmp_path), shared_numbers(1)

    def spin() -> None:
        while not go[0]:
            pass

    pids = [forks.start(spin) for _ in range(psutil.cpu_count() or 1)]
    sample = job.run(NOW_S)
    go[0] = 1
    assert [forks.join(pid) for pid in pids] == [0] * len(pids)
    assert sample.cpu_percent > 20


def test_a_sample_as_written_is_the_sample_as_read(tmp_path: Path) -> None:
    ring = SampleRing(tmp_path / RING_FILE)
    sample = SampleSystem(ring, tmp_path, idle).run(NOW_S)
    [read] = ring.since(0)
    assert isinstance(read, SystemSample)
    assert read.memory_used_bytes == sample.memory_used_bytes
    assert read.cpu_percent == pytest.approx(sample.cpu_percent, abs=0.001)


def test_a_ring_that_can_not_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CellsError):
        SampleSystem(SampleRing(tmp_path / "gone" / RING_FILE), tmp_path, idle).run(NOW_S)


class Machine:
    """A file system whose cgroup can be changed, and a clock that is set: `run` samples against them."""

    def __init__(self, root: Path, make: Callable[[Path], Path]) -> None:
        self.cgroup = make(root) / "sys/fs/cgroup"
        self.clock_s = 100.0
        self.service = idle()
        self.job = SampleSystem(
            SampleRing(root / RING_FILE), root, lambda: self.service, root, lambda: self.clock_s
        )

    def run(self, *, after_s: float = 0.0, used_us: int = 0, throttled: int = 0) -> SystemSample:
        self.clock_s += after_s
        (self.cgroup / "cpu.stat").write_text(f"usage_usec {used_us}\nnr_throttled {throttled}\n")
        return self.job.run(NOW_S)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A container with half a core and 512 MB on a host with four cores."""
    monkeypatch.setattr(psutil, "cpu_count", lambda: 4)
    return Machine(tmp_path, v2)


def test_in_a_container_cpu_is_of_its_quota(machine: Machine) -> None:
    machine.run(used_us=1_000_000, throttled=3)
    sample = machine.run(after_s=5, used_us=2_000_000, throttled=14)
    assert sample.cpu_percent == pytest.approx(100 * 1 / (5 * 0.5))
    assert (sample.cpu_source, sample.cpu_limit_cores, sample.throttled_periods) == ("container", 0.5, 14)


def test_in_a_container_memory_is_of_its_limit_without_the_pages_that_can_go(machine: Machine) -> None:
    sample = machine.run()
    assert (sample.memory_used_bytes, sample.memory_total_bytes) == (371 * MB, 512 * MB)
    assert sample.memory_percent == pytest.approx(100 * 371 / 512)
    assert (sample.memory_source, sample.oom_kills) == ("container", 2)


def test_percentages_stay_within_100_whatever_the_kernel_counts(machine: Machine) -> None:
    machine.run()
    (machine.cgroup / "memory.current").write_text(f"{900 * MB}")
    sample = machine.run(after_s=1, used_us=60_000_000)
    assert (sample.cpu_percent, sample.memory_percent) == (100.0, 100.0)


def test_a_count_that_fell_or_no_time_at_all_leaves_cpu_to_the_host(machine: Machine) -> None:
    assert machine.run(used_us=5_000_000).cpu_source == "host"
    assert machine.run(after_s=5, used_us=1_000).cpu_source == "host"
    assert machine.run(after_s=5, used_us=2_000).cpu_source == "container"


def test_limits_that_are_not_below_the_hosts_leave_it_to_the_host(machine: Machine) -> None:
    (machine.cgroup / "cpu.max").write_text("400000 100000")
    (machine.cgroup / "memory.max").write_text(str(psutil.virtual_memory().total))
    machine.run()
    sample = machine.run(after_s=5, used_us=1_000_000)
    assert (sample.cpu_source, sample.memory_source) == ("host", "host")
    assert sample.memory_total_bytes == psutil.virtual_memory().total


def test_a_limit_that_is_set_or_lifted_while_the_service_runs_is_followed(machine: Machine) -> None:
    machine.run()
    assert machine.run(after_s=5, used_us=1).cpu_source == "container"
    (machine.cgroup / "cpu.max").write_text("max 100000")
    (machine.cgroup / "memory.max").write_text("max")
    lifted = machine.run(after_s=5, used_us=2)
    assert (lifted.cpu_source, lifted.memory_source, lifted.throttled_periods) == ("host", "host", 0)


def test_files_that_make_no_sense_leave_it_to_the_host(tmp_path: Path) -> None:
    root = tree(tmp_path, "0::/\n", {"": dict.fromkeys(("memory.max", "memory.current", "cpu.max"), "?")})
    job = SampleSystem(SampleRing(root / RING_FILE), root, idle, root)
    for sample in (job.run(NOW_S), job.run(NOW_S + 5)):
        assert (sample.cpu_source, sample.memory_source) == ("host", "host")


def test_throughput_is_the_difference_to_the_sample_before(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = SimpleNamespace(bytes=1000)

    def network(*, pernic: bool) -> dict[str, SimpleNamespace]:
        assert pernic
        card = SimpleNamespace(bytes_recv=moved.bytes, bytes_sent=2 * moved.bytes)
        return {"lo": SimpleNamespace(bytes_recv=moved.bytes**2, bytes_sent=0), "eth0": card, "eth1": card}

    def disks() -> SimpleNamespace:
        return SimpleNamespace(read_bytes=4 * moved.bytes, write_bytes=5 * moved.bytes)

    monkeypatch.setattr(psutil, "net_io_counters", network)
    monkeypatch.setattr(psutil, "disk_io_counters", disks)

    def rates(*, after_s: float) -> list[int | None]:
        one = machine.run(after_s=after_s)
        return [one.received_bytes_per_s, one.sent_bytes_per_s, one.read_bytes_per_s, one.written_bytes_per_s]

    assert rates(after_s=0) == [None] * 4
    moved.bytes += 5000
    assert rates(after_s=5) == [2000, 4000, 4000, 5000]
    assert rates(after_s=5) == [0] * 4
    moved.bytes = 10
    assert rates(after_s=5) == [0] * 4


def test_counters_that_a_platform_does_not_have_are_not_known(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise NotImplementedError

    for name in ("net_io_counters", "getloadavg"):
        monkeypatch.setattr(psutil, name, refuse)
    monkeypatch.setattr(psutil, "disk_io_counters", lambda: None)
    machine.run()
    sample = machine.run(after_s=5)
    assert (sample.load_average, sample.received_bytes_per_s, sample.written_bytes_per_s) == (
        None,
        None,
        None,
    )


def test_requests_at_work_are_the_time_they_took_by_the_time_that_went_by(machine: Machine) -> None:
    def sampled(busy_s: float, *, after_s: float, run: str = "run") -> tuple[float | None, float | None]:
        workers = tuple(Worker(pid, 0.0, 0, 0, slots=2) for pid in (1, 2))
        machine.service = Snapshot(run, 0.0, {}, {}, workers, busy_ns=round(busy_s * 1e9))
        sample = machine.run(after_s=after_s)
        assert (sample.workers, sample.slots) == (2, 4)
        return sample.in_flight, sample.saturation_percent

    assert sampled(100, after_s=0) == (None, None)
    assert sampled(105, after_s=5) == (1.0, 25.0)
    assert sampled(105, after_s=5) == (0.0, 0.0)
    assert sampled(125, after_s=4) == (5.0, 100.0)
    # A worker that was killed amid a request takes the time that it had taken so far along.
    assert sampled(110, after_s=5) == (0.0, 0.0)
    assert sampled(112, after_s=5) == (0.4, 10.0)
    assert sampled(500, after_s=5, run="next") == (None, None)


def test_without_known_slots_nothing_is_said_of_them(machine: Machine) -> None:
    machine.service = Snapshot("run", 0.0, {}, {}, (Worker(1, 0.0, 0, 0),))
    machine.run()
    sample = machine.run(after_s=5)
    assert (sample.workers, sample.slots, sample.in_flight, sample.saturation_percent) == (1, None, 0.0, None)


def test_restarts_are_kept_with_each_sample(machine: Machine) -> None:
    machine.service = Snapshot("run", 0.0, {}, {}, (), restarts=Restarts(1, 2, 3, 4))
    sample = machine.run()
    assert (sample.recycled, sample.killed, sample.out_of_memory, sample.timed_out) == (1, 2, 3, 4)
