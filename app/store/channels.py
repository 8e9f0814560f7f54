"""Channels as rows. The address is encrypted, or one of the environment, which is not in the store at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from ..model.channels import Channel
from .alerting_schema import channels


@dataclass(frozen=True, slots=True)
class StoredChannel:
    """A channel: `service` is what it is ("E-mail"), `shown` its address without secrets.

    `sealed` is the encrypted address; for one of the environment it is empty, and `source` tells which it is.
    """

    id: int
    channel: Channel
    service: str
    shown: str
    sealed: str = ""
    source: str = ""


def read_channels(connection: Connection) -> list[StoredChannel]:
    """All channels in the order that they were made."""
    return [_stored(row) for row in connection.execute(select(channels).order_by(channels.c.id))]


def one(connection: Connection, id: int) -> StoredChannel | None:
    """The channel of that id."""
    row = connection.execute(select(channels).where(channels.c.id == id)).one_or_none()
    return _stored(row) if row is not None else None


def add(connection: Connection, channel: Channel, address: Mapping[str, str]) -> int:
    """Make a channel; its id. `address` has service, shown, and sealed or source. The name must be new."""
    values = {"name": channel.name, "data": _encoded(channel), **address}
    made: int = connection.execute(insert(channels).values(**values).returning(channels.c.id)).scalar_one()
    return made


def put(connection: Connection, id: int, channel: Channel, address: Mapping[str, str]) -> None:
    """Change a channel; with an empty `address` that stays."""
    values = {"name": channel.name, "data": _encoded(channel), **address}
    connection.execute(update(channels).where(channels.c.id == id).values(values))


def remove(connection: Connection, id: int) -> None:
    """Delete a channel, and with it what it was or was to be sent."""
    connection.execute(delete(channels).where(channels.c.id == id))


_CHANNEL = msgspec.json.Decoder(Channel)


def _encoded(channel: Channel) -> str:
    return msgspec.json.encode(channel).decode()


def _stored(row: Row[tuple[object, ...]]) -> StoredChannel:
    return StoredChannel(row.id, _CHANNEL.decode(row.data), row.service, row.shown, row.sealed, row.source)
