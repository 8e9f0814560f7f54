"""The life of an alert, one step at a time: inactive, pending, firing, flapping, no data, and over.

`step` is a pure function of what was known and what is read now. Each level of a rule is a latch: it closes
once its condition has held for the hold time, and opens once the value was at the recovery point or better
for the recovery time. The alert is as severe as its highest closed latch. Time passes from judgement to
judgement, and of a long silence (a restart, a clock that was set) no more than one turn counts: nothing fires
on time that nobody measured.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .readings import Measured, Reading
from .rules import Rule, is_beyond, is_proven, is_well

State = Literal["inactive", "pending", "firing", "flapping", "no_data"]
Change = Literal["pending", "calm", "fired", "flapping", "worse", "milder", "no_data", "data", "resolved", ""]

# What comes back so soon after it was opened is the same alert, and stays open until it was well for as long.
FLAPPING_S = 1800.0
# For how long an alert is kept open while nothing tells whether it is over.
NO_DATA_S = 1800.0


class Latch(msgspec.Struct, frozen=True, array_like=True):
    """A level: for how long its condition has held (None: it does not), whether it is closed, and for how
    long it has been well since (None: it is not)."""

    held_s: float | None = None
    closed: bool = False
    well_s: float | None = None


_OPEN, _CLOSED = Latch(), Latch(closed=True)


class Watch(msgspec.Struct, frozen=True, array_like=True):
    """What is known of a rule and a target. Instants are Unix seconds.

    `opened_s` is when its newest alert was opened, which may be over. `dismissed` is how many latches were
    closed when somebody resolved it by hand: it keeps quiet until it was well, or gets worse than that.
    """

    at_s: float
    state: State = "inactive"
    since_s: float = 0.0
    latches: tuple[Latch, ...] = ()
    opened_s: float | None = None
    is_flapping: bool = False
    silent_s: float = 0.0
    dismissed: int = 0

    @property
    def severity(self) -> int:
        """How many of the latches are closed, from the mildest on: 0 where none is."""
        for number in range(len(self.latches), 0, -1):
            if self.latches[number - 1].closed:
                return number
        return 0

    @property
    def is_open(self) -> bool:
        """Whether there is an alert for somebody to look at."""
        return self.severity > self.dismissed

    def is_worth_keeping(self, now_s: float) -> bool:
        """Whether forgetting it would change what comes next."""
        is_recent = self.opened_s is not None and abs(now_s - self.opened_s) < FLAPPING_S
        return self.state != "inactive" or self.severity > 0 or is_recent


def step(
    rule: Rule, known: Watch | None, reading: Reading | None, now_s: float, turn_s: float
) -> tuple[Watch, Change]:
    """The Watch after `reading` at `now_s`, and what has changed; `turn_s` is the most that may have passed.

    No reading, or one without data, says neither that it is wrong nor that it is well: what has held and what
    was well waits for the next one, at most for NO_DATA_S.
    """
    watch = known or Watch(now_s, since_s=now_s)
    passed_s = min(max(0.0, now_s - watch.at_s), turn_s)
    has_data = reading is not None and reading.has_data
    silent_s = 0.0 if has_data else watch.silent_s + passed_s
    latches = _latches(rule, watch, reading, passed_s)
    if silent_s >= NO_DATA_S:
        latches = (_OPEN,) * len(latches)
    after = Watch(
        now_s,
        watch.state,
        watch.since_s,
        latches,
        watch.opened_s,
        watch.is_flapping,
        silent_s,
        watch.dismissed,
    )
    if after.dismissed and not after.severity:
        after = msgspec.structs.replace(after, dismissed=0)
    return _told(watch, after, now_s, has_data=has_data)


def _told(watch: Watch, after: Watch, now_s: float, *, has_data: bool) -> tuple[Watch, Change]:
    was_open, severity = watch.is_open, after.severity
    if severity > after.dismissed:
        return _opened(watch, after, now_s) if not was_open else _open_still(watch, after, now_s, has_data)
    if was_open:
        return _turned(after, "inactive", now_s, is_flapping=False), "resolved"
    if not severity and any(one.held_s is not None for one in after.latches):
        return _turned(after, "pending", now_s), "" if watch.state == "pending" else "pending"
    return _turned(after, "inactive", now_s), "calm" if watch.state == "pending" else ""


def _opened(watch: Watch, after: Watch, now_s: float) -> tuple[Watch, Change]:
    opened_s = watch.opened_s
    if watch.dismissed or opened_s is None or abs(now_s - opened_s) >= FLAPPING_S:
        return _turned(after, "firing", now_s, opened_s=now_s, dismissed=0), "fired"
    return _turned(after, "flapping", now_s, is_flapping=True), "flapping"


def _open_still(watch: Watch, after: Watch, now_s: float, has_data: bool) -> tuple[Watch, Change]:
    change: Change = ""
    if not has_data:
        return _turned(after, "no_data", now_s), "" if watch.state == "no_data" else "no_data"
    if after.severity > watch.severity:
        change = "worse"
    elif watch.state == "no_data":
        change = "data"
    elif after.severity < watch.severity:
        change = "milder"
    return _turned(after, "flapping" if after.is_flapping else "firing", now_s), change


def dismissed(watch: Watch, now_s: float) -> Watch:
    """The Watch after somebody resolved its alert by hand."""
    return _turned(watch, "inactive", now_s, dismissed=watch.severity, is_flapping=False)


def _turned(watch: Watch, state: State, now_s: float, **changes: object) -> Watch:
    if state == watch.state and not changes:
        return watch
    since_s = watch.since_s if state == watch.state else now_s
    return msgspec.structs.replace(watch, state=state, since_s=since_s, **changes)


def _latches(rule: Rule, watch: Watch, reading: Reading | None, passed_s: float) -> tuple[Latch, ...]:
    count = len(rule.levels)
    latches = (*watch.latches, *(_OPEN,) * count)[:count]
    if reading is None:
        return latches
    recovery_s = FLAPPING_S if watch.is_flapping else rule.recovery_s
    return tuple(
        latch
        if level is None
        else _closed(rule, latch, level, passed_s, recovery_s)
        if latch.closed
        else _open(rule, latch, level, passed_s, reading)
        for latch, level in zip(latches, reading.levels, strict=True)
    )


def _closed(rule: Rule, latch: Latch, level: Measured, passed_s: float, recovery_s: float) -> Latch:
    if not is_well(rule, *level):
        return _CLOSED
    well_s = 0.0 if latch.well_s is None else latch.well_s + passed_s
    return _OPEN if well_s >= recovery_s else Latch(closed=True, well_s=well_s)


def _open(rule: Rule, latch: Latch, level: Measured, passed_s: float, reading: Reading) -> Latch:
    if not is_beyond(rule, *level):
        return _OPEN
    if reading.requests is not None and not is_proven(
        rule, reading.requests, reading.failures, level.threshold
    ):
        return latch
    held_s = 0.0 if latch.held_s is None else latch.held_s + passed_s
    return _CLOSED if held_s >= rule.hold_s else Latch(held_s=held_s)
