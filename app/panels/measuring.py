"""The queue before the service, and what measuring itself costs."""

from __future__ import annotations

from ..model.series import Series, Snapshot
from .answers import OwnCost, QueueTime


def queue_time(queue: Series) -> QueueTime:
    """The times that requests waited before this service."""
    p50, p95, p99 = queue.quantiles_ms() or (None, None, None)
    return QueueTime(queue.requests, known_ms(queue.average_ms), known_ms(p50), known_ms(p95), known_ms(p99))


def own_cost(snapshot: Snapshot, now_s: float) -> OwnCost:
    """What the hook costs, by request and as a share of the workers' time."""
    cost = snapshot.own_cost
    mean_us = cost.per_request_us
    if mean_us is None:
        return OwnCost(0, None, None)
    share = cost_percent(snapshot, now_s)
    return OwnCost(cost.timed, round(mean_us, 2), None if share is None else round(share, 4))


def cost_percent(snapshot: Snapshot, now_s: float) -> float | None:
    """The share of its time that a worker spends on measuring; None before anything is known of it."""
    lived_s = sum(now_s - worker.started_s for worker in snapshot.workers)
    requests = sum(worker.requests for worker in snapshot.workers)
    mean_us = snapshot.own_cost.per_request_us
    return 100 * requests * mean_us / 1e6 / lived_s if mean_us is not None and lived_s > 0 else None


def known_ms(value: float | None) -> float | None:
    """Milliseconds for JSON; None stays None: not measured."""
    return None if value is None else round(value, 3)
