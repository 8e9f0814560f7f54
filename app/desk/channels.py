"""Channels as people make and try them, and the log of what went out.

An address is shown to nobody again: it is encrypted, or it is one of the environment's.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..courier import Courier, Target
from ..errors import ConflictError, NotFoundError
from ..model.channels import Channel
from ..model.checking import check_channel
from ..store import Connection, channels, notice_log, notices
from ..store.channels import StoredChannel
from ..store.notice_log import Delivery
from ..store.notices import Notice
from .door import Door

MOST_CHANNELS = 50


@dataclass(frozen=True, slots=True)
class Told:
    """A channel, and its newest notice; None before the first."""

    stored: StoredChannel
    newest: Notice | None


@dataclass(frozen=True, slots=True)
class Logged:
    """A notice of the delivery log, to whom it went, and its tries."""

    notice: Notice
    channel: str
    tries: Sequence[Delivery]


class ChannelDesk:
    """Raises BadRequestError for a channel that can't be, NotFoundError for one that there is not, and
    ConflictError for what does not fit to the others.
    """

    def __init__(self, door: Door, courier: Courier) -> None:
        self._door = door
        self._courier = courier

    def all(self) -> list[Told]:
        """All channels, each with the fate of its newest notice."""
        with self._door.reading() as connection:
            found = []
            for one in channels.read_channels(connection):
                newest = notice_log.log(connection, 1, channel_id=one.id)
                found.append(Told(one, newest[0] if newest else None))
            return found

    def one(self, id: int) -> StoredChannel:
        """The channel of that id."""
        with self._door.reading() as connection:
            return _there(connection, id)

    def told(self, id: int) -> Told:
        """The same with its newest notice."""
        with self._door.reading() as connection:
            newest = notice_log.log(connection, 1, channel_id=id)
            return Told(_there(connection, id), newest[0] if newest else None)

    def make(self, channel: Channel, url: str) -> StoredChannel:
        """Save a new channel."""
        check_channel(channel)
        address = _address(self._courier.seal(url))
        with self._door.changing() as connection:
            known = channels.read_channels(connection)
            if len(known) >= MOST_CHANNELS:
                raise ConflictError(f"there are {len(known)} channels; allowed are {MOST_CHANNELS}")
            _check_new_name(channel.name, known)
            return _there(connection, channels.add(connection, channel, address))

    def change(self, id: int, channel: Channel, url: str = "") -> StoredChannel:
        """Save a channel anew; without a `url` its address stays."""
        check_channel(channel)
        address = _address(self._courier.seal(url)) if url else {}
        with self._door.changing() as connection:
            if url and _there(connection, id).source:
                raise ConflictError("the address of this channel is set by LAPTIME_NOTIFY_URLS")
            others = [one for one in channels.read_channels(connection) if one.id != id]
            _check_new_name(channel.name, others)
            channels.put(connection, id, channel, address)
            return _there(connection, id)

    def remove(self, id: int) -> None:
        """Delete a channel and its log; one of the environment is turned off instead."""
        with self._door.changing() as connection:
            if _there(connection, id).source:
                raise ConflictError("this channel is set by LAPTIME_NOTIFY_URLS; turn it off instead")
            channels.remove(connection, id)

    def test(self, id: int) -> Notice:
        """Put a test notice into the outbox; it goes out within seconds, and the log tells how it went."""
        with self._door.changing() as connection:
            _there(connection, id)
            key = secrets.token_hex(8)
            return notices.add(connection, id, notices.TEST, "info", self._door.now_s(), key)

    def notice(self, key: str) -> Logged:
        """A notice and its tries."""
        with self._door.reading() as connection:
            # PostgreSQL takes no NUL in a text, and no key has one.
            found = notice_log.one(connection, key) if key.isprintable() else None
            if found is None:
                raise NotFoundError(f"there is no notice {key!r}")
            return _logged(connection, [found])[0]

    def log(self, limit: int, *, before_id: int | None = None, state: str = "") -> list[Logged]:
        """A page of the delivery log, newest first."""
        with self._door.reading() as connection:
            found = notice_log.log(connection, min(limit, 200), before_id=before_id, state=state)
            return _logged(connection, found)


def _there(connection: Connection, id: int) -> StoredChannel:
    found = channels.one(connection, id)
    if found is None:
        raise NotFoundError(f"there is no channel {id}")
    return found


def _check_new_name(name: str, others: Sequence[StoredChannel]) -> None:
    if any(one.channel.name.casefold() == name.casefold() for one in others):
        raise ConflictError(f"there is a channel {name!r} already; give this one another name")


def _address(target: Target) -> Mapping[str, str]:
    return {"service": target.service, "shown": target.shown, "sealed": target.sealed}


def _logged(connection: Connection, found: Sequence[Notice]) -> list[Logged]:
    names = {one.id: one.channel.name for one in channels.read_channels(connection)}
    tries = notice_log.tries(connection, [one.id for one in found])
    return [Logged(one, names[one.channel_id], tries.get(one.id, ())) for one in found]
