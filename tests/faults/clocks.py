"""A service under a clock of its own, by libfaketime: its offset is a file's text, read at each look.

The monotonic clock stays what it is, as it does where a system's clock is set.
"""

from __future__ import annotations

from pathlib import Path

# libfaketime takes the monotonic instant that Python sleeps until for one of its own clock. Python runs a
# module of this name at its start.
SLEEP = """
import select, time
time.sleep = lambda seconds: select.select([], [], [], seconds) and None
"""
PLACES = ("*/faketime/libfaketime.so.1", "faketime/libfaketime.so.1")


class Clock:
    """The clock that a file in `folder` tells, as an offset from the true one."""

    def __init__(self, folder: Path, offset: str = "+0") -> None:
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(SLEEP)
        self._file = folder / "offset"
        self.set(offset)

    def set(self, offset: str) -> None:
        """So far from the true time: "-1h", "+1d", "+40"."""
        fresh = self._file.with_name("offset.new")
        fresh.write_text(f"{offset}\n")
        fresh.replace(self._file)

    @property
    def env(self) -> dict[str, str]:
        """What makes a program go by it."""
        library = next((path for place in PLACES for path in Path("/usr/lib").glob(place)), None)
        assert library is not None, "libfaketime is not there: make .cache/faketime"
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "PYTHONPATH": str(self._file.parent),
            "DONT_FAKE_MONOTONIC": "1",
        }
