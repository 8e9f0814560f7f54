"""Small disks in memory, and how to fill them; to mount one takes root."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def mounted(place: Path, size: str) -> Iterator[Path]:
    """A disk of that size ("256k") at a place that is made for it."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def remounted(place: Path, option: str) -> None:
    """The same disk with another size ("size=1m"), or other rights ("ro", "rw")."""
    subprocess.run(["mount", "-o", f"remount,{option}", place], check=True)


def fill(place: Path) -> Path:
    """Leave no room on the disk; the file that takes it."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 4096):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    return filler
