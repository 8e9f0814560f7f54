"""The host of these tests behind Laptime and gunicorn, and what its files say from outside."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from app.capture.reader import Reader
from app.capture.recorder import Recorder
from app.capture.runs import Run
from tests.journeys.load import Call, Counts, send
from tests.journeys.service import KEY, Service

HOST = "tests.faults.host:application"


def measured(folder: Path, *args: str, env: dict[str, str] | None = None, **options: Any) -> Service:
    """A service that measures the host; `options` as for Service."""
    return Service(folder, args=args, env={"LAPTIME_HOST_APP": HOST} | (env or {}), **options)


def call(service: Service, route: str, number: int, *, clients: int = 8) -> Counts:
    """So many GETs of one route."""
    return send(service.url, KEY, [Call(route, "GET", f"/{route}")] * number, clients=clients)


@contextmanager
def under_load(service: Service, route: str, *, clients: int = 4) -> Iterator[Counts]:
    """Calls of a route from some clients for as long as the block runs; the counts are whole after it."""
    ended, totals = threading.Event(), Counts()

    def go_on() -> None:
        while not ended.is_set():
            found = call(service, route, 40, clients=clients)
            totals.answers.update(found.answers)
            totals.unanswered.update(found.unanswered)

    load = threading.Thread(target=go_on)
    load.start()
    try:
        yield totals
    finally:
        ended.set()
        load.join()


def counted(service: Service, route: str) -> int:
    """The requests of one route, as one worker tells it."""
    found: int = service.metrics(f"?tool_name={route}")["total_requests"]
    return found


def in_flight(state: Path) -> int:
    """Requests that live workers have entered and not left, by their own files."""
    reader = Reader(Recorder(state, 1000))
    folders = [path for path in (state / "runs").iterdir() if path.is_dir()]
    workers = [one for path in folders for one in reader.past(Run(path.name, 0.0, path)).workers]
    return sum(worker.in_flight for worker in workers)


def worker_files(state: Path) -> Sequence[Path]:
    """The files of workers, dead ones that are not folded yet included."""
    return list(state.glob("runs/*/worker-*.cells"))


def are_gone(pids: Sequence[int]) -> bool:
    """Whether none of these processes runs; an orphan stays a zombie where the first process reaps none."""

    def runs(pid: int) -> bool:
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    return not any(map(runs, pids))


def leaders(state: Path) -> list[int]:
    """The pids that hold the lock of the election, by the kernel's own table of locks."""
    if not (state / "leader.lock").exists():
        return []
    inode = (state / "leader.lock").stat().st_ino
    held = []
    for line in Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if "->" not in fields and fields[1] == "FLOCK" and int(fields[5].rpartition(":")[2]) == inode:
            held.append(int(fields[4]))
    return held
