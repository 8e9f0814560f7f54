"""The election: of all workers on a host one runs the jobs, the one that holds a file's lock.

The lock dies with its holder, however it dies. Every other worker asks for it once a second, without
waiting. The file is opened by candidates only, never in a process that forks workers later.

A holder that stands still (stopped, swapped out, or stuck where no other thread of it runs) keeps the lock
and does nothing. It says at each poll that it goes on, by the file's time; whoever has seen no sign of it for
some polls removes the file, and then its successor's lock decides. The one that stood still finds its file
gone and resigns; until then `leads` is what keeps it from writing.
"""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401 - its hooks are taken before a thread could load it amid a fork
import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import SupersededError

log = logging.getLogger("laptime")

POLL_S = 1.0
STILL_POLLS = 7
_STILL_S = POLL_S * STILL_POLLS


class Candidate:
    """A thread that asks for the lock, calls `lead` once it has it, and `resign` when its file was removed.

    `beat` is called at every poll, leader or not: what each worker has to do for itself.
    """

    def __init__(
        self, lock: Path, lead: Callable[[], None], beat: Callable[[], None], resign: Callable[[], None]
    ) -> None:
        self._path = lock
        self._resign = resign
        self._lock = FileLock(lock, thread_local=False, mode=0o600)
        self._lead = lead
        self._beat = beat
        self._held = 0  # the lock file's inode while this worker leads
        self._sign, self._still = (
            (0, 0),
            0,
        )  # of life of whoever leads, and for how many polls the same
        self._refused = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._stand, name="laptime-candidate", daemon=True)

    def leads(self) -> bool:
        """Whether this worker leads at this moment; somebody may have taken its place a second ago."""
        return self._held != 0 and self._held == _sign(self._path)[0]

    def start(self) -> None:
        """Begin to stand for election."""
        self._thread.start()

    def stop(self) -> None:
        """Stop asking and, if this was the leader, let go."""
        self._ended.set()
        self._thread.join()
        self._lock.release()

    def _stand(self) -> None:
        while True:
            try:
                self._beat()
                if self._held and not self.leads():  # removed: somebody else may hold its successor
                    self._held = 0
                    self._resign()
                    self._lock.release()
                if not self._held and self._is_elected():
                    self._held = _sign(self._path)[0]
                    self._lead()
                if self._held:
                    os.utime(self._path)
                else:
                    self._watch()
            except Exception as error:
                if not threading.main_thread().is_alive():
                    return  # Python is ending, and takes no thread and no exit hook any more
                if self._refused != repr(error):
                    self._refused = repr(error)
                    log.error("a worker's turn between requests failed", exc_info=error)
            if self._ended.wait(POLL_S):
                return

    def _watch(self) -> None:
        """Count for how long whoever leads has given no sign, and then make the place free."""
        sign = _sign(self._path)
        self._still = self._still + 1 if sign == self._sign else 0
        self._sign = sign
        if self._still < STILL_POLLS:
            return
        self._still = 0
        with suppress(Timeout), FileLock(self._path.with_suffix(".takeover"), mode=0o600).acquire(timeout=0):
            if _sign(self._path) == sign:  # nobody was faster
                log.warning("the worker that leads has stood still for %g s; another takes over", _STILL_S)
                self._path.unlink(missing_ok=True)

    def _is_elected(self) -> bool:
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        except OSError as error:  # a state folder that can't be written: no jobs, and said once
            if self._refused != str(error):
                self._refused = str(error)
                log.error("no worker can be elected to sample and judge: %s", error)
            return False
        return True


def check(leads: Callable[[], bool]) -> None:
    """Raises SupersededError for a worker that leads no more; asked where it is about to write."""
    if not leads():
        raise SupersededError("this worker stood still, and another one leads by now")


def _sign(path: Path) -> tuple[int, int]:
    """Which file has that name now, and when its leader was seen last (Unix nanoseconds); zeros for none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns
