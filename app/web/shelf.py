"""What workers lend each other: a panel that one of them has made is good for the others for some seconds.

Ten open dashboards then cost one computation of each panel, whichever worker they ask. A text is a small file
below the state folder, put there whole by a rename. Who finds none that is fresh makes it while the others
wait; where files or locks fail, everybody makes their own, and nothing else is different.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

_FOLDER = "shown"
_WAITED_S = 2.0
_POLLED_S = 0.005
_KEPT_S = 60.0
_MOST = 500


class Lent(NamedTuple):
    """A text, and when it was made (Unix seconds)."""

    text: str
    made_s: float


class Shelf:
    """One state folder's texts. All times are Unix seconds."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / _FOLDER
        self._swept_s = 0.0

    def get(self, key: str, now_s: float, fresh_s: float, make: Callable[[], str]) -> Lent:
        """The text of that `key` if it is younger than `fresh_s`, else what `make` makes now."""
        path = self._folder / sha256(key.encode("utf-8", "replace")).hexdigest()[:40]
        if found := _fresh(path, now_s, fresh_s):
            return found
        lock = FileLock(f"{path}.lock", timeout=_WAITED_S, poll_interval=_POLLED_S)
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            lock.acquire()
        except (OSError, Timeout):
            return Lent(make(), now_s)
        try:
            return _fresh(path, now_s, fresh_s) or self.put(key, now_s, make())
        finally:
            lock.release()

    def put(self, key: str, now_s: float, text: str) -> Lent:
        """Lend a text that was made at `now_s`; a folder that takes none is no reason to fail."""
        path = self._folder / sha256(key.encode("utf-8", "replace")).hexdigest()[:40]
        part = path.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            part.write_text(f"{now_s!r}\n{text}", "utf-8", "replace")
            os.utime(part, (now_s, now_s))
            part.replace(path)
            self._sweep(now_s)
        return Lent(text, now_s)

    def _sweep(self, now_s: float) -> None:
        """Remove what nobody asked for lately; so many addresses that it would be too much, all at once."""
        if 0 <= now_s - self._swept_s < _KEPT_S:
            return
        self._swept_s = now_s
        found = list(self._folder.iterdir())
        for path in found:
            if len(found) > _MOST or abs(now_s - path.stat().st_mtime) > _KEPT_S:
                path.unlink(missing_ok=True)


def _fresh(path: Path, now_s: float, fresh_s: float) -> Lent | None:
    try:
        made, _, text = path.read_text("utf-8").partition("\n")
        made_s = float(made)
    except (OSError, ValueError):
        return None
    return Lent(text, made_s) if 0 <= now_s - made_s < fresh_s else None
