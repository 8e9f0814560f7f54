"""When it happened: response times and outcomes of all tools together, over the window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..model import formats
from ..model.formats import Quantity
from ..model.rules import SLOWER_THAN
from ..model.series import Series
from ..model.windows import Window
from ..sources import Sources
from .charts import Alarm, Chart, Line, alarms, linear_axis, log_axis, marks
from .points import ENOUGH_REQUESTS, MOST, Point, asked_of, gaps, merged

TABLE_ROWS = 13
_LEAST_POINTS = 12
_BANDS = 100  # alerts that are looked through for those in the window
OF_TIME = frozenset({"average", "p50", "p95", "p99", "max", SLOWER_THAN})
OF_OUTCOME = frozenset({"success_rate", "error_rate", "errors", "server_errors"})


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the chart's table: when it starts (Unix seconds) and its cells as text."""

    at_s: float
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResponseTime:
    """Percentiles of the window, their course, and the same as a table of steps of `step`."""

    requests: int
    p50: Quantity
    p95: Quantity
    p99: Quantity
    chart: Chart
    step: str
    rows: tuple[Row, ...]
    days: bool
    has_history: bool


@dataclass(frozen=True, slots=True)
class Throughput:
    """Requests by outcome in the window, their course per minute, and the same as a table."""

    requests: int
    ok: int
    client_errors: int
    server_errors: int
    other_failures: int
    chart: Chart
    step: str
    rows: tuple[Row, ...]
    days: bool
    has_history: bool


def response_time(window: Window, sources: Sources, now_s: float, *, tool: str = "") -> ResponseTime:  # noqa: ARG001 - every panel is asked alike
    """p50, p95 and p99 of every point, of one tool or of all; what was slow is marked."""
    asked = asked_of(window, sources, tool)
    everything = asked.all
    # A percentile of a handful of requests is noise: a tool that is seldom called gets fewer points.
    drawn = merged(window, asked.points, asked.started_s, _points_of(everything))
    courses = list(zip(*(point.quantiles_ms() for point in drawn), strict=True))
    few = merged(window, asked.points, asked.started_s, TABLE_ROWS - 1)
    rows = tuple(
        Row(point.start_s, tuple(str(formats.response_time(value)) for value in point.quantiles_ms()))
        for point in few
    )
    p50, p95, p99 = everything.quantiles_ms() or (None, None, None)
    chart = Chart(
        kind="lines",
        edges_s=edges_of(drawn),
        axis=log_axis([value for course in courses for value in course]),
        lines=tuple(
            Line(name, tuple(_rounded(value) for value in course))
            for name, course in zip(("p50", "p95", "p99"), courses, strict=True)
        ),
        gaps_s=tuple(gaps(drawn)),
        alarms=bands(window, sources, OF_TIME, "slow", tool),
        is_thin=everything.requests < ENOUGH_REQUESTS,
        releases=marks(sources.releases(window)),
    )
    return ResponseTime(
        everything.requests,
        formats.response_time(p50),
        formats.response_time(p95),
        formats.response_time(p99),
        chart,
        step_of(few),
        rows,
        days_of(window),
        asked.has_history,
    )


def throughput(window: Window, sources: Sources, now_s: float, *, tool: str = "") -> Throughput:  # noqa: ARG001 - every panel is asked alike
    """Requests per minute by outcome, of one tool or of all; what failed is marked."""
    asked = asked_of(window, sources, tool)
    everything = asked.all
    drawn = merged(window, asked.points, asked.started_s)
    few = merged(window, asked.points, asked.started_s, TABLE_ROWS - 1)
    totals = [point.requests_per_minute for point in drawn]
    chart = Chart(
        kind="columns",
        edges_s=edges_of(drawn),
        axis=linear_axis(totals),
        lines=(
            Line("total", tuple(_rounded(value) for value in totals)),
            Line("server", tuple(_rounded(_per_minute(point, _server(point.series))) for point in drawn)),
            Line("client", tuple(_rounded(_per_minute(point, _client(point.series))) for point in drawn)),
        ),
        gaps_s=tuple(gaps(drawn)),
        alarms=bands(window, sources, OF_OUTCOME, "fails", tool),
        is_thin=False,
        releases=marks(sources.releases(window)),
    )
    server = _server(everything) or 0
    return Throughput(
        everything.requests,
        everything.requests - everything.errors,
        everything.client_errors,
        everything.server_errors,
        server - everything.server_errors,
        chart,
        step_of(few),
        tuple(Row(point.start_s, _outcomes(point.series)) for point in few),
        days_of(window),
        asked.has_history,
    )


def _points_of(everything: Series) -> int:
    return max(_LEAST_POINTS, min(MOST, everything.requests // ENOUGH_REQUESTS))


def bands(
    window: Window, sources: Sources, metrics: frozenset[str], words: str, tool: str = ""
) -> tuple[Alarm, ...]:
    """The alerts of rules with one of these metrics, of one tool or of all, as they lie over a chart."""
    rules = [one for one in sources.rules() if one.rule.kind == "threshold"]
    types = {one.type for one in rules if one.rule.metric in metrics}
    active = [one for one in sources.alerts() if tool in ("", one.tool)]
    return alarms(active, sources.newest_alerts(_BANDS, tool), types, words, window)


def _outcomes(series: Series | None) -> tuple[str, ...]:
    if series is None:
        return (formats.NOTHING,) * 3
    numbers = (series.requests - series.errors, series.client_errors, series.errors - series.client_errors)
    return tuple(formats.count(number) for number in numbers)


def _client(series: Series | None) -> int | None:
    return None if series is None else series.client_errors


def _server(series: Series | None) -> int | None:
    """Server errors, and failures that a host reported: whatever failed and was not the client's fault."""
    return None if series is None else series.errors - series.client_errors


def _per_minute(point: Point, number: int | None) -> float | None:
    return None if number is None else number * 60 / point.measured_s


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def edges_of(points: Sequence[Point]) -> tuple[float, ...]:
    """The points' starts and the last one's end."""
    return (*(point.start_s for point in points), points[-1].end_s)


def step_of(points: Sequence[Point]) -> str:
    """How long a row of the table is, in words; the first whole one tells."""
    whole = points[1] if len(points) > 2 else points[0]
    return formats.duration(round(whole.end_s - whole.start_s))


def days_of(window: Window) -> bool:
    """Whether the times of day need their date."""
    return window.end_s - window.start_s > 86_400
