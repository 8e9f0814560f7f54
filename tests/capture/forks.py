"""Real child processes for tests: forked, killed, stopped, and never left behind."""

from __future__ import annotations

import mmap
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PATIENCE_S = 20.0


class Forks:
    """The children of one test. `start` forks; what still lives when the test ends is killed."""

    def __init__(self) -> None:
        self._alive: set[int] = set()

    def start(self, work: Callable[[], object]) -> int:
        """Run `work` in a forked child and end it there: status 0, or 1 with a traceback on stderr."""
        pid = os.fork()
        if pid:
            self._alive.add(pid)
            return pid
        status = 1
        try:
            work()
            status = 0
        except BaseException:  # noqa: BLE001 - the child must never return into the test
            traceback.print_exc()
        finally:
            os._exit(status)

    def join(self, pid: int) -> int:
        """Wait for a child; its exit status, negative for the signal that ended it."""
        self._alive.discard(pid)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def run(self, work: Callable[[], object]) -> int:
        """Run `work` in a child from beginning to end; its exit status."""
        return self.join(self.start(work))

    def kill(self, pid: int) -> None:
        """End a child as the kernel does when memory runs out: nothing of it runs any more."""
        os.kill(pid, signal.SIGKILL)
        assert self.join(pid) == -signal.SIGKILL

    def end(self) -> None:
        for pid in list(self._alive):
            os.kill(pid, signal.SIGKILL)
            self.join(pid)


@contextmanager
def forks() -> Iterator[Forks]:
    """Forks that are all gone behind the block."""
    made = Forks()
    try:
        yield made
    finally:
        made.end()


def shared_numbers(count: int) -> memoryview:
    """`count` unsigned 64-bit numbers that a process shares with the children it forks later."""
    return memoryview(mmap.mmap(-1, count * 8)).cast("Q")


def until(holds: Callable[[], object]) -> None:
    """Wait until `holds()`; fails a test that waits in vain."""
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)
