"""Where notices go: what a channel takes, and when it wants to be left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from .alerting import rank

Lowest = Literal["info", "warning", "error", "critical"]


class Channel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A channel takes notices from `least_severity` on, of the rules in `types` (all if empty).

    In the quiet hours, HH:MM to HH:MM in `time_zone`, it takes critical ones only; the others wait until they
    are over.
    """

    name: str
    enabled: bool = True
    least_severity: Lowest = "warning"
    types: tuple[str, ...] = ()
    quiet_from: str = ""
    quiet_to: str = ""
    time_zone: str = "UTC"

    def takes(self, type: str, severity: str) -> bool:
        """Whether it is told of such an alert."""
        is_meant = not self.types or type in self.types
        return self.enabled and is_meant and rank(severity) >= rank(self.least_severity)

    def quiet_until_s(self, severity: str, now_s: float) -> float:
        """When it may be told (Unix seconds): now, or when the quiet hours are over."""
        if not self.quiet_from or severity == "critical":
            return now_s
        now = datetime.fromtimestamp(now_s, ZoneInfo(self.time_zone))
        begin, end = minute_of_day(self.quiet_from), minute_of_day(self.quiet_to)
        minute = now.hour * 60 + now.minute
        is_quiet = begin <= minute < end if begin < end else minute >= begin or minute < end
        if not is_quiet:
            return now_s
        over = now.replace(hour=end // 60, minute=end % 60, second=0, microsecond=0)
        if minute >= end:
            over += timedelta(days=1)  # the wall clock's next day, however long this one is
        return over.astimezone(UTC).timestamp()


def minute_of_day(text: str) -> int:
    """The minute of HH:MM, 0 to 1,439. Raises ValueError for anything else."""
    at = datetime.strptime(text, "%H:%M").replace(tzinfo=UTC)
    return at.hour * 60 + at.minute
