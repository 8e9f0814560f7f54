"""Windows of time: which span a reader asked for, and which rollup period answers it.

History is kept in four periods, each long enough that every window is drawn from 60 to 370 points.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from ..errors import BadRequestError

PERIODS_S = (10, 60, 600, 7200)
# How long rows of each period are kept: the longest window that reads it, and some.
KEEP_S = MappingProxyType({10: 2 * 3600, 60: 26 * 3600, 600: 15 * 86_400, 7200: 400 * 86_400})
# Window by name: (length, period read, seconds to a point).
NAMED = MappingProxyType(
    {
        "15m": (900, 10, 10),
        "1h": (3600, 60, 60),
        "6h": (21_600, 60, 60),
        "24h": (86_400, 600, 600),
        "7d": (604_800, 600, 3600),
        "30d": (2_592_000, 7200, 7200),
        "1y": (31_536_000, 7200, 93_600),
    }
)


@dataclass(frozen=True, slots=True)
class Window:
    """A span [start_s, end_s) in Unix seconds, the rollup period that answers it and its points' step."""

    name: str
    start_s: float
    end_s: float
    period_s: int
    step_s: int

    def starts(self) -> range:
        """The starts of all points that touch the window, oldest first."""
        first = int(self.start_s // self.step_s) * self.step_s
        return range(first, int(self.end_s) + 1, self.step_s)


def named(name: str, now_s: float) -> Window:
    """The window of that name ending now. Raises BadRequestError for a name that is none."""
    if name not in NAMED:
        raise BadRequestError(f"window is {name!r}; allowed is {', '.join(NAMED)}")
    length, period, step = NAMED[name]
    return Window(name, now_s - length, now_s, period, step)


def between(start: str, end: str, now_s: float) -> Window:
    """The window between two ISO 8601 instants with an offset; an empty end means now.

    Raises BadRequestError for what is no instant, has no offset, or ends before it starts.
    """
    start_s, end_s = instant_s("from", start), instant_s("to", end) if end else now_s
    if start_s >= end_s:
        raise BadRequestError(f"from ({start}) is not before to ({end or 'now'})")
    length = end_s - start_s
    if length > NAMED["1y"][0] + 86_400:
        raise BadRequestError(f"from ({start}) to to ({end or 'now'}) is longer than a year")
    if start_s < 0:
        raise BadRequestError(f"from ({start}) is before 1970")
    end_s = max(start_s + 1, min(end_s, now_s))  # nothing is known of what lies ahead
    age = now_s - start_s
    for reach, period, step in NAMED.values():
        if length <= reach and age <= KEEP_S[period]:
            return Window("", start_s, end_s, period, step)
    return Window("", start_s, end_s, 7200, 7200 if length <= NAMED["30d"][0] else 93_600)


def sliding(length_s: float, now_s: float) -> Window:
    """The newest `length_s` seconds, read from the finest period that is kept for that long."""
    period = next(period for period in PERIODS_S if length_s <= KEEP_S[period] / 2)
    return Window("", now_s - length_s, now_s, period, period)


def instant_s(name: str, text: str) -> float:
    """Unix seconds of an ISO 8601 instant with an offset; `name` is the parameter's, for the message."""
    # A plus that nobody escaped arrives as a blank.
    text = re.sub(r"(T.*) (\d\d:?\d\d)$", r"\1+\2", text)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequestError(f"{name} is {text!r}; allowed is an ISO 8601 instant") from None
    if instant.tzinfo is None:
        raise BadRequestError(f"{name} is {text!r}; it needs an offset, as in 2025-08-07T18:00:00+00:00")
    return instant.timestamp()
