"""What a rule would have done: the answer beside the editor, with its chart and its list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...desk import Desk
from ...model import formats
from ...model.alerting import SYSTEM, rank
from ...model.replay import Firing, Replay
from ...model.rules import Rule, is_beyond, unit_of
from ...model.vitals import mean_of
from ...model.windows import Window, kept, named
from ...sources import Sources
from ...store.releases import Release
from ..charts import Alarm, Chart
from . import words
from .drawing import course_chart

DAYS = 7
_DAY_S, _STEP_S = 86_400, 3600
_LISTED, _NUMBERED = 20, 40
_DEPLOY_S = 1800.0


@dataclass(frozen=True, slots=True)
class Fired:
    """One firing: its number on the chart, from when, for how long, its worst, what else was then."""

    number: int
    from_s: float
    severity: str
    lasted: str
    peak: str
    who: str
    also: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`say` is the answer in a sentence, `how` its fine print; `chart` is None where nothing can be drawn."""

    say: str
    how: str
    chart: Chart | None
    fired: tuple[Fired, ...]
    unlisted: int
    measure: str


def attempt(desk: Desk, sources: Sources, rule: Rule, now_s: float) -> Answer:
    """Replay the rule over the last days. Raises BadRequestError for one that can't be."""
    found = desk.rules.attempt(rule, DAYS)
    week = named("7d", now_s, kept(sources.settings))
    releases = sources.releases(week)
    firings = sorted(found.firings, key=lambda one: one.start_s)
    total_s = sum((one.end_s or now_s) - one.start_s for one in firings)
    if firings:
        times = "once" if len(firings) == 1 else f"{formats.count(len(firings))} times"
        say = f"Would have fired {times} in the last {DAYS} days"
        how = f"For {formats.duration(total_s)} in all. "
    else:
        say, how = f"Would not have fired in the last {DAYS} days", ""
    how += "Replayed by the evaluator that will run it: the last day by minutes, before that by ten."
    chart = _chart(rule, found, firings, releases, now_s)
    if not firings and chart is not None and _is_beyond(rule, chart):
        how += " Where it was beyond the limit, that was too short, or of too few requests."
    shown = firings[-_LISTED:]
    return Answer(
        say=say,
        how=how,
        chart=chart,
        fired=tuple(reversed([
            _fired(number, one, rule, _also(one, sources, week, releases), now_s)
            for number, one in enumerate(firings, 1) if one in shown
        ])),
        unlisted=len(firings) - len(shown),
        measure="burn rate" if rule.kind == "objective" else words.measure(rule),
    )  # fmt: skip


def _is_beyond(rule: Rule, chart: Chart) -> bool:
    limit, values = rule.levels[0].threshold, chart.lines[0].values
    return rule.kind == "threshold" and any(is_beyond(rule, one, limit) for one in values if one is not None)


def _fired(number: int, one: Firing, rule: Rule, also: str, now_s: float) -> Fired:
    lasted = formats.duration((one.end_s or now_s) - one.start_s)
    return Fired(
        number=number,
        from_s=one.start_s,
        severity=one.severity,
        lasted=lasted if one.end_s is not None else f"{lasted}, still",
        peak=words.compared(unit_of(rule), one.peak, one.threshold)[0],
        who=one.target.instance if one.target.tool == SYSTEM else formats.shorten(one.target.tool, 60),
        also=also,
    )


def _also(one: Firing, sources: Sources, week: Window, releases: Sequence[Release]) -> str:
    """What else was known of that time: a release shortly before, a machine at its limit."""
    near = [release for release in releases if 0 <= one.start_s - release.at_s <= _DEPLOY_S]
    if near:
        before = formats.duration(one.start_s - near[-1].at_s)
        return f"release {formats.release(near[-1].release)}, {before} before"
    if one.target.tool == SYSTEM:
        return ""
    starts, settings = week.starts(), sources.settings
    place = int((one.start_s - starts.start) // starts.step)
    at = sources.vitals(week)[place] if 0 <= place < len(starts) else {}
    for name, limit in (("cpu", settings.alert_cpu_percent), ("memory", settings.alert_memory_percent)):
        percent = mean_of(at.values(), f"{name}_percent")
        if percent is not None and percent > limit:
            return f"{name.upper() if name == 'cpu' else name} at {percent:.0f} %"
    return ""


def _chart(
    rule: Rule, found: Replay, firings: Sequence[Firing], releases: Sequence[Release], now_s: float
) -> Chart | None:
    """The worst of all targets in each hour, of an objective how fast its budget was spent."""
    if rule.metric in ("absence", "instance_gone") or not found.ends_s or not found.courses:
        return None
    start_s = now_s - DAYS * _DAY_S
    count = DAYS * _DAY_S // _STEP_S
    values: list[float | None] = [None] * count
    choose = max if rule.condition == "above" else min
    for course in found.courses.values():
        for end_s, value in zip(found.ends_s, course, strict=False):
            place = min(count - 1, max(0, int((end_s - 1 - start_s) // _STEP_S)))
            if value is not None:
                known = values[place]
                values[place] = value if known is None else choose(known, value)
    if all(value is None for value in values):
        return None
    edges = [start_s + _STEP_S * number for number in range(count + 1)]
    bands = [
        Alarm(one.severity, max(one.start_s, start_s), str(number), one.end_s or now_s)
        for number, one in enumerate(firings, 1)
    ]
    if len(bands) > _NUMBERED:
        worst = sorted(bands, key=lambda band: -rank(band.severity))[:_NUMBERED]
        bands = [band for band in bands if band in worst]
    first = next(place for place, value in enumerate(values) if value is not None)
    unknown = [(edges[0], edges[first])] if first else []
    there = [one for one in releases if one.at_s >= start_s]
    return course_chart(rule, edges, values, bands, there, unknown, is_burn=True)
