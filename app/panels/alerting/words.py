"""How alerts and rules are told to people: titles, sentences with their evidence, values with their unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...model import formats
from ...model.alerting import SYSTEM, Alert
from ...model.rules import ABSENCE, INSTANCE_GONE, MEASURES, SLOWER_THAN, TOGETHER, Rule, is_beyond, unit_of

OBJECTIVE_UNIT = "times the budget"
SIGNS = {
    "milliseconds": "ms",
    "percent": "%",
    "minutes": "min",
    "per minute": "/min",
    "bytes per second": "B/s",
}
_SPANS = ((86_400, "d"), (3600, "h"), (60, "min"))
_ONES = {60: "minute", 3600: "hour", 86_400: "day"}
_TOLD_BY_NAME = frozenset({"success_rate", "cpu", "memory", "disk", "throughput", "requests"})
_FAILING = frozenset({"success_rate", "error_rate", "errors", "client_errors", "server_errors"})


@dataclass(frozen=True, slots=True)
class Title:
    """Who and what, to be read one after the other: "run_query" "low success rate"; `who` may be empty."""

    who: str
    what: str

    def __str__(self) -> str:
        return f"{self.who} {self.what}".strip()


def number(value: float, decimals: int = 3) -> str:
    """Thousands apart, no zeros at the end: 4,000, 99.95, 0.5."""
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount(unit: str, value: float, decimals: int = 1) -> str:
    """A value of a rule with its unit: 30.6 %, 2,150 ms, 14.4 times, 3 workers."""
    told = _AMOUNTS.get(unit)
    return told(value, decimals) if told is not None else f"{number(value, decimals)} {unit}"


def compared(unit: str, value: float, threshold: float) -> tuple[str, str]:
    """A value and its limit as texts that differ where the numbers do: 89.97 % is not told as 90 %."""
    limit = amount(unit, threshold, 3)
    _, _, fraction = number(threshold, 3).partition(".")
    shown = [amount(unit, value, decimals) for decimals in range(max(1, len(fraction)), 5)]
    return next((one for one in shown if one != limit), shown[-1]), limit


def span(span_s: float) -> str:
    """An exact span in its largest whole unit: 30 s, 5 min, 90 min, 6 h."""
    for size_s, unit in _SPANS:
        if span_s >= size_s and span_s % size_s == 0:
            return f"{number(span_s / size_s)} {unit}"
    return f"{number(span_s / 60)} min" if span_s >= 120 else f"{number(span_s)} s"


def lately(span_s: float) -> str:
    """The newest span: "the last 5 min", "the last hour"."""
    return f"the last {_ONES.get(round(span_s)) or span(span_s)}"


def title(alert: Alert, rule: Rule | None) -> Title:
    """What an alert is called; of a rule that is gone, by its type."""
    name = rule.name if rule is not None else alert.type.replace("_", " ").capitalize()
    if alert.tool == SYSTEM or alert.tool in name:
        return Title("", formats.shorten(name, 100))
    who = "All tools together" if alert.tool == TOGETHER else formats.shorten(alert.tool, 80)
    return Title(who, formats.shorten(_lowered(name), 100))


def sentence(alert: Alert, rule: Rule | None) -> str:
    """What is wrong and by how much; of one that is over, how bad it was."""
    if rule is None or rule.kind == "digest":
        return f"{alert.message}."
    unit = unit_of(rule)
    is_over = alert.resolved_s is not None
    peak = alert.value if alert.peak is None else alert.peak
    value, limit = compared(unit, peak if is_over else alert.value, alert.threshold)
    own = f"{formats.shorten(alert.message, 500).rstrip('.')}. " if rule.message else ""
    if is_over:
        return f"{own}{value} at worst, limit {limit}."
    bare = limit.removesuffix(" times").removesuffix(" /min")
    is_wrong = is_beyond(rule, alert.value, alert.threshold)
    told = f"limit {bare}" if is_wrong else f"within its limit of {bare} again"
    return f"{own}{_measured(rule, value, told)}{_counted(alert, rule)}"


def scope(rule: Rule) -> str:
    """Which tools or machines a rule judges: "each tool", "all tools together", "each instance"."""
    if rule.kind == "threshold" and not MEASURES[rule.metric].is_of_tools:
        return "each instance"
    meant = [formats.shorten(one, 48) for one in rule.tools if not one.startswith("!")]
    but = [formats.shorten(one[1:], 48) for one in rule.tools if one.startswith("!")]
    if meant == ["*"]:
        text = "all tools together" if rule.together else "each tool"
    else:
        text = ", ".join(meant[:3]) + (f" and {len(meant) - 3} more" if len(meant) > 3 else "")
        text += " together" if rule.together and (len(meant) > 1 or "*" in text) else ""
    return text + (f" but {', '.join(but[:3])}" + (" and more" if len(but) > 3 else "") if but else "")


def condition(rule: Rule) -> str:
    """A rule in words, without its limits: "average response time of each tool over the last 5 min"."""
    if rule.kind == "digest":
        return f"how it went, every {rule.every} at {rule.at} UTC"
    if rule.kind == "objective":
        good = "succeed"
        if rule.slower_than_ms is not None:
            good = f"take at most {amount('milliseconds', rule.slower_than_ms)}"
        return f"{number(rule.target_percent or 0)} % of the requests of {scope(rule)} {good}, over 30 days"
    text = f"{measure(rule)} of {scope(rule)}"
    if rule.metric in (ABSENCE, INSTANCE_GONE):
        return text
    text += f" over {lately(rule.window_s)}"
    return text + (f", for at least {span(rule.hold_s)}" if rule.hold_s else "")


def measure(rule: Rule) -> str:
    """What a rule compares: "p95 response time", "share of requests slower than 500 ms"."""
    if rule.metric == SLOWER_THAN:
        return f"share of requests slower than {amount('milliseconds', rule.slower_than_ms or 0)}"
    return MEASURES[rule.metric].label


def limit_text(rule: Rule, threshold: float) -> str:
    """A level's limit as a table shows it."""
    return amount(unit_of(rule), threshold, 3)


def _measured(rule: Rule, value: str, limit: str) -> str:
    if rule.kind == "objective":
        return f"The error budget is spent {value} as fast as allowed, {limit}."
    if rule.metric == ABSENCE:
        return f"No request for {value}, {limit}."
    if rule.metric == INSTANCE_GONE:
        return f"No sign of it for {value}, {limit}."
    if rule.metric == SLOWER_THAN:
        slow = amount("milliseconds", rule.slower_than_ms or 0)
        return f"{value} slower than {slow} over {lately(rule.window_s)}, {limit}."
    value = value.replace(" /min", " requests a minute")
    label = "" if rule.metric in _TOLD_BY_NAME else f"{raised(measure(rule))} "
    return f"{label}{value} over {lately(rule.window_s)}, {limit}."


def _counted(alert: Alert, rule: Rule) -> str:
    """The requests that it is judged by."""
    if alert.requests is None or not alert.requests:
        return ""
    requests = formats.plural(alert.requests, "request")
    if rule.kind == "objective":
        bad = "failed" if rule.slower_than_ms is None else "were too slow"
        return f" {formats.count(alert.failures or 0)} of {requests} {bad} in 3 days."
    if rule.metric in _FAILING:
        return f" {formats.count(alert.failures or 0)} of {requests} failed."
    return f" {requests}." if rule.metric not in ("requests", "throughput") else ""


def _milliseconds(value: float, decimals: int) -> str:
    return f"{number(value, 0 if value >= 10 and decimals == 1 else decimals)} ms"


def _bytes(value: float, decimals: int) -> str:  # noqa: ARG001 - all are asked alike
    return str(formats.size(round(value)))


def _counting(one: str) -> Callable[[float, int], str]:
    return lambda value, decimals: f"{number(value, decimals)} {one if value == 1 else one + 's'}"


_AMOUNTS: Mapping[str, Callable[[float, int], str]] = {
    "percent": lambda value, decimals: f"{number(value, decimals)} %",
    "milliseconds": _milliseconds,
    "minutes": lambda value, decimals: f"{number(value, 0 if decimals == 1 else decimals)} min",
    "per minute": lambda value, decimals: f"{number(value, decimals)} /min",
    OBJECTIVE_UNIT: lambda value, decimals: f"{number(value, decimals)} times",
    "bytes": _bytes,
    "bytes per second": lambda value, decimals: f"{_bytes(value, decimals)}/s",
    "requests": _counting("request"),
    "workers": _counting("worker"),
    "periods": _counting("period"),
    "processes": lambda value, decimals: number(value, max(decimals, 2)),
}


def _lowered(name: str) -> str:
    """A name after another word: "Low success rate" is "low success rate", "CPU" stays."""
    return name[:1].lower() + name[1:] if name[1:2].islower() or name[1:2] == " " else name


def raised(text: str) -> str:
    """A text as the beginning of a sentence; p95 stays p95."""
    return text if text[1:2].isdigit() else text[:1].upper() + text[1:]
