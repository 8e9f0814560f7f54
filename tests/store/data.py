"""Series to put into a store, and the plain sums to compare with what comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.model.histogram import Histogram
from app.model.series import Series
from app.model.windows import Window
from app.store import Engine, reading, writing
from app.store.history import WindowRows, read_courses, read_window
from app.store.longer import build
from app.store.rollups import roll_up

MS = 1_000_000
# A boundary of every period, so that tests can count periods from it.
START_S = 1_699_999_200.0


def series(*durations_ms: float, failed: int = 0, response_bytes: int = 0) -> Series:
    """Successes of these milliseconds, and `failed` server errors of 1 ms each."""
    times = [round(ms * MS) for ms in durations_ms]
    everything = times + [MS] * failed
    return Series(
        ok=Histogram.of(times),
        failed=Histogram.of([MS] * failed),
        server_errors=failed,
        total_ns=sum(everything),
        min_ns=min(everything, default=0),
        max_ns=max(everything, default=0),
        response_bytes=response_bytes,
    )


def roll(
    engine: Engine,
    now_s: float,
    tools: Mapping[str, Series],
    *,
    instance: str = "a",
    run: str = "run-1",
    started_s: float = START_S,
) -> None:
    """One roll-up in a transaction of its own."""
    with writing(engine) as connection:
        roll_up(connection, instance=instance, run=run, started_s=started_s, now_s=now_s, tools=tools)


def built(engine: Engine, now_s: float, instance: str = "a") -> None:
    """All rows of longer periods that are due, as turn after turn builds them."""
    for _ in range(100):
        with writing(engine) as connection:
            if not build(connection, instance, now_s):
                return
    raise AssertionError("there is always more to build")


def rows(engine: Engine, start_s: float, end_s: float, *, period_s: int = 10, step_s: int = 10) -> WindowRows:
    """What the store holds of that span."""
    with reading(engine) as connection:
        return read_window(connection, Window("", start_s, end_s, period_s, step_s))


def course(
    engine: Engine, tool: str, start_s: float, end_s: float, *, period_s: int = 10, step_s: int = 10
) -> Sequence[Series | None]:
    """One tool's points in that span."""
    with reading(engine) as connection:
        return read_courses(connection, Window("", start_s, end_s, period_s, step_s), [tool]).points(tool)


def sums(tools: Mapping[str, Series]) -> dict[str, tuple[int, ...]]:
    """What of a series adds up exactly, in a form that a failed comparison prints readably."""
    return {
        name: (
            one.ok.packed,
            one.failed.packed,
            one.client_errors,
            one.server_errors,
            one.total_ns,
            one.response_bytes,
        )
        for name, one in tools.items()
    }
