"""What the tests of rules are made of: requests of a tool, machines, and windows."""

from __future__ import annotations

from app.model.histogram import Histogram
from app.model.readings import Material
from app.model.series import Series
from app.model.vitals import Gauge, Vitals

MS = 1_000_000


def series(ok: int = 0, failed: int = 0, took_ms: float = 100.0) -> Series:
    """Requests that took as long each."""
    each_ns = int(took_ms * MS)
    return Series(
        ok=Histogram.of([each_ns] * ok),
        failed=Histogram.of([each_ns] * failed),
        server_errors=failed,
        total_ns=each_ns * (ok + failed),
        min_ns=each_ns if ok or failed else 0,
        max_ns=each_ns if ok or failed else 0,
    )


def of_times(times_ms: list[float]) -> Series:
    """Successes that took so long."""
    times_ns = [int(one * MS) for one in times_ms]
    return Series(
        ok=Histogram.of(times_ns),
        total_ns=sum(times_ns),
        min_ns=min(times_ns, default=0),
        max_ns=max(times_ns, default=0),
    )


def machine(cpu: float = 10.0, samples: int = 12) -> Vitals:
    return Vitals({"cpu_percent": Gauge(samples, samples * cpu, cpu)})


def material(
    *,
    span_s: float = 300.0,
    measured_s: float = 300.0,
    known: tuple[str, ...] = (),
    vitals: dict[str, Vitals] | None = None,
    instances: tuple[str, ...] = (),
    **tools: Series,
) -> Material:
    """A window with the requests of these tools."""
    return Material(tools, vitals or {}, span_s, measured_s, known, instances)
