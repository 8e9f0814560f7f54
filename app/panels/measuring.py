"""The queue before the service, and what Laptime itself costs: its hook and its own pages."""

from __future__ import annotations

from ..model.series import NS_PER_MS, Series, Snapshot
from .answers import OwnCost, QueueTime


def queue_time(queue: Series) -> QueueTime:
    """The times that requests waited before this service."""
    p50, p95, p99 = queue.quantiles_ms() or (None, None, None)
    return QueueTime(queue.requests, known_ms(queue.average_ms), known_ms(p50), known_ms(p95), known_ms(p99))


def own_cost(snapshot: Snapshot, now_s: float) -> OwnCost:
    """What the hook costs by request, what our pages cost, and both as shares of the workers' time."""
    cost_us, hook = hook_us(snapshot), hook_percent(snapshot, now_s)
    requests = sum(one.series.requests for one in snapshot.own.values())
    return OwnCost(
        timed_requests=snapshot.own_cost.requests,
        microseconds_per_request=None if cost_us is None else round(cost_us, 2),
        worker_time_percent=None if hook is None else round(hook, 4),
        page_requests=requests,
        page_avg_response_time=round(_pages_ns(snapshot) / requests / NS_PER_MS, 3) if requests else 0.0,
        page_worker_time_percent=round(pages_percent(snapshot, now_s), 4),
    )


def hook_us(snapshot: Snapshot) -> float | None:
    """What the hook takes of a request, in microseconds: the median; None before one was timed.

    The mean would tell how busy the machine is: now and then a worker loses its processor in the middle.
    """
    quantiles = snapshot.own_cost.quantiles_ms((0.5,))
    return quantiles[0] * 1000 if quantiles else None


def hook_percent(snapshot: Snapshot, now_s: float) -> float | None:
    """The share of their time that the live workers spend on measuring; None before any of it was timed."""
    requests = sum(worker.requests for worker in snapshot.workers)
    cost_us = hook_us(snapshot)
    return None if cost_us is None else _percent(requests * cost_us / 1e6, snapshot, now_s)


def pages_percent(snapshot: Snapshot, now_s: float) -> float:
    """The share of the workers' time that Laptime's own pages and answers take."""
    return _percent(_pages_ns(snapshot) / 1e9, snapshot, now_s)


def _pages_ns(snapshot: Snapshot) -> int:
    return sum(one.series.total_ns for one in snapshot.own.values())


def _percent(spent_s: float, snapshot: Snapshot, now_s: float) -> float:
    lived_s = sum(now_s - worker.started_s for worker in snapshot.workers)
    return min(100.0, 100 * spent_s / lived_s) if lived_s > 0 else 0.0


def known_ms(value: float | None) -> float | None:
    """Milliseconds for JSON; None stays None: not measured."""
    return None if value is None else round(value, 3)
