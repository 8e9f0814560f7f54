"""The rules as a table, and what is needed to write one: metrics, tools, channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...desk import Desk
from ...model import formats
from ...model.rules import MEASURES, Rule, StoredRule
from ...model.windows import Window
from ...sources import Sources
from . import words

_MOST_TOOLS = 200


@dataclass(frozen=True, slots=True)
class Raise:
    """A level: how severe, and when."""

    severity: str
    when: str


@dataclass(frozen=True, slots=True)
class Row:
    """A rule in words. `changed` tells who made it what it is; `firing` is how many of its alerts are on."""

    id: int
    type: str
    name: str
    condition: str
    levels: tuple[Raise, ...]
    channels: str
    enabled: bool
    is_default: bool
    is_changed: bool
    changed: str
    changed_s: float | None
    firing: int


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules; `summary` counts them."""

    rows: tuple[Row, ...]
    summary: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a list to choose from; `short` is the sign of its unit."""

    value: str
    label: str
    short: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the editor offers."""

    of_tools: tuple[Choice, ...]
    of_machines: tuple[Choice, ...]
    tools: tuple[str, ...]
    channels: tuple[Choice, ...]


def rules(desk: Desk) -> Rules:
    """All rules, the default ones first."""
    stored = desk.rules.all()
    types = [one.alert.type for one in desk.alerts.active()]
    own = sum(not one.is_default for one in stored)
    off = sum(not one.rule.enabled for one in stored)
    summary = f"{len(stored) - own} came with Laptime, {own} made here"
    summary += f", {off} off" if off else ""
    return Rules(tuple(_row(one, types) for one in stored), summary)


def choices(desk: Desk, sources: Sources, now_s: float) -> Choices:
    """Metrics, the tools that were called within a day, the busiest first, and the channels."""
    called = sources.traffic(Window("24h", now_s - 86_400, now_s, 600, 600)).tools
    tools = sorted((name for name in called if called[name].requests), key=lambda n: -called[n].requests)
    offered = [
        Choice(name, words.raised(one.label), words.SIGNS.get(one.unit, one.unit))
        for name, one in MEASURES.items()
    ]
    return Choices(
        of_tools=tuple(one for one in offered if MEASURES[one.value].is_of_tools),
        of_machines=tuple(one for one in offered if not MEASURES[one.value].is_of_tools),
        tools=tuple(tools[:_MOST_TOOLS]),
        channels=tuple(Choice(one.stored.channel.name, one.stored.service) for one in desk.channels.all()),
    )


def suggested_name(rule: Rule) -> str:
    """A name for a rule that has got none: "p95 response time over 4,000 ms"."""
    if rule.kind == "digest":
        return f"{'Daily' if rule.every == 'day' else 'Weekly'} digest"
    if rule.kind == "objective":
        good = "success" if rule.slower_than_ms is None else "response time"
        name = f"{words.number(rule.target_percent or 0)} % {good}"
    else:
        side = "over" if rule.condition == "above" else "under"
        name = f"{words.measure(rule)} {side} {words.limit_text(rule, rule.levels[0].threshold)}"
    if list(rule.tools) != ["*"] and words.scope(rule) != "each instance":
        name += f" ({formats.shorten(words.scope(rule), 30)})"
    return formats.shorten(words.raised(name), 90)


def _told(rule: Rule, number: int) -> str:
    if rule.kind == "objective":
        is_fast = number == len(rule.levels) - 1
        return "when its budget burns fast" if is_fast else "when it burns slowly"
    return f"{rule.condition} {words.limit_text(rule, rule.levels[number].threshold)}"


def _row(stored: StoredRule, active: Sequence[str]) -> Row:
    rule = stored.rule
    shown = () if rule.kind == "digest" else tuple(
        Raise(one.severity, _told(rule, number)) for number, one in enumerate(rule.levels)
    )  # fmt: skip
    is_changed = stored.is_default and stored.changed_s is not None
    changed = f"{'changed' if stored.is_default else 'made'} by {stored.changed_by}"
    return Row(
        id=stored.id,
        type=stored.type,
        name=formats.shorten(rule.name, 100),
        condition=words.condition(rule),
        levels=shown,
        channels=", ".join(rule.channels) or "all channels",
        enabled=rule.enabled,
        is_default=stored.is_default,
        is_changed=is_changed,
        changed=formats.shorten(changed, 60) if stored.changed_s is not None else "as it came",
        changed_s=stored.changed_s,
        firing=active.count(stored.type),
    )
