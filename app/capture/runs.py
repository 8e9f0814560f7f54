"""Which run of the service a worker belongs to, and the folder that the run's files of cells lie in.

A run begins with the first worker of a started service and goes on while any of its workers lives, or
the process that forks them does: recycled, reloaded and killed workers join the run that they find.
Totals "since the service started" are those of one run; `<state>/current.json` names it.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import CellsError
from .cells import CellFile, name_of
from .merge import tools_of
from .process import Process, supervisor

_RUN_ID = re.compile(r"(\d+)-\d+")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the service: its id, its start (Unix seconds) and its folder."""

    id: str
    started_s: float
    folder: Path

    def worker_files(self) -> list[Path]:
        """The files of this run's workers, dead ones included."""
        return sorted(self.folder.glob("worker-*.cells"))

    def is_running(self) -> bool:
        """Whether any worker of the run is alive."""
        files = (_opened(path) for path in self.worker_files())
        return any(cells.owner.is_alive() for cells in files if cells)

    def names(self) -> frozenset[tuple[str, bool]]:
        """The names of tools in the run's files by now, each with whether it is one of our own pages."""
        files = (_opened(path) for path in self.folder.glob("*.cells"))
        return frozenset(name_of(tool) for cells in files if cells for tool in tools_of(cells))


def worker_file(run: Run, process: Process) -> Path:
    """The file of one worker in its run."""
    return run.folder / f"worker-{process.pid}-{process.start_ticks}.cells"


def join(state: Path) -> tuple[Run, CellFile, bool]:
    """Join the service's run, or begin one: the run, this worker's new file, and whether it was begun here.

    Raises CellsError when the state folder can't be written; the caller then counts in private memory.
    """
    process = Process.current()
    try:
        (state / "runs").mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(state / "runs" / "lock"):
            run = _current(state)
            begun = run is None
            if run is None:
                run = _begin(state, process)
            path = worker_file(run, process)
            path.unlink(missing_ok=True)  # of ourselves before a failed start
            return run, CellFile.create(path, process), begun
    except OSError as error:
        raise CellsError(f"can't use the state folder {state}: {error.strerror}") from error


def ended(state: Path, current: Run) -> list[Run]:
    """Runs before `current` that left files; nobody of theirs is alive."""
    folders = sorted(path for path in (state / "runs").iterdir() if path.is_dir() and path != current.folder)
    named = [(path, _RUN_ID.fullmatch(path.name)) for path in folders]  # leave what is not ours
    runs = [Run(path.name, int(found[1]) / 1000, path) for path, found in named if found]
    return [run for run in runs if not run.is_running()]


def _current(state: Path) -> Run | None:
    try:
        record = json.loads((state / "current.json").read_bytes())
        run = Run(record["id"], record["started_s"], state / "runs" / record["id"])
        forker = Process(*record["supervisor"]) if record["supervisor"] else None
    except (OSError, ValueError, LookupError, TypeError):  # none yet, or not ours: a new run begins
        return None
    continues = forker is not None and forker == supervisor() and forker.is_alive()
    return run if run.folder.is_dir() and (continues or run.is_running()) else None


def _begin(state: Path, process: Process) -> Run:
    started_s = time.time()
    run_id = f"{int(started_s * 1000)}-{process.pid}"
    folder = state / "runs" / run_id
    folder.mkdir(mode=0o700)
    forker = supervisor()
    record = {
        "id": run_id,
        "started_s": started_s,
        "supervisor": [forker.boot, forker.pid, forker.start_ticks] if forker else None,
    }
    fresh = state / "current.json.new"
    fresh.write_text(json.dumps(record))
    fresh.replace(state / "current.json")
    return Run(run_id, started_s, folder)


def _opened(path: Path) -> CellFile | None:
    try:
        return CellFile.open(path)
    except CellsError:  # just removed, just being made, or not ours
        return None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of joining: milliseconds, and only when a worker starts."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
