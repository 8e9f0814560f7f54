"""Memory that Laptime adds to a worker with 100 tools, beyond what the libraries take that it imports.

gunicorn with four workers, over and over: the application bare, bare with the modules imported that a
measured worker has beside its own, and measured, over a store that holds the hours before. Every worker
serves all tools and answers the JSON API; then each shows the dashboard, and then nobody looks any more.
All the time the elected worker, which is told apart by the lock that it holds, rolls up and judges.

A worker's size is its proportional set size, in which a page that n processes share counts as its n-th,
and what it has to itself alone (proc_pid_smaps(5)).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from urllib.request import Request, urlopen

from app.model.windows import PERIODS_S
from app.settings import Settings
from app.store import make_engine

from .filling import fill
from .report import spread, table
from .server import served
from .worker import TOOLS

WORKERS, REQUESTS = 4, 3
SETTLE_S = 12.0  # a roll-up, some turns of the other jobs, and rows that were read are let go of
MOMENTS = (
    ("API read", ("/performance/metrics",)),
    ("dashboard seen", ("/dashboard?window=15m", "/dashboard?window=1h", "/performance/dashboard?window=1h")),
)
_APPLICATION = "tests.benchmarks.worker:application()"
_KEY = {"X-API-Key": "bench-key-0123456789"}
_FILLED_S = 10_800.0  # more than the windows that are looked at and those before them

_Sizes = list[tuple[float, float]]


def run(folder: Path) -> str:
    """The sizes, and by how much they differ, in MB, as Markdown."""
    rows: list[tuple[str, str, _Sizes]] = []
    modules: dict[str, bytes] = {}
    measured = folder / "measured"
    _fill(measured)
    with served(_APPLICATION, f"measured|{measured}", measured, WORKERS) as port:
        workers = _serve(port)
        elected = {pid for pid in workers if _holds(pid, measured / "leader.lock")}
        roles = {"worker": workers - elected, "elected worker": elected}
        for moment, paths in MOMENTS:
            for path in paths:
                _ask_all(port, path, workers)
            time.sleep(SETTLE_S)
            rows += [(f"{role}, {moment}", role, _sizes(pids)) for role, pids in roles.items()]
        for pid, names in _ask_all(port, "/modules", workers).items():
            modules["elected worker" if pid in elected else "worker"] = names
    base = {role: _plain(folder / role, names) for role, names in modules.items()}
    bare = _plain(folder / "bare", b"[]")
    plain = [("bare", bare), *((f"bare, libraries of the {role}", base[role]) for role in roles)]
    return table(
        [f"{TOOLS} tools", "MB (PSS)", "MB alone (USS)", "PSS beyond the libraries", "USS", "PSS all in all"],
        [
            *([name, *_spreads(found), "", "", ""] for name, found in plain),
            *([name, *_spreads(found), *_added(found, base[role], bare)] for name, role, found in rows),
        ],
    )


def _plain(folder: Path, modules: bytes) -> _Sizes:
    """The workers' sizes without Laptime, with these modules imported."""
    folder.mkdir()
    (folder / "modules").write_bytes(modules)
    with served(_APPLICATION, f"plain|{folder}", folder, WORKERS) as port:
        return _sizes(_serve(port))


def _spreads(sizes: _Sizes) -> list[str]:
    return [spread([one[side] for one in sizes]) for side in (0, 1)]


def _added(sizes: _Sizes, libraries: _Sizes, bare: _Sizes) -> list[str]:
    pairs = ((libraries, 0), (libraries, 1), (bare, 0))
    return [f"{_median(sizes, side) - _median(less, side):.2f}" for less, side in pairs]


def _median(sizes: _Sizes, side: int) -> float:
    return median(one[side] for one in sizes)


def _serve(port: int) -> set[int]:
    """Call every tool until every worker has served each, and a few times altogether; the workers."""
    tools = [f"/tool{number}" for number in range(TOOLS)]
    seen = Counter[tuple[int, str]]()
    while len(seen) < WORKERS * TOOLS or seen.total() < WORKERS * TOOLS * REQUESTS:
        seen.update(zip((pid for pid, _ in _ask(port, tools)), tools, strict=True))
    return {pid for pid, _ in seen}


def _ask_all(port: int, path: str, workers: set[int]) -> dict[int, bytes]:
    """What each worker says, each asked three times at the least."""
    said: dict[int, bytes] = {}
    seen = Counter[int]()
    while len(said) < len(workers) or min(seen.values()) < 3:
        for pid, body in _ask(port, [path] * 2 * WORKERS):
            said[pid] = body
            seen[pid] += 1
    return said


def _ask(port: int, paths: Sequence[str]) -> list[tuple[int, bytes]]:
    """(who answered, the answer) to each path, asked by twice as many clients as there are workers."""

    def get(path: str) -> tuple[int, bytes]:
        with urlopen(Request(f"http://127.0.0.1:{port}{path}", headers=_KEY)) as answer:
            return int(answer.headers["X-Worker"]), answer.read()

    with ThreadPoolExecutor(2 * WORKERS) as clients:
        return list(clients.map(get, paths))


def _fill(state: Path) -> None:
    """A store with the hours before, as far as the windows go that are looked at."""
    engine = make_engine(Settings(state_dir=state))
    fill(engine, TOOLS, int(time.time()), 2.0, dict.fromkeys(PERIODS_S, _FILLED_S))
    engine.dispose()


def _holds(pid: int, lock: Path) -> bool:
    inode = f":{lock.stat().st_ino}"
    locks = map(str.split, Path("/proc/locks").read_text().splitlines())
    return any(one[1] == "FLOCK" and one[4] == str(pid) and one[5].endswith(inode) for one in locks)


def _sizes(pids: set[int]) -> _Sizes:
    """(proportional, alone) of each in MB."""
    found: _Sizes = []
    for pid in sorted(pids):
        lines = map(str.split, Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
        mb = {name: int(kb) / 1024 for name, kb, _ in lines}
        found.append((mb["Pss:"], mb["Private_Clean:"] + mb["Private_Dirty:"]))
    return found
