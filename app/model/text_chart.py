"""A course as a line of text, for places that show nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

BARS = "▁▂▃▄▅▆▇█"
GAP = "·"


def text_chart(
    values: Sequence[float | None], worst: Callable[[Sequence[float]], float] = max, width: int = 30
) -> str:
    """The values, oldest first, as `width` bars at most, from the least to the greatest; gaps are dots.

    Of neighbours that share a bar the `worst` is told.
    """
    cells = [_picked(values[start:end], worst) for start, end in _spans(len(values), width)]
    known = [one for one in cells if one is not None]
    if not known:
        return GAP * len(cells)
    low, high = min(known), max(known)
    if low > 0 and low > high / 2:
        low = max(0.0, low - (high - low))  # a calm course is not drawn as a cliff
    step = (high - low) / (len(BARS) - 1) or 1.0
    return "".join(GAP if one is None else BARS[round((one - low) / step)] for one in cells)


def _spans(count: int, width: int) -> list[tuple[int, int]]:
    cells = min(count, width)
    return [(number * count // cells, (number + 1) * count // cells) for number in range(cells)]


def _picked(values: Sequence[float | None], worst: Callable[[Sequence[float]], float]) -> float | None:
    known = [one for one in values if one is not None]
    return worst(known) if known else None
