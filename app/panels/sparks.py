"""Sparklines: small SVG paths by arithmetic, so that they are there without a script.

Coordinates lie in a box of 100 by 24 that the page stretches; y grows downwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

WIDTH, HEIGHT = 100.0, 24.0
POINTS = 40
_HEADROOM = 1.08


@dataclass(frozen=True, slots=True)
class Spark:
    """Path data (`d`): `line` is now, `area` its ground, `was` the window before, `dots` lone points.

    `limit` is the height of a limit's line, None without one. An empty Spark draws nothing.
    """

    line: str = ""
    area: str = ""
    was: str = ""
    dots: str = ""
    limit: float | None = None


def spark(
    values: Sequence[float | None],
    was: Sequence[float | None] = (),
    *,
    low: float = 0.0,
    high: float | None = None,
    limit: float | None = None,
    thin: bool = False,
) -> Spark:
    """A sparkline of `values`; None is a gap. `thin` draws dots, because a line would claim too much."""
    seen = [value for value in (*values, *was, limit) if value is not None]
    if len(values) < 2 or not seen:
        return Spark()
    top = high if high is not None else max(seen) * _HEADROOM or 1.0
    box = _Box(low, top, len(values))
    runs = _runs(values)
    lone = [run for run in runs if thin or len(run) == 1]
    lines = [run for run in runs if not thin and len(run) > 1]
    return Spark(
        line="".join(box.line(run) for run in lines),
        area="".join(box.area(run) for run in lines),
        was="".join(_Box(low, top, len(was)).line(run) for run in _runs(was) if len(run) > 1),
        dots="".join(f"M{box.at(index, value)}h.01" for run in lone for index, value in run),
        limit=None if limit is None else round(box.y(limit), 1),
    )


@dataclass(frozen=True, slots=True)
class _Box:
    low: float
    high: float
    count: int

    def y(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        return HEIGHT - (inside - self.low) / ((self.high - self.low) or 1.0) * HEIGHT

    def at(self, index: int, value: float) -> str:
        return f"{_short(index / (self.count - 1) * WIDTH)} {_short(self.y(value))}"

    def line(self, run: Sequence[tuple[int, float]]) -> str:
        return "M" + "L".join(self.at(index, value) for index, value in run)

    def area(self, run: Sequence[tuple[int, float]]) -> str:
        first, last = run[0][0], run[-1][0]
        return f"{self.line(run)}L{self.at(last, self.low)}L{self.at(first, self.low)}Z"


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """The stretches without a gap, as (index, value)."""
    runs: list[list[tuple[int, float]]] = []
    for is_there, group in groupby(enumerate(values), lambda pair: pair[1] is not None):
        if is_there:
            runs.append([(index, value) for index, value in group if value is not None])
    return runs


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
