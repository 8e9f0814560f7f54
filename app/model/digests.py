"""When a digest is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from .channels import minute_of_day
from .rules import Rule

# One that is later than that is left out: the next one tells more.
LATE_S = 6 * 3600.0


def newest_turn_s(rule: Rule, now_s: float) -> float:
    """The newest instant (Unix seconds) at or before now that the rule names: of a day, or of a Monday."""
    minute = minute_of_day(rule.at)
    at = datetime.fromtimestamp(now_s, UTC).replace(
        hour=minute // 60, minute=minute % 60, second=0, microsecond=0
    )
    if rule.every == "week":
        at -= timedelta(days=at.weekday())
    while at.timestamp() > now_s:
        at -= timedelta(days=7 if rule.every == "week" else 1)
    return at.timestamp()


def is_due(rule: Rule, sent_s: float, now_s: float) -> bool:
    """Whether one has to be sent now, after the one that was sent at `sent_s`."""
    turn_s = newest_turn_s(rule, now_s)
    return sent_s < turn_s and now_s - turn_s < LATE_S
