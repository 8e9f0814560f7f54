"""How long it takes, as a histogram: this window's requests against those of the one it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...model import comparing, formats
from ...model.histogram import bounds_ns
from ...model.series import EMPTY, NS_PER_MS, Series
from ...model.windows import Window, kept
from ...sources import Sources

_BARS = 20
_WIDTH = 0.94  # of a bar's place
_RARE = 0.001  # of the requests may lie beyond either end together with the last bar


@dataclass(frozen=True, slots=True)
class Bar:
    """Requests from one response time to another; places and heights are percentages of the chart's."""

    span: str
    now: int
    was: int
    left_percent: float
    now_percent: float
    was_percent: float


@dataclass(frozen=True, slots=True)
class Spread:
    """The bars from fast to slow; `was` counts the requests of the other window, None if there is none.

    `line` is the path of the other window's steps in a box of 100 by 100; `ticks` are (percent from the left,
    label), `most` the number at the top.
    """

    requests: int
    was: int | None
    length: str
    than: str
    bars: tuple[Bar, ...]
    bar_percent: float
    line: str
    ticks: tuple[tuple[float, str], ...]
    most: int


def spread(window: Window, sources: Sources, now_s: float, *, tool: str, compare: str = "before") -> Spread:
    """Steps of a factor that fits the tool; the first and the last one hold what lies beyond."""
    now = sources.traffic(window).tools.get(tool, EMPTY)
    earlier = comparing.compared(window, compare, now_s, kept(sources.settings))
    was = sources.traffic(earlier).tools.get(tool, EMPTY) if earlier else None
    length, than = formats.length(window.name), comparing.than(window, compare)
    counts, before = _counts(now), _counts(was or EMPTY)
    if not counts:
        return Spread(0, was.requests if was else None, length, than, (), 0.0, "", (), 0)
    low, high = _ends(counts, before)
    size = next(one for one in (4, 8, 16, 32, 64, 128) if high // one - low // one < _BARS)
    first, last = low // size, high // size
    ours, theirs = (_stepped(one, size, first, last) for one in (counts, before))
    most = max(*ours, *theirs, 1)
    bars = tuple(
        Bar(
            _span(first + step, size),
            here,
            there,
            round(100 * step / len(ours), 2),
            round(100 * here / most, 2),
            round(100 * there / most, 2),
        )
        for step, (here, there) in enumerate(zip(ours, theirs, strict=True))
    )
    is_compared = was is not None and was.requests > 0
    return Spread(
        now.requests,
        was.requests if is_compared and was else None,
        length,
        than,
        bars,
        round(_WIDTH * 100 / len(bars), 2),
        _line(bars) if is_compared else "",
        _ticks(first, last, size),
        most,
    )


def _counts(series: Series) -> dict[int, int]:
    return (series.ok + series.failed).counts()


def _ends(now: Mapping[int, int], was: Mapping[int, int]) -> tuple[int, int]:
    """The buckets between which nearly all requests of both lie."""
    ends = []
    for counts in (now, was):
        left = sum(counts.values()) * _RARE / 2
        for buckets in (sorted(counts), sorted(counts, reverse=True)):
            passed = 0
            for bucket in buckets:
                passed += counts[bucket]
                if passed > left:
                    ends.append(bucket)
                    break
    return min(ends), max(ends)


def _stepped(counts: Mapping[int, int], size: int, first: int, last: int) -> list[int]:
    steps = [0] * (last - first + 1)
    for bucket, count in counts.items():
        steps[min(max(bucket // size, first), last) - first] += count
    return steps


def _span(step: int, size: int) -> str:
    low, high = (formats.response_time(_edge_ms(one, size)) for one in (step, step + 1))
    return f"{low} to {high}"


def _edge_ms(step: int, size: int) -> float:
    return bounds_ns(size * step)[0] / NS_PER_MS


def _line(bars: tuple[Bar, ...]) -> str:
    width = 100 / len(bars)
    steps = [f"V{100 - bar.was_percent:.2f}H{(place + 1) * width:.2f}" for place, bar in enumerate(bars)]
    return f"M0 100{''.join(steps)}V100"


def _ticks(first: int, last: int, size: int) -> tuple[tuple[float, str], ...]:
    """Five instants of the axis at most, at the edges of bars."""
    number = last - first + 1
    every = -(-number // 4)
    return tuple(
        (round(100 * place / number, 2), str(formats.response_time(_edge_ms(first + place, size))))
        for place in range(0, number + 1, every)
    )
