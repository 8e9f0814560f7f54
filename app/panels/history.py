"""The course of one metric over a window: `/performance/history`.

A metric of requests is read from merged buckets and sums, of all tools together or of one; a metric of the
machine is the mean of its samples. A point is null where nothing was measured, and where
a metric needs requests and none came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from ..errors import BadRequestError, UnavailableError
from ..model.series import NS_PER_MS, Series, total
from ..model.staffing import saturation_percent
from ..model.vitals import RESTARTS, Vitals, mean_of
from ..model.windows import Window
from ..sources import Sources
from .answers import History, HistoryPoint, ReleaseMark, instant

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
# Each metric of the machine and of the service as a whole: its unit, and what it is of several instances.
_Vital = Callable[[Sequence[Vitals]], _Value]


def _amount(name: str) -> _Vital:
    return lambda instances: mean_of(instances, name)


def _count(name: str) -> Callable[[Sequence[Vitals]], int]:
    return lambda instances: sum(one.counters.get(name, 0) for one in instances)


def _saturation(instances: Sequence[Vitals]) -> _Value:
    slots = mean_of(instances, "slots")
    return saturation_percent(mean_of(instances, "in_flight"), round(slots) if slots else None)


def _queue(q: float) -> _Vital:
    of = _quantile(q)
    return lambda instances: of(total(one.queue for one in instances))


OF_THE_MACHINE: Mapping[str, tuple[str, _Vital]] = MappingProxyType(
    {
        "cpu": ("percent", _amount("cpu_percent")),
        "memory": ("percent", _amount("memory_percent")),
        "disk": ("percent", _amount("disk_percent")),
        "load": ("processes", _amount("load_average")),
        "network_received": ("bytes per second", _amount("received_bytes_per_s")),
        "network_sent": ("bytes per second", _amount("sent_bytes_per_s")),
        "disk_read": ("bytes per second", _amount("read_bytes_per_s")),
        "disk_written": ("bytes per second", _amount("written_bytes_per_s")),
        "in_flight": ("requests", _amount("in_flight")),
        "saturation": ("percent", _saturation),
        "workers": ("workers", _amount("workers")),
        "restarts": ("workers", lambda instances: sum(_count(name)(instances) for name in RESTARTS)),
        **{name: ("workers", _count(name)) for name in RESTARTS},
        "throttled": ("periods", _count("throttled_periods")),
        "oom_kills": ("processes", _count("oom_kills")),
        "queue_p50": ("milliseconds", _queue(0.5)),
        "queue_p95": ("milliseconds", _queue(0.95)),
        "queue_p99": ("milliseconds", _queue(0.99)),
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
        unit, told = OF_THE_MACHINE[metric]
        points = sources.vitals(window)
        values = [told(list(instances.values())) if instances else None for instances in points]
    return History(
        metric=metric,
        tool=tool,
        unit=unit,
        step_seconds=window.step_s,
        releases=[
            ReleaseMark(instant(one.at_s), one.release, one.instance) for one in sources.releases(window)
        ],
        points=[
            HistoryPoint(instant(start_s), value if value is None else round(value, 3))
            for start_s, value in zip(window.starts(), values, strict=True)
        ],
    )


def _points(tool: str | None, window: Window, sources: Sources) -> Sequence[Series | None]:
    traffic = sources.traffic(window)
    if not traffic.is_whole:
        raise UnavailableError("the store does not answer now, and memory does not hold the window")
    return traffic.points if tool is None else sources.courses(window, [tool])[tool]
