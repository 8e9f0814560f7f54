"""The container's limits, read from fake trees of both versions of cgroups."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from app.jobs.container import CpuLimit, MemoryLimit, cpu_limit, memory_limit, oom_kills

MB = 1024**2
NO_LIMIT_V1 = "9223372036854771712\n"
V2 = {
    "memory.max": f"{512 * MB}\n",
    "memory.current": f"{400 * MB}\n",
    "memory.stat": f"anon 1000\nfile 2000\ninactive_file {29 * MB}\nactive_file 7\n",
    "memory.events": "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n",
    "cpu.max": "50000 100000\n",
    "cpu.stat": "usage_usec 7000000\nuser_usec 6000000\nnr_periods 90\nnr_throttled 14\nthrottled_usec 5\n",
}
V1_MEMORY = {
    "memory.limit_in_bytes": f"{512 * MB}\n",
    "memory.usage_in_bytes": f"{400 * MB}\n",
    "memory.stat": f"cache 5\ninactive_file 1\ntotal_inactive_file {29 * MB}\n",
    "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
}
V1_CPU = {
    "cpu.cfs_quota_us": "50000\n",
    "cpu.cfs_period_us": "100000\n",
    "cpu.stat": "nr_periods 90\nnr_throttled 14\nthrottled_time 5\n",
}
V1_USAGE = {"cpuacct.usage": "7000000000\n"}
MEMORY = MemoryLimit(512 * MB, 371 * MB, 2)
CPU = CpuLimit(0.5, 7_000_000_000, 14)


def tree(root: Path, cgroup: str, folders: Mapping[str, Mapping[str, str]]) -> Path:
    """A file system in which the process's cgroups are `cgroup` and /sys/fs/cgroup holds `folders`."""
    own = root / "proc/self/cgroup"
    own.parent.mkdir(parents=True)
    own.write_text(cgroup)
    for name, files in folders.items():
        folder = root / "sys/fs/cgroup" / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (folder / file).write_text(text)
    return root


def v2(root: Path, **changes: str) -> Path:
    """A container of version 2; `changes` are file names with an underscore for the dot."""
    return tree(
        root, "0::/\n", {"": V2 | {name.replace("_", ".", 1): text for name, text in changes.items()}}
    )


def test_version_2_inside_a_container(tmp_path: Path) -> None:
    root = v2(tmp_path)
    assert (memory_limit(root), cpu_limit(root)) == (MEMORY, CPU)


@pytest.mark.parametrize("mounts", [("cpu,cpuacct", "cpu,cpuacct"), ("cpu", "cpuacct"), ("cpu", "cpu")])
def test_version_1_wherever_cpu_and_its_accounting_are_mounted(
    tmp_path: Path, mounts: tuple[str, str]
) -> None:
    cpu, accounting = mounts
    lines = "5:cpu,cpuacct:/\n" if cpu == accounting else "6:cpuacct:/\n5:cpu:/\n"
    folders: dict[str, dict[str, str]] = {"memory": V1_MEMORY, cpu: dict(V1_CPU)}
    folders[accounting] = folders.get(accounting, {}) | V1_USAGE
    root = tree(tmp_path, f"9:name=systemd:/x\n4:memory:/\n{lines}0::/\n", folders)
    assert (memory_limit(root), cpu_limit(root)) == (MEMORY, CPU)


def test_both_versions_side_by_side(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        "4:memory:/docker/4f\n1:cpu,cpuacct:/docker/4f\n0::/docker/4f\n",
        {"memory/docker/4f": V1_MEMORY, "cpu/docker/4f": V1_CPU | V1_USAGE, "unified/docker/4f": {}},
    )
    assert (memory_limit(root), cpu_limit(root)) == (MEMORY, CPU)


@pytest.mark.parametrize("path", ["/docker/4f2a", "/../../kubepods/pod1", "/gone (deleted)", "/a:b/c"])
def test_the_hosts_path_seen_in_a_container_leads_to_the_mount(tmp_path: Path, path: str) -> None:
    root = tree(
        tmp_path, f"4:memory:{path}\n3:cpu,cpuacct:{path}\n", {"memory": V1_MEMORY, "cpu": V1_CPU | V1_USAGE}
    )
    assert (memory_limit(root), cpu_limit(root)) == (MEMORY, CPU)


@pytest.mark.parametrize("tight", ["", "pod", "pod/app"])
def test_the_tightest_of_nested_limits_decides_with_its_own_use(tmp_path: Path, tight: str) -> None:
    loose = V2 | {
        "memory.max": f"{800 * MB}",
        "memory.current": f"{700 * MB}",
        "cpu.max": "200000 100000",
        "cpu.stat": "usage_usec 9",
    }
    folders = {name: V2 if name == tight else loose for name in ("", "pod", "pod/app")}
    root = tree(tmp_path, "0::/pod/app\n", folders)
    assert (memory_limit(root), cpu_limit(root)) == (MEMORY, CPU)


def test_of_equal_limits_the_outer_one_decides_which_holds_all(tmp_path: Path) -> None:
    inner = V2 | {"memory.current": f"{100 * MB}", "cpu.stat": "usage_usec 1"}
    root = tree(tmp_path, "0::/pod/app\n", {"pod": V2, "pod/app": inner})
    assert (memory_limit(root), cpu_limit(root)) == (MEMORY, CPU)


def test_a_limit_above_one_that_has_none(tmp_path: Path) -> None:
    none = V2 | {"memory.max": "max\n", "cpu.max": "max 100000\n"}
    root = tree(tmp_path, "0::/pod/app\n", {"pod": V2, "pod/app": none})
    assert (memory_limit(root), cpu_limit(root)) == (MEMORY, CPU)


def test_no_limit_of_version_2_is_none(tmp_path: Path) -> None:
    root = v2(tmp_path, memory_max="max\n", cpu_max="max 100000\n")
    assert (memory_limit(root), cpu_limit(root)) == (None, None)


def test_no_limit_of_version_1_is_none_or_beyond_any_machine(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        "4:memory:/\n3:cpu,cpuacct:/\n",
        {
            "memory": V1_MEMORY | {"memory.limit_in_bytes": NO_LIMIT_V1},
            "cpu": V1_CPU | V1_USAGE | {"cpu.cfs_quota_us": "-1\n"},
        },
    )
    limit = memory_limit(root)
    assert limit is not None
    assert limit.limit_bytes > 2**62
    assert cpu_limit(root) is None


@pytest.mark.parametrize("file", ["memory.max", "memory.current", "memory.stat", "cpu.max", "cpu.stat"])
@pytest.mark.parametrize(
    "content",
    [
        b"", b"\n", b"garbage", b"-5", b"1.5", b"1e9", b"inactive_file", b"inactive_file x", b"usage_usec -1",
        b"1 0", b"x 100000", b"5 5 5", b"\xff\xfe\x00", "\u0661\u0662".encode(), b"9" * 30, b"9" * 5000, None,
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_no_limit_and_never_an_error(
    tmp_path: Path, file: str, content: bytes | None
) -> None:
    root = v2(tmp_path)
    path = root / "sys/fs/cgroup" / file
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    if file.startswith("memory"):
        assert (memory_limit(root), cpu_limit(root)) == (None, CPU)
    else:
        assert (memory_limit(root), cpu_limit(root)) == (MEMORY, None)


def test_nothing_is_divided_by_zero(tmp_path: Path) -> None:
    assert memory_limit(v2(tmp_path / "memory", memory_max="0\n")) is None
    assert cpu_limit(v2(tmp_path / "quota", cpu_max="0 100000\n")) is None
    assert cpu_limit(v2(tmp_path / "period", cpu_max="50000\n")) is None


@pytest.mark.parametrize("cgroup", ["", "\n", "0\n", "0:\n", "::\n", "garbage\n0::/elsewhere\n", "\0::/\n"])
def test_an_odd_list_of_cgroups_is_no_error(tmp_path: Path, cgroup: str) -> None:
    root = tree(tmp_path, cgroup, {"": V2})
    assert memory_limit(root) in (None, MEMORY)
    assert cpu_limit(root) in (None, CPU)


def test_counts_that_an_old_kernel_does_not_have_are_zero(tmp_path: Path) -> None:
    root = v2(tmp_path, cpu_stat="usage_usec 7000000\n", memory_events="low 0\n")
    assert memory_limit(root) == MemoryLimit(512 * MB, 371 * MB, 0)
    assert cpu_limit(root) == CpuLimit(0.5, 7_000_000_000, 0)


def test_use_is_never_less_than_nothing(tmp_path: Path) -> None:
    root = v2(tmp_path, memory_current="5\n")  # the two files are read one after the other
    assert memory_limit(root) == MemoryLimit(512 * MB, 0, 2)


def test_without_cgroups_there_is_no_limit(tmp_path: Path) -> None:
    assert (memory_limit(tmp_path), cpu_limit(tmp_path)) == (None, None)


def test_kills_for_want_of_memory_are_the_containers_or_else_the_hosts(tmp_path: Path) -> None:
    root = v2(tmp_path)
    assert oom_kills(root) == 2
    (root / "proc/vmstat").write_text("nr_free_pages 5\noom_kill 7\n")
    assert oom_kills(root) == 2
    (root / "sys/fs/cgroup/memory.max").write_text("max\n")
    assert oom_kills(root) == 7


def test_kills_that_nobody_counts_are_not_known(tmp_path: Path) -> None:
    assert oom_kills(tmp_path) is None


def test_the_files_of_this_machine_can_be_read() -> None:
    for limit in (memory_limit(Path("/")), cpu_limit(Path("/"))):
        assert limit is None or limit.__class__ in (MemoryLimit, CpuLimit)
