"""Windows of time: which span a reader asked for, and which rollup periods answer it.

History is kept in six periods, each a multiple of the one before, so that a row of a longer period is the sum
of rows of a shorter one. Every window is drawn from 60 to 360 points of one period, and summed up from the
longest periods that fit into it: a year is 70 rows of a tool and not 3 million.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from types import MappingProxyType
from typing import NamedTuple

from ..errors import BadRequestError
from ..settings import Settings

# 26 hours, so that a year has 337 points, and two weeks of those.
PERIODS_S = (10, 60, 600, 7200, 93_600, 1_310_400)
_DAY_S = 86_400
# How long rows of each period are kept unless settings say otherwise: the longest window that reads it twice
# (it is compared with the one before), and some.
KEEP_S: Mapping[int, float] = MappingProxyType(
    {
        10: 2 * 3600,
        60: 26 * 3600,
        600: 15 * _DAY_S,
        7200: 250 * _DAY_S,
        93_600: 400 * _DAY_S,
        1_310_400: 400 * _DAY_S,
    }
)
# Window by name: (length, period read, seconds to a point).
NAMED = MappingProxyType(
    {
        "15m": (900, 10, 10),
        "1h": (3600, 60, 60),
        "6h": (21_600, 60, 60),
        "24h": (86_400, 600, 600),
        "7d": (604_800, 600, 3600),
        "30d": (2_592_000, 7200, 7200),
        "1y": (31_536_000, 93_600, 93_600),
    }
)
_ENOUGH_POINTS = 24


class Stretch(NamedTuple):
    """Rows of one period whose starts lie in [start_s, end_s)."""

    period_s: int
    start_s: int
    end_s: int


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
        return range(first, max(first + 1, ceil(self.end_s)), self.step_s)

    def stretches(self, built_s: Mapping[int, float], longest_s: int = PERIODS_S[-1]) -> list[Stretch]:
        """The rows that answer the window: those of its period that touch it, whole, as `cover` finds them.

        Where the last one is not built yet, shorter rows go to the end.
        """
        period_s = self.period_s
        end_s = ceil(self.end_s / period_s) * period_s
        if end_s > built_s.get(period_s, 0):
            end_s = ceil(self.end_s / PERIODS_S[0]) * PERIODS_S[0]
        return cover(int(self.start_s // period_s) * period_s, end_s, built_s, longest_s)

    def coarser(self) -> Window:
        """The same span in fewer points, of the longest period that gives enough for a sparkline."""
        length_s = self.end_s - self.start_s
        fit = [one for one in PERIODS_S if one > self.step_s and length_s / one >= _ENOUGH_POINTS]
        return Window(self.name, self.start_s, self.end_s, fit[-1], fit[-1]) if fit else self


def cover(
    start_s: int, end_s: int, built_s: Mapping[int, float], longest_s: int = PERIODS_S[-1]
) -> list[Stretch]:
    """The stretches of rows that make up [start_s, end_s), oldest first: each instant once, and few rows.

    `built_s` tells up to where the rows of a period are there; shorter ones answer what came after. Those of
    the shortest are always there. Periods that are longer than `longest_s` or no divisor of it are left out.
    """
    usable = [one for one in PERIODS_S if longest_s % one == 0]
    return _cover(start_s, end_s, built_s, usable)


def _cover(start_s: int, end_s: int, built_s: Mapping[int, float], periods: list[int]) -> list[Stretch]:
    if start_s >= end_s:
        return []
    *shorter, period_s = periods
    if not shorter:
        return [Stretch(period_s, start_s, end_s)]
    first_s = -(-start_s // period_s) * period_s
    last_s = int(min(end_s, built_s.get(period_s, 0)) // period_s) * period_s
    if first_s >= last_s:
        return _cover(start_s, end_s, built_s, shorter)
    return [
        *_cover(start_s, first_s, built_s, shorter),
        Stretch(period_s, first_s, last_s),
        *_cover(last_s, end_s, built_s, shorter),
    ]


def kept(settings: Settings) -> Mapping[int, float]:
    """How long rows of each period are kept, in seconds."""
    shorter_s = {
        10: settings.keep_10s_hours * 3600,
        60: settings.keep_1min_hours * 3600,
        600: settings.keep_10min_days * _DAY_S,
        7200: settings.keep_2h_days * _DAY_S,
    }
    # The longest rows tell which tools there are, so they outlive all others.
    longest_s = max(settings.keep_26h_days * _DAY_S, *shorter_s.values())
    return {**shorter_s, 93_600: longest_s, 1_310_400: longest_s}


def named(name: str, now_s: float, keep_s: Mapping[int, float] = KEEP_S) -> Window:
    """The window of that name ending now, read from a period that is kept for that long (`keep_s`).

    Raises BadRequestError for a name that is none.
    """
    if name not in NAMED:
        raise BadRequestError(f"window is {name!r}; allowed is {', '.join(NAMED)}")
    length, period, step = NAMED[name]
    period = next((one for one in PERIODS_S if one >= period and keep_s[one] >= length), PERIODS_S[-2])
    return Window(name, now_s - length, now_s, period, max(period, step))


def between(start: str, end: str, now_s: float, keep_s: Mapping[int, float] = KEEP_S) -> Window:
    """The window between two ISO 8601 instants with an offset; an empty end means now.

    `keep_s` tells how long the rows of each period are kept.

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
        if length <= reach and age <= keep_s[period]:
            return Window("", start_s, end_s, period, step)
    period = 7200 if length <= NAMED["30d"][0] else 93_600
    return Window("", start_s, end_s, period, period)


def sliding(length_s: float, now_s: float, keep_s: Mapping[int, float] = KEEP_S) -> Window:
    """The newest `length_s` seconds, read from the finest period that is kept for that long."""
    period = next((one for one in PERIODS_S if length_s <= keep_s[one] / 2), PERIODS_S[-1])
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
