"""What a canvas draws, as data: axes with their ticks, series, gaps and alarms.

The page carries a Chart as JSON beside the canvas; `static/charts.js` draws it and knows nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import ceil, log10

from ..model import formats
from ..model.alerting import Alert
from ..model.windows import Window
from ..store.releases import Release

_STEPS = (1.0, 1.25, 1.5, 2.0, 2.5, 5.0, 10.0)
_LOG_TOPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
_LINES = 4
_LOG_TICKS = 7
_LEAST_TICKS = 2


@dataclass(frozen=True, slots=True)
class Axis:
    """A y axis from `low` to `high`; `ticks` are (value, label), the lowest first."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    is_log: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One series: `values` belong to the chart's points; None is a gap."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alert over the chart: from when to when (None: it goes on), how bad, and its few words."""

    severity: str
    from_s: float
    label: str
    to_s: float | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """A dashed line across the chart: a limit of that severity, or "ok" for where it is well again."""

    value: float
    label: str
    severity: str


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant on a chart: when a release began, and its short name."""

    at_s: float
    label: str


@dataclass(frozen=True, slots=True)
class Cells:
    """A heatmap's cells: how many requests each step of response time held at each of the chart's points.

    `edges_ms` are where the steps begin, and where the last ends. `columns` has for each point the number of
    the lowest step that held any, and the counts from that one upwards; nothing where there was no request.
    `minutes` is how long each point was measured. A cell has the first shade, and one more for each of
    `limits` (requests per minute) that it is above.
    """

    edges_ms: tuple[float, ...]
    columns: tuple[tuple[int, ...], ...]
    minutes: tuple[float, ...]
    limits: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """`edges_s` are the points' starts and the last one's end (Unix seconds).

    `kind` is "lines", "columns", "heat": `cells` under a line, or "course": one line with its `limits`, whose
    values have `unit`.

    `is_thin`: too few requests for a line, so points are drawn. `gaps_s` are spans without data.
    """

    kind: str
    edges_s: tuple[float, ...]
    axis: Axis
    lines: tuple[Line, ...]
    gaps_s: tuple[tuple[float, float], ...]
    alarms: tuple[Alarm, ...]
    is_thin: bool
    releases: tuple[Mark, ...] = ()
    limits: tuple[Limit, ...] = ()
    unit: str = ""
    cells: Cells | None = None


def linear_axis(values: Sequence[float | None], least: float = 4.0) -> Axis:
    """From zero to a round whole number above all values, in at most four steps of whole numbers."""
    top = max([value for value in values if value is not None], default=0.0)
    top = max(top * 1.05, least)
    raw = top / _LINES
    power = 10.0 ** (ceil(log10(raw)) - 1)
    step = next(power * one for one in _STEPS if power * one >= raw - 1e-9 and power * one % 1 == 0)
    lines = ceil(top / step - 1e-9)
    ticks = tuple((step * line, f"{step * line:,.10g}") for line in range(lines + 1))
    return Axis(0.0, step * lines, ticks)


def log_axis(values_ms: Sequence[float | None]) -> Axis:
    """Milliseconds on a log scale, ticks at 1 and 3 of each decade, around all values; a decade at least."""
    seen = [value for value in values_ms if value]
    low_ms, high_ms = (min(seen), max(seen)) if seen else (10.0, 1000.0)
    marks = [digit * 10.0**power for power in range(-3, 8) for digit in (1, 3)]
    low = max([mark for mark in marks if mark <= low_ms * 0.9], default=marks[0])
    high_ms = max(high_ms * 1.1, low * 10)
    high = next(top for power in range(-3, 9) for one in _LOG_TOPS if (top := one * 10.0**power) >= high_ms)
    shown = [mark for mark in marks if low <= mark <= high]
    shown = shown[:: 2 if len(shown) > _LOG_TICKS else 1]
    return Axis(low, high, tuple((mark, _mark(mark, mark == low)) for mark in shown), is_log=True)


def log_ticks(low_ms: float, high_ms: float) -> tuple[tuple[float, str], ...]:
    """Round milliseconds between two that are not, (value, label): some, wherever they lie."""
    for digits in ((1, 3), (1, 2, 5), tuple(range(1, 10))):
        marks = [digit * 10.0**power for power in range(-3, 8) for digit in digits]
        shown = [mark for mark in marks if low_ms <= mark <= high_ms]
        if len(shown) > _LEAST_TICKS:
            break
    shown = shown[:: 2 if len(shown) > _LOG_TICKS else 1]
    return tuple((mark, _mark(mark, mark == shown[0])) for mark in shown)


def alarms(
    active: Sequence[Alert], past: Sequence[Alert], types: Collection[str], words: str, window: Window
) -> tuple[Alarm, ...]:
    """Alerts of some types as they lie over a chart, of the `past` those that are over.

    Of the active ones the worst is named, the others are counted.
    """
    start_s = window.starts().start
    chosen = [alert for alert in active if alert.type in types and alert.since_s < window.end_s]
    ended = [
        Alarm(
            one.peak_severity or one.severity, max(start_s, one.since_s), _label(one, words), one.resolved_s
        )
        for one in reversed(past)
        if one.type in types and one.since_s < window.end_s and start_s < (one.resolved_s or 0.0)
    ]
    if not chosen:
        return tuple(ended)
    others = f" and {len(chosen) - 1} more" if len(chosen) > 1 else ""
    since_s = max(start_s, min(alert.since_s for alert in chosen))
    return (*ended, Alarm(chosen[0].severity, since_s, _label(chosen[0], words) + others))


def _label(alert: Alert, words: str) -> str:
    return f"{formats.shorten(alert.tool, 28)} {words}"


def marks(releases: Sequence[Release]) -> tuple[Mark, ...]:
    """The releases as marks; of a commit's hash the usual seven digits."""
    return tuple(Mark(one.at_s, formats.release(one.release)) for one in releases)


def _mark(value_ms: float, with_unit: bool) -> str:
    if value_ms >= 1000:
        return f"{value_ms / 1000:g} s"
    if with_unit and value_ms < 0.1:  # "0.03 ms" is wider than the place beside the axis
        return f"{value_ms * 1000:g} \u00b5s"
    return f"{value_ms:g} ms" if with_unit else f"{value_ms:g}"
