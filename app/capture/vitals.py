"""What a worker tells of itself in its file's header, beside its requests: every few seconds, never in one.

By the standard library alone, from /proc/self (proc_pid_statm(5) and its neighbours); where the system does
not tell, the cells stay as they are: not known.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from . import cells as layout
from . import endings, utilization
from .recorder import Recorder

EVERY_NS = 5_000_000_000
_SELF = Path("/proc/self")


class Vitals:
    """One worker's. `slots` requests at once are what it can work on, 0: any number, or not known.

    `is_worker` says that the end of this process is a worker's. `oom_kills` asks the kernel how many
    processes it has killed for want of memory, None if it does not tell.
    """

    def __init__(
        self, recorder: Recorder, slots: int, oom_kills: Callable[[], int | None], *, is_worker: bool
    ) -> None:
        self._recorder = recorder
        self._slots = slots
        self._oom_kills = oom_kills
        self._is_worker = is_worker
        self._header: memoryview | None = None
        self._written_ns = 0

    def beat(self, now_ns: int) -> None:
        """Write all of it down if it is time, or if this worker counts in another file than before.

        `now_ns` is the performance counter.
        """
        header = self._recorder.header
        if header is self._header and now_ns - self._written_ns < EVERY_NS:
            return
        if header is not self._header:
            header[layout.SLOTS] = self._slots
            if self._is_worker:
                header[layout.ENDING] = header[layout.ENDING] or layout.UNTOLD
        self._header, self._written_ns = header, now_ns
        utilization.write(header, now_ns, utilization.busy_ns(self._recorder, now_ns))
        kills = self._oom_kills()
        if kills is not None:
            header[layout.OOM_KILLS] = kills + 1
        with suppress(OSError):
            pages = int((_SELF / "statm").read_text().split()[1])
            header[layout.RESIDENT_BYTES] = pages * os.sysconf("SC_PAGE_SIZE")
        with suppress(OSError):
            header[layout.OPEN_FILES] = sum(1 for _ in (_SELF / "fd").iterdir()) - 1  # the listing's own
        with suppress(OSError):
            header[layout.THREADS] = sum(1 for _ in (_SELF / "task").iterdir())

    def exit(self) -> None:
        """Mark that this worker ends by itself: at its exit, and of nobody in a forked child."""
        endings.note_exit(self._recorder.header)


def server_worker() -> object | None:
    """gunicorn's worker that this process is, None if it is none.

    It handles signals by methods of its own, so it is found without the help of a configuration file.
    """
    worker: object | None = getattr(signal.getsignal(signal.SIGABRT), "__self__", None)
    # A process that a worker forks inherits its handlers.
    return worker if getattr(worker, "pid", None) == os.getpid() else None


def slots_of(worker: object | None) -> int:
    """How many requests a worker of gunicorn's works on at once; 0: any number, or not known."""
    kinds = {kind.__module__ for kind in type(worker).__mro__}
    if "gunicorn.workers.sync" in kinds:
        return 1
    threads = getattr(getattr(worker, "cfg", None), "threads", 0)
    return threads if "gunicorn.workers.gthread" in kinds and isinstance(threads, int) else 0
