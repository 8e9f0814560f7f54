"""What a rule reads of the requests and machines of its windows: one Reading to each target.

Live judging and the replay of history call the same function; only where the windows come from differs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from . import objectives
from .alerting import SYSTEM
from .metrics import OF_REQUESTS, OF_THE_MACHINE
from .objectives import Counted
from .rules import (
    ABSENCE,
    INSTANCE_GONE,
    SLOWER_THAN,
    THROUGHPUT,
    Rule,
    is_of_tools,
    matches,
    named,
    together_name,
)
from .series import EMPTY, Series, total
from .vitals import Vitals

_ENOUGH_COVERAGE = 0.5
# What counts requests: that few came is what it is about, or none.
_COUNTING = ("requests", THROUGHPUT, ABSENCE)


class Target(NamedTuple):
    """What an alert is about: a tool, or the machine (tool `system`) of an instance."""

    tool: str
    instance: str = ""


class Measured(NamedTuple):
    """A level's value and the limit that it is compared with."""

    value: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Reading:
    """The value of each level, None without data; `requests` and `failures` are what it is made of.

    Where the rule is of no requests, `requests` is None.
    """

    levels: tuple[Measured | None, ...]
    requests: int | None = None
    failures: int = 0

    @property
    def has_data(self) -> bool:
        return any(one is not None for one in self.levels)


@dataclass(frozen=True, slots=True)
class Material:
    """A window: each tool's requests, each instance's machine, and for how long anything was measured.

    `known` are the tools that were called, and `instances` those that reported, within a day.
    """

    tools: Mapping[str, Series]
    vitals: Mapping[str, Vitals] = field(default_factory=dict)
    span_s: float = 0.0
    measured_s: float = 0.0
    known: Collection[str] = ()
    instances: Collection[str] = ()


Windows = Callable[[int], Material]


def windows_of(rule: Rule) -> tuple[int, ...]:
    """The lengths in seconds of the windows that a rule reads."""
    if rule.kind == "objective":
        return objectives.WINDOWS_S
    return () if rule.kind == "digest" else (rule.window_s,)


def read(rule: Rule, windows: Windows) -> dict[Target, Reading]:
    """What the rule reads now of each of its targets; `windows` gives the Material of a sliding window."""
    if rule.kind == "digest":
        return {}
    if rule.kind == "objective":
        return _burns(rule, windows)
    material = windows(rule.window_s)
    if is_of_tools(rule):
        return {
            Target(name): _of_tool(rule, series, material)
            for name, series in _judged(rule, material.tools, material.known).items()
        }
    return {Target(SYSTEM, name): one for name, one in _of_machines(rule, material).items()}


def _judged(rule: Rule, tools: Mapping[str, Series], known: Collection[str]) -> dict[str, Series]:
    """The requests of each tool that is judged, or of all of them as one."""
    names = {name for name in {*tools, *known} if matches(rule.tools, name)} | set(named(rule.tools))
    if not rule.together:
        return {name: tools.get(name, EMPTY) for name in names}
    return {together_name(rule.tools): total(tools[name] for name in names if name in tools)}


def _of_tool(rule: Rule, series: Series, material: Material) -> Reading:
    value = value_of(rule, series, material.span_s, material.measured_s)
    levels = tuple(None if value is None else Measured(value, level.threshold) for level in rule.levels)
    return Reading(levels, None if rule.metric in _COUNTING else series.requests, series.errors)


def value_of(rule: Rule, series: Series, span_s: float, measured_s: float) -> float | None:
    """What a threshold rule compares, of requests over `span_s` seconds, `measured_s` of them measured."""
    if rule.metric in _COUNTING:
        if not _is_covered(span_s, measured_s):
            return None
        if rule.metric == THROUGHPUT:
            return series.requests * 60 / measured_s
        if rule.metric == ABSENCE:
            return 0.0 if series.requests else measured_s / 60
    if rule.metric == SLOWER_THAN:
        slow = objectives.slower_than(series, rule.slower_than_ms or 0.0)
        return 100 * slow / series.requests if series.requests else None
    return OF_REQUESTS[rule.metric].of(series)


def _of_machines(rule: Rule, material: Material) -> dict[str, Reading]:
    found = {}
    for instance in {*material.vitals, *material.instances}:
        one = material.vitals.get(instance)
        value = _machine_value(rule, one, material)
        levels = tuple(None if value is None else Measured(value, level.threshold) for level in rule.levels)
        found[instance] = Reading(levels)
    return found


def _machine_value(rule: Rule, vitals: Vitals | None, material: Material) -> float | None:
    if rule.metric == INSTANCE_GONE:
        if vitals is not None:
            return 0.0
        return material.measured_s / 60 if _is_covered(material.span_s, material.measured_s) else None
    return OF_THE_MACHINE[rule.metric].of([vitals]) if vitals is not None else None


def _is_covered(span_s: float, measured_s: float) -> bool:
    """Whether enough was measured: just after a start, of nothing measured nothing follows."""
    return measured_s > _ENOUGH_COVERAGE * span_s


def _burns(rule: Rule, windows: Windows) -> dict[Target, Reading]:
    counted: dict[str, dict[int, Counted]] = {}
    for length_s in objectives.WINDOWS_S:
        for name, series in _judged(rule, windows(length_s).tools, ()).items():
            one = counted.setdefault(name, dict.fromkeys(objectives.WINDOWS_S, objectives.NOTHING))
            one[length_s] = objectives.bad_and_all(rule, series)
    return burns(rule, counted)


def burns(rule: Rule, counted: Mapping[str, Mapping[int, Counted]]) -> dict[Target, Reading]:
    """What an objective reads of what it counted of each target, by its name and the window's length.

    Its levels are its slow pairs and its fast ones, or the fast ones alone.
    """
    pairs = (objectives.SLOW, objectives.FAST)[-len(rule.levels) :]
    found = {}
    for name, windows in counted.items():
        worst = [objectives.worst_burn(rule, one, windows) for one in pairs]
        levels = tuple(None if burn is None else Measured(*burn) for burn in worst)
        bad, requests = windows[objectives.WINDOWS_S[-1]]
        found[Target(name)] = Reading(levels, requests, bad)
    return found
