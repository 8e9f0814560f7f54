"""What was counted of one tool, and what a reader saw of a whole service at one instant.

`Series` is the unit of arithmetic from here on: workers, instances and spans of time are merged by
adding them, and what came since an earlier look is the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .histogram import Histogram

NS_PER_MS = 1e6


@dataclass(frozen=True, slots=True)
class Series:
    """Counts and times of one tool over some span. Times are nanoseconds, sizes are bytes.

    `streaming_ns` is the part of `total_ns` that streams took after their first byte. `queued` requests told
    how long they had waited in a queue before this service, `queue_ns` altogether.
    """

    ok: Histogram = field(default_factory=Histogram)
    failed: Histogram = field(default_factory=Histogram)
    client_errors: int = 0
    server_errors: int = 0
    total_ns: int = 0
    min_ns: int = 0
    max_ns: int = 0
    response_bytes: int = 0
    streaming_ns: int = 0
    queued: int = 0
    queue_ns: int = 0

    @property
    def requests(self) -> int:
        return self.ok.count + self.failed.count

    @property
    def errors(self) -> int:
        """Requests that were no success: client errors, server errors and failures that a host reported."""
        return self.failed.count

    @property
    def success_percent(self) -> float | None:
        """Successes of all requests, 0 to 100; None without any."""
        requests = self.requests
        return 100.0 * self.ok.count / requests if requests else None

    @property
    def average_ms(self) -> float | None:
        requests = self.requests
        return self.total_ns / requests / NS_PER_MS if requests else None

    @property
    def average_first_byte_ms(self) -> float | None:
        """The mean time to the first byte of the body; None without requests."""
        requests = self.requests
        return (self.total_ns - self.streaming_ns) / requests / NS_PER_MS if requests else None

    @property
    def average_queue_ms(self) -> float | None:
        """The mean time in a queue before this service; None where no request told it."""
        return self.queue_ns / self.queued / NS_PER_MS if self.queued else None

    def quantiles_ms(self, qs: Sequence[float] = (0.5, 0.95, 0.99)) -> list[float] | None:
        """Quantiles over successes and failures in milliseconds, within 1.1 %; None without requests."""
        values = (self.ok + self.failed).quantiles_ns(qs)
        if values is None:
            return None
        low, high = self.min_ns or 0.0, self.max_ns or float("inf")
        return [min(max(value, low), high) / NS_PER_MS for value in values]

    def __add__(self, other: Series) -> Series:
        return Series(
            ok=self.ok + other.ok,
            failed=self.failed + other.failed,
            client_errors=self.client_errors + other.client_errors,
            server_errors=self.server_errors + other.server_errors,
            total_ns=self.total_ns + other.total_ns,
            min_ns=min(self.min_ns or other.min_ns, other.min_ns or self.min_ns),
            max_ns=max(self.max_ns, other.max_ns),
            response_bytes=self.response_bytes + other.response_bytes,
            streaming_ns=self.streaming_ns + other.streaming_ns,
            queued=self.queued + other.queued,
            queue_ns=self.queue_ns + other.queue_ns,
        )

    def contains(self, earlier: Series) -> bool:
        """Whether `earlier` may be an older state of the same counters."""
        return self.ok.contains(earlier.ok) and self.failed.contains(earlier.failed)

    def since(self, earlier: Series) -> Series:
        """What came after `earlier`, an older state of the same counters.

        The extremes of a difference are not known exactly: they are read from its buckets, within
        the buckets' 1.1 %, unless `earlier` is empty. Counters that shrank are not the same any more (a
        file of theirs is gone): then nothing is known to have come.
        """
        return self.minus(earlier) if self.contains(earlier) else EMPTY

    def minus(self, earlier: Series) -> Series:
        """The same for who knows that these are the counters of `earlier`."""
        ok, failed = self.ok - earlier.ok, self.failed - earlier.failed
        low, high = self.min_ns, self.max_ns
        if earlier.max_ns:
            ends = Histogram(ok.packed | failed.packed).ends_ns()
            low, high = (min(max(int(end), self.min_ns), self.max_ns) for end in ends) if ends else (0, 0)
        return Series(
            ok=ok,
            failed=failed,
            client_errors=self.client_errors - earlier.client_errors,
            server_errors=self.server_errors - earlier.server_errors,
            total_ns=self.total_ns - earlier.total_ns,
            min_ns=low,
            max_ns=high,
            response_bytes=self.response_bytes - earlier.response_bytes,
            streaming_ns=self.streaming_ns - earlier.streaming_ns,
            queued=self.queued - earlier.queued,
            queue_ns=self.queue_ns - earlier.queue_ns,
        )


EMPTY = Series()


def total(series: Iterable[Series]) -> Series:
    """The sum of many series."""
    result = EMPTY
    for one in series:
        result += one
    return result


class Request(NamedTuple):
    """One request of a tool: when it ended (Unix seconds), how long it took, how it went."""

    at_s: float
    duration_ns: int
    success: bool


@dataclass(frozen=True, slots=True)
class ToolTotals:
    """A tool since the service started: its counters and its newest requests, newest first."""

    series: Series
    recent: Sequence[Request] = ()


@dataclass(frozen=True, slots=True)
class Worker:
    """One live worker process: its process id, start (Unix seconds), requests counted and in flight.

    It can work on `slots` requests at once, None for any number or not known; `busy_percent` is the share of
    them that was at work in the last minute, or since its start. What else it tells of itself is None where
    the system does not tell it.
    """

    pid: int
    started_s: float
    requests: int
    in_flight: int
    slots: int | None = None
    busy_percent: float | None = None
    resident_bytes: int | None = None
    open_files: int | None = None
    threads: int | None = None


class Restarts(NamedTuple):
    """Workers that ended and were followed by others, by reason, since the start of the run.

    `recycled` ended by themselves (a reload, `max_requests`), `timed_out` were ended by the server amid a
    request, `out_of_memory` were killed by the kernel for want of memory, and `killed` by whomsoever.
    """

    recycled: int = 0
    killed: int = 0
    out_of_memory: int = 0
    timed_out: int = 0

    @property
    def all(self) -> int:
        """Those of any reason."""
        return sum(self)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All workers at one instant, merged: exact for every request that was answered before it.

    `run` names the service's run (it changes when the whole service is restarted) and `started_s` is
    its start. `tools` are the service's; `own` are Laptime's own pages, which are never mixed in.
    `queue` holds the times that requests waited before this service, as far as a proxy told them, and
    `own_cost` the times that the hook itself took, of one request in 1,024.

    `busy_ns` is the time that requests took so far: that of all that were counted, `own` included and what is
    measured by hand left out, and of those in flight what they have taken. It only falls where a worker is
    killed amid a request.
    """

    run: str
    started_s: float
    tools: Mapping[str, ToolTotals]
    own: Mapping[str, ToolTotals]
    workers: tuple[Worker, ...]
    queue: Series = EMPTY
    own_cost: Series = EMPTY
    busy_ns: int = 0
    restarts: Restarts = Restarts()

    @property
    def slots(self) -> int | None:
        """The requests that all workers can work on at once; None where none of them tells."""
        return sum(worker.slots or 0 for worker in self.workers) or None
