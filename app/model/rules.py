"""What a rule is: a metric of some tools or of the machine, and when it is wrong enough for somebody to know.

Three kinds: `threshold` compares a metric with limits, `objective` watches how fast an error budget is spent,
and `digest` tells at fixed times how it went. Their members are those of the JSON API.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import msgspec

from .alerting import UNJUDGED
from .metrics import OF_REQUESTS, OF_THE_MACHINE

Severity = Literal["info", "warning", "error", "critical"]
Kind = Literal["threshold", "objective", "digest"]
Condition = Literal["above", "below"]
Every = Literal["day", "week"]

THROUGHPUT, SLOWER_THAN, ABSENCE, INSTANCE_GONE = "throughput", "slower_than", "absence", "instance_gone"
TOGETHER = "(all)"
# A margin to the limit that a value which only trembles does not cross.
_MARGIN = 0.05
_MARGIN_POINTS = 2.0


@dataclass(frozen=True, slots=True)
class Measure:
    """What a rule may compare: what people call it, its unit, and whether it is of tools or the machine."""

    label: str
    unit: str
    is_of_tools: bool


MEASURES = MappingProxyType(
    {
        **{name: Measure(one.label, one.unit, True) for name, one in OF_REQUESTS.items()},
        THROUGHPUT: Measure("requests per minute", "per minute", True),
        SLOWER_THAN: Measure("share of slow requests", "percent", True),
        ABSENCE: Measure("time without a request", "minutes", True),
        **{name: Measure(one.label, one.unit, False) for name, one in OF_THE_MACHINE.items()},
        INSTANCE_GONE: Measure("time without a sign of the instance", "minutes", False),
    }
)


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How severe it is from which limit on; an objective's limits are 1, the burn rate's factor reached."""

    severity: Severity
    threshold: float = 1.0


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule. Spans are in seconds; thresholds have the unit of the metric.

    `tools` are names, prefixes that end in `*`, or either of these after a `!`, which are left out; with
    `together` they are judged as one. `levels` go from mild to severe. It fires when its condition has held
    for `hold_s`, and is over when the value was at the `recovery` point of the mildest level (None: some way
    from the limit) or better for `recovery_s`. Fewer requests or failures in the window than the least fire
    nothing. `channels` names who is told: none means all.

    `slower_than_ms` belongs to the metric `slower_than` and to objectives of latency, `target_percent` to
    objectives; `every` and `at` (HH:MM in UTC) to digests.
    """

    name: str
    kind: Kind = "threshold"
    metric: str = "average"
    tools: tuple[str, ...] = ("*",)
    together: bool = False
    condition: Condition = "above"
    window_s: int = 300
    levels: tuple[Level, ...] = (Level("warning", 0.0),)
    hold_s: int = 0
    recovery: float | None = None
    recovery_s: int = 60
    least_requests: int = 1
    least_failures: int = 0
    slower_than_ms: float | None = None
    target_percent: float | None = None
    every: Every = "day"
    at: str = "08:00"
    message: str = ""
    channels: tuple[str, ...] = ()
    enabled: bool = True


class StoredRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as the store has it. `type` is what its alerts are called, and stays.

    `is_default` rules come with Laptime: they are turned off and not deleted. `changed_s` is when somebody
    changed it last, None for one that is as it came.
    """

    id: int
    type: str
    rule: Rule
    is_default: bool = False
    changed_s: float | None = None
    changed_by: str = ""


def is_of_tools(rule: Rule) -> bool:
    """Whether it judges tools; else it judges each instance's machine."""
    return rule.kind != "threshold" or MEASURES[rule.metric].is_of_tools


def unit_of(rule: Rule) -> str:
    """The unit of its values and limits."""
    return "times the budget" if rule.kind == "objective" else MEASURES[rule.metric].unit


def matches(patterns: Sequence[str], tool: str) -> bool:
    """Whether a tool is meant: by one of the patterns, and by none of those that begin with `!`.

    What matches no route is nobody's fault, so it has to be named.
    """
    if any(one.startswith("!") and _is_like(one[1:], tool) for one in patterns):
        return False
    if tool in UNJUDGED:
        return tool in patterns
    return any(_is_like(one, tool) for one in patterns)


def named(patterns: Sequence[str]) -> list[str]:
    """The tools that the patterns name in full, and so wait for even if they were never called."""
    return [one for one in patterns if not one.startswith("!") and not one.endswith("*")]


def together_name(patterns: Sequence[str]) -> str:
    """What tools are called that are judged as one."""
    return TOGETHER if list(patterns) == ["*"] else ", ".join(patterns)


def is_beyond(rule: Rule, value: float, threshold: float) -> bool:
    """Whether a value is on the wrong side of a limit; at the limit it is not."""
    return value > threshold if rule.condition == "above" else value < threshold


def is_proven(rule: Rule, requests: int, failures: int, threshold: float) -> bool:
    """Whether requests and failures are enough to say that a limit was crossed.

    Of a share, the limit allows some failures, and it takes the least number beyond those: 3 of 25 requests
    are more than 10 %, but where one in 200 fails by chance, that happens every few days.
    """
    allowed_percent = 0.0
    if rule.metric == "success_rate":
        allowed_percent = 100 - threshold
    elif rule.metric == "error_rate":
        allowed_percent = threshold
    enough = failures >= rule.least_failures + allowed_of(requests, allowed_percent / 100)
    return enough and requests >= rule.least_requests


def allowed_of(requests: int, share: float) -> int:
    """How many requests a share of them allows to fail: whole ones."""
    return int(requests * share + 1e-6)  # 1 % of 100 is one, whatever a float makes of it


def recovery_point(rule: Rule, threshold: float) -> float:
    """From which value on a limit is over: the rule's own point, and the same share off its other limits."""
    if rule.kind == "objective":
        return threshold * (1 - 2 * _MARGIN)
    first = rule.levels[0].threshold
    if rule.recovery is not None:
        return threshold + (rule.recovery - first) * (threshold / first if first else 1.0)
    if rule.condition == "above":
        return threshold * (1 - _MARGIN)
    if unit_of(rule) == "percent":
        return min(threshold + _MARGIN_POINTS, (threshold + 100) / 2)
    return threshold * (1 + _MARGIN)


def is_well(rule: Rule, value: float, threshold: float) -> bool:
    """Whether a value is at the recovery point of a limit or better."""
    point = recovery_point(rule, threshold)
    return value <= point if rule.condition == "above" else value >= point


def _is_like(pattern: str, tool: str) -> bool:
    return tool.startswith(pattern[:-1]) if pattern.endswith("*") else tool == pattern
