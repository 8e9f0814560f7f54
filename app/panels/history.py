"""The course of one metric over a window: `/performance/history`.

A metric of requests is read from merged buckets and sums, of all tools together or of one; a metric of the
machine from its samples, which are kept for some hours. A point is null where nothing was measured, and where
a metric needs requests and none came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from ..errors import BadRequestError, UnavailableError
from ..model.alerting import SystemSample
from ..model.series import EMPTY, NS_PER_MS, Series
from ..model.windows import Window
from ..sources import Sources
from .answers import History, HistoryPoint
from .performance import instant

_Value = float | int | None


def _quantile(q: float) -> Callable[[Series], _Value]:
    def of(series: Series) -> _Value:
        found = series.quantiles_ms((q,))
        return found[0] if found else None

    return of


# Each metric of requests: its unit, and what it is of the requests of one point.
OF_REQUESTS: Mapping[str, tuple[str, Callable[[Series], _Value]]] = MappingProxyType(
    {
        "requests": ("requests", lambda series: series.requests),
        "errors": ("requests", lambda series: series.errors),
        "client_errors": ("requests", lambda series: series.client_errors),
        "server_errors": ("requests", lambda series: series.server_errors),
        "success_rate": ("percent", lambda series: series.success_percent),
        "average": ("milliseconds", lambda series: series.average_ms),
        "p50": ("milliseconds", _quantile(0.5)),
        "p95": ("milliseconds", _quantile(0.95)),
        "p99": ("milliseconds", _quantile(0.99)),
        "max": ("milliseconds", lambda series: series.max_ns / NS_PER_MS if series.requests else None),
        "first_byte": ("milliseconds", lambda series: series.average_first_byte_ms),
        "queue_time": ("milliseconds", lambda series: series.average_queue_ms),
        "bytes": ("bytes", lambda series: series.response_bytes),
    }
)
# Each metric of the machine, the mean of a point's samples.
OF_THE_MACHINE: Mapping[str, tuple[str, Callable[[SystemSample], float]]] = MappingProxyType(
    {
        "cpu": ("percent", lambda sample: sample.cpu_percent),
        "memory": ("percent", lambda sample: sample.memory_percent),
        "disk": ("percent", lambda sample: sample.disk_percent),
    }
)


def history(metric: str, tool: str | None, window: Window, sources: Sources) -> History:
    """The metric's points, oldest first, one to each step of the window.

    Raises BadRequestError for a metric that there is not, or that no tool has; UnavailableError while the
    store is away.
    """
    if metric in OF_REQUESTS:
        unit, of = OF_REQUESTS[metric]
        values = [None if one is None else of(one) for one in _points(tool, window, sources)]
    elif metric not in OF_THE_MACHINE:
        allowed = ", ".join((*OF_REQUESTS, *OF_THE_MACHINE))
        raise BadRequestError(f"metric is {metric!r}; allowed is {allowed}")
    elif tool is not None:
        raise BadRequestError(f"{metric} is of the machine and not of a tool; leave tool out")
    else:
        unit, sampled = OF_THE_MACHINE[metric]
        values = _means(window, sources.samples(window.starts().start), sampled)
    return History(
        metric=metric,
        tool=tool,
        unit=unit,
        step_seconds=window.step_s,
        points=[
            HistoryPoint(instant(start_s), value if value is None else round(value, 3))
            for start_s, value in zip(window.starts(), values, strict=True)
        ],
    )


def _points(tool: str | None, window: Window, sources: Sources) -> Sequence[Series | None]:
    traffic = sources.traffic(window)
    if not traffic.is_whole:
        raise UnavailableError("the store does not answer now, and memory does not hold the window")
    if tool is None:
        return traffic.points
    if tool in traffic.tool_points:
        return traffic.tool_points[tool]
    return [None if one is None else EMPTY for one in traffic.points]


def _means(
    window: Window, samples: Sequence[SystemSample], of: Callable[[SystemSample], float]
) -> list[_Value]:
    starts = window.starts()
    held: list[list[float]] = [[] for _ in starts]
    for sample in samples:
        place = int(sample.at_s - starts.start) // window.step_s
        if 0 <= place < len(held):
            held[place].append(of(sample))
    return [sum(values) / len(values) if values else None for values in held]
