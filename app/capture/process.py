"""Which process is this, and is that one still alive: the identity behind every file of cells.

A process id alone is used again; with the kernel's boot and the process's start time it is unique, so
the dead are told from the living without any server's exit hook.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path

# Fields of /proc/<pid>/stat (proc_pid_stat(5)), counted behind the command's closing bracket.
_STATE, _PARENT, _START_TICKS, _ARG_START = 0, 1, 19, 45


@dataclass(frozen=True, slots=True)
class Process:
    """One process for ever: 64 bits of the boot's id, the process id, its start in clock ticks."""

    boot: int
    pid: int
    start_ticks: int

    @classmethod
    def current(cls) -> Process:
        """The calling process."""
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> Process:
        """The process that has this id now; start 0 where the system does not tell."""
        stat = _stat(pid)
        return cls(_boot(), pid, int(stat[_START_TICKS]) if stat else 0)

    def is_alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        if self.boot != _boot():
            return False
        try:
            stat = _stat(self.pid)
        except OSError:  # no descriptor left, say: who can't be looked at must not pass for dead
            return True
        if stat is not None:
            return stat[_STATE] not in "ZX" and int(stat[_START_TICKS]) == self.start_ticks
        return not sys.platform.startswith("linux") and _answers(self.pid)

    def started_s(self) -> float:
        """When this process began (Unix seconds): the same at every call while the clock is not set.

        It is known to a hundredth of a second, and only where the system tells start ticks.
        """
        booted = next(
            line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime")
        )
        return int(booted.split()[1]) + self.start_ticks / os.sysconf("SC_CLK_TCK")


def supervisor() -> Process | None:
    """The process that forked this one and still runs: gunicorn's master. None for a shell or launcher.

    A fork shares its parent's memory layout; the addresses of the arguments are drawn anew at every
    exec. So equal addresses mean that the parent is the same program, kept alive to make workers.
    """
    own = _stat(os.getpid())
    parent = _stat(int(own[_PARENT])) if own else None
    if own is None or parent is None or own[_ARG_START] == "0" or own[_ARG_START] != parent[_ARG_START]:
        return None
    return Process.of(int(own[_PARENT]))


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()


@cache
def _boot() -> int:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:  # not Linux: process ids alone have to do
        return 0
    return int.from_bytes(blake2b(boot, digest_size=8).digest(), "little")


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
