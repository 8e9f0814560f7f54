"""Alerts as rows: opened, kept up to date, acknowledged, resolved.

At most one alert is open to each rule, tool and instance; the store itself holds that, by a partial unique
index. What decides is `model.life`; reading them back page by page is `alert_pages`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from ..model.alerting import Alert, rank
from .alerting_schema import alerts

OPEN = alerts.c.resolved_s.is_(None)


def open_alert(connection: Connection, values: Mapping[str, Any]) -> int:
    """Open an alert; its id. `values` are those of its columns."""
    made: int = connection.execute(insert(alerts).values(**values).returning(alerts.c.id)).scalar_one()
    return made


def change(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change alerts by their `id`: each row has the same members, columns by name."""
    if not rows:
        return
    names = [name for name in rows[0] if name != "id"]
    statement = update(alerts).where(alerts.c.id == bindparam("alert_id"))
    statement = statement.values({name: bindparam(f"new_{name}") for name in names})
    connection.execute(
        statement,
        [{"alert_id": row["id"], **{f"new_{name}": row[name] for name in names}} for row in rows],
    )


def active(connection: Connection) -> list[Alert]:
    """The open alerts, worst first, then oldest first."""
    query = select(alerts).where(OPEN).order_by(alerts.c.id)
    found = [alert_of(row) for row in connection.execute(query).mappings()]
    return sorted(found, key=lambda alert: (-rank(alert.severity), alert.since_s))


def newest_of(connection: Connection, type: str, tool: str, instance: str) -> Alert | None:
    """The newest alert of a rule and target, open or not."""
    same = (alerts.c.type == type) & (alerts.c.tool == tool) & (alerts.c.instance == instance)
    query = select(alerts).where(same).order_by(alerts.c.id.desc()).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    return alert_of(row) if row is not None else None


def one(connection: Connection, id: int) -> Alert | None:
    """The alert of that id."""
    row = connection.execute(select(alerts).where(alerts.c.id == id)).mappings().one_or_none()
    return alert_of(row) if row is not None else None


def some(connection: Connection, ids: Sequence[int]) -> dict[int, Alert]:
    """The alerts of these ids."""
    found = connection.execute(select(alerts).where(alerts.c.id.in_(ids))).mappings()
    return {row["id"]: alert_of(row) for row in found}


def alert_of(row: RowMapping) -> Alert:
    """An Alert of a row of the table."""
    values = dict(row)
    return Alert(since_s=values.pop("opened_s"), **values)


def prune_resolved(connection: Connection, before_s: float, limit: int) -> int:
    """Delete at most `limit` alerts that were resolved before that instant; returns how many."""
    due = select(alerts.c.id).where(alerts.c.resolved_s < before_s).order_by(alerts.c.resolved_s).limit(limit)
    return connection.execute(delete(alerts).where(alerts.c.id.in_(due))).rowcount
