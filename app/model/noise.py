"""Whether two percentiles differ by more than chance: the reading of few requests moves by itself.

The confidence interval of a quantile, free of any assumption about the distribution, lies between two order
statistics: the ranks n q +/- z sqrt(n q (1 - q)) (Conover, Practical Nonparametric Statistics, 3.2).
"""

from __future__ import annotations

from math import inf, sqrt

from .series import Series

# Of each side; that two such intervals lie apart by chance happens about once in a hundred.
Z = 1.8


def is_clear(now: Series, was: Series, q: float = 0.95) -> bool:
    """Whether the intervals of the `q` quantile of both lie apart; False without requests on either side."""
    here, there = _interval_ms(now, q), _interval_ms(was, q)
    if here is None or there is None:
        return False
    return here[0] > there[1] or here[1] < there[0]


def _interval_ms(series: Series, q: float) -> tuple[float, float] | None:
    if not series.requests:
        return None
    half = Z * sqrt(q * (1 - q) / series.requests)
    low, high = series.quantiles_ms((max(0.0, q - half), min(1.0, q + half))) or (0.0, 0.0)
    # Beyond the greatest of few requests may lie anything.
    return low if q > half else 0.0, high if q + half < 1 else inf
