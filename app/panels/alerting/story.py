"""One alert from its first moment to its last: what it was, who knew, what else went on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ...desk import Desk
from ...desk.alerts import Telling
from ...model import formats
from ...model.alerting import Alert
from ...model.readings import Target
from ...model.rules import Rule, StoredRule, is_of_tools, unit_of
from ...model.series import Series
from ...model.silencing import Silence
from ...model.windows import Window, between, kept
from ...sources import Sources
from ...store.notices import DEAD, DELIVERED, DROPPED
from ..charts import Alarm, Chart
from ..points import gaps
from ..traffic import TABLE_ROWS, Row
from . import words
from .active import deploy_of
from .courses import Courses
from .drawing import course_chart
from .stages import Stage, stage_of
from .told import EVENTS, Fate, fate, fates

_AROUND_S = 1800.0
_POINTS = 120
_TOOLS = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened: when, a mark's glyph, what, and in whose words (`note`)."""

    at_s: float
    glyph: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool while the alert was on: figures as text."""

    name: str
    requests: str
    success: str
    p95: str
    is_it: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands beside the heading: texts, empty where there is nothing to say."""

    value: str
    limit: str
    peak: str
    requests: str


@dataclass(frozen=True, slots=True)
class Story:
    """All of one alert. `days`: its times of day need their date."""

    alert: Alert
    title: words.Title
    say: str
    stage: Stage
    silence: Silence | None
    lasted: str
    facts: Facts
    told: Sequence[Fate]
    deploy: str
    after: str
    entries: tuple[Entry, ...]
    chart: Chart | None
    rows: tuple[Row, ...]
    measure: str
    tools: tuple[Tool, ...]
    rule: StoredRule | None
    condition: str
    days: bool


def story(desk: Desk, sources: Sources, id: int, now_s: float) -> Story:
    """The alert of that id. Raises NotFoundError for one that there is not."""
    found = desk.alerts.story(id)
    alert = found.alert
    stored = next((one for one in desk.rules.all() if one.type == alert.type), None)
    rule = stored.rule if stored is not None and stored.rule.kind != "digest" else None
    told = desk.alerts.told([id]).get(id, ())
    end_s = alert.resolved_s or now_s
    deploy, after = deploy_of(alert)
    measure = (
        words.raised(words.measure(rule)) if rule and rule.kind == "threshold" else "Share of bad requests"
    )
    chart = _chart(alert, rule, sources, now_s) if rule is not None else None
    return Story(
        alert=alert,
        title=words.title(alert, rule),
        say=words.sentence(alert, rule),
        stage=stage_of(alert, found.silence),
        silence=found.silence,
        lasted=formats.duration(end_s - alert.since_s),
        facts=_facts(alert, rule),
        told=fates(
            told, now_s, is_silenced=found.silence is not None, has_channels=bool(desk.channels.all())
        ),
        deploy=deploy,
        after=after,
        entries=tuple(sorted(_entries(alert, told, now_s), key=lambda entry: entry.at_s)),
        chart=chart,
        rows=_rows(chart, rule),
        measure=measure,
        tools=_tools(alert, rule, sources, now_s),
        rule=stored,
        condition=words.condition(stored.rule) if stored is not None else "",
        days=now_s - alert.since_s > 86_400,
    )  # fmt: skip


def _facts(alert: Alert, rule: Rule | None) -> Facts:
    def told(value: float) -> str:
        if rule is None:
            return words.number(value, 2)
        return words.compared(unit_of(rule), value, alert.threshold)[0]

    requests = ""
    if alert.requests:
        requests = formats.count(alert.requests)
        if alert.failures and (rule is None or rule.slower_than_ms is None):
            requests = f"{formats.count(alert.failures)} of {requests} failed"
    return Facts(
        value=told(alert.value),
        limit=words.limit_text(rule, alert.threshold) if rule else words.number(alert.threshold),
        peak="" if alert.peak is None else told(alert.peak),
        requests=requests,
    )


def _entries(alert: Alert, told: Sequence[Telling], now_s: float) -> list[Entry]:
    found = [Entry(alert.since_s, alert.severity, "It began")]
    if alert.release and alert.release_s is not None:
        found.append(Entry(alert.release_s, "flag", f"Release {formats.release(alert.release)} began"))
    for one in told:
        how = fate(one.notice, now_s)
        if one.notice.state == DELIVERED:
            at_s = one.notice.finished_s or one.notice.created_s
            found.append(Entry(at_s, "bell", f"{one.channel} was told {EVENTS.get(one.event, one.event)}"))
        else:
            glyph, what = how.severity or "wait", EVENTS.get(one.event, one.event)
            is_over = one.notice.state in (DEAD, DROPPED)
            text = f"{one.channel} was not told {what}" if is_over else f"{one.channel} is to be told {what}"
            at_s = one.notice.finished_s or one.notice.created_s
            found.append(Entry(at_s, glyph, text, one.notice.detail))
    if alert.acknowledged_s is not None:
        by = alert.acknowledged_by or "somebody"
        found.append(Entry(alert.acknowledged_s, "ack", f"Acknowledged by {by}", alert.acknowledged_note))
    if alert.resolved_s is not None:
        text = f"Resolved by {alert.resolved_by}" if alert.resolved_by else "It was over"
        found.append(Entry(alert.resolved_s, "ok", text, alert.resolved_note))
    return found


def _window(alert: Alert, sources: Sources, now_s: float, around_s: float) -> Window:
    end_s = alert.resolved_s or now_s
    lasted_s = end_s - alert.since_s
    start_s = max(0.0, alert.since_s - max(around_s, min(lasted_s / 2, 86_400 * 3)))
    until_s = min(now_s, end_s + (max(around_s / 2, min(lasted_s / 4, 86_400)) if around_s else 0.0))
    start_s = max(start_s, until_s - 364 * 86_400)
    return between(_instant(start_s), _instant(max(until_s, start_s + 60)), now_s, kept(sources.settings))


def _instant(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()


def _chart(alert: Alert, rule: Rule, sources: Sources, now_s: float) -> Chart | None:
    target = Target(alert.tool, alert.instance)
    window = _window(alert, sources, now_s, _AROUND_S)
    courses = Courses(window, sources, [(rule, target)], _POINTS)
    values = courses.values(rule, target)
    if all(value is None for value in values):
        return None
    if is_of_tools(rule):
        points = courses.points(rule, target)
        edges = [*(point.start_s for point in points), points[-1].end_s]
        empty = gaps(points)
    else:
        edges, empty = courses.edges(), []
    alarm = Alarm(alert.peak_severity or alert.severity, alert.since_s, "this alert", alert.resolved_s)
    return course_chart(rule, edges, values, [alarm], sources.releases(window), empty)


def _rows(chart: Chart | None, rule: Rule | None) -> tuple[Row, ...]:
    """Some of the chart's points as a table."""
    if chart is None or rule is None:
        return ()
    values, every = chart.lines[0].values, -(-len(chart.lines[0].values) // TABLE_ROWS)
    told = [formats.NOTHING if one is None else words.amount(chart.unit, one) for one in values]
    return tuple(Row(at_s, (text,)) for at_s, text in list(zip(chart.edges_s, told, strict=False))[::every])


def _tools(alert: Alert, rule: Rule | None, sources: Sources, now_s: float) -> tuple[Tool, ...]:
    """The tools that were worst while it was on: by failures where it is about those, else by time."""
    window = _window(alert, sources, now_s, 0.0)
    tools = {name: one for name, one in sources.traffic(window).tools.items() if one.requests}
    by_errors = rule is not None and rule.metric in ("success_rate", "error_rate", "errors", "server_errors")

    def worst(name: str) -> tuple[float, float]:
        errors, p95 = float(tools[name].errors), _p95(tools[name])
        return (-errors, -p95) if by_errors else (-p95, -errors)

    return tuple(
        Tool(
            name=name,
            requests=formats.count(tools[name].requests),
            success=formats.percent(tools[name].success_percent),
            p95=formats.milliseconds(_p95(tools[name])),
            is_it=name == alert.tool,
        )
        for name in sorted(tools, key=worst)[:_TOOLS]
    )


def _p95(series: Series) -> float:
    return (series.quantiles_ms((0.95,)) or [0.0])[0]
