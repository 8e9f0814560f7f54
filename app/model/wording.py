"""What an alert says, in one sentence with its figure."""

from __future__ import annotations

from .readings import Measured
from .rules import ABSENCE, INSTANCE_GONE, MEASURES, Rule, unit_of

_UNITS = {
    "milliseconds": "{:.2f}ms",
    "percent": "{:.1f}%",
    "minutes": "{:.0f} min",
    "per minute": "{:.2f} a minute",
    "times the budget": "{:.1f} times",
}


def amount(rule: Rule, value: float) -> str:
    """A value or a limit with its unit: 2150.45ms, 30.6%, 14.4 times."""
    return _UNITS.get(unit_of(rule), "{:,.4g}").format(value)


def message(rule: Rule, measured: Measured, *, instance: str = "") -> str:
    """The sentence: the rule's own, or that of its metric; `instance` is named where there are several."""
    shown, limit = amount(rule, measured.value), amount(rule, measured.threshold)
    if rule.message:
        text = rule.message.replace("{value}", shown).replace("{threshold}", limit)
    elif rule.kind == "objective":
        text = f"The error budget is spent {shown} as fast as allowed"
    elif rule.metric == ABSENCE:
        text = f"No request for {shown}"
    elif rule.metric == INSTANCE_GONE:
        text = f"No sign of the instance for {shown}"
    else:
        way = "High" if rule.condition == "above" else "Low"
        text = f"{way} {MEASURES[rule.metric].label}: {shown}"
    return f"{text} on {instance}" if instance else text
