"""Wrong keys counted by address, in memory that all workers share, so that guessing is slow everywhere.

A table of fixed size: an address has one place, found by a keyed hash, and addresses that meet in one
place share its count. A right key is never refused, so that at worst a stranger's wrong one is.
"""

from __future__ import annotations

import hmac
import ipaddress
from pathlib import Path

from ..capture.cells import CellFile
from ..capture.process import Process
from ..errors import CellsError, TooManyTriesError

TRIES = 10
SPAN_S = 300
_PLACES = 1024


class Tries:
    """The table in `<state>/tries.cells`, or in this worker's own memory while that can't be used."""

    def __init__(self, state: Path, secret: bytes) -> None:
        self._path = state / "tries.cells"
        self._secret = secret
        self._shared: CellFile | None = None
        self._private: CellFile | None = None

    def wrong(self, address: str, now_s: float) -> None:
        """Count a wrong key. Raises TooManyTriesError when the address has used up its tries."""
        place = self._place(address)
        if now_s - place[0] >= SPAN_S or now_s < place[0]:
            place[0], place[1] = int(now_s), 0
        place[1] += 1
        if place[1] > TRIES:
            wait_s = max(1, int(place[0] + SPAN_S - now_s))
            raise TooManyTriesError(
                f"{TRIES} wrong keys came from your address; try again in {wait_s} s", retry_after_s=wait_s
            )

    def left(self, address: str, now_s: float) -> int:
        """How many wrong keys the address may still send in this span."""
        place = self._place(address)
        return TRIES if now_s - place[0] >= SPAN_S else max(0, TRIES - place[1])

    def _place(self, address: str) -> memoryview:
        digest = hmac.digest(self._secret, _network(address).encode(), "sha256")
        number = int.from_bytes(digest[:8], "little") % _PLACES
        cells = self._file().tool(0)
        return cells[2 * number : 2 * number + 2]

    def _file(self) -> CellFile:
        if self._shared is None:
            self._shared = _opened(self._path) or _created(self._path)
        if self._shared is not None:
            return self._shared
        if self._private is None:
            self._private = CellFile.create(None, Process.current())
        return self._private


def _opened(path: Path) -> CellFile | None:
    try:
        cells = CellFile.open(path, writable=True)
        cells.tool(0)
    except CellsError:
        return None
    return cells


def _created(path: Path) -> CellFile | None:
    """None also where another worker makes the file just now: it can be opened the next time."""
    try:
        cells = CellFile.create(path, Process.current())
        cells.tool(0)
    except CellsError:
        return None
    return cells


def _network(address: str) -> str:
    """An IPv4 address as it is, of an IPv6 address the /64 that one customer has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # a Unix socket has no address
        return address
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address
