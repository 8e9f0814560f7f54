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
from dataclasses import astuple, dataclass
from pathlib import Path
from socket import gethostname

from ..errors import CellsError
from .cells import OTHER, OWN, SERVICE, CellFile, name_of
from .merge import tools_of
from .process import Process, supervisor

_INSTANCE = "instance"
_RUN_ID = re.compile(r"(\d+)-\d+")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the service: its id, its start (Unix seconds) and its folder."""

    id: str
    started_s: float
    folder: Path

    @property
    def instance(self) -> str:
        """The host that began the run: where a container gets a new name, its old run keeps the old one."""
        try:
            return (self.folder / _INSTANCE).read_text()
        except OSError:
            return gethostname()

    def worker_files(self) -> list[Path]:
        """The files of this run's workers, dead ones included."""
        return sorted(self.folder.glob("worker-*.cells"))

    def is_running(self) -> bool:
        """Whether any worker of the run is alive."""
        files = (_opened(path) for path in self.worker_files())
        return any(cells.owner.is_alive() for cells in files if cells)


class Names:
    """The names of tools in all files of a run, each with its kind: names are limited over all workers.

    Looked at when this worker meets a new one. Workers that meet new names in the same instant may pass the
    limit by one each.
    """

    def __init__(self, run: Run | None) -> None:
        self._run = run
        self._seen: set[tuple[str, int]] = set()
        self._read: dict[Path, tuple[CellFile, int]] = {}
        self._is_full = False

    def has_room_for(self, name: tuple[str, int], limit: int) -> bool:
        """Whether a tool of this name may be added: somebody has it, or fewer than `limit` are there."""
        if name in self._seen:
            return True
        if self._is_full:  # for good, since names only become more: random ones cost no further look
            return False
        self._look()
        if len(self._seen) >= limit:
            self._is_full, self._read = True, {}
        if name in self._seen:
            return True
        if not self._is_full:
            self._seen.add(name)
        return not self._is_full

    def _look(self) -> None:
        if self._run is None:
            return
        before, self._read = self._read, {}  # what was removed since is let go
        for path in self._run.folder.glob("*.cells"):
            cells, read = before.get(path, (None, 0))
            if cells is None or not cells.is_current():
                cells, read = _opened(path), 0
            if cells is not None:
                named = list(tools_of(cells, read))
                self._seen |= {name for tool in named if (name := name_of(tool))[1] in (SERVICE, OWN)}
                self._read[path] = cells, read + len(named)
        self._seen -= {(OTHER, SERVICE), (OTHER, OWN)}


def worker_file(run: Run, process: Process) -> Path:
    """A new file of one worker in its run; a process that measures twice has two."""
    stem = f"worker-{process.pid}-{process.start_ticks}"
    names = (f"{stem}.cells", *(f"{stem}-{number}.cells" for number in range(2, 100)))
    return next(path for path in map(run.folder.joinpath, names) if not path.exists())


def join(state: Path, instance: str, again: Run | None = None) -> tuple[Run, CellFile, bool]:
    """Join the service's run, or begin one: the run, this worker's new file, and whether it was begun here.

    `instance` is what this host is called, if the run begins here. `again` is a run whose folder was removed:
    it goes on unless another has begun meanwhile. Raises CellsError when the state folder can't be written;
    the caller then counts in private memory.
    """
    process = Process.current()
    try:
        (state / "runs").mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(state / "runs" / "lock"):
            found = _current(state)
            run = found or _begun(state, process, instance, again)
            _write(state, run)
            return run, CellFile.create(worker_file(run, process), process), found is None
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
    except (OSError, ValueError, LookupError, TypeError):  # none yet, or not ours: a new run begins
        return None
    continues = supervisor() in _forkers(state)
    return run if run.folder.is_dir() and (continues or run.is_running()) else None


def _begun(state: Path, process: Process, instance: str, again: Run | None) -> Run:
    # Who forks the workers names the run: so they all name the same one, also if its folder is removed.
    master = supervisor()
    started_s = master.started_s() if master else time.time()
    run_id = f"{int(started_s * 1000)}-{(master or process).pid}"
    run = again or Run(run_id, started_s, state / "runs" / run_id)
    run.folder.mkdir(mode=0o700, exist_ok=True)
    (run.folder / _INSTANCE).write_text(instance)
    return run


def _forkers(state: Path) -> list[Process]:
    """The living processes that fork workers of the current run: two while a binary is upgraded."""
    try:
        record = json.loads((state / "current.json").read_bytes())
        forkers = [Process(*one) for one in record["forkers"]]
    except (OSError, ValueError, LookupError, TypeError):
        return []
    return [forker for forker in forkers if forker.is_alive()]


def _write(state: Path, run: Run) -> None:
    """Name the run, and who forks its workers, in one step."""
    forkers, own = _forkers(state), supervisor()
    if own is not None and own not in forkers:
        forkers.append(own)
    record = {"id": run.id, "started_s": run.started_s, "forkers": [astuple(one) for one in forkers]}
    fresh = state / "current.json.new"
    fresh.write_text(json.dumps(record))
    fresh.replace(state / "current.json")


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
