"""How many workers it takes: what the last hour's busiest minute asked, against each number of them."""

from __future__ import annotations

from dataclasses import dataclass

from ...model import formats, staffing
from ...model.windows import Window
from ...sources import Sources
from ..workers import HOUR_S

_AROUND = 3


@dataclass(frozen=True, slots=True)
class Size:
    """So many workers: the share of requests that would find all of them taken, and what marks the row."""

    workers: int
    waiting: str
    busy: str
    is_enough: bool
    is_now: bool


@dataclass(frozen=True, slots=True)
class Sizing:
    """`say` is the answer, `why` what it stands on; without rows `say` tells what is missing."""

    say: str
    why: str
    rows: tuple[Size, ...]


def sizing(window: Window, sources: Sources, now_s: float) -> Sizing:  # noqa: ARG001 - every panel is asked alike
    """By Erlang's formula; the window does not matter, because samples say it finely for an hour only."""
    samples, snapshot = sources.samples(now_s - HOUR_S), sources.snapshot()
    load = staffing.busiest_minute(samples)
    telling = sum(bool(one.slots) for one in snapshot.workers)
    if load is None or not snapshot.slots or not telling:
        missing = "The workers do not tell how much they can do at once" if samples else "Nothing sampled yet"
        return Sizing(missing, "They tell it under gunicorn's sync, gthread and gevent workers.", ())
    each = snapshot.slots / telling
    needed = staffing.workers_needed(load, snapshot.slots, telling)
    numbers = sorted({*range(max(1, needed - _AROUND + 1), needed + 2), telling})
    span = "the last hour" if now_s - samples[0].at_s > 0.95 * HOUR_S else "the samples so far"
    verb = "is" if needed == 1 else "are"
    return Sizing(
        f"{formats.plural(needed, 'worker')} {verb} enough for the busiest minute of {span}",
        f"It had {formats.rate(load)} requests at work at once, and a worker does {each:.4g}. "
        f"Enough means that at most {100 * staffing.WAITING_AT_MOST:.0f} % of the requests have to wait.",
        tuple(_size(number, load, each, needed, telling) for number in numbers),
    )


def _size(number: int, load: float, each: float, needed: int, telling: int) -> Size:
    slots = max(1, int(number * each))
    share = 100 * staffing.waiting(slots, load)
    return Size(
        number,
        "all, ever longer" if load >= slots else f"{share:.1f}" if share >= 0.05 else "less than 0.1",
        f"{min(100.0, 100 * load / slots):.0f}",
        number == needed,
        number == telling,
    )
