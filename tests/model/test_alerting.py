"""What the machine's condition and alerts add up to."""

from __future__ import annotations

import pytest

from app.model.alerting import SystemSample, held_back, system_health, worst
from app.settings import Settings

DEFAULT = Settings()


def machine(cpu: float = 10.0, memory: float = 10.0, disk: float = 10.0) -> SystemSample:
    return SystemSample(1_754_589_600.0, cpu, memory, disk)


def test_nothing_measured_is_healthy() -> None:
    assert system_health(None, DEFAULT) == "healthy"


@pytest.mark.parametrize(
    ("sample", "health"),
    [
        (machine(80, 80, 90), "healthy"),
        (machine(cpu=80.1), "warning"),
        (machine(memory=80.1), "warning"),
        (machine(disk=90.1), "warning"),
        (machine(95, 95, 95), "warning"),
        (machine(cpu=95.1), "critical"),
        (machine(disk=95.1), "critical"),
    ],
)
def test_the_health_of_the_machine_is_its_worst_gauge(sample: SystemSample, health: str) -> None:
    assert system_health(sample, DEFAULT) == health


@pytest.mark.parametrize(
    ("severities", "status"),
    [
        ([], "healthy"),
        (["info"], "warning"),
        (["warning", "info"], "warning"),
        (["warning", "error", "warning"], "error"),
        (["error", "critical", "warning"], "critical"),
    ],
)
def test_the_status_is_the_worst_severity(severities: list[str], status: str) -> None:
    assert worst(severities) == status


def contained(throttled: int, kills: int) -> SystemSample:
    """A sample of a container with half a core and a memory limit."""
    return machine()._replace(
        memory_source="container",
        cpu_limit_cores=0.5,
        throttled_periods=throttled,
        oom_kills=kills,
    )


def test_what_a_containers_limits_cost_is_what_the_kernels_counts_grew_by() -> None:
    assert held_back([]) == held_back([contained(9, 9)]) == (0, 0)
    assert held_back([contained(3, 1), contained(3, 1), contained(17, 2)]) == (14, 1)


def test_a_container_that_began_anew_takes_nothing_back() -> None:
    assert held_back([contained(30, 5), contained(2, 0), contained(4, 1)]) == (2, 1)


def test_a_count_beside_a_sample_of_the_host_is_no_growth() -> None:
    assert held_back([machine(), contained(30, 5), machine(), contained(31, 6)]) == (0, 0)
