"""A rule's course as a chart: one line, its limits, and where it was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log, log10

from ...model import formats
from ...model.rules import Rule, recovery_point, unit_of
from ...store.releases import Release
from ..charts import Alarm, Axis, Chart, Limit, Line, marks
from . import words
from .courses import drawn_limit

_LINES = 4
_KB = 1024
_LEAST_TOP = 0.01
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_ZOOMS = (99.0, 95.0, 90.0, 80.0, 50.0)


def course_chart(
    rule: Rule,
    edges_s: Sequence[float],
    values: Sequence[float | None],
    alarms: Sequence[Alarm] = (),
    releases: Sequence[Release] = (),
    gaps_s: Sequence[tuple[float, float]] = (),
    *,
    is_burn: bool = False,
) -> Chart:
    """The chart of values of a rule, with a line to each level and to the recovery point of the mildest.

    Of an objective the values are the share of bad requests, or with `is_burn` its burn rate.
    """
    unit, limits = drawn_unit(rule), limits_of(rule)
    if is_burn and rule.kind == "objective":
        unit, limits = unit_of(rule), (Limit(1.0, "spends just the budget", "warning"),)
    seen = [*values, *(limit.value for limit in limits)]
    return Chart(
        kind="course",
        edges_s=tuple(edges_s),
        axis=amount_axis(unit, seen, zooms=rule.kind == "threshold" and rule.condition == "below"),
        lines=(Line("value", tuple(None if value is None else round(value, 3) for value in values)),),
        gaps_s=tuple(gaps_s),
        alarms=tuple(alarms),
        is_thin=False,
        releases=marks(releases),
        limits=limits,
        unit=unit,
    )


def limits_of(rule: Rule) -> tuple[Limit, ...]:
    """The levels' limits and, of a threshold, where the mildest is over; none where nothing can be drawn."""
    if rule.kind == "digest" or rule.metric in ("absence", "instance_gone"):
        return ()
    if rule.kind == "objective":
        allowed = drawn_limit(rule, 1.0)
        return (Limit(allowed, f"allowed {words.amount('percent', allowed, 3)}", "warning"),)
    found = [
        Limit(level.threshold, f"{level.severity} {words.limit_text(rule, level.threshold)}", level.severity)
        for level in rule.levels
    ]
    point = recovery_point(rule, rule.levels[0].threshold)
    if point != rule.levels[0].threshold:
        found.append(Limit(point, f"well again {words.limit_text(rule, point)}", "ok"))
    return tuple(found)


def drawn_unit(rule: Rule) -> str:
    """The unit of what is drawn."""
    if rule.kind == "objective":
        return "percent"
    return "per minute" if rule.metric == "absence" else unit_of(rule)


def amount_axis(unit: str, values: Sequence[float | None], *, zooms: bool = False) -> Axis:
    """From zero, or of high percentages from below the lowest, to a round number above all values."""
    seen = [value for value in values if value is not None]
    top = max(max(seen, default=0.0) * 1.05, _LEAST_TOP)
    if unit.startswith("bytes") and top >= _KB:  # round in the unit that its ticks have
        size = float(_KB ** int(log(top * _KB / 1000, _KB)))
        drawn = amount_axis("", [None if value is None else value / size for value in values])
        ticks = tuple((value * size, tick(unit, value * size)) for value, _ in drawn.ticks)
        return Axis(drawn.low * size, drawn.high * size, ticks)
    low = 0.0
    if unit == "percent":
        top = 100.0 if top > 75 else top
        lowest = min(seen, default=0.0)
        low = next((one for one in _ZOOMS if lowest > one), 0.0) if zooms else 0.0
    raw = (top - low) / _LINES
    power = 10.0 ** (ceil(log10(raw)) - 1)
    step = next(power * one for one in _STEPS if power * one >= raw - 1e-9)
    lines = ceil((top - low) / step - 1e-9)
    ticks = tuple((low + step * line, tick(unit, low + step * line)) for line in range(lines + 1))
    return Axis(low, low + step * lines, ticks)


def tick(unit: str, value: float) -> str:
    """A value beside the axis, as short as can be."""
    if unit == "milliseconds":
        if value >= 1000:
            return f"{words.number(value / 1000, 2)} s"
        return f"{words.number(value)} ms" if value else "0"
    if unit == "percent":
        return f"{words.number(value, 2)} %"
    if unit.startswith("bytes"):
        return str(formats.size(round(value)))
    return words.number(value, 2)
