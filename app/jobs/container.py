"""The limits of the process's container and what it uses of them, read from the kernel's cgroup files.

psutil tells of the host, in a container too. A process's cgroup and all above it may each have a limit; the
tightest decides, and what counts then is the use of the cgroup that has it. The files are those of the
kernel's Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst and cpuacct.rst, and
Documentation/scheduler/sched-bwc.rst. A file that is missing or makes no sense is no limit, never an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_ODD = 1 << 63  # more than the kernel counts to, or a cell could hold


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """The tightest memory limit and what is used of it, without the file pages that can go at any time.

    `oom_kills` counts the processes that the kernel killed for want of memory since the cgroup was made.
    """

    limit_bytes: int
    used_bytes: int
    oom_kills: int


@dataclass(frozen=True, slots=True)
class CpuLimit:
    """The tightest CPU quota, and the CPU time and the throttled periods since the cgroup was made."""

    cores: float
    used_ns: int
    throttled_periods: int


class _MemoryFiles(NamedTuple):
    controller: str  # as /proc/self/cgroup names it; empty: version 2
    limit: str
    used: str
    cache: str  # the line of memory.stat
    kills: str


_MEMORY = (
    _MemoryFiles("", "memory.max", "memory.current", "inactive_file", "memory.events"),
    _MemoryFiles(
        "memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
        "memory.oom_control",
    ),
)
# Where the trees are mounted: both versions side by side, and CPU with its accounting or apart from it.
_MOUNTS = {
    "": ("", "unified"),
    "memory": ("memory",),
    "cpu": ("cpu", "cpuacct", "cpu,cpuacct"),
}


def memory_limit(root: Path) -> MemoryLimit | None:
    """The tightest memory limit under the file system `root`; None where there is none."""
    found = (_memory(level, files) for files in _MEMORY for level in _levels(root, files.controller))
    return min((one for one in found if one), key=lambda one: one.limit_bytes, default=None)


def oom_kills(root: Path) -> int | None:
    """The processes that the kernel has killed for want of memory; None where it does not tell.

    They are those of the cgroup that has the tightest limit, or the host's where there is none.
    """
    limit = memory_limit(root)
    return limit.oom_kills if limit else _table([root / "proc"], "vmstat").get("oom_kill")


def cpu_limit(root: Path) -> CpuLimit | None:
    """The tightest CPU quota under the file system `root`; None where there is none."""
    found = [*map(_cpu, _levels(root, "")), *map(_cpu_v1, _levels(root, "cpu"))]
    return min((one for one in found if one), key=lambda one: one.cores, default=None)


def _levels(root: Path, controller: str) -> Iterator[Sequence[Path]]:
    """The process's cgroup and all above it, the outermost first, each as the folders that may hold it.

    Of equal limits the outer one then decides, as it fills first. In a container the path can be the host's,
    which leads nowhere below the mount; the mount itself is the container's cgroup then.
    """
    mounts = [root / "sys/fs/cgroup" / name for name in _MOUNTS[controller]]
    for line in _text([root / "proc/self"], "cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(","):
            parts = [part for part in path.split("/") if part not in ("", ".", "..")]
            for depth in range(len(parts) + 1):
                yield [mount.joinpath(*parts[:depth]) for mount in mounts]
            return


def _memory(level: Sequence[Path], files: _MemoryFiles) -> MemoryLimit | None:
    limit, used = _number(_text(level, files.limit)), _number(_text(level, files.used))
    cache = _table(level, "memory.stat").get(files.cache)
    if not limit or used is None or cache is None:
        return None
    return MemoryLimit(limit, max(0, used - cache), _table(level, files.kills).get("oom_kill", 0))


def _cpu(level: Sequence[Path]) -> CpuLimit | None:
    quota_us, _, period_us = _text(level, "cpu.max").partition(" ")
    stat = _table(level, "cpu.stat")
    used_us = stat.get("usage_usec")
    return _quota(quota_us, period_us, None if used_us is None else used_us * 1000, stat)


def _cpu_v1(level: Sequence[Path]) -> CpuLimit | None:
    quota_us, period_us = _text(level, "cpu.cfs_quota_us"), _text(level, "cpu.cfs_period_us")
    return _quota(quota_us, period_us, _number(_text(level, "cpuacct.usage")), _table(level, "cpu.stat"))


def _quota(quota_us: str, period_us: str, used_ns: int | None, stat: dict[str, int]) -> CpuLimit | None:
    quota, period = _number(quota_us), _number(period_us)
    if not quota or not period or used_ns is None:
        return None
    return CpuLimit(quota / period, used_ns, stat.get("nr_throttled", 0))


def _table(level: Sequence[Path], name: str) -> dict[str, int]:
    """The lines "key number" of a file."""
    words = [line.split() for line in _text(level, name).splitlines()]
    numbers = {pair[0]: _number(pair[1]) for pair in words if len(pair) == 2}
    return {key: number for key, number in numbers.items() if number is not None}


def _number(text: str) -> int | None:
    """A count as the kernel writes it; None for "max", for -1 (no limit), and for what it never writes."""
    try:
        number = int(text)
    except ValueError:
        return None
    return number if 0 <= number < _ODD else None


def _text(level: Sequence[Path], name: str) -> str:
    """The first such file of a cgroup that can be read; empty if none can."""
    for folder in level:
        try:
            return (folder / name).read_text("ascii")
        except (OSError, ValueError):
            continue
    return ""
