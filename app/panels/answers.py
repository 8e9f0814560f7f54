"""The shapes of the JSON API's answers, member by member: clients rely on them, so members are only added.

Percentages are 0 to 100, times milliseconds, instants ISO 8601 in UTC with an offset. Structs take a fourth
of a dataclass's memory; nothing in them refers back, so the collector may pass them over.
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct


def instant(at_s: float) -> str:
    """ISO 8601 in UTC with an offset, of Unix seconds."""
    return datetime.fromtimestamp(at_s, UTC).isoformat()


class RecentRequest(Struct, frozen=True, gc=False):
    timestamp: str
    response_time: float
    success: bool


class ToolMetrics(Struct, frozen=True, gc=False):
    tool_name: str
    total_requests: int
    success_rate: float
    avg_response_time: float
    min_response_time: float
    max_response_time: float
    error_count: int
    recent_performance: list[RecentRequest]
    p50_response_time: float
    p95_response_time: float
    p99_response_time: float
    client_errors: int
    server_errors: int
    response_bytes: int
    avg_first_byte_time: float
    avg_queue_time: float | None  # None: not measured, no proxy told it


class OwnCost(Struct, frozen=True, gc=False):
    """What Laptime costs: its hook (the median of `timed_requests`, None before any) and its own pages."""

    timed_requests: int
    microseconds_per_request: float | None
    worker_time_percent: float | None
    page_requests: int
    page_avg_response_time: float
    page_worker_time_percent: float


class QueueTime(Struct, frozen=True, gc=False):
    """Milliseconds that requests waited before this service, as the proxy told; None: not measured."""

    measured_requests: int
    average: float | None
    p50: float | None
    p95: float | None
    p99: float | None


class Usage(Struct, frozen=True, gc=False):
    current: float
    average: float
    max: float


class Network(Struct, frozen=True, gc=False):
    received_bytes_per_second: int
    sent_bytes_per_second: int


class DiskIo(Struct, frozen=True, gc=False):
    read_bytes_per_second: int
    written_bytes_per_second: int


class Container(Struct, frozen=True, gc=False):
    """The limits that CPU and memory are told against, None where it is the host's that counts.

    The counts are of the samples' span.
    """

    cpu_limit_cores: float | None
    memory_limit_bytes: int | None
    throttled_periods: int
    oom_kills: int


class SystemMetrics(Struct, frozen=True, gc=False):
    cpu_usage: Usage
    memory_usage: Usage
    disk_usage: Usage
    load_average: float | None  # of one minute; None, here and below: not known
    network: Network | None
    disk_io: DiskIo | None
    container: Container | None  # None: no limit below the host's, all is the host's


class Restarts(Struct, frozen=True, gc=False):
    """Workers that ended since the start, by reason; those of the service's own end are not in here."""

    recycled: int
    killed: int
    out_of_memory: int
    timed_out: int


class Process(Struct, frozen=True, gc=False):
    """A live worker; what it takes of the machine is None where the system does not tell."""

    pid: int
    age_seconds: float
    requests: int
    in_flight: int
    busy_percent: float | None  # of its slots, in the last minute
    resident_bytes: int | None
    open_files: int | None
    threads: int | None


class Workers(Struct, frozen=True, gc=False):
    """The live workers of this instance; `busy` is how many of them have a request in hand.

    They can work on `slots` requests at once (None: not known, or any number), of which `saturation_percent`
    were at work since the sample before the newest. The last hour's busiest minute `needed` so many workers.
    """

    count: int
    busy: int
    slots: int | None
    saturation_percent: float | None
    needed: int | None
    restarts: Restarts
    processes: list[Process]


class Overview(Struct, frozen=True, gc=False):
    total_requests: int
    total_errors: int
    overall_success_rate: float
    uptime_seconds: float
    start_time: str


class Instance(Struct, frozen=True, gc=False):
    """One instance of the fleet; `status` is "reporting", or "gone" after two minutes of silence."""

    name: str
    status: str
    start_time: str
    last_reported: str


class Metrics(Struct, frozen=True, gc=False):
    overview: Overview
    system_metrics: SystemMetrics
    tools: dict[str, ToolMetrics]
    queue_time: QueueTime
    own_cost: OwnCost
    instances: list[Instance]  # that have reported in the last day
    workers: Workers


class Health(Struct, frozen=True, gc=False):
    status: str
    alerts_count: int
    critical_count: int
    error_count: int
    warning_count: int
    degraded: bool
    reasons: list[str]


class DashboardOverview(Struct, frozen=True, gc=False):
    total_requests: int
    total_errors: int
    overall_success_rate: float
    uptime_hours: float
    system_health: str


class DashboardSystem(Struct, frozen=True, gc=False):
    cpu_usage: float
    memory_usage: float
    disk_usage: float
    status: str


class AlertCounts(Struct, frozen=True, gc=False):
    count: int
    critical: int
    warnings: int
    errors: int


class ToolLine(Struct, frozen=True, gc=False):
    tool_name: str
    total_requests: int
    success_rate: float
    avg_response_time: float
    error_count: int


class Dashboard(Struct, frozen=True, gc=False):
    overview: DashboardOverview
    system_metrics: DashboardSystem
    alerts: AlertCounts
    top_tools: list[ToolLine]
    problematic_tools: list[ToolLine]


class HistoryPoint(Struct, frozen=True, gc=False):
    timestamp: str
    value: float | int | None  # None: a gap, or no request to tell it of


class ReleaseMark(Struct, frozen=True, gc=False):
    timestamp: str
    release: str
    instance: str


class History(Struct, frozen=True, gc=False):
    """One metric's course; `timestamp` is where a point's step of `step_seconds` begins."""

    metric: str
    tool: str | None  # None: all together, or the machine
    unit: str
    step_seconds: int
    releases: list[ReleaseMark]  # that began in the window, oldest first
    points: list[HistoryPoint]
