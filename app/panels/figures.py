"""What changed: the four figures of a window, each with its course and how it stands to the window before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..model import formats
from ..model.formats import Delta, Quantity
from ..model.series import Series, Snapshot, total
from ..model.windows import Window
from ..sources import Sources, Traffic
from .points import (
    ENOUGH_REQUESTS,
    Point,
    can_compare,
    first_s,
    measured_from,
    measured_s,
    merged,
    missing_s,
    window_before,
)
from .sparks import POINTS, Spark, spark


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure: `exact` is the longer text of its title, `delta` says how it changed."""

    label: str
    figure: Quantity
    exact: str
    delta: Delta
    spark: Spark


@dataclass(frozen=True, slots=True)
class Figures:
    """The four tiles, in the order that they are read."""

    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class _Span:
    """A window's sum and course."""

    all: Series
    points: list[Point]
    missing_s: float

    @property
    def measured_s(self) -> float:
        return measured_s(self.points)

    @property
    def per_minute(self) -> float:
        return self.all.requests * 60 / (self.measured_s or 1)

    @property
    def busy(self) -> float:
        """Requests in progress at once, on average: their total time over the time that was measured."""
        return self.all.total_ns / 1e9 / (self.measured_s or 1)

    @property
    def p95_ms(self) -> float:
        return (self.all.quantiles_ms((0.95,)) or [0.0])[0]

    def course(self, of: Callable[[Series, float], float | None]) -> list[float | None]:
        return [None if point.series is None else of(point.series, point.measured_s) for point in self.points]


def figures(window: Window, sources: Sources, now_s: float) -> Figures:  # noqa: ARG001 - every panel is asked alike
    """Requests per minute, success rate, p95 response time and busy workers."""
    snapshot = sources.snapshot()
    earlier = window_before(window)
    now = _span(sources.traffic(window), snapshot)
    was = _span(sources.traffic(earlier), snapshot)
    remark = _remark(window, now, was, comparable=can_compare(was.points, earlier))
    compared = was if remark is None else None
    return Figures(
        (
            _requests(window, now, compared, _gap(now.missing_s) or remark),
            _success(now, compared, remark),
            _p95(window, now, compared, remark),
            _busy(window, now, compared, remark, len(snapshot.workers)),
        )
    )


def _span(traffic: Traffic, snapshot: Snapshot) -> _Span:
    window, started_s = traffic.window, measured_from(traffic, snapshot)
    missing = missing_s(merged(window, traffic.points, started_s))
    return _Span(total(traffic.tools.values()), merged(window, traffic.points, started_s, POINTS), missing)


def _remark(window: Window, now: _Span, was: _Span, *, comparable: bool) -> Delta | None:
    """Why there is nothing to compare; None if there is."""
    requests = now.all.requests
    if not requests:
        return Delta("", f"No request in {formats.length(window.name)}")
    if requests < ENOUGH_REQUESTS:
        return Delta(formats.plural(requests, "request"), f"too few to compare, needs {ENOUGH_REQUESTS}")
    if not comparable:
        return Delta("No data before", at_s=first_s([*was.points, *now.points]))
    return None


def _gap(span_s: float) -> Delta | None:
    return Delta(f"{formats.duration(span_s)} missing", "not counted as zero") if span_s else None


def _requests(window: Window, now: _Span, was: _Span | None, remark: Delta | None) -> Tile:
    def course(span: _Span) -> list[float | None]:
        return [point.requests_per_minute for point in span.points]

    delta = remark or formats.change(
        now.per_minute, was.per_minute if was else 0, than=formats.before(window.name),
        shown=formats.rate(was.per_minute) if was else "", words=("more", "fewer"), judged=False,
    )  # fmt: skip
    exact = f"{formats.plural(now.all.requests, 'request')} in {formats.duration(now.measured_s)}"
    figure = Quantity(formats.rate(now.per_minute), "/min") if now.measured_s else Quantity(formats.NOTHING)
    return Tile("Requests", figure, exact, delta, spark(course(now), course(was) if was else ()))


def _success(now: _Span, was: _Span | None, remark: Delta | None) -> Tile:
    def course(span: _Span) -> list[float | None]:
        return span.course(lambda series, _: series.success_percent)

    percent = now.all.success_percent
    delta = remark or Delta("")
    if percent is not None and was is not None:
        earlier = was.all.success_percent or 0.0
        delta = formats.points(percent, earlier, shown=formats.percent(earlier))
    values, before = course(now), course(was) if was else []
    low = 100 - 1.25 * (100 - min([98.0, *_there(values), *_there(before)]))
    figure = Quantity(formats.percent(percent), "%" if percent is not None else "")
    exact = f"{formats.count(now.all.errors)} of {formats.count(now.all.requests)} failed"
    line = spark(values, before, low=max(0.0, low), high=100 + (100 - max(0.0, low)) * 0.06, thin=_thin(now))
    return Tile("Success rate", figure, exact, delta, line)


def _p95(window: Window, now: _Span, was: _Span | None, remark: Delta | None) -> Tile:
    def course(span: _Span) -> list[float | None]:
        return [point.quantiles_ms()[1] for point in span.points]

    delta = remark or formats.change(
        now.p95_ms, was.p95_ms if was else 0, than=formats.before(window.name),
        shown=str(formats.response_time(was.p95_ms)) if was else "", words=("slower", "faster"), judged=True,
    )  # fmt: skip
    figure = formats.response_time(now.p95_ms if now.all.requests else None)
    exact = f"{now.p95_ms:,.3f} ms, within 1.1 %" if now.all.requests else ""
    if _thin(now) and now.all.requests:
        figure = Quantity(f"~{figure.text}", figure.unit)
    line = spark(course(now), course(was) if was else (), thin=_thin(now))
    return Tile("p95 response time", figure, exact, delta, line)


def _busy(window: Window, now: _Span, was: _Span | None, remark: Delta | None, workers: int) -> Tile:
    def course(span: _Span) -> list[float | None]:
        return span.course(lambda series, span_s: series.total_ns / 1e9 / span_s)

    delta = remark or formats.change(
        now.busy, was.busy if was else 0, than=formats.before(window.name),
        shown=f"{was.busy:.2f}" if was else "", words=("more", "less"), judged=False,
    )  # fmt: skip
    exact = f"{now.all.total_ns / 1e9:,.0f} busy seconds in {formats.duration(now.measured_s)}, on average"
    unit = f"of {workers}" if workers else ""
    figure = Quantity(f"{now.busy:.2f}", unit) if now.measured_s else Quantity(formats.NOTHING)
    return Tile("Workers busy", figure, exact, delta, spark(course(now), course(was) if was else ()))


def _thin(span: _Span) -> bool:
    return span.all.requests < ENOUGH_REQUESTS


def _there(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]
