"""The fields of the thresholds: what was typed, what the page showed, and the rules that come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from werkzeug.datastructures import MultiDict

from ..errors import BadRequestError
from ..model.checking import check_rule
from ..model.rules import Rule, StoredRule
from ..panels.configuration.thresholds import is_here, label, numbers, with_numbers
from .rule_forms import amount

FIELDS = ("warning", "worse", "well")
_NAMES = {"warning": "warning", "worse": "the worse limit", "well": "well again"}
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form holds: texts by field, the rules that they make, and what is wrong by the rule's id."""

    texts: Mapping[str, str]
    changes: Mapping[StoredRule, Rule] = field(default_factory=dict)
    wrong: Mapping[int, str] = field(default_factory=dict)


def shown(rules: Sequence[StoredRule]) -> dict[str, str]:
    """The texts of all fields as the rules have them, by `warning-3` and so on, and what they add up to."""
    found: dict[str, str] = {}
    for one in filter(is_here, rules):
        texts = numbers(one.rule)
        found |= {f"{name}-{one.id}": texts[name] for name in FIELDS}
        found[f"was-{one.id}"] = _joined(texts)
    return found


def posted(form: MultiDict[str, str], rules: Sequence[StoredRule]) -> Typed:
    """Read a form: only rows that somebody touched are changed, however old the page was."""
    texts = shown(rules)
    changes: dict[StoredRule, Rule] = {}
    wrong: dict[int, str] = {}
    for one in filter(is_here, rules):
        typed = {name: form.get(f"{name}-{one.id}", "").strip()[:_LONGEST] for name in FIELDS}
        seen = form.get(f"was-{one.id}", "")
        if f"warning-{one.id}" not in form or _joined(typed) == seen:
            continue
        texts |= {f"{name}-{one.id}": text for name, text in typed.items()}
        if seen != texts[f"was-{one.id}"]:
            who = one.changed_by or "a setting"
            wrong[one.id] = f"{label(one.rule)} was changed by {who} meanwhile; look at it and save again"
            continue
        try:
            rule = _rule(one.rule, typed)
            if rule != one.rule:
                check_rule(rule)
                changes[one] = rule
        except BadRequestError as error:
            wrong[one.id] = f"{label(one.rule)}: {error}"
    return Typed(texts, changes, wrong)


def _rule(rule: Rule, typed: Mapping[str, str]) -> Rule:
    made = {name: amount(_NAMES[name], text) if text else None for name, text in typed.items()}
    changed = with_numbers(rule, made["warning"], made["worse"], made["well"])
    if not changed.levels:
        raise BadRequestError("no limit is left; to be told of nothing, turn the rule off in Alerts")
    return changed


def _joined(texts: Mapping[str, str]) -> str:
    return "|".join(texts[name] for name in FIELDS)
