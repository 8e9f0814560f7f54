"""How its response times lie: requests a minute by time and by step of response time.

It alone shows two populations, such as answers from a cache beside those that are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

from ...model import formats
from ...model.formats import Quantity
from ...model.histogram import bounds_ns
from ...model.series import NS_PER_MS
from ...model.windows import Window
from ...sources import Sources
from ..charts import Chart, Heat, Line, marks, step_axis
from ..points import Point, asked_of, gaps, merged
from ..traffic import OF_TIME, Row, bands, days_of, edges_of, step_of

COLUMNS = 62
SHADES = 8
_STEPS_AT_MOST = 24
_TABLE_ROWS = 13


@dataclass(frozen=True, slots=True)
class Heatmap:
    """The map as a chart; `most` is the requests a minute of the darkest shade.

    As a table it tells each span's slowest, fastest and most frequent step.
    """

    requests: int
    p95: Quantity
    most: str
    chart: Chart | None
    step: str
    rows: tuple[Row, ...]
    days: bool
    has_history: bool


def heatmap(window: Window, sources: Sources, now_s: float, *, tool: str) -> Heatmap:  # noqa: ARG001 - every panel is asked alike
    """The merged buckets of each point, some of them together to a step."""
    asked = asked_of(window, sources, tool)
    drawn = merged(window, asked.points, asked.started_s, COLUMNS)
    few = merged(window, asked.points, asked.started_s, _TABLE_ROWS - 1)
    used = [bucket for point in drawn for bucket in _counts(point)]
    if not used:
        return Heatmap(
            0, formats.response_time(None), "", None, step_of(few), (), days_of(window), asked.has_history
        )
    size = next(one for one in (4, 8, 16, 32, 64) if (max(used) - min(used)) / one < _STEPS_AT_MOST)
    first, last = min(used) // size, max(used) // size
    rates = [_rates(point, size, first, last) for point in drawn]
    most = max(rate for column in rates for rate in column)
    edges_ms = tuple(bounds_ns(size * step)[0] / NS_PER_MS for step in range(first, last + 2))
    chart = Chart(
        kind="heat",
        edges_s=edges_of(drawn),
        axis=step_axis(edges_ms),
        lines=(
            Line("p95", tuple(_rounded(point.quantiles_ms()[1]) for point in drawn)),
            Line("rate", tuple(_rounded(point.requests_per_minute) for point in drawn)),
        ),
        gaps_s=tuple(gaps(drawn)),
        alarms=bands(window, sources, OF_TIME, "slow", tool),
        is_thin=False,
        releases=marks(sources.releases(window)),
        heat=Heat(edges_ms, tuple(_shaded(column, most) for column in rates), round(most, 2)),
    )
    rows = tuple(Row(point.start_s, _row(point, size)) for point in few)
    (p95,) = asked.all.quantiles_ms((0.95,)) or (None,)
    return Heatmap(
        asked.all.requests,
        formats.response_time(p95),
        formats.rate(most),
        chart,
        step_of(few),
        rows,
        days_of(window),
        asked.has_history,
    )


def _counts(point: Point) -> dict[int, int]:
    return (point.series.ok + point.series.failed).counts() if point.series else {}


def _rates(point: Point, size: int, first: int, last: int) -> list[float]:
    """Requests a minute in each step."""
    rates = [0.0] * (last - first + 1)
    for bucket, count in _counts(point).items():
        rates[bucket // size - first] += count * 60 / (point.measured_s or 1)
    return rates


def _shaded(rates: Sequence[float], most: float) -> str:
    """A digit to each step, 0 for none; by the square root, so that the few beside the many can be seen."""
    return "".join(str(ceil(SHADES * sqrt(rate / most))) for rate in rates)


def _row(point: Point, size: int) -> tuple[str, str, str]:
    """Least, most frequent and greatest step of a span."""
    steps: dict[int, int] = {}
    for bucket, count in _counts(point).items():
        steps[bucket // size] = steps.get(bucket // size, 0) + count
    if not steps:
        return (formats.NOTHING,) * 3
    peak = max(steps, key=lambda step: (steps[step], -step))
    return _span(min(steps), size), _span(peak, size), _span(max(steps), size)


def _span(step: int, size: int) -> str:
    low, high = bounds_ns(size * step)[0] / NS_PER_MS, bounds_ns(size * (step + 1))[0] / NS_PER_MS
    return f"{formats.response_time(low)} to {formats.response_time(high)}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
