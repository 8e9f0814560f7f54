"""How its response times lie: how many requests of each point fell into each step of response time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ...model import formats
from ...model.formats import Quantity
from ...model.histogram import value_ns
from ...model.series import NS_PER_MS, Series, total
from ...model.windows import Window
from ...sources import Sources
from ..alerting.words import number
from ..charts import Axis, Cells, Chart, Line, log_ticks, marks
from ..points import ENOUGH_REQUESTS, Point, asked_of, gaps, merged
from ..traffic import OF_TIME, TABLE_ROWS, Row, bands, days_of, edges_of, step_of
from .steps import Steps, between, steps_of

SHADES = 8
COLUMNS = 62
_MOST_STEPS = 26
_TABLE_BANDS = 6
# Few cells are much fuller than all others: the darkest shade is for the fullest twentieth.
_FULL = 0.95
# A step's width in shades grows towards the fuller ones, because between one request and two lies more
# than between thirty and forty.
_GROWTH = 1.5
_ROUND = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True, slots=True)
class Heatmap:
    """The chart, its legend's two ends in requests per minute, and the same counts as a table of wide bands.

    Without a `chart` there were requests, but nobody knows when.
    """

    requests: int
    p95: Quantity
    chart: Chart | None
    least: str
    most: str
    step: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    days: bool
    has_history: bool


def heatmap(window: Window, sources: Sources, now_s: float, *, tool: str) -> Heatmap:  # noqa: ARG001 - every panel is asked alike
    """The cells of the window's points, p95 over them, and when it was found slow."""
    asked = asked_of(window, sources, tool)
    drawn = merged(window, asked.points, asked.started_s, COLUMNS)
    few = merged(window, asked.points, asked.started_s, TABLE_ROWS - 1)
    seen = total(point.series for point in drawn if point.series)
    if not seen.requests:
        return Heatmap(
            asked.all.requests,
            Quantity(formats.NOTHING),
            None,
            "",
            "",
            "",
            (),
            (),
            days_of(window),
            asked.has_history,
        )
    steps = steps_of(seen, _MOST_STEPS)
    counts = [steps.counts(point.series) if point.series else [] for point in drawn]
    p95 = [point.quantiles_ms()[1] for point in drawn]
    limits = _limits(drawn, counts)
    low, high = steps.edges_ms[0], steps.edges_ms[-1]
    ticks = log_ticks(low, high)
    chart = Chart(
        kind="heat",
        edges_s=edges_of(drawn),
        axis=Axis(low, high, ((low, ""), *ticks), is_log=True),
        lines=(Line("p95", tuple(None if value is None else round(value, 3) for value in p95)),),
        gaps_s=tuple(gaps(drawn)),
        alarms=bands(window, sources, OF_TIME, "slow", tool),
        is_thin=asked.all.requests < ENOUGH_REQUESTS,
        releases=marks(sources.releases(window)),
        cells=Cells(
            edges_ms=tuple(round(edge, 4) for edge in steps.edges_ms),
            columns=tuple(_column(one) for one in counts),
            minutes=tuple(round(point.measured_s / 60, 3) for point in drawn),
            limits=tuple(round(limit, 4) for limit in limits),
        ),
    )
    parts = _parts(steps, [value for value, _ in ticks])
    return Heatmap(
        requests=asked.all.requests,
        p95=formats.response_time((asked.all.quantiles_ms() or [0.0, 0.0])[1]),
        chart=chart,
        least=number(limits[0], 2),
        most=number(limits[-1], 2),
        step=step_of(few),
        heads=_heads(parts),
        rows=tuple(Row(point.start_s, _in_parts(point.series, parts)) for point in few),
        days=days_of(window),
        has_history=asked.has_history,
    )


def _column(counts: Sequence[int]) -> tuple[int, ...]:
    there = [place for place, count in enumerate(counts) if count]
    return (there[0], *counts[there[0] : there[-1] + 1]) if there else ()


def _limits(points: Sequence[Point], counts: Sequence[Sequence[int]]) -> list[float]:
    """From one request in a whole point to a round number that few cells are above, per minute."""
    rates = sorted(
        count * 60 / point.measured_s
        for point, column in zip(points, counts, strict=True)
        for count in column
        if count
    )
    least = 60 / median(point.measured_s for point in points if point.series)
    most = max(rates[int(_FULL * (len(rates) - 1))], (SHADES - 1) * least)
    power = 10.0 ** (len(f"{int(most)}") - 1) if most >= 1 else 0.1
    while power > most:
        power /= 10
    most = next(power * one for one in _ROUND if power * one >= most)
    last = SHADES - 2
    return [least + (most - least) * (shade / last) ** _GROWTH for shade in range(SHADES - 1)]


def _parts(steps: Steps, ticks_ms: Sequence[float]) -> list[float]:
    """Where the table's columns part: round times, as few as a table can hold."""
    inner = [one for one in ticks_ms if steps.edges_ms[0] < one < steps.edges_ms[-1]]
    size = -(-len(inner) // (_TABLE_BANDS - 1))
    return inner[:: max(1, size)]


def _heads(parts: Sequence[float]) -> tuple[str, ...]:
    if not parts:
        return ("Requests",)
    inner = (between(low, high) for low, high in pairwise(parts))
    first, last = formats.response_time(parts[0]), formats.response_time(parts[-1])
    return (f"under {first}", *inner, f"{last} or more")


def _in_parts(series: Series | None, parts: Sequence[float]) -> tuple[str, ...]:
    if series is None:
        return (formats.NOTHING,) * (len(parts) + 1)
    found = [0] * (len(parts) + 1)
    for bucket, count in (series.ok + series.failed).counts().items():
        found[bisect_left(parts, value_ns(bucket) / NS_PER_MS)] += count
    return tuple(formats.count(count) for count in found)
