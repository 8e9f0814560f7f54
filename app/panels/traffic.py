"""When it happened: response times and outcomes of all tools together, over the window."""

from __future__ import annotations

from dataclasses import dataclass

from ..model import formats
from ..model.formats import Quantity
from ..model.rules import SLOWER_THAN
from ..model.series import Series, total
from ..model.windows import Window
from ..sources import Sources
from .charts import Alarm, Chart, Line, alarms, linear_axis, log_axis, marks
from .points import ENOUGH_REQUESTS, Point, gaps, measured_from, merged

TABLE_ROWS = 13
_BANDS = 100  # alerts that are looked through for those in the window
_OF_TIME = frozenset({"average", "p50", "p95", "p99", "max", SLOWER_THAN})
_OF_OUTCOME = frozenset({"success_rate", "error_rate", "errors", "server_errors"})


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


def response_time(window: Window, sources: Sources, now_s: float) -> ResponseTime:  # noqa: ARG001 - every panel is asked alike
    """p50, p95 and p99 of every point; tools that are slow now are marked."""
    traffic = sources.traffic(window)
    started_s = measured_from(traffic, sources.snapshot())
    everything = total(traffic.tools.values())
    drawn = merged(window, traffic.points, started_s)
    courses = list(zip(*(point.quantiles_ms() for point in drawn), strict=True))
    few = merged(window, traffic.points, started_s, TABLE_ROWS - 1)
    rows = tuple(
        Row(point.start_s, tuple(str(formats.response_time(value)) for value in point.quantiles_ms()))
        for point in few
    )
    p50, p95, p99 = everything.quantiles_ms() or (None, None, None)
    chart = Chart(
        kind="lines",
        edges_s=_edges(drawn),
        axis=log_axis([value for course in courses for value in course]),
        lines=tuple(
            Line(name, tuple(_rounded(value) for value in course))
            for name, course in zip(("p50", "p95", "p99"), courses, strict=True)
        ),
        gaps_s=tuple(gaps(drawn)),
        alarms=_alarms(window, sources, _OF_TIME, "slow"),
        is_thin=everything.requests < ENOUGH_REQUESTS,
        releases=marks(sources.releases(window)),
    )
    return ResponseTime(
        everything.requests,
        formats.response_time(p50),
        formats.response_time(p95),
        formats.response_time(p99),
        chart,
        _step(few),
        rows,
        _days(window),
        _has_history(sources),
    )


def throughput(window: Window, sources: Sources, now_s: float) -> Throughput:  # noqa: ARG001 - every panel is asked alike
    """Requests per minute by outcome; tools that fail now are marked."""
    traffic = sources.traffic(window)
    started_s = measured_from(traffic, sources.snapshot())
    everything = total(traffic.tools.values())
    drawn = merged(window, traffic.points, started_s)
    few = merged(window, traffic.points, started_s, TABLE_ROWS - 1)
    totals = [point.requests_per_minute for point in drawn]
    chart = Chart(
        kind="columns",
        edges_s=_edges(drawn),
        axis=linear_axis(totals),
        lines=(
            Line("total", tuple(_rounded(value) for value in totals)),
            Line("server", tuple(_rounded(_per_minute(point, _server(point.series))) for point in drawn)),
            Line("client", tuple(_rounded(_per_minute(point, _client(point.series))) for point in drawn)),
        ),
        gaps_s=tuple(gaps(drawn)),
        alarms=_alarms(window, sources, _OF_OUTCOME, "fails"),
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
        _step(few),
        tuple(Row(point.start_s, _outcomes(point.series)) for point in few),
        _days(window),
        _has_history(sources),
    )


def _alarms(window: Window, sources: Sources, metrics: frozenset[str], words: str) -> tuple[Alarm, ...]:
    types = {
        one.type for one in sources.rules() if one.rule.kind == "threshold" and one.rule.metric in metrics
    }
    return alarms(sources.alerts(), sources.newest_alerts(_BANDS), types, words, window)


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


def _edges(points: list[Point]) -> tuple[float, ...]:
    return (*(point.start_s for point in points), points[-1].end_s)


def _step(points: list[Point]) -> str:
    """How long a row of the table is, in words; the first whole one tells."""
    whole = points[1] if len(points) > 2 else points[0]
    return formats.duration(round(whole.end_s - whole.start_s))


def _days(window: Window) -> bool:
    """Whether the times of day need their date."""
    return window.end_s - window.start_s > 86_400


def _has_history(sources: Sources) -> bool:
    """Whether anything was ever measured since the start, in this window or not."""
    return any(one.series.requests for one in sources.snapshot().tools.values())
