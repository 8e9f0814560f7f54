"""What changed of one tool: its four figures, each with its course and how it stands to the window before."""

from __future__ import annotations

from ...model import formats
from ...model.formats import Delta, Quantity
from ...model.windows import Window
from ...sources import Sources
from ..figures import Figures, Span, Tile, compared_spans, is_thin, span_of
from ..sparks import spark


def tool_figures(
    window: Window, sources: Sources, now_s: float, *, tool: str, compare: str = "before"
) -> Figures:
    """Requests per minute, success rate, p95, and its share of the time that all requests took."""
    both = compared_spans(window, sources, now_s, compare, tool)
    all_was = span_of(both.earlier, sources) if both.earlier else None
    share = _share(both.than, both.now, span_of(window, sources), both.was, all_was, both.remark)
    return Figures((*both.tiles(), share))


def _share(
    than: str, now: Span, all_now: Span, was: Span | None, all_was: Span | None, remark: Delta | None
) -> Tile:
    percent = _part(now, all_now)
    course = _parts(now, all_now)
    delta, before = remark or Delta(""), list[float | None]()
    if was is not None and all_was is not None and not remark:
        earlier = _part(was, all_was)
        before = _parts(was, all_was)
        delta = formats.points(percent, earlier, than=than, shown=f"{earlier:.1f}", judged=False)
    exact = f"{formats.duration(now.all.total_ns / 1e9)} of {formats.duration(all_now.all.total_ns / 1e9)}"
    figure = Quantity(f"{percent:.1f}", "%") if now.all.requests else Quantity(formats.NOTHING)
    return Tile("Share of total time", figure, exact, delta, spark(course, before, thin=is_thin(now)))


def _part(one: Span, everything: Span) -> float:
    return 100 * one.all.total_ns / everything.all.total_ns if everything.all.total_ns else 0.0


def _parts(one: Span, everything: Span) -> list[float | None]:
    """At each point; a gap where nothing was asked of anybody."""
    pairs = zip(one.points, everything.points, strict=True)
    return [
        100 * part.series.total_ns / whole.series.total_ns
        if part.series and whole.series and whole.series.total_ns
        else None
        for part, whole in pairs
    ]
