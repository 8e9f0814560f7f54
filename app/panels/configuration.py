"""What is set beside what is measured: thresholds and the worst now, retention and what the store holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, fields
from typing import Any

from ..declared import variable
from ..model import formats
from ..model.metrics import OF_REQUESTS
from ..model.rules import Rule, StoredRule, is_of_tools, matches, recovery_point, unit_of
from ..model.windows import NAMED, PERIODS_S, kept, sliding
from ..settings import Settings
from ..sources import Sources
from ..store.extent import Extent
from .alerting import words

# What may be a key or hold a password: only whether it is set is told.
_SECRET = frozenset({"api_key", "database_url", "notify_urls"})
_DECIDES = {
    10: "keep_10s_hours",
    60: "keep_1min_hours",
    600: "keep_10min_days",
    7200: "keep_2h_days",
    93_600: "keep_26h_days",
    1_310_400: "keep_26h_days",
}
_GAUGES = {"cpu": "cpu_percent", "memory": "memory_percent", "disk": "disk_percent"}


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that can be changed: the form's field for it, its severity and its value as text."""

    field: str
    severity: str
    value: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """A default rule: its limits, when it is well again, and the worst value `now`, of whom, and how bad.

    `is_changed`: it stands on its own; else the settings of the environment decide it.
    """

    id: int
    name: str
    condition: str
    unit: str
    limits: tuple[Limit, ...]
    well: str
    over: str
    least: str
    now: str
    whose: str
    severity: str
    is_changed: bool
    enabled: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows of one period: which windows they serve, how long they are kept, and how far back they reach.

    `decided` is the setting's variable, `is_default` whether nobody has set it.
    """

    step: str
    serves: str
    kept: str
    reach: str
    oldest_s: float | None
    decided: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class Value:
    """A setting: its variable, its value as text, whether it is the default, and what it does."""

    variable: str
    value: str
    is_default: bool
    help: str


def thresholds(stored: Sequence[StoredRule], sources: Sources, now_s: float) -> tuple[Threshold, ...]:
    """The default rules with their numbers, each beside the worst value of now."""
    return tuple(_threshold(one, sources, now_s) for one in stored if one.is_default)


def field_of(type_: str, severity: str) -> str:
    """The name of a limit's field in the form."""
    return f"{type_}.{severity}"


def retention(settings: Settings, extent: Extent | None, now_s: float) -> tuple[Kept, ...]:
    """The periods from the shortest on."""
    keep_s, default_s = kept(settings), kept(Settings())
    oldest: Mapping[int, float] = extent.oldest_s if extent else {}
    return tuple(
        Kept(
            step=formats.duration(period_s),
            serves=", ".join(name for name, (_, period, _) in NAMED.items() if period == period_s),
            kept=formats.duration(keep_s[period_s]),
            reach=formats.duration(now_s - oldest[period_s]) if period_s in oldest else "",
            oldest_s=oldest.get(period_s),
            decided=variable(_field(_DECIDES[period_s])),
            is_default=keep_s[period_s] == default_s[period_s],
        )
        for period_s in PERIODS_S
    )


def values(settings: Settings) -> tuple[Value, ...]:
    """All settings in the order of their table; of a secret only whether it is set."""
    default = Settings()
    found = []
    for spec in fields(Settings):
        value = getattr(settings, spec.name)
        is_default = value == getattr(default, spec.name)
        told = "set" if spec.name in _SECRET and not is_default else _told(value)
        found.append(Value(variable(spec), told, is_default, spec.metadata["help"].replace("`", "")))
    return tuple(found)


def _threshold(stored: StoredRule, sources: Sources, now_s: float) -> Threshold:
    rule = stored.rule
    value, whose = _worst(rule, sources, now_s)
    broken = [
        level for level in rule.levels if value is not None and _is_beyond(rule, value, level.threshold)
    ]
    unit = unit_of(rule)
    return Threshold(
        id=stored.id,
        name=formats.shorten(rule.name, 60),
        condition=rule.condition,
        unit=words.SIGNS.get(unit, unit),
        limits=tuple(
            Limit(field_of(stored.type, level.severity), level.severity, f"{level.threshold:g}")
            for level in rule.levels
        ),
        well=words.amount(unit, recovery_point(rule, rule.levels[0].threshold), 2),
        over=words.span(rule.window_s),
        least=formats.count(rule.least_requests) if is_of_tools(rule) else formats.NOTHING,
        now=formats.NOTHING if value is None else words.amount(unit, value),
        whose=formats.shorten(whose, 40),
        severity=broken[-1].severity if broken and rule.enabled else "",
        is_changed=stored.changed_s is not None,
        enabled=rule.enabled,
    )


def _worst(rule: Rule, sources: Sources, now_s: float) -> tuple[float | None, str]:
    """The worst value of the rule's window, and whose it is; None where nothing is judged."""
    if not is_of_tools(rule):
        samples = sources.samples(now_s - 3600)
        gauge = _GAUGES.get(rule.metric)
        return (getattr(samples[-1], gauge), "") if samples and gauge else (None, "")
    of = OF_REQUESTS[rule.metric].of if rule.metric in OF_REQUESTS else None
    if of is None:
        return None, ""
    tools = sources.traffic(sliding(rule.window_s, now_s, kept(sources.settings))).tools
    judged = [
        (value, name)
        for name, series in tools.items()
        if series.requests >= max(1, rule.least_requests) and matches(rule.tools, name)
        if (value := of(series)) is not None
    ]
    if not judged:
        return None, ""
    return (max if rule.condition == "above" else min)(judged)


def _is_beyond(rule: Rule, value: float, limit: float) -> bool:
    return value > limit if rule.condition == "above" else value < limit


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) or "none"


def _field(name: str) -> Field[Any]:
    return next(spec for spec in fields(Settings) if spec.name == name)
