"""Where notices go, how the newest one fared, and the log of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...desk import Desk
from ...desk.channels import Logged, Told
from ...model import formats
from ...store.channels import StoredChannel
from ...store.notices import DEAD, DELIVERED, DIGEST, DROPPED, TEST, WAITING
from .told import Fate, fate

LOGGED = 30
STATES = (WAITING, DELIVERED, DEAD, DROPPED)
_KINDS = {TEST: "Test", DIGEST: "Digest"}


@dataclass(frozen=True, slots=True)
class Row:
    """A channel in words."""

    stored: StoredChannel
    takes: str
    quiet: str
    fate: Fate | None
    detail: str

    @property
    def is_fixed(self) -> bool:
        """Whether its address is one of the environment."""
        return bool(self.stored.source)


@dataclass(frozen=True, slots=True)
class Try:
    """One try of a notice."""

    at_s: float
    took: str
    detail: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A notice of the log."""

    id: int
    key: str
    channel: str
    title: str
    severity: str
    created_s: float
    state: str
    fate: Fate
    detail: str
    tries: tuple[Try, ...]
    is_over: bool


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels, and a page of the log; the next page ends before the id `older`, None for none."""

    rows: tuple[Row, ...]
    log: tuple[Entry, ...]
    older: int | None
    state: str
    is_first: bool
    states: tuple[str, ...] = STATES


def channels(desk: Desk, now_s: float, *, before_id: int | None = None, state: str = "") -> Channels:
    """All channels and the delivery log, newest first."""
    names = {one.type: one.rule.name for one in desk.rules.all()}
    found = desk.channels.log(LOGGED + 1, before_id=before_id, state=state)
    shown = found[:LOGGED]
    return Channels(
        rows=tuple(_row(one, names, now_s) for one in desk.channels.all()),
        log=tuple(entry(one, now_s) for one in shown),
        older=shown[-1].notice.id if len(found) > LOGGED else None,
        state=state,
        is_first=before_id is None,
    )


def entry(logged: Logged, now_s: float) -> Entry:
    """A notice and its tries in words."""
    notice = logged.notice
    title = notice.title or _KINDS.get(notice.kind, "Alerts")
    return Entry(
        id=notice.id,
        key=notice.key,
        channel=logged.channel,
        title=formats.shorten(title, 120),
        severity=notice.severity if notice.kind not in _KINDS else "",
        created_s=notice.created_s,
        state=notice.state,
        fate=fate(notice, now_s),
        detail=formats.shorten(notice.detail, 300),
        tries=tuple(
            Try(one.at_s, "" if one.took_s is None else _took(one.took_s), formats.shorten(one.detail, 300))
            for one in logged.tries
        ),
        is_over=notice.state != WAITING,
    )


def _took(took_s: float) -> str:
    return str(formats.response_time(took_s * 1000))


def _row(told: Told, names: Mapping[str, str], now_s: float) -> Row:
    channel = told.stored.channel
    quiet = ""
    if channel.quiet_from:
        quiet = f"{channel.quiet_from} to {channel.quiet_to} {channel.time_zone}"
    return Row(
        stored=told.stored,
        takes=f"{_from(channel.least_severity)}{_of(channel.types, names)}",
        quiet=quiet,
        fate=fate(told.newest, now_s) if told.newest is not None else None,
        detail=formats.shorten(told.newest.detail, 200) if told.newest is not None else "",
    )


def _from(severity: str) -> str:
    words = {"info": "everything", "critical": "critical only"}
    return words.get(severity, f"{severity} and worse")


def _of(types: Sequence[str], names: Mapping[str, str]) -> str:
    if not types:
        return ""
    shown = [formats.shorten(names.get(one, one), 40) for one in types]
    return " of " + ", ".join(shown[:2]) + (f" and {len(shown) - 2} more rules" if len(shown) > 2 else "")
