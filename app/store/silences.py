"""Silences as rows: made in advance or at once, ended early, kept for a while as a record."""

from __future__ import annotations

import json
from dataclasses import asdict

from sqlalchemy import Connection, Row, delete, insert, select, update

from ..model.silencing import Silence
from .alerting_schema import silences


def add(connection: Connection, silence: Silence) -> int:
    """Make a silence; its id."""
    values = asdict(silence) | {"tools": json.dumps(silence.tools) if silence.tools else ""}
    del values["id"]
    made: int = connection.execute(insert(silences).values(**values).returning(silences.c.id)).scalar_one()
    return made


def end(connection: Connection, id: int, now_s: float) -> None:
    """End a silence now; one that has not begun never does."""
    connection.execute(
        update(silences).where(silences.c.id == id, silences.c.end_s > now_s).values(end_s=now_s)
    )


def one(connection: Connection, id: int) -> Silence | None:
    """The silence of that id."""
    row = connection.execute(select(silences).where(silences.c.id == id)).one_or_none()
    return _silence(row) if row is not None else None


def standing(connection: Connection, now_s: float) -> list[Silence]:
    """The silences that are not over, those that end first first."""
    query = select(silences).where(silences.c.end_s > now_s).order_by(silences.c.end_s, silences.c.id)
    return [_silence(row) for row in connection.execute(query)]


def past(connection: Connection, now_s: float, limit: int) -> list[Silence]:
    """The silences that are over, newest first."""
    query = select(silences).where(silences.c.end_s <= now_s).order_by(silences.c.end_s.desc()).limit(limit)
    return [_silence(row) for row in connection.execute(query)]


def prune(connection: Connection, before_s: float, limit: int) -> int:
    """Delete at most `limit` silences that were over before that instant; returns how many."""
    due = select(silences.c.id).where(silences.c.end_s < before_s).order_by(silences.c.end_s).limit(limit)
    return connection.execute(delete(silences).where(silences.c.id.in_(due))).rowcount


def _silence(row: Row[tuple[object, ...]]) -> Silence:
    tools = tuple(json.loads(row.tools)) if row.tools else ()
    members = (row.id, row.start_s, row.end_s, row.type, tools, row.severity, row.reason, row.author)
    return Silence(*members)
