"""How workers ended over the window: a lane to each reason, what was by plan and what was by force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...model.windows import Window
from ...sources import Sources
from ..traffic import days_of
from .stretches import Stretch, gaps_of, stretches

_LANES = {
    "out_of_memory": ("Out of memory", "error", "the kernel ended it for want of memory"),
    "timed_out": ("Timed out", "warning", "a request took longer than the server allows"),
    "killed": ("Killed", "warning", "somebody else ended it"),
    "recycled": ("Recycled", "", "by plan: a deploy, a reload, max_requests"),
}


@dataclass(frozen=True, slots=True)
class Tick:
    """So many workers that ended within a stretch; `left_percent` is its middle."""

    at_s: float
    left_percent: float
    number: int


@dataclass(frozen=True, slots=True)
class Lane:
    """A reason: its severity, "" for what is by plan, how many in all, and when."""

    label: str
    severity: str
    means: str
    number: int
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Endings:
    """The lanes, worst first. `from_s` to `to_s` is what they show; `gaps` are (left, width) in percent."""

    lanes: tuple[Lane, ...]
    number: int
    forced: int
    from_s: float
    to_s: float
    gaps: tuple[tuple[float, float], ...]
    days: bool
    is_sampled: bool


def endings(window: Window, sources: Sources, now_s: float) -> Endings:  # noqa: ARG001 - every panel is asked alike
    """From the counters that samples carry, of all instances together."""
    parts = stretches(window, sources)
    from_s, to_s = parts[0].start_s, parts[-1].end_s
    lanes = tuple(_lane(name, parts, from_s, to_s) for name in _LANES)
    gaps = tuple(
        (
            round(100 * (start_s - from_s) / (to_s - from_s), 2),
            round(100 * (end_s - start_s) / (to_s - from_s), 2),
        )
        for start_s, end_s in gaps_of(parts)
    )
    return Endings(
        lanes,
        sum(lane.number for lane in lanes),
        sum(lane.number for lane in lanes if lane.severity),
        from_s,
        to_s,
        gaps,
        days_of(window),
        any(part.told for part in parts),
    )


def _lane(name: str, parts: Sequence[Stretch], from_s: float, to_s: float) -> Lane:
    label, severity, means = _LANES[name]
    ticks = []
    for part in parts:
        number = sum(one.counters.get(name, 0) for one in part.instances)
        if number:
            middle_s = (part.start_s + part.end_s) / 2
            ticks.append(Tick(part.start_s, round(100 * (middle_s - from_s) / (to_s - from_s), 2), number))
    return Lane(label, severity, means, sum(tick.number for tick in ticks), tuple(ticks))
