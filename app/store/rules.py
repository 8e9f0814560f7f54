"""Rules as rows, the default ones among them, and what is known of each rule and target."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, tuple_, update

from ..model.life import Watch
from ..model.readings import Target
from ..model.rules import Rule, StoredRule
from .alerting_schema import rules, watches
from .rows import insert_new, upsert

Key = tuple[str, Target]


def ensure_defaults(connection: Connection, defaults: Mapping[str, Rule]) -> None:
    """Make the default rules that are missing, and let those that nobody changed follow the settings."""
    known = {stored.type: stored for stored in read_rules(connection)}
    missing = [type for type in defaults if type not in known]
    insert_new(
        connection,
        rules,
        [{"type": type, "data": _encoded(defaults[type]), "is_default": 1} for type in missing],
    )
    for type, rule in defaults.items():
        stored = known.get(type)
        if stored is not None and stored.changed_s is None and stored.rule != rule:
            connection.execute(update(rules).where(rules.c.id == stored.id).values(data=_encoded(rule)))


def read_rules(connection: Connection) -> list[StoredRule]:
    """All rules, the default ones first, in the order that they were made."""
    return [_stored(row) for row in connection.execute(select(rules).order_by(rules.c.id))]


def one(connection: Connection, id: int) -> StoredRule | None:
    """The rule of that id."""
    row = connection.execute(select(rules).where(rules.c.id == id)).one_or_none()
    return _stored(row) if row is not None else None


def add(connection: Connection, type: str, rule: Rule, now_s: float, by: str) -> int:
    """Make a rule; its id. The type must be new."""
    values = {"type": type, "data": _encoded(rule), "is_default": 0, "changed_s": now_s, "changed_by": by}
    made: int = connection.execute(insert(rules).values(**values).returning(rules.c.id)).scalar_one()
    return made


def put(connection: Connection, id: int, rule: Rule, changed_s: float | None, by: str) -> None:
    """Change a rule; `changed_s` None makes a default rule follow the settings again."""
    values = {"data": _encoded(rule), "changed_s": changed_s, "changed_by": by}
    connection.execute(update(rules).where(rules.c.id == id).values(values))


def remove(connection: Connection, id: int) -> None:
    """Delete a rule; its alerts stay in the history."""
    connection.execute(delete(rules).where(rules.c.id == id))


def read_watches(connection: Connection) -> dict[Key, Watch]:
    """What is known of each rule, by its type, and target."""
    found = connection.execute(select(watches))
    return {(row.type, Target(row.tool, row.instance)): _WATCH.decode(row.data) for row in found}


def write_watches(connection: Connection, changed: Mapping[Key, Watch], over: Collection[Key]) -> None:
    """Keep what is known by now, and forget what is over."""
    upsert(
        connection,
        watches,
        [
            {"type": type, "tool": tool, "instance": instance, "data": msgspec.msgpack.encode(watch)}
            for (type, (tool, instance)), watch in changed.items()
        ],
    )
    if over:
        key = tuple_(watches.c.type, watches.c.tool, watches.c.instance)
        gone = [(type, tool, instance) for type, (tool, instance) in over]
        connection.execute(delete(watches).where(key.in_(gone)))


_WATCH = msgspec.msgpack.Decoder(Watch)
_RULE = msgspec.json.Decoder(Rule)


def _encoded(rule: Rule) -> str:
    return msgspec.json.encode(rule).decode()


def _stored(row: Row[tuple[object, ...]]) -> StoredRule:
    return StoredRule(
        id=row.id,
        type=row.type,
        rule=_RULE.decode(row.data),
        is_default=bool(row.is_default),
        changed_s=row.changed_s,
        changed_by=row.changed_by,
    )
