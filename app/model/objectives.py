"""Service level objectives: how fast the error budget of 30 days is spent, over several windows at once.

A burn rate of 1 spends exactly the whole budget in the period. A pair of windows burns where both the long
one does, which is evidence, and the short one, which says that it goes on: the multi-window, multi-burn-rate
alerts of "The Site Reliability Workbook" (Google, 2018, chapter 5, table 5-8).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .histogram import Histogram, bucket_of
from .rules import Rule, allowed_of
from .series import NS_PER_MS, Series

PERIOD_S = 30 * 86_400
LEAST_FAILURES = 3


class Pair(NamedTuple):
    """A long and a short window (seconds) and the share of the budget that is spent in the long one."""

    long_s: int
    short_s: int
    budget: float

    @property
    def factor(self) -> float:
        """The burn rate that spends that share in the long window: 14.4, 6, 3, 1."""
        return self.budget * PERIOD_S / self.long_s


FAST = (Pair(3600, 300, 0.02), Pair(6 * 3600, 1800, 0.05))
SLOW = (Pair(86_400, 7200, 0.10), Pair(3 * 86_400, 6 * 3600, 0.10))
WINDOWS_S = tuple(sorted({one for pair in (*FAST, *SLOW) for one in (pair.long_s, pair.short_s)}))


class Burn(NamedTuple):
    """How fast the budget is spent, by the pair that is worst: `rate` against the pair's `factor`."""

    rate: float
    factor: float


class Counted(NamedTuple):
    """The requests that an objective does not count as good, and all."""

    bad: int
    requests: int


NOTHING = Counted(0, 0)


def bad_and_all(rule: Rule, series: Series) -> Counted:
    """What the objective counts of a tool's requests."""
    if rule.slower_than_ms is None:
        return Counted(series.errors, series.requests)
    return Counted(slower_than(series, rule.slower_than_ms), series.requests)


def burn_rate(rule: Rule, series: Series) -> float | None:
    """The share of bad requests against the share that the target allows; None without requests."""
    bad, requests = bad_and_all(rule, series)
    return bad / requests / _allowed(rule) if requests else None


def worst_burn(rule: Rule, pairs: tuple[Pair, ...], windows: Mapping[int, Counted]) -> Burn | None:
    """The pair that is furthest beyond its factor, or nearest to it; None where none has requests in both.

    The rate is the lower one of the two windows. It is beyond the factor only if in the long window
    LEAST_FAILURES more failed than the factor allows: of one failure in ten requests of a night nobody need
    be told. A short window without requests does not tell whether it goes on.
    """
    allowed = _allowed(rule)
    worst: Burn | None = None
    for pair in pairs:
        long, short = windows[pair.long_s], windows[pair.short_s]
        if not short.requests or not long.requests:
            continue
        rate, factor = min(long.bad / long.requests, short.bad / short.requests) / allowed, pair.factor
        if rate > factor and long.bad < LEAST_FAILURES + allowed_of(long.requests, allowed * factor):
            rate = factor
        if worst is None or rate / factor > worst.rate / worst.factor:
            worst = Burn(rate, factor)
    return worst


def budget_left_percent(rule: Rule, series: Series) -> float | None:
    """What is left of the budget of the period that `series` is of; below 0 when it is overdrawn."""
    rate = burn_rate(rule, series)
    return None if rate is None else 100 * (1 - rate)


def slower_than(series: Series, limit_ms: float) -> int:
    """How many requests took longer than a limit, to within the 1.1 % of the buckets."""
    first = bucket_of(int(limit_ms * NS_PER_MS)) + 1
    return Histogram((series.ok.packed >> 64 * first) + (series.failed.packed >> 64 * first)).count


def _allowed(rule: Rule) -> float:
    return 1 - (rule.target_percent or 0.0) / 100
