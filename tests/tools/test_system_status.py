"""The machine's status: CPU over a span, without waiting for one."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from app.errors import UnavailableError
from app.tools.system_status import CpuTimes, SystemStatus


def test_cpu_is_what_was_not_idle_between_two_looks() -> None:
    earlier = CpuTimes(at_s=0.0, idle_s=100.0, total_s=200.0)
    assert CpuTimes(at_s=10.0, idle_s=115.0, total_s=220.0).busy_percent(earlier) == 25.0
    assert CpuTimes(at_s=10.0, idle_s=100.0, total_s=220.0).busy_percent(earlier) == 100.0


def test_cpu_stays_within_a_percentage_when_the_counters_jump_back() -> None:
    earlier = CpuTimes(at_s=0.0, idle_s=100.0, total_s=200.0)
    assert CpuTimes(at_s=1.0, idle_s=99.0, total_s=200.5).busy_percent(earlier) == 100.0
    assert CpuTimes(at_s=1.0, idle_s=102.0, total_s=201.0).busy_percent(earlier) == 0.0
    assert CpuTimes(at_s=1.0, idle_s=100.0, total_s=200.0).busy_percent(earlier) == 0.0


def test_the_first_look_at_cpu_is_unknown_and_not_zero(tmp_path: Path) -> None:
    assert SystemStatus(tmp_path).report().startswith("cpu: not known yet\n")


def test_a_thread_that_asks_for_the_first_time_is_told_the_cpu(tmp_path: Path) -> None:
    status = SystemStatus(tmp_path)
    reports: list[str] = []

    def ask() -> None:
        while not reports or "not known" in reports[-1]:
            reports.append(status.report())

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join()
    busy_percent = float(reports[-1].removeprefix("cpu: ").split(" %")[0])
    assert 0 < busy_percent <= 100  # the loop above kept a core busy


def test_a_disk_that_vanished_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="No such file"):
        SystemStatus(tmp_path / "absent").report()
