"""The table of tools as bare figures, for a spreadsheet or a program."""

from __future__ import annotations

from msgspec import Struct

from ..model.series import Series, total
from ..model.windows import Window
from ..sources import Sources
from .answers import instant
from .points import measured_from, measured_s, merged


class ToolFigures(Struct, frozen=True, gc=False):
    """One tool in the window; times are milliseconds, shares and rates percentages 0 to 100.

    `time_share` is the tool's part of the time that all requests took together.
    """

    tool_name: str
    total_requests: int
    requests_per_minute: float
    success_rate: float
    client_errors: int
    server_errors: int
    error_count: int
    avg_response_time: float
    min_response_time: float
    p50_response_time: float
    p95_response_time: float
    p99_response_time: float
    max_response_time: float
    time_share: float
    response_bytes: int


class ToolsFile(Struct, frozen=True, gc=False):
    """The window in ISO 8601, and its tools, those that took most time first."""

    window_start: str
    window_end: str
    tools: list[ToolFigures]


def tool_figures(window: Window, sources: Sources, q: str = "") -> ToolsFile:
    """The tools that were called in the window and whose name contains `q`."""
    traffic = sources.traffic(window)
    span_s = measured_s(merged(window, traffic.points, measured_from(traffic, sources.snapshot()))) or 1.0
    all_ns = total(traffic.tools.values()).total_ns or 1
    called = [
        (name, one) for name, one in traffic.tools.items() if one.requests and q.lower() in name.lower()
    ]
    called.sort(key=lambda pair: (-pair[1].total_ns, pair[0]))
    return ToolsFile(
        instant(window.start_s),
        instant(window.end_s),
        [_figures(name, series, span_s, all_ns) for name, series in called],
    )


def _figures(name: str, series: Series, span_s: float, all_ns: int) -> ToolFigures:
    p50, p95, p99 = series.quantiles_ms() or (0.0, 0.0, 0.0)
    return ToolFigures(
        tool_name=name,
        total_requests=series.requests,
        requests_per_minute=round(series.requests * 60 / span_s, 3),
        success_rate=round(series.success_percent or 0.0, 3),
        client_errors=series.client_errors,
        server_errors=series.server_errors,
        error_count=series.errors,
        avg_response_time=round(series.average_ms or 0.0, 3),
        min_response_time=round(series.min_ns / 1e6, 3),
        p50_response_time=round(p50, 3),
        p95_response_time=round(p95, 3),
        p99_response_time=round(p99, 3),
        max_response_time=round(series.max_ns / 1e6, 3),
        time_share=round(100 * series.total_ns / all_ns, 3),
        response_bytes=series.response_bytes,
    )
