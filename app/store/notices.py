"""The outbox: what is to be sent to whom, in the transaction that makes it necessary, and how it went.

A notice waits until it is due, so that what comes together is told together, and its channel's notices go out
one after the other. Before each try it is put off for as long as a try may take: whoever is killed amid one
leaves it to be tried again, by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from ..model.alerting import Alert, rank
from ..model.telling import FOLLOWING_S, GIVE_UP_S, Event, due_s
from .alerting_schema import deliveries, notice_events, notices
from .channels import StoredChannel

WAITING, DELIVERED, DEAD, DROPPED = "waiting", "delivered", "dead", "dropped"
ALERTS, DIGEST, TEST = "alerts", "digest", "test"


@dataclass(frozen=True, slots=True)
class Notice:
    """A row of the outbox. `key` is its stable id; instants are Unix seconds."""

    id: int
    key: str
    channel_id: int
    kind: str
    state: str
    severity: str
    created_s: float
    due_s: float
    expires_s: float
    tries: int
    title: str
    body: str
    detail: str
    finished_s: float | None


def enqueue(
    connection: Connection, to: StoredChannel, alert: Alert, event: Event, now_s: float, key: str
) -> None:
    """Tell a channel of an alert: in the notice that waits for others still, else in a new one, `key`."""
    quiet_s = to.channel.quiet_until_s(alert.severity, now_s)
    waiting = _gathering(connection, to.id, now_s)
    if waiting is None:
        of_alerts = (notices.c.channel_id == to.id) & (notices.c.kind == ALERTS)
        newest = select(func.max(notices.c.created_s)).where(of_alerts)
        due = max(due_s(now_s, connection.execute(newest).scalar_one()), quiet_s)
        waiting = _insert(connection, to.id, ALERTS, alert.severity, now_s, due, key)
    else:
        values: dict[str, object] = {}
        if rank(alert.severity) > rank(waiting.severity):
            values["severity"] = alert.severity
        if quiet_s <= now_s and waiting.due_s - now_s > FOLLOWING_S:  # it waits for quiet hours to end
            due = due_s(now_s, None)
            values |= {"due_s": due, "expires_s": due + GIVE_UP_S}
        if values:
            connection.execute(update(notices).where(notices.c.id == waiting.id).values(values))
    told = {"alert_id": alert.id, "event": event, "severity": alert.severity, "value": alert.value}
    connection.execute(insert(notice_events).values(notice_id=waiting.id, at_s=now_s, **told))


def add(
    connection: Connection, channel_id: int, kind: str, severity: str, now_s: float, key: str,
    *, title: str = "", body: str = "",
) -> Notice:  # fmt: skip
    """A notice that is due at once: a digest, or a test."""
    made = _insert(connection, channel_id, kind, severity, now_s, now_s, key)
    if title:
        write_text(connection, made.id, title, body)
    return made


def due(connection: Connection, now_s: float) -> list[Notice]:
    """The oldest waiting notice of each channel that has one that is due.

    One that failed and waits for its next try holds up those after it, so that what is over is not told
    before it began.
    """
    oldest = select(func.min(notices.c.id)).where(notices.c.state == WAITING).group_by(notices.c.channel_id)
    query = select(notices).where(notices.c.id.in_(oldest), notices.c.due_s <= now_s)
    return [notice_of(row) for row in connection.execute(query.order_by(notices.c.due_s))]


def begin(connection: Connection, notice: Notice, now_s: float, within_s: float) -> int | None:
    """Begin a try that takes at most `within_s`; its delivery's id, None if somebody else was faster."""
    put_off = {"tries": notice.tries + 1, "due_s": now_s + within_s}
    same = (notices.c.id == notice.id) & (notices.c.tries == notice.tries) & (notices.c.state == WAITING)
    if not connection.execute(update(notices).where(same).values(put_off)).rowcount:
        return None
    begun = {"notice_id": notice.id, "at_s": now_s, "detail": "no outcome: its worker ended"}
    made: int = connection.execute(insert(deliveries).values(begun).returning(deliveries.c.id)).scalar_one()
    return made


def finish(
    connection: Connection, notice: Notice, delivery_id: int, took_s: float, detail: str,
    *, state: str, now_s: float, due_s: float | None = None,
) -> None:  # fmt: skip
    """End the try that begin() began: delivered, waiting to be tried again at `due_s`, or dead."""
    ended = {"took_s": took_s, "detail": detail}
    connection.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(ended))
    values: dict[str, object] = {"state": state, "detail": detail}
    values |= {"due_s": due_s} if state == WAITING else {"finished_s": now_s}
    same = (notices.c.id == notice.id) & (notices.c.tries == notice.tries + 1)
    connection.execute(update(notices).where(same).values(values))


def drop(connection: Connection, notice_id: int, why: str, now_s: float) -> None:
    """Give up a notice that nobody needs any more."""
    values = {"state": DROPPED, "detail": why, "finished_s": now_s}
    connection.execute(update(notices).where(notices.c.id == notice_id).values(values))


def write_text(connection: Connection, notice_id: int, title: str, body: str) -> None:
    """Keep what a notice says: each try says the same."""
    connection.execute(update(notices).where(notices.c.id == notice_id).values(title=title, body=body))


def told_channels(connection: Connection, alert_id: int) -> set[int]:
    """The channels that were told that an alert fires, or are about to be."""
    query = (
        select(notices.c.channel_id)
        .join_from(notice_events, notices)
        .where(notice_events.c.alert_id == alert_id, notice_events.c.event != "resolved")
        .where(notices.c.state.in_((WAITING, DELIVERED)))
    )
    return set(connection.execute(query).scalars())


def was_told(connection: Connection, channel_id: int, alert_id: int) -> bool:
    """Whether a notice that told this channel that the alert fires was delivered."""
    query = (
        select(notices.c.id)
        .join_from(notice_events, notices)
        .where(notice_events.c.alert_id == alert_id, notice_events.c.event != "resolved")
        .where(notices.c.channel_id == channel_id, notices.c.state == DELIVERED)
    )
    return connection.execute(query.limit(1)).first() is not None


def prune(connection: Connection, before_s: float, limit: int) -> int:
    """Delete at most `limit` notices that were made before that instant and wait no more; how many."""
    old = (notices.c.created_s < before_s) & (notices.c.state != WAITING)
    some = select(notices.c.id).where(old).order_by(notices.c.created_s).limit(limit)
    return connection.execute(delete(notices).where(notices.c.id.in_(some))).rowcount


def _gathering(connection: Connection, channel_id: int, now_s: float) -> Notice | None:
    """The channel's notice that no try has begun of, and that is not due yet."""
    open_ = (notices.c.state == WAITING) & (notices.c.kind == ALERTS) & (notices.c.tries == 0)
    query = select(notices).where(notices.c.channel_id == channel_id, open_, notices.c.due_s > now_s)
    row = connection.execute(query.order_by(notices.c.id).limit(1)).one_or_none()
    return notice_of(row) if row is not None else None


def _insert(
    connection: Connection, channel_id: int, kind: str, severity: str, now_s: float, due_s: float, key: str
) -> Notice:
    values = {
        "key": key, "channel_id": channel_id, "kind": kind, "state": WAITING, "severity": severity,
        "created_s": now_s, "due_s": due_s, "expires_s": due_s + GIVE_UP_S, "tries": 0,
    }  # fmt: skip
    return notice_of(connection.execute(insert(notices).values(values).returning(notices)).one())


def notice_of(row: Sequence[object] | Row[tuple[object, ...]]) -> Notice:
    return Notice(*row)
