"""Reading notices: what one tells, who was told of an alert, and the log of deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from .alerting_schema import deliveries, notice_events, notices
from .notices import Notice, notice_of


class Told(NamedTuple):
    """What a notice tells of an alert."""

    alert_id: int
    event: str
    severity: str
    value: float
    at_s: float


class Delivery(NamedTuple):
    """A try: when, how long it took (None: it is under way, or ended with its worker), and how it ended."""

    at_s: float
    took_s: float | None
    detail: str


def events(connection: Connection, notice_id: int) -> list[Told]:
    """What a notice tells, in the order that it happened."""
    columns = notice_events.c
    query = select(columns.alert_id, columns.event, columns.severity, columns.value, columns.at_s)
    found = connection.execute(query.where(columns.notice_id == notice_id).order_by(columns.id))
    return [Told(*row) for row in found]


def one(connection: Connection, key: str) -> Notice | None:
    """The notice of that key."""
    row = connection.execute(select(notices).where(notices.c.key == key)).one_or_none()
    return notice_of(row) if row is not None else None


def log(
    connection: Connection, limit: int, *, before_id: int | None = None, channel_id: int | None = None,
    state: str = "",
) -> list[Notice]:  # fmt: skip
    """A page of the delivery log, newest first: the notices before that id, of one channel or state."""
    query = select(notices).order_by(notices.c.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(notices.c.id < before_id)
    if channel_id is not None:
        query = query.where(notices.c.channel_id == channel_id)
    if state:
        query = query.where(notices.c.state == state)
    return [notice_of(row) for row in connection.execute(query)]


def of_alert(connection: Connection, alert_id: int) -> list[tuple[Notice, str]]:
    """The notices that tell of an alert, oldest first, and what each tells of it."""
    query = (
        select(notices, notice_events.c.event)
        .join_from(notice_events, notices)
        .where(notice_events.c.alert_id == alert_id)
        .order_by(notice_events.c.id)
    )
    return [(notice_of(row[:-1]), row.event) for row in connection.execute(query)]


def of_alerts(connection: Connection, alert_ids: Sequence[int]) -> dict[int, list[tuple[Notice, str]]]:
    """The same of many alerts at once."""
    query = (
        select(notices, notice_events.c.event, notice_events.c.alert_id)
        .join_from(notice_events, notices)
        .where(notice_events.c.alert_id.in_(alert_ids))
        .order_by(notice_events.c.id)
    )
    found: dict[int, list[tuple[Notice, str]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.alert_id, []).append((notice_of(row[:-2]), row.event))
    return found


def tries(connection: Connection, notice_ids: Sequence[int]) -> dict[int, list[Delivery]]:
    """The tries of notices, oldest first."""
    query = select(deliveries).where(deliveries.c.notice_id.in_(notice_ids)).order_by(deliveries.c.id)
    found: dict[int, list[Delivery]] = {}
    for row in connection.execute(query):
        found.setdefault(row.notice_id, []).append(Delivery(row.at_s, row.took_s, row.detail))
    return found
