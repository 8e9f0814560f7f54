"""What its answers were: by class of status, and what a request weighs and waits."""

from __future__ import annotations

from dataclasses import dataclass

from ...model import comparing, formats
from ...model.series import EMPTY, NS_PER_MS, Series
from ...model.windows import Window, kept
from ...sources import Sources


@dataclass(frozen=True, slots=True)
class Outcome:
    """A class of answers: how many, their share, and their share in the window it is compared with."""

    name: str
    requests: str
    share: str
    was: str
    is_none: bool


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The classes, good ones first; `than` is what is compared with, in words."""

    requests: int
    rows: tuple[Outcome, ...]
    than: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that is measured of each request, and what is known of it; `how` tells what it is."""

    name: str
    value: str
    how: str


@dataclass(frozen=True, slots=True)
class Weights:
    """Sizes and times of a request; `is_queued`: a proxy tells how long it had waited."""

    requests: int
    rows: tuple[Measure, ...]
    is_queued: bool


def outcomes(
    window: Window, sources: Sources, now_s: float, *, tool: str, compare: str = "before"
) -> Outcomes:
    """Successes, client errors, server errors, and failures that the application reported of a success."""
    now = sources.traffic(window).tools.get(tool, EMPTY)
    earlier = comparing.compared(window, compare, now_s, kept(sources.settings))
    was = sources.traffic(earlier).tools.get(tool, EMPTY) if earlier else EMPTY
    rows = tuple(
        Outcome(name, formats.count(number), _share(number, now), _share(before, was), not number)
        for (name, number), before in zip(_classes(now).items(), _classes(was).values(), strict=True)
    )
    return Outcomes(now.requests, rows, comparing.short(window, compare))


def weights(window: Window, sources: Sources, now_s: float, *, tool: str) -> Weights:  # noqa: ARG001 - every panel is asked alike
    """What the sums of the window tell."""
    series = sources.traffic(window).tools.get(tool, EMPTY)
    if not series.requests:
        return Weights(0, (), is_queued=False)
    p50, p95, p99 = (str(formats.response_time(one)) for one in series.quantiles_ms() or (0.0, 0.0, 0.0))
    queue = series.average_queue_ms
    rows = (
        Measure("Response time", f"{p50} / {p95} / {p99}", "p50, p95 and p99, to the end of the body"),
        Measure("Fastest", str(formats.response_time(series.min_ns / NS_PER_MS)), "of the window"),
        Measure("Slowest", str(formats.response_time(series.max_ns / NS_PER_MS)), "of the window"),
        Measure("First byte", str(formats.response_time(series.average_first_byte_ms)), "on average"),
        Measure(
            "Answer", str(formats.size(series.response_bytes // series.requests)), "on average, its body"
        ),
        Measure("Answers together", str(formats.size(series.response_bytes)), "sent in the window"),
        Measure(
            "Queue before it",
            "not measured" if queue is None else str(formats.response_time(queue)),
            "no proxy sends X-Request-Start" if queue is None else "on average, as the proxy tells",
        ),
    )
    return Weights(series.requests, rows, queue is not None)


def _classes(series: Series) -> dict[str, int]:
    reported = series.errors - series.client_errors - series.server_errors
    return {
        "Success": series.requests - series.errors,
        "Client error (4xx)": series.client_errors,
        "Server error (5xx)": series.server_errors,
        "Failure that the application told": reported,
    }


def _share(number: int, series: Series) -> str:
    return formats.percent(100 * number / series.requests) if series.requests else formats.NOTHING
