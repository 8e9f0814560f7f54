"""What to fix first: every tool of the window in one table, by default by its share of all time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from shlex import quote

from ..model import comparing, formats
from ..model.alerting import UNJUDGED, Alert
from ..model.noise import is_clear
from ..model.series import EMPTY, Series, total
from ..model.windows import Window, kept
from ..settings import Settings
from ..sources import Sources
from .points import (
    ENOUGH_REQUESTS,
    Point,
    can_compare,
    courses,
    measured_from,
    measured_s,
    merged,
)
from .sparks import POINTS, Spark, spark
from .tool_columns import ASCENDING, COLUMNS, Choice, Column, choices, hidden_of

SORTS = ("share", "tool", "requests", "rate", "success", "average", "p50", "p95", "p99", "trend")
ORDERS = ("", "reversed")
ROWS = ("25", "100")
NOISE_PERCENT = 15


@dataclass(frozen=True, slots=True)
class Trend:
    """p95 against the window before: `tone` is worse, better or empty."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class ToolRow:
    """A tool's row, ready to read. `key` is the same in every answer; a severity is an alert's or empty."""

    key: str
    name: str
    requests: str
    per_minute: str
    success: str
    average: str
    p50: str
    p95: str
    p99: str
    share_percent: float
    is_thin: bool
    is_judged: bool
    severity: str
    success_severity: str
    average_severity: str
    spark: Spark
    trend: Trend


@dataclass(frozen=True, slots=True)
class Tools:
    """The rows that are shown, of `matching` tools that the search found of `count` in the window.

    `ascends`: they are sorted from the least on. `hide` is what the address says of hidden columns.
    """

    rows: tuple[ToolRow, ...]
    columns: tuple[Column, ...]
    choices: tuple[Choice, ...]
    hide: str
    order: str
    ascends: bool
    count: int
    matching: int
    sort: str
    limit: int
    search: str
    window: str
    has_history: bool
    is_bundled: bool
    key: str


@dataclass(frozen=True)
class _Tool:
    """A tool's sums; what is computed from its buckets waits until it is sorted by or shown."""

    name: str
    series: Series
    was: Series

    @cached_property
    def quantiles_ms(self) -> tuple[float, float, float]:
        return _quantiles(self.series)

    @cached_property
    def change_percent(self) -> float | None:
        return _change(self.series, self.was)


_KEYS: Mapping[str, Callable[[_Tool], tuple[float | str, ...]]] = {
    "share": lambda tool: (-tool.series.total_ns, tool.name),
    "tool": lambda tool: (tool.name.lower(), tool.name),
    "requests": lambda tool: (-tool.series.requests, tool.name),
    "rate": lambda tool: (-tool.series.requests, tool.name),
    "success": lambda tool: (tool.series.success_percent or 0.0, tool.name),
    "average": lambda tool: (-(tool.series.average_ms or 0.0), tool.name),
    "p50": lambda tool: (-tool.quantiles_ms[0], tool.name),
    "p95": lambda tool: (-tool.quantiles_ms[1], tool.name),
    "p99": lambda tool: (-tool.quantiles_ms[2], tool.name),
    "trend": lambda tool: (-(tool.change_percent if tool.change_percent is not None else -1e9), tool.name),
}


def tools(
    window: Window,
    sources: Sources,
    now_s: float,
    *,
    compare: str = "before",
    sort: str = "share",
    order: str = "",
    rows: str = "25",
    hide: str = "",
    q: str = "",
) -> Tools:
    """The tools whose name contains `q`, by one of SORTS in one of ORDERS, the first `rows` of them."""
    hidden = hidden_of(hide)
    traffic = sources.traffic(window)
    was = _before(comparing.compared(window, compare, now_s, kept(sources.settings)), sources)
    snapshot, alerts = sources.snapshot(), sources.alerts()
    called = {name: series for name, series in traffic.tools.items() if series.requests}
    found = sorted(
        (
            _Tool(name, series, was.get(name, EMPTY))
            for name, series in called.items()
            if q.lower() in name.lower()
        ),
        key=_KEYS[sort],
        reverse=order == "reversed",
    )
    span_s = measured_s(merged(window, traffic.points, measured_from(traffic, snapshot))) or 1.0
    busy_ns = total(called.values()).total_ns or 1
    shown = found[: int(rows)]
    # What nobody sees is not read: the courses are most of what the table costs.
    drawn = courses(window, sources, [tool.name for tool in shown if "course" not in hidden], POINTS)
    alerts = [one for one in alerts if one.since_s < window.end_s]
    return Tools(
        rows=tuple(_row(tool, drawn.get(tool.name, ()), span_s, busy_ns, alerts) for tool in shown),
        columns=tuple(column for column in COLUMNS if column.key not in hidden),
        choices=choices(hidden),
        hide=hide,
        order=order,
        ascends=(sort in ASCENDING) != (order == "reversed"),
        count=len(called),
        matching=len(found),
        sort=sort,
        limit=int(rows),
        search=q,
        window=formats.length(window.name),
        has_history=any(one.series.requests for one in snapshot.tools.values()),
        is_bundled=not sources.settings.host_app,
        key=_key(sources.settings),
    )


def _before(earlier: Window | None, sources: Sources) -> Mapping[str, Series]:
    """The tools of the window that is compared with; none if too little of it is known."""
    if earlier is None:
        return {}
    traffic = sources.traffic(earlier)
    return traffic.tools if can_compare(merged(earlier, traffic.points, 0.0), earlier) else {}


def _row(
    tool: _Tool, points: Sequence[Point], span_s: float, busy_ns: int, alerts: Sequence[Alert]
) -> ToolRow:
    series, name = tool.series, tool.name
    slow, failing = _alert(alerts, name, "high_response_time"), _alert(alerts, name, "low_success_rate")
    p50, p95, p99 = tool.quantiles_ms
    is_thin = series.requests < ENOUGH_REQUESTS
    course = [point.quantiles_ms()[1] for point in points]
    # What was judged are the last minutes; the window's figure may be well within the limit.
    is_failing = failing is not None and (series.success_percent or 0.0) < failing.threshold
    is_slow = slow is not None and (series.average_ms or 0.0) > slow.threshold
    return ToolRow(
        key=sha256(name.encode("utf-8", "replace")).hexdigest()[:12],
        name=name,
        requests=formats.count(series.requests),
        per_minute=formats.rate(series.requests * 60 / span_s),
        success=formats.percent(series.success_percent),
        average=formats.milliseconds(series.average_ms),
        p50=formats.milliseconds(p50),
        p95=formats.milliseconds(p95),
        p99=formats.milliseconds(p99),
        share_percent=round(100 * series.total_ns / busy_ns, 1),
        is_thin=is_thin,
        is_judged=name not in UNJUDGED,
        severity=failing.severity if failing else slow.severity if slow else "",
        success_severity=failing.severity if failing and is_failing else "",
        average_severity=slow.severity if slow and is_slow else "",
        spark=spark(course, thin=is_thin),
        trend=_trend(tool.change_percent),
    )


def _key(settings: Settings) -> str:
    """What a shell puts in the key's place: the variable if it was chosen, else the file that keeps it."""
    return "$LAPTIME_API_KEY" if settings.api_key else f"$(cat {quote(str(settings.state_dir / 'key'))})"


def _quantiles(series: Series) -> tuple[float, float, float]:
    p50, p95, p99 = series.quantiles_ms() or (0.0, 0.0, 0.0)
    return p50, p95, p99


def trend_of(was: Series, now: Series) -> Trend:
    """How p95 changed, in words; an en dash with too few requests on either side."""
    return _trend(_change(now, was))


def _change(now: Series, was: Series) -> float | None:
    """How p95 changed in percent, 0 for noise; None with too few requests on either side."""
    if min(now.requests, was.requests) < ENOUGH_REQUESTS:
        return None
    earlier_ms = _quantiles(was)[1]
    percents = 100 * (_quantiles(now)[1] - earlier_ms) / earlier_ms if earlier_ms else 0.0
    return percents if abs(percents) >= NOISE_PERCENT and is_clear(now, was) else 0.0


def _trend(change_percent: float | None) -> Trend:
    if change_percent is None:
        return Trend(formats.NOTHING)
    if not change_percent:
        return Trend("steady")
    word, tone = ("slower", "worse") if change_percent > 0 else ("faster", "better")
    return Trend(f"{abs(change_percent):,.0f} % {word}", tone)


def _alert(alerts: Sequence[Alert], tool: str, type_: str) -> Alert | None:
    return next((alert for alert in alerts if alert.tool == tool and alert.type == type_), None)
