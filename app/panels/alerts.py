"""Why somebody should look: the active alerts, worst first, each in a sentence with its limit drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..model import formats
from ..model.alerting import SYSTEM, Alert
from ..model.readings import Target
from ..model.rules import Rule
from ..model.silencing import covering
from ..model.windows import Window
from ..sources import Sources
from .alerting import words
from .alerting.courses import Courses
from .alerting.stages import Stage, stage_of
from .changes import Change, changes
from .points import courses
from .sparks import POINTS, Spark, spark

SHOWN = 8


@dataclass(frozen=True, slots=True)
class Finding:
    """One alert: who, the finding in bold, what it is judged by, in what state it is, and how it went."""

    id: int
    severity: str
    stage: Stage
    who: str
    tool: str
    what: str
    why: str
    seen: str
    lasted: str
    since_s: float
    spark: Spark


@dataclass(frozen=True, slots=True)
class Unusual:
    """A tool without an alert that is not as it was, and its course."""

    change: Change
    spark: Spark


@dataclass(frozen=True, slots=True)
class Alerts:
    """The first findings of `count`; `quiet` of them ask for nothing, `watched` tools are judged now.

    `unusual` fills the places that they leave.
    """

    findings: tuple[Finding, ...]
    unusual: tuple[Unusual, ...]
    count: int
    quiet: int
    watched: int


def alerts(window: Window, sources: Sources, now_s: float, *, compare: str = "before") -> Alerts:
    """What is wrong now, however far the window reaches back, and what is not in it as it was before."""
    rules = {one.type: one.rule for one in sources.rules()}
    staged = [(one, _stage(one, sources, now_s)) for one in sources.alerts()]
    staged.sort(key=lambda pair: pair[1].is_quiet)
    shown = staged[:SHOWN]
    wanted = [(rules[one.type], Target(one.tool, one.instance)) for one, _ in shown if _is_drawn(one, rules)]
    lines = Courses(window.coarser(), sources, wanted)
    watched = sum(series.requests > 0 for series in sources.traffic(window).tools.values())
    findings = tuple(_finding(one, stage, rules, lines, now_s) for one, stage in shown)
    known = {one.tool for one, _ in staged}
    found = [one for one in changes(window, sources, now_s, compare) if one.tool not in known]
    unusual = _unusual(window, sources, found[: SHOWN - len(shown)])
    return Alerts(findings, unusual, len(staged), sum(stage.is_quiet for _, stage in staged), watched)


def _unusual(window: Window, sources: Sources, found: Sequence[Change]) -> tuple[Unusual, ...]:
    drawn = courses(window, sources, [one.tool for one in found], POINTS)
    return tuple(Unusual(one, spark([point.quantiles_ms()[1] for point in drawn[one.tool]])) for one in found)


def _stage(alert: Alert, sources: Sources, now_s: float) -> Stage:
    return stage_of(alert, covering(sources.silences(), alert.type, alert.tool, alert.severity, now_s))


def _is_drawn(alert: Alert, rules: Mapping[str, Rule]) -> bool:
    return alert.type in rules and rules[alert.type].kind != "digest"


def _finding(
    alert: Alert, stage: Stage, rules: Mapping[str, Rule], courses: Courses, now_s: float
) -> Finding:
    rule = rules.get(alert.type)
    title = words.title(alert, rule)
    line = Spark()
    if rule is not None and _is_drawn(alert, rules):
        line = courses.spark(rule, Target(alert.tool, alert.instance), alert.threshold)
    by = f" by {formats.shorten(alert.acknowledged_by)}" if alert.acknowledged_by else ""
    return Finding(
        id=alert.id,
        severity=alert.severity,
        stage=stage,
        who=title.who or ("The machine" if alert.tool == SYSTEM else formats.shorten(alert.tool, 80)),
        tool=alert.tool,
        what=formats.shorten(rule.name, 100) if rule is not None else words.raised(title.what),
        why=words.sentence(alert, rule),
        seen=f"{stage.word}{by if stage.glyph == 'ack' else ''}." if stage.word else "",
        lasted=formats.duration(now_s - alert.since_s),
        since_s=alert.since_s,
        spark=line,
    )


def parted(active: Sequence[Alert], sources: Sources, now_s: float) -> tuple[list[Alert], list[Alert]]:
    """The alerts that ask for something, and those that do not."""
    loud = [one for one in active if not _stage(one, sources, now_s).is_quiet]
    return loud, [one for one in active if one not in loud]
