"""The facts beside the verdict: what stands behind the sentence, each in a figure and a note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..model import comparing, formats
from ..model.alerting import SEVERITIES, SYSTEM, Alert, SystemSample
from ..model.series import Series, Snapshot, Worker, total
from ..model.windows import Window, kept, sliding
from ..sources import Sources, Traffic
from .points import ENOUGH_REQUESTS, first_s, merged, missing_s
from .tools import trend_of

_NAMED = 2
_DOTS = 8
_RELEASES_S = 14 * 86_400.0


@dataclass(frozen=True, slots=True)
class Fact:
    """A label, its value, and a note in fine print that may end in an instant (`at_s`, Unix seconds).

    `dots`: one to each worker, True if it is busy. `tone` of the note is worse, better or empty.
    """

    label: str
    value: str
    note: str
    at_s: float | None = None
    dots: tuple[bool, ...] = ()
    tone: str = ""


def alert_fact(active: Sequence[Alert], traffic: Traffic) -> Fact:
    called = called_of(traffic)
    troubled = {alert.tool for alert in active} & called
    number = {severity: sum(alert.severity == severity for alert in active) for severity in SEVERITIES}
    told = [_counted(number[severity], severity) for severity in reversed(SEVERITIES) if number[severity]]
    if len(told) > _NAMED:
        rest = len(active) - number[next(one for one in reversed(SEVERITIES) if number[one])]
        told = [told[0], f"{formats.count(rest)} more"]
    if any(alert.tool == SYSTEM for alert in active) and not troubled:
        note = "of the system"
    else:
        note = f"{len(troubled)} of {formats.plural(len(called), 'tool')} in trouble"
    return Fact("Active alerts", ", ".join(told) or "none", note)


def _counted(number: int, severity: str) -> str:
    """1 error, 2 errors; but 2 critical, 2 info."""
    return formats.plural(number, severity, "" if severity in ("error", "warning") else severity)


def worker_fact(workers: Sequence[Worker]) -> Fact:
    busy = sorted((worker.in_flight > 0 for worker in workers), reverse=True)
    dots = tuple(busy) if len(busy) <= _DOTS else ()
    return Fact("Workers", f"{len(busy)} alive", f"{sum(busy)} busy now", dots=dots)


def memory_fact(newest: SystemSample | None, *, stale: bool) -> Fact:
    if newest is None:
        return Fact("Memory", "not known", "no sample yet")
    if stale:
        return Fact("Memory", "not known", "last sampled at", newest.at_s)
    used, whole = formats.fraction(newest.memory_used_bytes, newest.memory_total_bytes)
    value = f"{used} of {whole}" if newest.memory_total_bytes else f"{newest.memory_percent:.1f} %"
    return Fact("Memory", value, f"{newest.memory_percent:.1f} % used")


def data_fact(
    window: Window, traffic: Traffic, snapshot: Snapshot, newest: SystemSample | None, now_s: float
) -> Fact:
    points = merged(window, traffic.points, snapshot.started_s)
    began_s = first_s(points)
    if began_s is None:
        return Fact("Data", "none", "in this window")
    if span_s := missing_s(points):
        return Fact("Data", f"{formats.duration(span_s)} missing", "not counted as zero")
    if points[0].series is None:
        return Fact("Data", "complete", "begins at", began_s)
    if newest is None:
        return Fact("Data", "complete", "no gaps")
    return Fact("Data", "complete", f"sampled {formats.duration(now_s - newest.at_s)} ago")


def release_fact(sources: Sources, now_s: float) -> Fact:
    """The newest release, and what it did to p95; without one that is known, since when the service is up."""
    keep_s = kept(sources.settings)
    known = sources.releases(sliding(_RELEASES_S, now_s, keep_s))
    if not known:
        snapshot = sources.snapshot()
        answered = sum(one.series.requests for one in snapshot.tools.values())
        up = formats.duration(now_s - snapshot.started_s)
        return Fact("Up", up, f"{formats.plural(answered, 'request')} since")
    newest = known[-1]
    value = f"{formats.release(newest.release)}, {formats.duration(now_s - newest.at_s)} ago"
    around = comparing.around(newest.at_s, now_s, keep_s)
    if around is None:
        return Fact("Last deploy", value, "too early to compare")
    was, now = (sources.traffic(window).tools for window in around)
    note, tone = _effect(was, now)
    return Fact("Last deploy", value, note, tone=tone)


def _effect(was: Mapping[str, Series], now: Mapping[str, Series]) -> tuple[str, str]:
    """What the release did to p95: of all tools together, else of that whose change weighs most."""
    before, since = total(was.values()), total(now.values())
    if min(before.requests, since.requests) < ENOUGH_REQUESTS:
        return "too few requests to compare", ""
    together = trend_of(before, since)
    if together.tone:
        return f"p95 {together.text} since", together.tone
    changed = [
        (series.total_ns, name, trend_of(was[name], series)) for name, series in now.items() if name in was
    ]
    _, name, trend = max((one for one in changed if one[2].tone), default=(0, "", together))
    return (f"{formats.shorten(name, 14)} {trend.text}", trend.tone) if name else ("p95 as before", "")


def called_of(traffic: Traffic) -> set[str]:
    """The tools that were called in the window."""
    return {name for name, series in traffic.tools.items() if series.requests}
