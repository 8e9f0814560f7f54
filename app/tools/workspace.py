"""Files below one folder, and nothing outside it: the only way that the tools reach a file.

A path is opened one part at a time, each relative to the directory that was opened before it, and no
part may be a symbolic link (openat(2) with O_NOFOLLOW). What is read is therefore below the workspace
at the moment of opening, whatever is renamed or linked meanwhile; checking the path first and opening
it afterwards could not promise that.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from ..errors import BadArgumentsError, NotFoundError, SettingError, TooLargeError, UnavailableError
from ..settings import Settings

MAX_PATH_BYTES = 4_096
MAX_ENTRIES = 1_000
MAX_SCANNED = 100_000
# Keys and a repository's inside: for the tools no such name exists, at any depth.
SECRET_NAMES = (".env", ".env.*", "*.pem", "*.key", "id_*", ".git")

# O_NONBLOCK: opening a FIFO would otherwise wait for its writer. O_NOCTTY: no terminal becomes ours.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_DIRECTORY = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY
_ROOT = os.O_RDONLY | os.O_DIRECTORY  # may be a link: whoever runs the service named it

_UNREADABLE = (NotFoundError, "the service may not read it")
_LINK = (BadArgumentsError, "it is a symbolic link, and links are not followed")
_IRREGULAR = (BadArgumentsError, "it is not a regular file")
_IMPOSSIBLE = (BadArgumentsError, "the file system allows no such name")
_FAILED = (UnavailableError, "the file system can't answer now")
_REFUSALS = MappingProxyType(
    {
        errno.ENOENT: (NotFoundError, "it is not in the workspace"),
        errno.EACCES: _UNREADABLE,
        errno.EPERM: _UNREADABLE,
        errno.ELOOP: _LINK,
        errno.EMLINK: _LINK,  # FreeBSD's word for it
        errno.ENOTDIR: (BadArgumentsError, "a directory is needed where it has a file or a symbolic link"),
        errno.EISDIR: (BadArgumentsError, "it is a directory; a file is needed"),
        errno.ENXIO: _IRREGULAR,  # a socket
        errno.EOPNOTSUPP: _IRREGULAR,
        errno.ENODEV: _IRREGULAR,
        errno.ENAMETOOLONG: (BadArgumentsError, "a name in it is longer than the file system allows"),
        errno.EINVAL: _IMPOSSIBLE,
        errno.EILSEQ: _IMPOSSIBLE,
    }
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a directory. `kind` is directory, file, link or other; only a file has a size."""

    name: str
    kind: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Listing:
    """A directory's first MAX_ENTRIES entries by name, and how many more there are.

    `complete` is False when counting stopped at MAX_SCANNED names: then `entries` are the first of
    these, and `more` is the least that there are.
    """

    entries: tuple[Entry, ...]
    more: int
    complete: bool


class Workspace:
    """Reads text and lists directories below `settings.workspace`.

    Paths are relative, with `/` between their parts. Both methods raise BadArgumentsError for a path
    that is malformed, leaves the workspace, meets a symbolic link or ends at the wrong kind of thing,
    NotFoundError for what is not there or is not to be seen, and UnavailableError when the file system
    fails. Secrets (SECRET_NAMES) and the state folder are not to be seen.
    """

    def __init__(self, settings: Settings) -> None:
        """Raises SettingError when the workspace is no directory that can be read."""
        self.root = Path(os.path.realpath(settings.workspace))
        self._state_dir = Path(os.path.realpath(settings.state_dir))
        self._max_file_bytes = settings.max_file_bytes
        try:
            os.close(os.open(self.root, _ROOT))
        except OSError as error:
            raise SettingError(
                f"LAPTIME_WORKSPACE is {str(settings.workspace)!r} ({error.strerror}); "
                "allowed is a directory that the service may read"
            ) from None

    def read_text(self, path: str) -> str:
        """The text of a regular file in UTF-8, its line ends untouched.

        Raises TooLargeError beyond `max_file_bytes`, BadArgumentsError for bytes that are not UTF-8.
        """
        with self._opened(path, _FILE) as descriptor:
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISDIR(mode):
                raise IsADirectoryError(errno.EISDIR, path)
            if not stat.S_ISREG(mode):
                raise OSError(errno.ENXIO, path)
            with open(descriptor, "rb", closefd=False) as file:
                data = file.read(self._max_file_bytes + 1)
        if len(data) > self._max_file_bytes:
            raise TooLargeError(f"{path!r} is too large; allowed is at most {self._max_file_bytes:,} bytes")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadArgumentsError(f"{path!r} is not UTF-8 text (byte {error.start:,})") from None

    def list_directory(self, path: str) -> Listing:
        """The entries of a directory; `.` is the workspace itself."""
        with self._opened(path, _DIRECTORY) as descriptor:
            with os.scandir(descriptor) as found:
                names = [entry.name for entry in islice(found, MAX_SCANNED + 1)]
            shown = sorted(name for name in names[:MAX_SCANNED] if not _is_secret(name))
            entries = [
                _entry(name, status)
                for name in shown[:MAX_ENTRIES]
                if (status := _status(name, descriptor)) and not self._is_state_dir(status)
            ]
        return Listing(tuple(entries), max(0, len(shown) - MAX_ENTRIES), len(names) <= MAX_SCANNED)

    @contextmanager
    def _opened(self, path: str, flags: int) -> Iterator[int]:
        """The descriptor of what `path` names; every OSError until it is closed becomes an error of ours."""
        parts = _parts(path)
        try:
            descriptor = self._walk(parts, flags)
            try:
                yield descriptor
            finally:
                os.close(descriptor)
        except OSError as error:
            kind, why = _REFUSALS.get(error.errno or 0, _FAILED)
            raise kind(f"{path!r} can't be read: {why}") from None

    def _walk(self, parts: Sequence[str], flags: int) -> int:
        descriptor = self._enter(self.root, _ROOT)
        for depth, part in enumerate(parts, start=1):
            try:
                below = self._enter(part, flags if depth == len(parts) else _DIRECTORY, descriptor)
            finally:
                os.close(descriptor)  # at once: a deep path must not use up the descriptors
            descriptor = below
        return descriptor

    def _enter(self, name: str | Path, flags: int, directory: int | None = None) -> int:
        """Open one part of a path. What is not to be seen is absent, as any name that nobody gave."""
        if directory is not None and _is_secret(str(name)):
            raise FileNotFoundError(errno.ENOENT, name)
        descriptor = os.open(name, flags, dir_fd=directory)
        if self._is_state_dir(os.fstat(descriptor)):
            os.close(descriptor)
            raise FileNotFoundError(errno.ENOENT, name)
        return descriptor

    def _is_state_dir(self, status: os.stat_result) -> bool:
        """By identity, since its name may differ in case; looked up each time, since it may be made later."""
        if not stat.S_ISDIR(status.st_mode):
            return False
        try:
            return os.path.samestat(status, self._state_dir.stat())
        except OSError:
            return False


def _parts(path: str) -> list[str]:
    """The names in a relative path, without empty ones and `.`. Raises BadArgumentsError for other paths."""
    if not path:
        raise BadArgumentsError("the path is empty; `.` is the workspace itself")
    try:
        size_bytes = len(path.encode(sys.getfilesystemencoding()))
    except UnicodeEncodeError:
        raise BadArgumentsError(f"{path[:80]!r} holds a character that no file name can hold") from None
    if size_bytes > MAX_PATH_BYTES:
        raise BadArgumentsError(f"the path has {size_bytes:,} bytes; allowed is at most {MAX_PATH_BYTES:,}")
    if "\0" in path or "\\" in path:
        raise BadArgumentsError(f"{path!r} holds a NUL or a backslash; the parts of a path are parted by `/`")
    parts = path.split("/")
    if path.startswith("/") or ".." in parts:
        raise BadArgumentsError(f"{path!r} leaves the workspace; allowed is a relative path without `..`")
    return [part for part in parts if part not in ("", ".")]


def _is_secret(name: str) -> bool:
    folded = name.casefold()  # some file systems find `.env` under `.ENV` too
    return any(fnmatchcase(folded, pattern) for pattern in SECRET_NAMES)


def _status(name: str, directory: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:  # deleted since the directory was read
        return None


def _entry(name: str, status: os.stat_result) -> Entry:
    if stat.S_ISDIR(status.st_mode):
        return Entry(name, "directory", None)
    if stat.S_ISREG(status.st_mode):
        return Entry(name, "file", status.st_size)
    return Entry(name, "link" if stat.S_ISLNK(status.st_mode) else "other", None)
