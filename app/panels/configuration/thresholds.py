"""When a tool or the machine counts as in trouble: the rules that came with Laptime, as numbers."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from ...declared import PREFIX
from ...model import formats
from ...model.alerting import rank
from ...model.defaults import DECIDED_BY
from ...model.rules import MEASURES, Level, Rule, Severity, StoredRule, recovery_point, unit_of
from ...sources import Sources
from ..alerting import words
from .worst import Worst, worst_now

MILD: Severity = "warning"
_WORSE: tuple[Severity, ...] = ("critical", "error")


@dataclass(frozen=True, slots=True)
class Row:
    """A rule. `worse` is the severity of its second limit; `others` counts limits that have no field here.

    `well_by_itself` is where it is well again if nobody says. `variable` decided the numbers until somebody
    changed the rule (`changed_s`, Unix seconds; None: nobody did), so that it stands on its own.
    """

    id: int
    label: str
    way: str
    sign: str
    worse: str
    others: int
    well_by_itself: str
    window: str
    least: str
    worst: Worst
    variable: str
    enabled: bool
    changed_s: float | None
    changed_by: str


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The rows, rules that are no thresholds any more (id, name), how many are `own`, and LAPTIME_SLOW_MS."""

    rows: tuple[Row, ...]
    elsewhere: tuple[tuple[int, str], ...]
    own: int
    slow: str


def thresholds(rules: list[StoredRule], sources: Sources, now_s: float) -> Thresholds:
    """The default rules with the worst value now beside each."""
    here = [one for one in rules if is_here(one)]
    elsewhere = tuple(
        (one.id, formats.shorten(one.rule.name, 60)) for one in rules if one.is_default and one not in here
    )
    return Thresholds(
        rows=tuple(_row(one, sources, now_s) for one in here),
        elsewhere=elsewhere,
        own=sum(not one.is_default for one in rules),
        slow=words.number(sources.settings.slow_ms),
    )


def is_here(stored: StoredRule) -> bool:
    """Whether a rule stands in the table: it came with Laptime, and is still one of limits."""
    return stored.is_default and stored.rule.kind == "threshold"


def label(rule: Rule) -> str:
    """What a rule compares, as its row is headed."""
    return words.raised(words.measure(rule))


def worse_of(rule: Rule) -> Severity:
    """The severity of the second limit: that of the rule, else what suits it."""
    there = {one.severity for one in rule.levels}
    suits: Severity = "error" if rule.metric == "success_rate" else "critical"
    return next((one for one in _WORSE if one in there), suits)


def numbers(rule: Rule) -> dict[str, str]:
    """What the fields of a rule hold: its two limits and where it is well again, empty for none."""
    limits = {one.severity: words.number(one.threshold, 6) for one in rule.levels}
    return {
        "warning": limits.get(MILD, ""),
        "worse": limits.get(worse_of(rule), ""),
        "well": "" if rule.recovery is None else words.number(rule.recovery, 6),
    }


def with_numbers(rule: Rule, warning: float | None, worse: float | None, well: float | None) -> Rule:
    """The rule with other limits; those that have no field here stay."""
    shown = {MILD: warning, worse_of(rule): worse}
    levels = [one for one in rule.levels if one.severity not in shown]
    levels += [Level(name, value) for name, value in shown.items() if value is not None]
    levels.sort(key=lambda one: rank(one.severity))
    return msgspec.structs.replace(rule, levels=tuple(levels), recovery=well)


def _variables(type: str) -> str:
    """The variables that decide a default rule's limits."""
    return " and ".join(PREFIX + name.upper() for name in DECIDED_BY.get(type, ()))


def _row(stored: StoredRule, sources: Sources, now_s: float) -> Row:
    rule = stored.rule
    unit = unit_of(rule)
    of_tools = MEASURES[rule.metric].is_of_tools
    shown = {MILD, worse_of(rule)}
    automatic = msgspec.structs.replace(rule, recovery=None)
    return Row(
        id=stored.id,
        label=label(rule),
        way=rule.condition,
        sign=words.SIGNS.get(unit, unit),
        worse=worse_of(rule),
        others=sum(one.severity not in shown for one in rule.levels),
        well_by_itself=words.number(recovery_point(automatic, rule.levels[0].threshold), 3),
        window=words.span(rule.window_s),
        least=formats.count(rule.least_requests) if of_tools else formats.NOTHING,
        worst=worst_now(rule, sources, now_s),
        variable=_variables(stored.type),
        enabled=rule.enabled,
        changed_s=stored.changed_s,
        changed_by=formats.shorten(stored.changed_by, 40),
    )
