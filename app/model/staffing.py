"""How many requests a service can work on at once, against how many it has to: saturation and staffing.

The load is in erlangs: the mean number of requests at work. With enough servers (here: slots of workers) for
it, a request rarely finds all of them taken and has to wait. How rarely, tells the formula that A. K. Erlang
gave in "Solution of some problems in the theory of probabilities of significance in automatic telephone
exchanges" (1917), known as his C formula: for requests that come at random and take exponential times. It is
computed from his B formula by the usual recursion (Cooper, "Introduction to Queueing Theory", 1981, ch. 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil

from .alerting import SystemSample

WAITING_AT_MOST = 0.05
_MINUTE_S = 60.0
_COVERED_S = 30.0


def saturation_percent(in_flight: float | None, slots: int | None) -> float | None:
    """The share of the slots that is at work, at most 100; None where one of the two is not known."""
    return None if in_flight is None or not slots else min(100.0, 100.0 * in_flight / slots)


def waiting(servers: int, erlangs: float) -> float:
    """The share of requests that find all servers taken, 0 to 1, by Erlang's C formula.

    It is 1 where the load is not below the number of servers: then a queue grows without end.
    """
    if erlangs >= servers:
        return 1.0
    blocked = 1.0  # by his B formula, of no server
    for server in range(1, servers + 1):
        blocked = erlangs * blocked / (server + erlangs * blocked)
    return servers * blocked / (servers - erlangs * (1 - blocked))


def servers_needed(erlangs: float, waiting_at_most: float = WAITING_AT_MOST) -> int:
    """The least number of servers, one at the least, with which no larger share of requests has to wait."""
    servers = max(1, int(erlangs))
    while waiting(servers, erlangs) > waiting_at_most:
        servers += 1
    return servers


def workers_needed(erlangs: float, slots: int, workers: int) -> int:
    """The workers that have so many servers, where `workers` have `slots` of them together."""
    return ceil(servers_needed(erlangs) * workers / slots)


def busiest_minute(samples: Sequence[SystemSample]) -> float | None:
    """The mean number of requests at work in the busiest minute of the clock: the load in erlangs.

    Each sample tells of the time since the one before; a minute of which less than half is known does not
    count. None without any. A saturated service works on no more than it has slots, so its load is a lower
    bound of what was asked of it.
    """
    worked: dict[int, tuple[float, float]] = {}
    for before, sample in pairwise(samples):
        if sample.in_flight is None:
            continue
        minute, span_s = int(sample.at_s // _MINUTE_S), min(_MINUTE_S, sample.at_s - before.at_s)
        known_s, work_s = worked.get(minute, (0.0, 0.0))
        worked[minute] = known_s + span_s, work_s + sample.in_flight * span_s
    means = [work_s / known_s for known_s, work_s in worked.values() if known_s >= _COVERED_S]
    return max(means, default=None)
