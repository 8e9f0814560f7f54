"""What changed without an alert: tools that became slower or fail more than in the window before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import sqrt

from ..model import comparing, formats
from ..model.noise import is_clear
from ..model.series import Series, total
from ..model.windows import Window, kept
from ..sources import Sources
from .points import can_compare, merged

_ENOUGH = 50  # requests, of both windows
_SLOWER_PERCENT = 50.0
_SLOWER_MS = 5.0
_LEAST_SHARE = 0.01  # of all time: what is less is nobody's concern
_SIGMAS = 4.0
_POINTS = 1.0


@dataclass(frozen=True, slots=True)
class Change:
    """A tool that is not as it was: the finding in words, what it was, and how much time it concerns."""

    tool: str
    what: str
    was: str
    weight: float


def changes(window: Window, sources: Sources, now_s: float, compare: str) -> list[Change]:
    """What stands out of noise, the weightiest first; nothing where too little is known to compare."""
    earlier = comparing.compared(window, compare, now_s, kept(sources.settings))
    if earlier is None:
        return []
    was, now = sources.traffic(earlier), sources.traffic(window)
    if not can_compare(merged(earlier, was.points, 0.0), earlier):
        return []
    when = comparing.when(window, compare)
    return sorted(_found(now.tools, was.tools, when), key=lambda one: -one.weight)


def _found(now: Mapping[str, Series], was: Mapping[str, Series], when: str) -> Iterator[Change]:
    all_ns = total(now.values()).total_ns or 1
    for tool, series in now.items():
        before = was.get(tool)
        if before is None or min(series.requests, before.requests) < _ENOUGH:
            continue
        if said := _failing(series, before):
            yield Change(tool, said[0], f"{when} it was {said[1]}.", float(series.errors))
        elif series.total_ns >= _LEAST_SHARE * all_ns and (said := _slower(series, before)):
            yield Change(tool, said[0], f"{when} it was {said[1]}.", series.total_ns / all_ns)


def _slower(now: Series, was: Series) -> tuple[str, str] | None:
    ms, earlier_ms = (one.quantiles_ms((0.95,)) or [0.0] for one in (now, was))
    gained_ms = ms[0] - earlier_ms[0]
    if gained_ms < _SLOWER_MS or 100 * gained_ms < _SLOWER_PERCENT * earlier_ms[0] or not is_clear(now, was):
        return None
    return f"p95 {formats.response_time(ms[0])}", str(formats.response_time(earlier_ms[0]))


def _failing(now: Series, was: Series) -> tuple[str, str] | None:
    """More failures than chance explains: the difference of two shares, in standard errors."""
    share, earlier = now.errors / now.requests, was.errors / was.requests
    pooled = (now.errors + was.errors) / (now.requests + was.requests)
    error = sqrt(pooled * (1 - pooled) * (1 / now.requests + 1 / was.requests))
    if 100 * (share - earlier) < _POINTS or share - earlier < _SIGMAS * error:
        return None
    rate, before = (formats.percent(100 * (1 - one)) for one in (share, earlier))
    return f"Success rate {rate} %", f"{before} %"
