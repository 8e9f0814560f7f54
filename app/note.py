"""One line from the elected worker to all others: why the store does not take what it has for it.

Readers may get on well while nothing can be written, and only the elected worker writes. The line lies in a
file of fixed size, made while there is room and overwritten in place: it may have to tell of a full disk.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

NOTE_FILE = "note"
_BYTES = 512


class Note:
    """The line at `path`; "" says that all is well."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, line: str) -> None:
        """Say this from now on. Where that is impossible readers find out later, by what is missing."""
        with suppress(OSError):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                os.pwrite(descriptor, line.encode()[:_BYTES].ljust(_BYTES), 0)
            finally:
                os.close(descriptor)

    def read(self) -> str:
        """What the elected worker said last."""
        try:
            with self._path.open("rb") as file:
                return file.read(_BYTES).decode("utf-8", "ignore").strip()
        except OSError:
            return ""
