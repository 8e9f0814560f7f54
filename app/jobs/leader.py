"""The election: of all workers on a host one runs the jobs, the one that holds a file's lock.

The lock dies with its holder, however it dies. Every other worker asks for it once a second, without
waiting. The file is opened by candidates only, never in a process that forks workers later.
"""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401 - its hooks are taken before a thread could load it amid a fork
import logging
import threading
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

log = logging.getLogger("laptime")

POLL_S = 1.0


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
        self._refused = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._stand, name="laptime-candidate", daemon=True)

    def start(self) -> None:
        """Begin to stand for election."""
        self._thread.start()

    def stop(self) -> None:
        """Stop asking and, if this was the leader, let go."""
        self._ended.set()
        self._thread.join()
        self._lock.release()

    def _stand(self) -> None:
        held = 0  # the lock file's inode while this worker leads
        while True:
            try:
                self._beat()
                if held and held != _inode(self._path):  # removed: somebody else may hold its successor
                    held = 0
                    self._resign()
                    self._lock.release()
                if not held and self._is_elected():
                    held = _inode(self._path)
                    self._lead()
            except Exception as error:
                if not threading.main_thread().is_alive():
                    return  # Python is ending, and takes no thread and no exit hook any more
                if self._refused != repr(error):
                    self._refused = repr(error)
                    log.error("a worker's turn between requests failed", exc_info=error)
            if self._ended.wait(POLL_S):
                return

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


def _inode(path: Path) -> int:
    """Which file has that name now; 0 for none."""
    try:
        return path.stat().st_ino
    except OSError:
        return 0
