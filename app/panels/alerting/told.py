"""Who was told of an alert, when, and whether it got there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...desk.alerts import Telling
from ...model import formats
from ...store.notices import DEAD, DELIVERED, DROPPED, Notice

_QUIET_S = 300.0  # whoever waits for longer waits for quiet hours to end, and not for other alerts
EVENTS = {
    "firing": "that it began", "worse": "that it got worse", "flapping": "that it comes and goes",
    "repeat": "that it goes on", "resolved": "that it is over",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fate:
    """A few words, and an instant that they end in (Unix seconds); `severity` is a mark's, may be empty."""

    text: str
    at_s: float | None = None
    severity: str = ""


def fates(
    told: Sequence[Telling], now_s: float, *, is_silenced: bool, has_channels: bool
) -> tuple[Fate, ...]:
    """The newest word to each channel that the alert is on; or why there is none."""
    newest = {formats.shorten(one.channel, 40): one for one in told if one.event != "resolved"}
    if not newest:
        if not has_channels:
            return (Fate("nobody is told: there is no channel"),)
        return (Fate("nobody is told while it is silenced" if is_silenced else "no channel takes it"),)
    together: dict[float, list[str]] = {}
    found: list[Fate] = []
    for name, one in newest.items():
        if one.notice.state == DELIVERED:
            minute_s = (one.notice.finished_s or one.notice.created_s) // 60 * 60
            together.setdefault(minute_s, []).append(name)
        else:
            found.append(_fate(name, one.notice, now_s))
    delivered = [Fate(f"told {', '.join(names)} at", at_s) for at_s, names in together.items()]
    return (*delivered, *found)


def fate(notice: Notice, now_s: float) -> Fate:
    """How a notice fared, without its channel's name."""
    if notice.state == DELIVERED:
        return Fate("delivered", notice.finished_s, "ok")
    if notice.state == DEAD:
        return Fate("not delivered", notice.finished_s, "error")
    if notice.state == DROPPED:
        return Fate("dropped", notice.finished_s)
    if notice.tries:
        return Fate("failed, tried again at", notice.due_s, "warning")
    return Fate("waits until" if notice.due_s > now_s else "on its way", _ahead(notice, now_s))


def _fate(name: str, notice: Notice, now_s: float) -> Fate:
    if notice.state == DEAD:
        return Fate(f"{name} was not told: not delivered", severity="error")
    if notice.state == DROPPED:
        return Fate(f"{name} was not told: {notice.detail or 'dropped'}")
    if notice.tries:
        return Fate(f"{name} not told yet: failed, tried again at", notice.due_s, "warning")
    if notice.due_s - now_s > _QUIET_S:
        return Fate(f"{name} waits for its quiet hours to end at", notice.due_s)
    if notice.due_s > now_s:
        return Fate(f"{name} waits for others until", notice.due_s)
    return Fate(f"{name} is being told")


def _ahead(notice: Notice, now_s: float) -> float | None:
    return notice.due_s if notice.due_s > now_s else None
