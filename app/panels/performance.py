"""The JSON API's four answers, from the same sources as the pages.

Where nothing was measured yet, the shape's zeros stand:
clients were promised numbers, not nulls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..errors import UnavailableError
from ..model.alerting import UNJUDGED, Alert, system_health, worst
from ..model.series import EMPTY, Request, Series, ToolTotals
from ..model.silencing import covering
from ..model.vitals import Vitals, of_samples
from ..model.windows import Window, named
from ..settings import Settings
from ..sources import Sources
from .alert_lines import AlertLine, alert_line
from .answers import (
    AlertCounts,
    Dashboard,
    DashboardOverview,
    DashboardSystem,
    Health,
    Metrics,
    Overview,
    RecentRequest,
    SystemMetrics,
    ToolLine,
    ToolMetrics,
    instant,
)
from .instances import instances_answer
from .machine import system_metrics
from .measuring import known_ms, own_cost, queue_time
from .workers import workers_answer

SYSTEM_SPAN_S = 25 * 60
RECENT = 10
TOP = 5


def metrics(window: Window | None, sources: Sources, now_s: float) -> Metrics:
    """All tools and the system: since the start, or in `window`."""
    snapshot = sources.snapshot()
    tools = _tools(window, sources, snapshot.tools)
    requests, errors = _sums(tools.values())
    return Metrics(
        overview=Overview(
            total_requests=requests,
            total_errors=errors,
            overall_success_rate=_overall(requests, errors),
            uptime_seconds=round(max(0.0, now_s - snapshot.started_s), 3),
            start_time=instant(snapshot.started_s),
        ),
        system_metrics=_system(window, sources, now_s),
        tools={name: _tool(name, tools[name]) for name in sorted(tools)},
        queue_time=queue_time(snapshot.queue),
        own_cost=own_cost(snapshot, now_s),
        instances=instances_answer(sources, now_s),
        workers=workers_answer(snapshot, sources, now_s),
    )


def tool(name: str, window: Window | None, sources: Sources) -> ToolMetrics:
    """One tool; zeros and an empty list for a name that was never seen."""
    tools = _tools(window, sources, sources.snapshot().tools)
    return _tool(name, tools.get(name, ToolTotals(EMPTY)))


def alerts(sources: Sources, now_s: float) -> list[AlertLine]:
    """The active alerts, worst first."""
    active = sources.alerts()
    standing = sources.silences() if active else ()
    return [alert_line(one, covering(standing, one.type, one.tool, one.severity, now_s)) for one in active]


def health(sources: Sources) -> Health:
    """The status that the active alerts add up to, their number by severity, and how measuring itself is."""
    active = sources.alerts()
    counts = _counts(active)
    status = worst([one.severity for one in active])
    reasons = list(sources.troubles())
    return Health(
        status, counts.count, counts.critical, counts.errors, counts.warnings, bool(reasons), reasons
    )


def dashboard(window: Window | None, sources: Sources, now_s: float) -> Dashboard:
    """The short form of everything, for a wall or a chat."""
    snapshot = sources.snapshot()
    tools = _tools(window, sources, snapshot.tools)
    requests, errors = _sums(tools.values())
    newest = next(reversed(sources.samples(now_s - SYSTEM_SPAN_S)), None)
    state = system_health(newest, sources.settings)
    ranked = sorted(tools, key=lambda name: (-tools[name].series.requests, name))
    judged = sources.traffic(named("1h", now_s)) if now_s - snapshot.started_s > 3600 else None
    since_start = {name: one.series for name, one in snapshot.tools.items()}
    lately = judged.tools if judged is not None and judged.is_whole else since_start
    return Dashboard(
        overview=DashboardOverview(
            total_requests=requests,
            total_errors=errors,
            overall_success_rate=_overall(requests, errors),
            uptime_hours=round(max(0.0, now_s - snapshot.started_s) / 3600, 4),
            system_health=state,
        ),
        system_metrics=DashboardSystem(
            cpu_usage=newest.cpu_percent if newest else 0.0,
            memory_usage=newest.memory_percent if newest else 0.0,
            disk_usage=newest.disk_percent if newest else 0.0,
            status=state,
        ),
        alerts=_counts(sources.alerts()),
        top_tools=[_line(name, tools[name].series) for name in ranked[:TOP]],
        problematic_tools=[
            _line(name, lately[name])
            for name in sorted(lately)
            if name not in UNJUDGED and _is_problem(lately[name], sources.settings)
        ],
    )


def _tools(
    window: Window | None, sources: Sources, since_start: Mapping[str, ToolTotals]
) -> Mapping[str, ToolTotals]:
    if window is None:
        return since_start
    traffic = sources.traffic(window)
    if not traffic.is_whole:
        raise UnavailableError("the store does not answer now, and memory does not hold the window")
    none = ToolTotals(EMPTY)
    return {
        name: ToolTotals(one, _within(window, since_start.get(name, none).recent))
        for name, one in traffic.tools.items()
        if one.requests
    }


def _within(window: Window, recent: Sequence[Request]) -> tuple[Request, ...]:
    return tuple(one for one in recent if window.start_s <= one.at_s <= window.end_s)


# What was said of a tool last time: while nothing is counted of it, its totals are the same object.
_said: dict[str, tuple[ToolTotals, ToolMetrics]] = {}


def _tool(name: str, totals: ToolTotals) -> ToolMetrics:
    known, said = _said.get(name, (None, None))
    if known is totals and said is not None:
        return said
    made = _made(name, totals)
    if totals.series.requests:  # a name that was never seen is not remembered
        _said[name] = totals, made
    return made


def _made(name: str, totals: ToolTotals) -> ToolMetrics:
    series = totals.series
    p50, p95, p99 = series.quantiles_ms() or (0.0, 0.0, 0.0)
    return ToolMetrics(
        tool_name=name,
        total_requests=series.requests,
        success_rate=_rate(series, none=0.0),
        avg_response_time=_ms(series.average_ms),
        min_response_time=_ms(series.min_ns / 1e6),
        max_response_time=_ms(series.max_ns / 1e6),
        error_count=series.errors,
        recent_performance=[
            RecentRequest(instant(one.at_s), _ms(one.duration_ns / 1e6), one.success)
            for one in totals.recent[:RECENT]
        ],
        p50_response_time=_ms(p50),
        p95_response_time=_ms(p95),
        p99_response_time=_ms(p99),
        client_errors=series.client_errors,
        server_errors=series.server_errors,
        response_bytes=series.response_bytes,
        avg_first_byte_time=_ms(series.average_first_byte_ms),
        avg_queue_time=known_ms(series.average_queue_ms),
    )


def _line(name: str, series: Series) -> ToolLine:
    return ToolLine(name, series.requests, _rate(series, none=0.0), _ms(series.average_ms), series.errors)


def _is_problem(series: Series, settings: Settings) -> bool:
    rate, average = series.success_percent, series.average_ms
    if rate is None or average is None:
        return False
    return rate < settings.alert_success_rate_percent or average > settings.alert_response_time_ms


def _system(window: Window | None, sources: Sources, now_s: float) -> SystemMetrics:
    samples = sources.samples(now_s - SYSTEM_SPAN_S)
    newest = samples[-1] if samples else None
    if window is None:
        return system_metrics(newest, [of_samples(samples, None)])
    by_instance: dict[str, Vitals] = {}
    for point in sources.vitals(window):
        for instance, one in point.items():
            by_instance[instance] = by_instance.get(instance, Vitals()) + one
    return system_metrics(newest, list(by_instance.values()))


def _counts(active: Sequence[Alert]) -> AlertCounts:
    severities = [one.severity for one in active]
    return AlertCounts(
        len(active), severities.count("critical"), severities.count("warning"), severities.count("error")
    )


def _sums(tools: Iterable[ToolTotals]) -> tuple[int, int]:
    """Requests and errors of all tools together."""
    series = [one.series for one in tools]
    return sum(one.requests for one in series), sum(one.errors for one in series)


def _overall(requests: int, errors: int) -> float:
    return round(100.0 * (requests - errors) / requests, 2) if requests else 100.0


def _rate(series: Series, *, none: float) -> float:
    percent = series.success_percent
    return none if percent is None else round(percent, 2)


def _ms(value: float | None) -> float:
    return round(value or 0.0, 3)
