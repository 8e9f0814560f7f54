"""Why somebody should look: the active alerts, worst first, each in a sentence with its limit drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..model.alerting import SYSTEM, ActiveAlert, SystemSample
from ..model.series import Series
from ..model.windows import Window
from ..sources import Sources
from . import formats
from .points import Point, courses
from .sparks import POINTS, Spark, spark

SHOWN = 8
_FIELDS = {
    "high_cpu_usage": ("CPU", "cpu_percent"),
    "high_memory_usage": ("Memory", "memory_percent"),
    "high_disk_usage": ("Disk", "disk_percent"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One alert: who, the finding in bold, what it is judged by, and how it went."""

    key: str
    severity: str
    who: str
    what: str
    limit: str
    lasted: str
    since_s: float
    spark: Spark


@dataclass(frozen=True, slots=True)
class Alerts:
    """The first findings of `count`; `watched` tools are judged now."""

    findings: tuple[Finding, ...]
    count: int
    watched: int


def alerts(window: Window, sources: Sources, now_s: float) -> Alerts:
    """What is wrong now; the window only decides how far the sparklines reach back."""
    active = sources.alerts()
    traffic, samples = sources.traffic(window), sources.samples(window.start_s)
    drawn = courses(window, sources, {alert.tool for alert in active[:SHOWN]} - {SYSTEM}, POINTS)
    findings = tuple(_finding(alert, drawn, samples, now_s) for alert in active[:SHOWN])
    return Alerts(findings, len(active), sum(series.requests > 0 for series in traffic.tools.values()))


def _finding(
    alert: ActiveAlert, drawn: Mapping[str, Sequence[Point]], samples: Sequence[SystemSample], now_s: float
) -> Finding:
    who, what, limit, line = alert.tool, alert.message, "", Spark()
    if alert.type == "low_success_rate":
        what = f"{100 - alert.value:.0f} % of calls fail"
        limit = f"success {formats.percent(alert.value)} %, limit {alert.threshold:g} %"
        line = _tool_spark(drawn.get(alert.tool, ()), _failed_percent, 100 - alert.threshold)
    elif alert.type == "high_response_time":
        what = f"Average {formats.milliseconds(alert.value)} ms"
        limit = f"limit {formats.milliseconds(alert.threshold)} ms"
        line = _tool_spark(drawn.get(alert.tool, ()), lambda series: series.average_ms, alert.threshold)
    elif alert.type in _FIELDS and alert.tool == SYSTEM:
        who, field = _FIELDS[alert.type]
        what, limit = f"{alert.value:.1f} % used", f"limit {alert.threshold:g} %"
        line = _system_spark(samples, field, alert.threshold)
    return Finding(
        key=f"{alert.type}-{alert.since_s:.0f}",
        severity=alert.severity,
        who=who,
        what=what,
        limit=limit,
        lasted=formats.duration(now_s - alert.since_s),
        since_s=alert.since_s,
        spark=line,
    )


def _tool_spark(points: Sequence[Point], of: Callable[[Series], float | None], limit: float) -> Spark:
    values = [of(point.series) if point.series else None for point in points]
    return spark(values, limit=limit)


def _system_spark(samples: Sequence[SystemSample], field: str, limit: float) -> Spark:
    every = max(1, len(samples) // POINTS)
    return spark([getattr(sample, field) for sample in samples[::every]], limit=limit, high=100.0)


def _failed_percent(series: Series) -> float | None:
    percent = series.success_percent
    return None if percent is None else 100 - percent
