"""Whether a rule, a channel or a silence makes sense, in words that say what is allowed."""

from __future__ import annotations

import re
from itertools import pairwise
from math import isfinite
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import BadRequestError
from .alerting import rank
from .channels import Channel, minute_of_day
from .rules import ABSENCE, INSTANCE_GONE, MEASURES, SLOWER_THAN, Level, Rule, is_beyond, is_of_tools, unit_of
from .silencing import Silence

LONGEST_NAME = 100
_LONGEST_TEXT = 500
_LONGEST_PATTERN = 1000
_MOST_PATTERNS = 50
_LONGEST_SILENCE_S = 366 * 86_400
_DAY_S = 86_400
_HUGE = 1e300  # whole numbers have no end, and beyond this no other form


def check_rule(rule: Rule) -> None:
    """Raises BadRequestError for a rule that can't be judged."""
    check_name("name", rule.name)
    check_text("message", rule.message)
    _check_names("channels", rule.channels)
    _check_patterns(rule.tools)
    _range("window_s", rule.window_s, 30, 7 * _DAY_S)
    _range("hold_s", rule.hold_s, 0, _DAY_S)
    _range("recovery_s", rule.recovery_s, 0, _DAY_S)
    _range("least_requests", rule.least_requests, 0, 1_000_000)
    _range("least_failures", rule.least_failures, 0, 1_000_000)
    if rule.slower_than_ms is not None:
        _range("slower_than_ms", rule.slower_than_ms, 1, 3_600_000)
    if rule.kind == "digest":
        check_clock("at", rule.at)
    elif rule.kind == "objective":
        _check_objective(rule)
    else:
        _check_threshold(rule)


def check_channel(channel: Channel) -> None:
    """Raises BadRequestError for a channel that can't be."""
    check_name("name", channel.name)
    _check_names("types", channel.types)
    if bool(channel.quiet_from) != bool(channel.quiet_to):
        raise BadRequestError("quiet hours need both quiet_from and quiet_to, or neither")
    if channel.quiet_from:
        check_clock("quiet_from", channel.quiet_from)
        check_clock("quiet_to", channel.quiet_to)
        if channel.quiet_from == channel.quiet_to:
            raise BadRequestError("quiet hours end where they begin; leave both empty for none")
    try:
        ZoneInfo(channel.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadRequestError(
            f"time_zone is {channel.time_zone!r}; allowed is a name such as Europe/Berlin, or UTC"
        ) from None


def check_silence(silence: Silence) -> None:
    """Raises BadRequestError for a silence that can't be."""
    if not silence.start_s < silence.end_s:
        raise BadRequestError("the silence ends before it starts")
    if silence.end_s - silence.start_s > _LONGEST_SILENCE_S:
        raise BadRequestError("the silence lasts for more than a year; turn the rule off instead")
    check_text("type", silence.type)
    check_text("reason", silence.reason)
    check_text("author", silence.author)
    if silence.tools:
        _check_patterns(silence.tools)
    if silence.severity and rank(silence.severity) < 0:
        raise BadRequestError(
            f"severity is {silence.severity!r}; allowed is info, warning, error or critical"
        )


def check_name(member: str, name: str) -> None:
    """Raises BadRequestError for what is no name."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadRequestError(f"{member} is {name[:100]!r}; allowed are 1 to 100 printable characters")


def check_by(by: str) -> None:
    """Raises BadRequestError for what nobody is called."""
    check_name("by", by)


def check_clock(member: str, text: str) -> None:
    """Raises BadRequestError for what is no time of day."""
    try:
        minute_of_day(text)
    except ValueError:
        raise BadRequestError(f"{member} is {text!r}; allowed is a time of day such as 08:00") from None


def type_of(name: str) -> str:
    """What the alerts of a rule of that name are called: "Slow reports" is slow_reports."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:60] or "rule"


def check_text(member: str, text: str) -> None:
    """Raises BadRequestError for a text that is too long or no single line."""
    if len(text) > _LONGEST_TEXT or not text.isprintable():
        raise BadRequestError(
            f"{member} has {len(text)} characters; allowed are 500 printable ones in one line"
        )


def _check_names(member: str, names: tuple[str, ...]) -> None:
    if len(names) > _MOST_PATTERNS:
        raise BadRequestError(f"{member} has {len(names)} entries; allowed are {_MOST_PATTERNS}")
    for name in names:
        check_name(member, name)


def _check_patterns(tools: tuple[str, ...]) -> None:
    if not any(not one.startswith("!") for one in tools):
        raise BadRequestError("tools names none; allowed are names, prefixes such as list_*, or * for all")
    if len(tools) > _MOST_PATTERNS:
        raise BadRequestError(f"tools has {len(tools)} entries; allowed are {_MOST_PATTERNS}")
    for one in tools:
        if not one.removeprefix("!") or len(one) > _LONGEST_PATTERN or not one.isprintable():
            raise BadRequestError(f"tools has {one[:100]!r}; allowed is a name, or a prefix that ends in *")


def _check_threshold(rule: Rule) -> None:
    if rule.metric not in MEASURES:
        raise BadRequestError(f"metric is {rule.metric!r}; allowed is {', '.join(sorted(MEASURES))}")
    if (rule.metric == SLOWER_THAN) != (rule.slower_than_ms is not None):
        raise BadRequestError("slower_than_ms belongs to the metric slower_than, which needs it")
    if not is_of_tools(rule) and (rule.tools != ("*",) or rule.together):
        raise BadRequestError(f"{rule.metric} is of the machine and not of tools; leave tools out")
    _check_levels(rule)
    if rule.metric in (ABSENCE, INSTANCE_GONE) and rule.levels[-1].threshold >= rule.window_s / 60:
        raise BadRequestError(
            f"the limit is {rule.levels[-1].threshold:g} min of a window of {rule.window_s / 60:g} min, so "
            "it never fires; allowed is less, such as 0"
        )
    if rule.recovery is None:
        return
    _check_amount("recovery", rule, rule.recovery)
    if is_beyond(rule, rule.recovery, rule.levels[0].threshold):
        way = "above" if rule.condition == "above" else "below"
        raise BadRequestError(f"recovery is {rule.recovery:g}, which is still {way} the mildest limit")


def _check_levels(rule: Rule) -> None:
    levels = rule.levels
    _check_severities(levels)
    for level in levels:
        _check_amount("threshold", rule, level.threshold)
    for mild, severe in pairwise(levels):
        if not is_beyond(rule, severe.threshold, mild.threshold):
            raise BadRequestError(
                f"the limit of {severe.severity} is {severe.threshold:g}, which is not beyond that of "
                f"{mild.severity}, {mild.threshold:g}"
            )


def _check_severities(levels: tuple[Level, ...]) -> None:
    ranks = [rank(level.severity) for level in levels]
    if not levels or any(one >= two for one, two in pairwise(ranks)):
        raise BadRequestError("levels are from mild to severe, each severity once, and at least one")


def _check_amount(member: str, rule: Rule, value: float) -> None:
    most = 100 if unit_of(rule) == "percent" else 1e15
    if not (isfinite(value) and 0 <= value <= most):
        raise BadRequestError(f"{member} is {value:g}; allowed is 0 to {most:,.0f} {unit_of(rule)}")


def _check_objective(rule: Rule) -> None:
    if rule.target_percent is None or not 50 <= rule.target_percent <= 99.999:
        raise BadRequestError(f"target_percent is {rule.target_percent}; allowed is 50 to 99.999")
    if rule.condition != "above":
        raise BadRequestError("an objective has no condition; leave it out")
    _check_severities(rule.levels)
    if len(rule.levels) > 2 or any(level.threshold != 1 for level in rule.levels):
        raise BadRequestError(
            "levels of an objective are one or two severities without a limit: of what burns fast, and "
            "before it of what burns slowly"
        )


def _range(member: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        told = f"{value:g}" if abs(value) < _HUGE else "out of all bounds"
        raise BadRequestError(f"{member} is {told}; allowed is {least:,} to {most:,}")
