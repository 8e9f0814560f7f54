"""What is wrong now: every active alert with its evidence, who was told, and what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ...desk import Desk
from ...desk.alerts import Seen, Telling
from ...model import formats
from ...model.alerting import SEVERITIES, Alert
from ...model.readings import Target
from ...model.rules import Rule, StoredRule
from ...model.silencing import Silence
from ...model.windows import Window
from ...sources import Sources
from ..sparks import Spark
from . import words
from .courses import Courses
from .stages import Stage, stage_of
from .told import Fate, fates

# Beyond that the page would not be read, and would take long to make.
SHOWN = 100
# From that many on, rows stand under their rule and are short.
MANY = 12
_HOUR_S, _DAY_S = 3600, 86_400
SPANS = (("1", "1 h"), ("4", "4 h"), ("24", "24 h"), ("168", "7 d"))


@dataclass(frozen=True, slots=True)
class Card:
    """One active alert. `deploy` is the release that began shortly before, `after` how long before.

    `days`: its time of day needs its date.
    """

    alert: Alert
    title: words.Title
    say: str
    lasted: str
    stage: Stage
    silence: Silence | None
    told: Sequence[Fate]
    deploy: str
    after: str
    spark: Spark
    days: bool

    @property
    def key(self) -> str:
        return f"alert-{self.alert.id}"


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts under one heading, none if `name` is empty; `count` may be more than there are cards."""

    name: str
    type: str
    count: int
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Active:
    """`count` active alerts, of which the worst are in `groups`; `watch` says what is watched by what."""

    count: int
    shown: int
    heading: str
    summary: str
    watch: str
    groups: tuple[Group, ...]
    is_many: bool
    no_channel: bool


def active(desk: Desk, sources: Sources, now_s: float) -> Active:
    """The active alerts, worst first; those that ask for nothing, because somebody is at it, come last."""
    seen = sorted(desk.alerts.active(), key=_is_quiet)
    rules = {one.type: one for one in desk.rules.all()}
    chosen = _chosen(seen)
    told = desk.alerts.told([one.alert.id for one in chosen])
    has_channels = bool(desk.channels.all())
    window = Window("1h", now_s - _HOUR_S, now_s, 60, 60)
    courses = Courses(window, sources, [wanted for one in chosen if (wanted := _wanted(one, rules))])
    cards = [
        _card(
            one,
            rules.get(one.alert.type),
            told.get(one.alert.id, ()),
            courses,
            now_s,
            has_channels=has_channels,
        )
        for one in chosen
    ]
    is_many = len(seen) > MANY
    return Active(
        count=len(seen),
        shown=len(cards),
        heading=heading(len(seen)),
        summary=_summary(seen),
        watch=watch(list(rules.values()), sources, now_s),
        groups=_grouped(cards, seen, rules) if is_many else (Group("", "", len(cards), tuple(cards)),),
        is_many=is_many,
        no_channel=not has_channels,
    )


def _chosen(seen: Sequence[Seen]) -> list[Seen]:
    """The worst, of each rule some: none is hidden behind the many alerts of another."""
    by_type: dict[str, list[Seen]] = {}
    for one in seen:
        by_type.setdefault(one.alert.type, []).append(one)
    share = max(1, SHOWN // max(1, len(by_type)))
    found = [one for members in by_type.values() for one in members[:share]][:SHOWN]
    rest = [one for one in seen if one not in found][: SHOWN - len(found)]
    return sorted([*found, *rest], key=seen.index)


def heading(count: int) -> str:
    """2 active alerts; or that there is none."""
    return f"{formats.plural(count, 'active alert')}" if count else "No alert is active"


def watch(rules: Sequence[StoredRule], sources: Sources, now_s: float) -> str:
    """How many rules watch how many tools."""
    enabled = sum(one.rule.enabled and one.rule.kind != "digest" for one in rules)
    called = sources.traffic(Window("24h", now_s - 86_400, now_s, 600, 600)).tools
    tools = sum(series.requests > 0 for series in called.values())
    if not enabled:
        return "No rule is on, so nothing is watched."
    verb = "watches" if enabled == 1 else "watch"
    meant = f"{formats.plural(tools, 'tool')} and the machine" if tools else "the machine"
    return f"{formats.plural(enabled, 'rule')} {verb} {meant}."


def deploy_of(alert: Alert) -> tuple[str, str]:
    """The release that began shortly before an alert, and how long before."""
    if not alert.release or alert.release_s is None:
        return "", ""
    return formats.release(alert.release), formats.duration(alert.since_s - alert.release_s)


def _card(
    seen: Seen,
    stored: StoredRule | None,
    told: Sequence[Telling],
    courses: Courses,
    now_s: float,
    *,
    has_channels: bool,
) -> Card:
    alert, rule = seen.alert, stored.rule if stored is not None else None
    deploy, after = deploy_of(alert)
    line = Spark()
    if rule is not None and rule.kind != "digest":
        line = courses.spark(rule, Target(alert.tool, alert.instance), alert.threshold)
    return Card(
        alert=alert,
        title=words.title(alert, rule),
        say=words.sentence(alert, rule),
        lasted=formats.duration(now_s - alert.since_s),
        stage=stage_of(alert, seen.silence),
        silence=seen.silence,
        # Without a channel the page says so once.
        told=fates(told, now_s, is_silenced=seen.silence is not None, has_channels=True)
        if has_channels
        else (),
        deploy=deploy,
        after=after,
        spark=line,
        days=now_s - alert.since_s > _DAY_S,
    )


def _is_quiet(seen: Seen) -> bool:
    return stage_of(seen.alert, seen.silence).is_quiet


def _wanted(seen: Seen, rules: Mapping[str, StoredRule]) -> tuple[Rule, Target] | None:
    stored = rules.get(seen.alert.type)
    if stored is None or stored.rule.kind == "digest":
        return None
    return stored.rule, Target(seen.alert.tool, seen.alert.instance)


def _summary(seen: Sequence[Seen]) -> str:
    """1 error, 1 warning; 1 acknowledged."""
    if not seen:
        return ""
    counts = {one: sum(other.alert.severity == one for other in seen) for one in reversed(SEVERITIES)}
    text = ", ".join(
        formats.plural(count, severity, "" if severity in ("error", "warning") else severity)
        for severity, count in counts.items()
        if count
    )
    stages = [stage_of(one.alert, one.silence).word.lower() for one in seen]
    quiet = [f"{stages.count(word)} {word}" for word in ("acknowledged", "silenced") if word in stages]
    return f"{text}{'; ' if quiet else ''}{', '.join(quiet)}."


def _grouped(
    cards: Sequence[Card], seen: Sequence[Seen], rules: Mapping[str, StoredRule]
) -> tuple[Group, ...]:
    order = list(dict.fromkeys(one.alert.type for one in cards))
    ordered = sorted(cards, key=lambda one: order.index(one.alert.type))
    groups = []
    for type, members in groupby(ordered, key=lambda one: one.alert.type):
        stored = rules.get(type)
        name = stored.rule.name if stored is not None else type.replace("_", " ").capitalize()
        count = sum(one.alert.type == type for one in seen)
        groups.append(Group(formats.shorten(name, 100), type, count, tuple(members)))
    return tuple(groups)
