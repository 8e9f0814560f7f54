"""What changed: the four figures of a window, each with its course and how it stands to the window before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..model import comparing, formats
from ..model.formats import Delta, Quantity
from ..model.metrics import OF_THE_MACHINE
from ..model.noise import is_clear
from ..model.series import Series
from ..model.vitals import mean_of
from ..model.windows import Window, kept
from ..sources import Sources
from .points import (
    ENOUGH_REQUESTS,
    Point,
    asked_of,
    can_compare,
    first_s,
    measured_s,
    merged,
    missing_s,
)
from .sparks import POINTS, Spark, spark

_SATURATION = OF_THE_MACHINE["saturation"].of


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
class Span:
    """A window's sum and course."""

    window: Window
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
    def p95_ms(self) -> float:
        return (self.all.quantiles_ms((0.95,)) or [0.0])[0]

    def course(self, of: Callable[[Series, float], float | None]) -> list[float | None]:
        return [None if point.series is None else of(point.series, point.measured_s) for point in self.points]


@dataclass(frozen=True, slots=True)
class ComparedSpans:
    """A window beside an `earlier` one; `remark` says why there is nothing to compare: `was` is None then."""

    now: Span
    was: Span | None
    earlier: Window | None
    than: str
    remark: Delta | None

    def tiles(self) -> tuple[Tile, Tile, Tile]:
        """Requests, success and p95."""
        gap = _gap(self.now.missing_s)
        return (
            _requests(self.than, self.now, self.was, gap or self.remark),
            _success(self.than, self.now, self.was, self.remark),
            _p95(self.than, self.now, self.was, self.remark),
        )


@dataclass(frozen=True, slots=True)
class _Slots:
    """How many of the workers' slots there were, what share of them was at work, and the course of that."""

    slots: float
    percent: float | None
    course: list[float | None]


def figures(window: Window, sources: Sources, now_s: float, *, compare: str = "before") -> Figures:
    """Requests per minute, success rate, p95 response time and saturation, compared as one of BY says."""
    both = compared_spans(window, sources, now_s, compare)
    was = _slots(sources, both.earlier) if both.earlier else None
    saturation = _saturation(both.than, _slots(sources, window), was, both.remark)
    return Figures((*both.tiles(), saturation))


def compared_spans(
    window: Window, sources: Sources, now_s: float, compare: str, tool: str = ""
) -> ComparedSpans:
    """The requests of one tool, or of all, beside those of the window that is asked to compare with."""
    now = span_of(window, sources, tool)
    earlier = comparing.compared(window, compare, now_s, kept(sources.settings))
    was = span_of(earlier, sources, tool) if earlier else None
    remark = _remark(window, now, was)
    return ComparedSpans(
        now, was if remark is None else None, earlier, comparing.than(window, compare), remark
    )


def span_of(window: Window, sources: Sources, tool: str = "") -> Span:
    """The window's requests of one tool, or of all."""
    asked = asked_of(window, sources, tool)
    missing = missing_s(merged(window, asked.points, asked.started_s))
    return Span(window, asked.all, merged(window, asked.points, asked.started_s, POINTS), missing)


def _slots(sources: Sources, window: Window) -> _Slots:
    """Points are put together freely: what is at work and what there is grow alike by that."""
    points = [list(instances.values()) for instances in sources.vitals(window)]
    size = -(-len(points) // POINTS)
    parts = [points[place : place + size] for place in range(0, len(points), size)]
    course = [_SATURATION([one for point in part for one in point]) for part in parts]
    there = [mean_of(point, "slots") or 0.0 for point in points if point]
    return _Slots(
        there[-1] if there else 0.0, _SATURATION([one for point in points for one in point]), course
    )


def _remark(window: Window, now: Span, was: Span | None) -> Delta | None:
    """Why there is nothing to compare; None if there is."""
    requests = now.all.requests
    if not requests:
        return Delta("", f"No request in {formats.length(window.name)}")
    if requests < ENOUGH_REQUESTS:
        return Delta(formats.plural(requests, "request"), f"too few to compare, needs {ENOUGH_REQUESTS}")
    if was is None:
        return Delta("", f"{formats.plural(requests, 'request')} in {formats.length(window.name)}")
    if not can_compare(was.points, was.window):
        return Delta("No data before", at_s=first_s([*was.points, *now.points]))
    return None


def _gap(span_s: float) -> Delta | None:
    """That something is missing; None if nothing is."""
    return Delta(f"{formats.duration(span_s)} missing", "not counted as zero") if span_s else None


def _requests(than: str, now: Span, was: Span | None, remark: Delta | None) -> Tile:
    """Requests a minute."""

    def course(span: Span) -> list[float | None]:
        return [point.requests_per_minute for point in span.points]

    delta = remark or formats.change(
        now.per_minute, was.per_minute if was else 0, than=than,
        shown=formats.rate(was.per_minute) if was else "", words=("more", "fewer"), judged=False,
    )  # fmt: skip
    exact = f"{formats.plural(now.all.requests, 'request')} in {formats.duration(now.measured_s)}"
    figure = Quantity(formats.rate(now.per_minute), "/min") if now.measured_s else Quantity(formats.NOTHING)
    return Tile("Requests", figure, exact, delta, spark(course(now), course(was) if was else ()))


def _success(than: str, now: Span, was: Span | None, remark: Delta | None) -> Tile:
    """The success rate."""

    def course(span: Span) -> list[float | None]:
        return span.course(lambda series, _: series.success_percent)

    percent = now.all.success_percent
    delta = remark or Delta("")
    if percent is not None and was is not None:
        earlier = was.all.success_percent or 0.0
        delta = formats.points(percent, earlier, than=than, shown=formats.percent(earlier))
    values, before = course(now), course(was) if was else []
    low = 100 - 1.25 * (100 - min([98.0, *_there(values), *_there(before)]))
    figure = Quantity(formats.percent(percent), "%" if percent is not None else "")
    exact = f"{formats.count(now.all.errors)} of {formats.count(now.all.requests)} failed"
    line = spark(
        values, before, low=max(0.0, low), high=100 + (100 - max(0.0, low)) * 0.06, thin=is_thin(now)
    )
    return Tile("Success rate", figure, exact, delta, line)


def _p95(than: str, now: Span, was: Span | None, remark: Delta | None) -> Tile:
    """p95, "~" before it where there are few requests."""

    def course(span: Span) -> list[float | None]:
        return [point.quantiles_ms()[1] for point in span.points]

    is_noise = was is not None and not is_clear(now.all, was.all)
    delta = remark or formats.change(
        was.p95_ms if was and is_noise else now.p95_ms, was.p95_ms if was else 0, than=than,
        shown=str(formats.response_time(was.p95_ms)) if was else "", words=("slower", "faster"), judged=True,
    )  # fmt: skip
    figure = formats.response_time(now.p95_ms if now.all.requests else None)
    exact = f"{now.p95_ms:,.3f} ms, within 1.1 %" if now.all.requests else ""
    if is_thin(now) and now.all.requests:
        figure = Quantity(f"~{figure.text}", figure.unit)
    line = spark(course(now), course(was) if was else (), thin=is_thin(now))
    return Tile("p95 response time", figure, exact, delta, line)


def _saturation(than: str, now: _Slots, was: _Slots | None, remark: Delta | None) -> Tile:
    percent, earlier = now.percent, was.percent if was else None
    if percent is None:
        return Tile(
            "Saturation", Quantity(formats.NOTHING), "", Delta("", "not sampled in this window"), Spark()
        )
    delta = remark or Delta("No data before")
    if earlier is not None and not remark:
        delta = formats.points(percent, earlier, than=than, shown=f"{earlier:.1f}", judged=False)
    exact = f"the share of the {now.slots:,.0f} requests that the workers can answer at once that was at work"
    figure = Quantity(f"{percent:.1f}", "%")
    return Tile("Saturation", figure, exact, delta, spark(now.course, was.course if was else ()))


def is_thin(span: Span) -> bool:
    """Whether there are too few requests for a line."""
    return span.all.requests < ENOUGH_REQUESTS


def _there(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]
