"""The machines' condition over a window, made ready to draw: few stretches, gaps kept.

Stretches are put together from sums and maxima of samples, so a mean is one of samples and never of means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ...model.metrics import OF_THE_MACHINE
from ...model.vitals import Vitals
from ...model.windows import Window
from ...sources import Sources
from ..sparks import POINTS

MOST = 120
Value = float | int | None
Told = Mapping[str, Vitals]


@dataclass(frozen=True, slots=True)
class Stretch:
    """What each instance was like from `start_s` to `end_s` (Unix seconds); nothing in a gap."""

    start_s: float
    end_s: float
    told: Told

    @property
    def instances(self) -> list[Vitals]:
        return list(self.told.values())

    def of(self, metric: str) -> Value:
        """A metric of OF_THE_MACHINE; None where nobody knows it."""
        return OF_THE_MACHINE[metric].of(self.instances) if self.told else None


def stretches(window: Window, sources: Sources, at_most: int = MOST) -> list[Stretch]:
    """The window in at most `at_most` + 1 stretches on a fixed raster, so that none flickers."""
    starts = window.starts()
    size = len(starts) // (at_most + 1) + 1
    raster_s = size * window.step_s
    pairs = list(zip(starts, sources.vitals(window), strict=True))
    found = []
    for _, group in groupby(pairs, lambda pair: pair[0] // raster_s):
        part = list(group)
        end_s = min(float(part[-1][0] + window.step_s), max(window.end_s, part[-1][0] + 1.0))
        found.append(Stretch(float(part[0][0]), end_s, together(told for _, told in part)))
    if len(found) > 1 and found[-2].told and not found[-1].told:
        found.pop()  # its sample has not come yet: that is no gap
    return found


def together(spans: Iterable[Told]) -> Told:
    """One instance's spans added up, of each instance."""
    joined: dict[str, Vitals] = {}
    for told in spans:
        for name, one in told.items():
            joined[name] = joined[name] + one if name in joined else one
    return joined


def course(parts: Sequence[Stretch], metric: str) -> list[Value]:
    """A metric in each stretch."""
    return [part.of(metric) for part in parts]


def spark_points(window: Window, sources: Sources) -> list[Stretch]:
    """As many as a sparkline has."""
    return stretches(window, sources, POINTS)


def gaps_of(parts: Sequence[Stretch]) -> list[tuple[float, float]]:
    """Spans without a sample, oldest first."""
    spans = []
    for is_gap, group in groupby(parts, lambda part: not part.told):
        if is_gap:
            run = list(group)
            spans.append((run[0].start_s, run[-1].end_s))
    return spans


def whole(parts: Sequence[Stretch], of: Callable[[Sequence[Vitals]], Value]) -> Value:
    """A metric over all stretches together."""
    told = together(part.told for part in parts)
    return of(list(told.values())) if told else None
