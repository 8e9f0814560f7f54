"""The history of alerts, a page at a time, newest first.

A page goes on where the one before ended (its cursor), so the millionth alert costs what the first did. An
index answers for a tool, a type, a span, and what is open. Of what else is asked for, a page looks at a
bounded number of alerts and says where it stopped: it may hold fewer than the limit, or none, and not be the
last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, or_, select, tuple_
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from ..model.alerting import Alert
from .alerting_schema import alerts
from .alerts import alert_of

SCANNED = 20_000
STATES = ("active", "firing", "acknowledged", "flapping", "no_data", "resolved")


class Cursor(NamedTuple):
    """Where a page ends: the next one begins after that alert."""

    opened_s: float
    id: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which alerts: empty members take all; `state` is one of STATES, and `active` all that are open.

    `severity` is the worst that it was. `text` is looked for in tool, message, type and release.
    """

    tool: str = ""
    type: str = ""
    severity: str = ""
    state: str = ""
    text: str = ""
    from_s: float | None = None
    to_s: float | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Alerts, and where the next page begins; None where there is none."""

    alerts: tuple[Alert, ...]
    following: Cursor | None


def page(connection: Connection, wanted: Filter, limit: int, after: Cursor | None = None) -> Page:
    """The next `limit` alerts, newest first."""
    within = _within(wanted, after)
    newest = select(alerts).where(*within).order_by(alerts.c.opened_s.desc(), alerts.c.id.desc())
    checks = _checks(wanted)
    if not checks:
        found = connection.execute(newest.limit(limit + 1)).mappings().all()
        there = tuple(alert_of(row) for row in found[:limit])
        return Page(there, _cursor(there[-1]) if len(found) > limit else None)
    scanned = newest.limit(SCANNED).subquery()
    query = select(scanned).where(*(check(scanned.c) for check in checks))
    query = query.order_by(scanned.c.opened_s.desc(), scanned.c.id.desc()).limit(limit + 1)
    found = connection.execute(query).mappings().all()
    there = tuple(alert_of(row) for row in found[:limit])
    if len(found) > limit:
        return Page(there, _cursor(there[-1]))
    return Page(there, _last_scanned(connection, newest))


def newer(connection: Connection, wanted: Filter, limit: int, before: Cursor) -> Page | None:
    """The `limit` alerts that stand just before a page that begins with `before`, newest first.

    None where there are fewer: what stands before it is then the first page.
    """
    is_newer = tuple_(alerts.c.opened_s, alerts.c.id) > before
    query = select(alerts).where(is_newer, *_within(wanted, None)).order_by(alerts.c.opened_s, alerts.c.id)
    if checks := _checks(wanted):
        scanned = query.limit(SCANNED).subquery()
        query = select(scanned).where(*(check(scanned.c) for check in checks))
        query = query.order_by(scanned.c.opened_s, scanned.c.id)
    found = [alert_of(row) for row in connection.execute(query.limit(limit)).mappings()]
    found.reverse()
    return Page(tuple(found), _cursor(found[-1])) if len(found) == limit else None


def _cursor(alert: Alert) -> Cursor:
    return Cursor(alert.since_s, alert.id)


def _last_scanned(connection: Connection, newest: Select[tuple[object, ...]]) -> Cursor | None:
    ends = newest.with_only_columns(alerts.c.opened_s, alerts.c.id).offset(SCANNED - 1).limit(1)
    row = connection.execute(ends).one_or_none()
    return Cursor(*row) if row is not None else None


def _within(wanted: Filter, after: Cursor | None) -> list[ColumnElement[bool]]:
    """What an index answers."""
    found: list[ColumnElement[bool]] = []
    if after is not None:
        found.append(tuple_(alerts.c.opened_s, alerts.c.id) < after)
    if wanted.tool:
        found.append(alerts.c.tool == wanted.tool)
    elif wanted.type:
        found.append(alerts.c.type == wanted.type)
    if wanted.state not in ("", "resolved"):
        found.append(alerts.c.resolved_s.is_(None))
    if wanted.from_s is not None:
        found.append(alerts.c.opened_s >= wanted.from_s)
    if wanted.to_s is not None:
        found.append(alerts.c.opened_s < wanted.to_s)
    return found


def _checks(wanted: Filter) -> list[_Check]:
    """What is looked at row by row."""
    found: list[_Check] = []
    if wanted.type and wanted.tool:
        found.append(lambda columns: columns.type == wanted.type)
    if wanted.severity:
        found.append(lambda columns: columns.peak_severity == wanted.severity)
    if wanted.state not in ("", "active"):
        found.append(lambda columns: _is_in(columns, wanted.state))
    if wanted.text:
        names = ("tool", "message", "type", "release")
        found.append(
            lambda columns: or_(*(columns[name].icontains(wanted.text, autoescape=True) for name in names))
        )
    return found


def _is_in(columns: _Columns, state: str) -> ColumnElement[bool]:
    """Whether it is in that state as people say it (`Alert.stage`); what is not open is not in here."""
    is_seen: ColumnElement[bool] = columns.acknowledged_s.is_not(None)
    if state == "acknowledged":
        return is_seen
    found: ColumnElement[bool] = columns.state == state
    return found if state == "resolved" else found & ~is_seen


_Columns = ReadOnlyColumnCollection[str, Any]
_Check = Callable[[_Columns], ColumnElement[bool]]
