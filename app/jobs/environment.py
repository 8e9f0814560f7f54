"""The channels that the environment names: they have rows, and their addresses never leave the settings."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Collection, Iterator

from ..courier import Courier, Target
from ..errors import LaptimeError
from ..model.channels import Channel
from ..settings import Settings
from ..store import Connection, channels
from ..store.channels import StoredChannel

log = logging.getLogger("laptime")

_DIGITS = 16


class Environment:
    """The addresses of `settings.notify_urls`; `secret` hides which they are from whoever reads the store."""

    def __init__(self, settings: Settings, secret: bytes, courier: Courier) -> None:
        self._courier = courier
        self._urls = {
            hmac.new(secret, url.encode(), "sha256").hexdigest()[:_DIGITS]: url
            for url in settings.notify_urls.split()
        }
        self._targets: dict[str, Target] | None = None
        self._is_synced = False

    def url_of(self, stored: StoredChannel) -> str:
        """The address to send to: sealed, or in the clear where the environment has it; "" if it is gone."""
        return self._urls.get(stored.source, "") if stored.source else stored.sealed

    def prepare(self) -> None:
        """Find out what the addresses are, once; each takes a moment, so do it outside transactions."""
        if self._targets is None:
            self._targets = dict(self._checked())

    def sync(self, connection: Connection) -> None:
        """Make the rows of addresses that are new, and remove those of addresses that are gone; once."""
        targets = self._targets
        if self._is_synced or targets is None:
            return
        known = channels.read_channels(connection)
        for one in known:
            if one.source and one.source not in self._urls:
                channels.remove(connection, one.id)
        names = {one.channel.name for one in known}
        for source in targets.keys() - {one.source for one in known}:
            name = _free(f"{targets[source].service} of the environment", names)
            names.add(name)
            address = {"service": targets[source].service, "shown": targets[source].shown, "source": source}
            channels.add(connection, Channel(name=name), address)
        self._is_synced = True

    def _checked(self) -> Iterator[tuple[str, Target]]:
        for source, url in self._urls.items():
            try:
                yield source, self._courier.seal(url)
            except LaptimeError as error:
                log.error("LAPTIME_NOTIFY_URLS has an address that can't be used: %s", error)


def _free(wanted: str, names: Collection[str]) -> str:
    """The name, or the same with the first number that is free."""
    wanted = wanted[:90]
    numbered = (f"{wanted} {number}" for number in range(2, len(names) + 3))
    return next(one for one in (wanted, *numbered) if one not in names)
