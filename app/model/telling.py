"""Who is told what of an alert, and when again: pure decisions that the outbox carries out."""

from __future__ import annotations

from typing import Literal

from .alerting import Alert, rank
from .life import Change

Event = Literal["firing", "worse", "flapping", "repeat", "resolved"]

# What fires at the same time is one notice: the first waits for others, and those after it a little longer.
GROUP_S, FOLLOWING_S, FOLLOWS_S = 15.0, 60.0, 300.0
REPEAT_S = {"info": 86_400.0, "warning": 86_400.0, "error": 4 * 3600.0, "critical": 4 * 3600.0}
GIVE_UP_S = 4 * 3600.0


def event_of(alert: Alert, change: Change, now_s: float, *, silenced: bool) -> Event | None:
    """What people have to be told of an alert now.

    An alert that is silenced is told of once the silence is over, if it is open still.
    """
    if change == "resolved":
        return "resolved" if alert.told_s is not None else None
    if silenced:
        return None
    if alert.told_s is None:
        return "firing"
    if rank(alert.severity) > rank(alert.told_severity):
        return "worse"
    if change == "flapping":
        return "flapping"
    is_due = now_s - alert.told_s >= REPEAT_S[alert.severity]
    return "repeat" if is_due and alert.acknowledged_s is None else None


def due_s(now_s: float, newest_s: float | None) -> float:
    """When a notice is sent that begins now, where the channel's newest one began at `newest_s`."""
    follows = newest_s is not None and 0 <= now_s - newest_s < FOLLOWS_S
    return now_s + (FOLLOWING_S if follows else GROUP_S)


def retry_after_s(tries: int, random: float) -> float:
    """How long to wait after so many failed tries: 10 s, doubled each time up to half an hour.

    `random`, 0 to 1, spreads it by a quarter to either side.
    """
    return min(1800.0, 10.0 * 2.0 ** min(tries - 1, 10)) * (0.75 + random / 2)
