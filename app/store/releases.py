"""Which release the service ran from when on: a marker where it changed."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from .schema import releases


class Release(NamedTuple):
    """A release that an instance started with, and when (Unix seconds)."""

    at_s: float
    instance: str
    release: str


_MEMBERS = (releases.c.at_s, releases.c.instance, releases.c.release)
_NEWEST_FIRST = (releases.c.at_s.desc(), releases.c.id.desc())


def note(connection: Connection, instance: str, release: str, started_s: float) -> None:
    """Keep that an instance started with this release, unless it is the newest that is known already.

    Call it once a run: while instances are replaced one by one, each goes on with what it started with.
    """
    known = newest(connection)
    if known is None or known.release != release:
        row = {"at_s": started_s, "instance": instance, "release": release}
        connection.execute(insert(releases).values(row))


def read_releases(connection: Connection, start_s: float, end_s: float) -> list[Release]:
    """The releases that began in [start_s, end_s), oldest first; of instances that start together one."""
    query = select(*_MEMBERS).where(releases.c.at_s >= start_s, releases.c.at_s < end_s)
    found: list[Release] = []
    for row in connection.execute(query.order_by(releases.c.at_s, releases.c.id)):
        if not found or found[-1].release != row.release:
            found.append(Release(*row))
    return found


def newest(connection: Connection) -> Release | None:
    """The release that began last; None where none was named."""
    row = connection.execute(select(*_MEMBERS).order_by(*_NEWEST_FIRST).limit(1)).one_or_none()
    return Release(*row) if row else None
