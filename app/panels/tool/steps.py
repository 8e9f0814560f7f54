"""Steps of response time: neighbouring buckets of the histogram put together, so that they can be seen.

A step is a whole number of buckets, so no request is moved from one to another, and all steps are equally
wide on a logarithmic axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from ...model import formats
from ...model.histogram import LAST, Histogram, bounds_ns
from ...model.series import NS_PER_MS, Series

_WIDTHS = (4, 8, 16, 32, 64)
_LEAST = 8


@dataclass(frozen=True, slots=True)
class Steps:
    """`count` steps of `width` buckets each, from number `first` of such steps on."""

    first: int
    count: int
    width: int

    @property
    def edges_ms(self) -> tuple[float, ...]:
        """Where each step begins, and where the last ends, in milliseconds."""
        numbers = range(self.first, self.first + self.count + 1)
        return tuple(bounds_ns(number * self.width)[0] / NS_PER_MS for number in numbers)

    def counts(self, series: Series) -> list[int]:
        """How many requests each step holds; all of the series must lie within the steps."""
        packed = (series.ok + series.failed).packed >> 64 * self.first * self.width
        lanes = Histogram(packed).lanes()
        return [sum(lanes[at : at + self.width]) for at in range(0, self.count * self.width, self.width)]

    def place(self, value_ms: float) -> float:
        """Where a value lies on the axis, 0 to 1."""
        edges = self.edges_ms
        return log(value_ms / edges[0]) / log(edges[-1] / edges[0])


def steps_of(series: Series, at_most: int) -> Steps:
    """The finest steps that hold all of the series in at most that many; there must be a request in it."""
    counts = (series.ok + series.failed).counts()
    low, high = min(counts), max(counts)
    width = next((one for one in _WIDTHS if high // one - low // one < at_most), _WIDTHS[-1])
    first, last = low // width, high // width
    # A lone value is no wall: the steps beside it are there too.
    count = max(_LEAST, last - first + 1)
    first -= (count - (last - first + 1)) // 2
    return Steps(max(0, min(first, LAST // width + 1 - count)), count, width)


def between(low_ms: float, high_ms: float) -> str:
    """A step in words: "684 to 813 ms", "0.98 to 1.17 s"."""
    low, high = formats.response_time(low_ms), formats.response_time(high_ms)
    return f"{low.text} to {high}" if low.unit == high.unit else f"{low} to {high}"
