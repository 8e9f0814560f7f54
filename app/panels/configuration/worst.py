"""The value now that is closest to a rule's limits, or furthest beyond: a number is not typed blind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...model import formats
from ...model.alerting import SYSTEM
from ...model.readings import Material, Reading, Target, read
from ...model.rules import Rule, is_beyond, is_of_tools, is_proven, unit_of
from ...model.vitals import Vitals
from ...model.windows import kept, sliding
from ...sources import Sources
from ..alerting import words


@dataclass(frozen=True, slots=True)
class Worst:
    """A value with its unit and whose it is; `severity` is that of the limit that it is beyond, or empty.

    Without a value `text` is empty and `who` says why.
    """

    text: str
    who: str
    severity: str = ""


def worst_now(rule: Rule, sources: Sources, now_s: float) -> Worst:
    """The worst value of all that the rule judges, over its own window; too few requests are left out."""
    material = _material(rule, sources, now_s)
    if material is None:
        return Worst("", "not known while the store is away")
    found = {target: one for target, one in read(rule, lambda _: material).items() if _counts(rule, one)}
    values = {target: one.levels[0].value for target, one in found.items() if one.levels[0] is not None}
    if not values:
        return Worst("", "too few requests" if is_of_tools(rule) else "not sampled")
    pick = max if rule.condition == "above" else min
    target = pick(values, key=values.__getitem__)
    severity = _severity(rule, found[target])
    who = _who(target, len(values))
    if not severity and is_beyond(rule, values[target], rule.levels[0].threshold):
        who = f"{who}, too few failures to tell"
    return Worst(_text(rule, values[target], severity), who, severity)


def _material(rule: Rule, sources: Sources, now_s: float) -> Material | None:
    window = sliding(rule.window_s, now_s, kept(sources.settings))
    if is_of_tools(rule):
        traffic = sources.traffic(window)
        span_s = float(rule.window_s)
        return Material(traffic.tools, span_s=span_s, measured_s=span_s) if traffic.is_whole else None
    vitals: dict[str, Vitals] = {}
    for point in sources.vitals(window):
        for name, one in point.items():
            vitals[name] = vitals[name] + one if name in vitals else one
    return Material({}, vitals)


def _counts(rule: Rule, reading: Reading) -> bool:
    return reading.has_data and (reading.requests is None or reading.requests >= max(1, rule.least_requests))


def _severity(rule: Rule, reading: Reading) -> str:
    """The severest level whose limit is crossed, by failures enough to say so."""
    found = ""
    for level, measured in zip(rule.levels, reading.levels, strict=True):
        is_told = reading.requests is None or is_proven(
            rule, reading.requests, reading.failures, level.threshold
        )
        if measured is not None and is_beyond(rule, *measured) and is_told:
            found = level.severity
    return found


def _text(rule: Rule, value: float, severity: str) -> str:
    """The value; where it is beyond a limit, exact enough to differ from it."""
    thresholds: Mapping[str, float] = {one.severity: one.threshold for one in rule.levels}
    if severity:
        return words.compared(unit_of(rule), value, thresholds[severity])[0]
    return words.amount(unit_of(rule), value)


def _who(target: Target, count: int) -> str:
    if target.tool != SYSTEM:
        return formats.shorten(target.tool, 40)
    return formats.shorten(target.instance, 40) if count > 1 else ""
