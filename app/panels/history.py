"""The course of one metric over a window: `/performance/history`.

A metric of requests is read from merged buckets and sums, of all tools together or of one; a metric of the
machine is the mean of its samples. A point is null where nothing was measured, and where
a metric needs requests and none came.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import BadRequestError, UnavailableError
from ..model.metrics import OF_REQUESTS, OF_THE_MACHINE
from ..model.series import Series
from ..model.windows import Window
from ..sources import Sources
from .answers import History, HistoryPoint, ReleaseMark, instant


def history(metric: str, tool: str | None, window: Window, sources: Sources) -> History:
    """The metric's points, oldest first, one to each step of the window.

    Raises BadRequestError for a metric that there is not, or that no tool has; UnavailableError while the
    store is away.
    """
    if metric in OF_REQUESTS:
        told = OF_REQUESTS[metric]
        unit = told.unit
        values = [None if one is None else told.of(one) for one in _points(tool, window, sources)]
    elif metric not in OF_THE_MACHINE:
        allowed = ", ".join((*OF_REQUESTS, *OF_THE_MACHINE))
        raise BadRequestError(f"metric is {metric!r}; allowed is {allowed}")
    elif tool is not None:
        raise BadRequestError(f"{metric} is of the machine and not of a tool; leave tool out")
    else:
        of_machine = OF_THE_MACHINE[metric]
        unit = of_machine.unit
        points = sources.vitals(window)
        values = [of_machine.of(list(instances.values())) if instances else None for instances in points]
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
