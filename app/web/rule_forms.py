"""The rule editor's fields, from a rule and back: what was typed is kept as it was typed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from werkzeug.datastructures import MultiDict

from ..errors import BadRequestError
from ..model.alerting import SEVERITIES
from ..model.rules import ABSENCE, INSTANCE_GONE, MEASURES, SLOWER_THAN, Level, Rule, Severity
from ..panels.alerting.rules import suggested_name
from ..panels.alerting.words import number

Fields = dict[str, Any]
# Lists; all others are texts.
_MANY = ("channels",)
_OTHERS = ""
NEW: Mapping[str, Any] = {
    "kind": "threshold", "name": "", "metric": "p95", "of": "*", "patterns": "", "together": "",
    "condition": "above", "window": "300", "hold": "2", "least_requests": "20", "least_failures": "0",
    "recovery": "", "recovery_min": "1", "slower": "", "limit_info": "", "limit_warning": "4,000",
    "limit_error": "", "limit_critical": "", "message": "", "channels": (), "enabled": "1",
    "good": "success", "target": "99.9", "fast": "error", "slow": "warning", "every": "day", "at": "08:00",
    "by": "dashboard",
}  # fmt: skip
WINDOWS = (60, 300, 900, 1800, 3600, 6 * 3600, 86_400)
_NUMBER = re.compile(r"-?(\d{1,3}(,\d{3})+|\d+)(\.\d*)?|-?\.\d+")


def asked(arguments: MultiDict[str, str]) -> Fields:
    """The fields of a new rule, of which an address may name some."""
    found: Fields = dict(NEW)
    if "metric" in arguments or any(name.startswith("limit_") for name in arguments):
        found["limit_warning"] = ""  # that of another metric
    found |= {name: arguments[name] for name in NEW if name in arguments and name not in _MANY}
    return found | {name: arguments.getlist(name) for name in _MANY if name in arguments}


def posted(form: MultiDict[str, str]) -> Fields:
    """The fields as they were sent; a box that is not ticked is not sent."""
    found: Fields = {name: form.get(name, "").strip() for name in NEW if name not in _MANY}
    return found | {name: form.getlist(name) for name in _MANY}


def fields_of(rule: Rule) -> Fields:
    """The fields of a rule that is to be changed."""
    limits = {level.severity: level.threshold for level in rule.levels}
    is_one = len(rule.tools) == 1 and not rule.tools[0].startswith("!") and rule.tools[0][-1:] != "*"
    slow, fast = ([level.severity for level in rule.levels] * 2)[:2] if rule.kind == "objective" else ("", "")
    known: Fields = {
        "kind": rule.kind,
        "name": rule.name,
        "metric": rule.metric,
        "of": rule.tools[0] if is_one or rule.tools == ("*",) else _OTHERS,
        "patterns": "" if is_one or rule.tools == ("*",) else "\n".join(rule.tools),
        "together": "1" if rule.together else "",
        "condition": rule.condition,
        "window": str(rule.window_s),
        "hold": number(rule.hold_s / 60),
        "least_requests": number(rule.least_requests),
        "least_failures": number(rule.least_failures),
        "recovery": "" if rule.recovery is None else number(rule.recovery, 6),
        "recovery_min": number(rule.recovery_s / 60),
        "slower": "" if rule.slower_than_ms is None else number(rule.slower_than_ms),
        "message": rule.message,
        "channels": list(rule.channels),
        "enabled": "1" if rule.enabled else "",
        "good": "success" if rule.slower_than_ms is None else "latency",
        "target": "" if rule.target_percent is None else number(rule.target_percent, 6),
        "fast": fast,
        "slow": slow if len(rule.levels) > 1 else "",
        "every": rule.every,
        "at": rule.at,
        "by": NEW["by"],
    }
    return known | {
        f"limit_{one}": number(limits[one], 6) if one in limits and rule.kind == "threshold" else ""
        for one in SEVERITIES
    }


def rule_of(fields: Mapping[str, Any]) -> Rule:
    """The rule that the fields make; without a name it gets one. Raises BadRequestError."""
    kind = fields["kind"]
    if kind not in ("threshold", "objective", "digest"):
        raise BadRequestError(f"kind is {kind[:40]!r}; allowed is threshold, objective or digest")
    common = {
        "name": fields["name"] or "-",
        "kind": kind,
        "message": fields["message"],
        "channels": tuple(fields["channels"]),
        "enabled": bool(fields["enabled"]),
    }
    if kind == "digest":
        if fields["every"] not in ("day", "week"):
            raise BadRequestError("a digest comes every day or every week")
        rule = Rule(**common, every=fields["every"], at=fields["at"])
    elif kind == "objective":
        rule = _objective(fields, common)
    else:
        rule = _threshold(fields, common)
    if not fields["name"]:
        common["name"] = suggested_name(rule)
        rule = cast("Rule", _renamed(rule, common["name"]))
    return rule


def amount(label: str, text: str, default: float | None = None) -> float:
    """The number that a field holds; thousands may stand apart. Raises BadRequestError."""
    bare = re.sub("[\\s\u00a0\u2009\u202f]", "", text)
    if not bare and default is not None:
        return default
    if not _NUMBER.fullmatch(bare) or len(bare) > 30:
        told = f"is {text[:40]!r}" if text else "is empty"
        raise BadRequestError(f"{label} {told}; allowed is a number such as 4,000 or 0.5")
    return float(bare.replace(",", ""))


def _threshold(fields: Mapping[str, Any], common: Mapping[str, Any]) -> Rule:
    metric = fields["metric"]
    if metric not in MEASURES:
        raise BadRequestError(f"there is no metric {metric[:40]!r}")
    if fields["condition"] not in ("above", "below"):
        raise BadRequestError("a value is above its limit or below it")
    levels = _levels(fields)
    of_tools = MEASURES[metric].is_of_tools
    window_s = round(amount("over the last", fields["window"], 300))
    if metric in (ABSENCE, INSTANCE_GONE):  # it looks back for as long as is allowed, and a little more
        window_s = round(60 * max(level.threshold for level in levels)) + 30
    recovery = fields["recovery"]
    return Rule(
        **common,
        metric=metric,
        tools=_tools(fields) if of_tools else ("*",),
        together=bool(fields["together"]) if of_tools else False,
        condition=fields["condition"],
        window_s=window_s,
        levels=levels,
        hold_s=round(60 * amount("for at least", fields["hold"], 0)),
        recovery=amount("well again", recovery) if recovery else None,
        recovery_s=round(60 * amount("over once well for", fields["recovery_min"], 1)),
        least_requests=_least(fields, "requests"),
        least_failures=_least(fields, "failures"),
        slower_than_ms=amount("slower than", fields["slower"]) if metric == SLOWER_THAN else None,
    )  # fmt: skip


def _objective(fields: Mapping[str, Any], common: Mapping[str, Any]) -> Rule:
    chosen = [one for one in (fields["slow"], fields["fast"]) if one]
    if any(one not in SEVERITIES for one in chosen):
        raise BadRequestError("severities are info, warning, error and critical")
    is_latency = fields["good"] == "latency"
    return Rule(
        **common,
        tools=_tools(fields),
        together=bool(fields["together"]),
        target_percent=amount("the target", fields["target"]),
        slower_than_ms=amount("no slower than", fields["slower"]) if is_latency else None,
        levels=tuple(Level(cast("Severity", one)) for one in chosen),
    )


def _levels(fields: Mapping[str, Any]) -> tuple[Level, ...]:
    found = tuple(
        Level(cast("Severity", one), amount(f"the limit of {one}", fields[f"limit_{one}"]))
        for one in SEVERITIES
        if fields[f"limit_{one}"]
    )
    if not found:
        raise BadRequestError("no severity has a limit; write one at least")
    return found


def _least(fields: Mapping[str, Any], what: str) -> int:
    return round(amount(f"at least so many {what}", fields[f"least_{what}"], 0))


def _tools(fields: Mapping[str, Any]) -> tuple[str, ...]:
    if fields["of"] != _OTHERS:
        return (fields["of"],)
    return patterns(fields["patterns"])


def patterns(text: str) -> tuple[str, ...]:
    """Names and patterns, one a line."""
    return tuple(dict.fromkeys(one.strip() for one in text.splitlines() if one.strip()))


def _renamed(rule: Rule, name: str) -> Any:
    return type(rule)(**{one: getattr(rule, one) for one in rule.__struct_fields__} | {"name": name})


def unknown_channels(rule: Rule, known: Sequence[str]) -> list[str]:
    """Channels that the rule names and that are not there any more."""
    return [one for one in rule.channels if one not in known]
