"""Alerts as people handle them: seen, acknowledged, resolved by hand, and looked up later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import NotFoundError
from ..model.alerting import Alert
from ..model.checking import check_by, check_text
from ..model.life import dismissed
from ..model.readings import Target
from ..model.silencing import Silence, covering
from ..store import Connection, alert_pages, alerts, channels, notice_log, rules, silences
from ..store.alert_pages import Cursor, Filter, Page
from ..store.notices import Notice
from .door import Door

MOST = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """An open alert, and the silence that covers it; None for one that people are told of."""

    alert: Alert
    silence: Silence | None


@dataclass(frozen=True, slots=True)
class Story:
    """An alert with all that was told of it: the notices, oldest first, and what each said of it."""

    alert: Alert
    silence: Silence | None
    told: Sequence[tuple[Notice, str]]


@dataclass(frozen=True, slots=True)
class Telling:
    """What a channel was or is to be told of an alert."""

    channel: str
    notice: Notice
    event: str


class AlertDesk:
    """Raises NotFoundError for an alert that there is not, UnavailableError while the store is away."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def active(self) -> list[Seen]:
        """The open alerts, worst first, then oldest first."""
        now_s = self._door.now_s()
        with self._door.reading() as connection:
            standing = silences.standing(connection, now_s)
            return [Seen(one, _covered(one, standing, now_s)) for one in alerts.active(connection)]

    def story(self, id: int) -> Story:
        """One alert and what was told of it."""
        now_s = self._door.now_s()
        with self._door.reading() as connection:
            alert = _there(connection, id)
            silence = _covered(alert, silences.standing(connection, now_s), now_s)
            return Story(alert, silence, notice_log.of_alert(connection, id))

    def one(self, id: int) -> Alert:
        """One alert."""
        with self._door.reading() as connection:
            return _there(connection, id)

    def told(self, ids: Sequence[int]) -> Mapping[int, Sequence[Telling]]:
        """What was told of each of these alerts, and to whom, oldest first."""
        with self._door.reading() as connection:
            names = {one.id: one.channel.name for one in channels.read_channels(connection)}
            found = notice_log.of_alerts(connection, ids)
        return {
            id: [Telling(names.get(notice.channel_id, ""), notice, event) for notice, event in told]
            for id, told in found.items()
        }

    def page(
        self, wanted: Filter, limit: int, after: Cursor | None = None, before: Cursor | None = None
    ) -> Page:
        """A page of the history, newest first, of at most MOST alerts; `before` asks for newer ones."""
        with self._door.reading() as connection:
            if before is not None:
                found = alert_pages.newer(connection, wanted, min(limit, MOST), before)
                after = None
                if found is not None:
                    return found
            return alert_pages.page(connection, wanted, min(limit, MOST), after)

    def acknowledge(self, id: int, by: str, note: str = "") -> Alert:
        """Say that somebody is at it: it is not repeated any more."""
        check_by(by)
        check_text("note", note)
        row = {"acknowledged_s": self._door.now_s(), "acknowledged_by": by, "acknowledged_note": note}
        return self._change(id, row)

    def take_back(self, id: int) -> Alert:
        """Take an acknowledgement back."""
        return self._change(id, {"acknowledged_s": None, "acknowledged_by": "", "acknowledged_note": ""})

    def resolve(self, id: int, by: str, note: str = "") -> Alert:
        """End an alert by hand: it keeps quiet until it was well, or gets worse. Over is over: no change."""
        check_by(by)
        check_text("note", note)
        now_s = self._door.now_s()
        row = {"state": "resolved", "resolved_s": now_s, "resolved_by": by, "resolved_note": note}
        with self._door.changing() as connection:
            alert = _there(connection, id)
            if alert.resolved_s is None:
                alerts.change(connection, [{"id": id, **row}])
                key = alert.type, Target(alert.tool, alert.instance)
                watch = rules.read_watches(connection).get(key)
                if watch is not None:
                    rules.write_watches(connection, {key: dismissed(watch, now_s)}, ())
            return _there(connection, id)

    def _change(self, id: int, row: dict[str, object]) -> Alert:
        with self._door.changing() as connection:
            if _there(connection, id).resolved_s is None:
                alerts.change(connection, [{"id": id, **row}])
            return _there(connection, id)


def _there(connection: Connection, id: int) -> Alert:
    found = alerts.one(connection, id)
    if found is None:
        raise NotFoundError(f"there is no alert {id}")
    return found


def _covered(alert: Alert, standing: Sequence[Silence], now_s: float) -> Silence | None:
    return covering(standing, alert.type, alert.tool, alert.severity, now_s)
