"""What a roll-up costs the elected worker: many tools in eight workers' files, some or all called since.

Time of the processor, of this process alone: merging what workers counted, the difference to what the store
has, one row and one watermark a tool, and every sixth time the rows of a minute. PostgreSQL's own work is in
another process and not in it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from app.capture.reader import Reader
from app.capture.recorder import Recorder
from app.capture.samples import RING_FILE, SampleRing
from app.jobs.roll_up import RollUp
from app.settings import Settings
from app.store import make_engine, migrate
from tests import postgres

from .reading import count, fork, write
from .report import spread, table

WORKERS = 8
TURNS = 12  # of ten seconds each, so that two minutes are built


def run(tools: int) -> str:
    """A row for each database and share of tools that were called, as Markdown."""
    rows = []
    with postgres.server() as url:
        for name, database_url in (("SQLite", ""), ("PostgreSQL", url)):
            for called in sorted({min(20, tools), tools}):
                where = postgres.new_database(database_url) if database_url else ""
                command = [sys.executable, "-m", "tests.benchmarks.rolling", str(tools), str(called), where]
                said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                rows.append([name, f"{tools:,}", f"{called:,}", *said.splitlines()])
    heads = ["database", "tools", "called in every worker since", "a roll-up, ms", "a minute's end, ms"]
    return table(heads, rows)


def main() -> None:
    """Measure one case and print a figure a line."""
    tools, called, database_url = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(state_dir=Path(folder), max_tools=2000, database_url=database_url)
        recorder = Recorder(settings.state_dir, settings.max_tools, "")
        recorder.open()
        children = [fork(lambda: write(recorder, tools, called)) for _ in range(WORKERS - 1)]
        try:
            count(recorder, range(tools), 100)
            while len(list(settings.state_dir.glob("runs/*/ready-*"))) < WORKERS - 1:
                time.sleep(0.05)
            print("\n".join(_measure(recorder, settings, children, called)))  # noqa: T201
        finally:
            for pid in children:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _measure(recorder: Recorder, settings: Settings, children: list[int], called: int) -> list[str]:
    engine = make_engine(settings)
    migrate(engine)
    reader, ring = Reader(recorder), SampleRing(settings.state_dir / RING_FILE)
    roll_up = RollUp(recorder, reader, ring, engine, settings)
    now_s = (time.time() // 60 + 1) * 60
    usual: list[float] = []
    minutes: list[float] = []
    for turn in range(TURNS + 1):
        counted = _requests(Reader(recorder))
        count(recorder, range(called), 1)
        for pid in children:
            os.kill(pid, signal.SIGUSR1)
        while _requests(Reader(recorder)) < counted + WORKERS * called:
            time.sleep(0.05)
        now_s += 10
        began = time.process_time()
        roll_up.run(now_s)
        took = (time.process_time() - began) * 1000
        if turn:  # the first one writes all that was counted at the start
            (usual if now_s % 60 else minutes).append(took)
    engine.dispose()
    return [spread(usual, 0), spread(minutes, 0)]


def _requests(reader: Reader) -> int:
    return sum(worker.requests for worker in reader.snapshot().workers)


if __name__ == "__main__":
    main()
