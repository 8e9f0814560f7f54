"""The life of alerts: opened when a condition begins to hold, kept up to date, resolved when it ends.

At most one alert is open to each rule, tool and instance; the store itself holds that, by a partial unique
index.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields

from sqlalchemy import Connection, bindparam, delete, select, update

from ..model.alerting import SEVERITIES, ActiveAlert, Condition
from .rows import insert_new
from .schema import alerts

_CONDITION = [alerts.c[field.name] for field in fields(Condition)]
_ACTIVE = [*_CONDITION, alerts.c.opened_s]
_PAST = [*_ACTIVE, alerts.c.resolved_s]
_OPEN = alerts.c.resolved_s.is_(None)


@dataclass(frozen=True, slots=True)
class PastAlert:
    """An alert of the history: as it was last seen, when it began and ended (Unix seconds; None: open)."""

    type: str
    tool: str
    severity: str
    message: str
    value: float
    threshold: float
    opened_s: float
    resolved_s: float | None


def sync(connection: Connection, conditions: Sequence[Condition], now_s: float, instance: str = "") -> None:
    """Make the open alerts those of `conditions`, all that hold at `now_s` (one to each rule and tool).

    Those of an instance are about its machine, those of none about the tools of all instances.
    """
    own = _OPEN & (alerts.c.instance == instance)
    still_open = connection.execute(select(alerts.c.id, *_CONDITION).where(own))
    held = {(row.type, row.tool): row for row in still_open}
    holding = {(condition.type, condition.tool): condition for condition in conditions}
    new = [asdict(condition) for key, condition in holding.items() if key not in held]
    insert_new(connection, alerts, [{**values, "opened_s": now_s, "instance": instance} for values in new])
    changed = [
        {"alert_id": row.id, **asdict(holding[key])}
        for key, row in held.items()
        if key in holding and Condition(*row[1:]) != holding[key]
    ]
    if changed:
        connection.execute(update(alerts).where(alerts.c.id == bindparam("alert_id")), changed)
    over = [row.id for key, row in held.items() if key not in holding]
    if over:
        connection.execute(update(alerts).where(alerts.c.id.in_(over)).values(resolved_s=now_s))


def resolve_gone(
    connection: Connection, instances: Collection[str], now_s: float, *, opened_before_s: float
) -> None:
    """Resolve what is open about the machines of other instances than these: nobody judges it any more.

    What was opened later is left: an instance judges its machine before it is known as one.
    """
    gone = _OPEN & (alerts.c.instance != "") & alerts.c.instance.not_in(instances)
    gone &= alerts.c.opened_s < opened_before_s
    connection.execute(update(alerts).where(gone).values(resolved_s=now_s))


def active(connection: Connection) -> list[ActiveAlert]:
    """The open alerts, worst first, then oldest first."""
    query = select(*_ACTIVE).where(_OPEN).order_by(alerts.c.id)
    found = [ActiveAlert(*row) for row in connection.execute(query)]
    return sorted(found, key=lambda alert: (-SEVERITIES.index(alert.severity), alert.since_s))


def recent(connection: Connection, limit: int) -> list[PastAlert]:
    """The newest `limit` alerts, open ones included, newest first."""
    newest = select(*_PAST).order_by(alerts.c.opened_s.desc(), alerts.c.id.desc()).limit(limit)
    return [PastAlert(*row) for row in connection.execute(newest)]


def prune_resolved(connection: Connection, before_s: float, limit: int) -> int:
    """Delete at most `limit` alerts that were resolved before that instant; returns how many."""
    due = select(alerts.c.id).where(alerts.c.resolved_s < before_s).order_by(alerts.c.resolved_s).limit(limit)
    return connection.execute(delete(alerts).where(alerts.c.id.in_(due))).rowcount
