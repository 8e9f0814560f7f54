"""The time of GET /performance/metrics: many tools, one worker and eight, files made by forked writers."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter, perf_counter_ns
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import msgspec

from app.capture.cells import NOWHERE, SUCCESS
from app.capture.reader import Reader
from app.capture.recorder import Recorder
from app.factory import create_app
from app.panels import performance
from app.settings import Settings

from .report import spread, table

KEY = "bench-key-0123456789"
REQUESTS = 100  # of each tool in each worker
TURNS = 9


def run(cases: Sequence[int]) -> str:
    """A row for each number of tools and workers, as Markdown."""
    rows = []
    for tools in cases:
        for workers in (1, 8):
            command = [sys.executable, "-m", "tests.benchmarks.reading", str(tools), str(workers)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            rows.append([f"{tools:,}", str(workers), *said.splitlines()])
    return table(
        [
            "tools", "workers", "merge, all counted since, ms", "merge, 20 tools counted since, ms",
            "merge and panel, 20 tools, ms", "over HTTP, 20 tools, ms",
        ],
        rows,
    )  # fmt: skip


def main() -> None:
    """Measure one case and print a figure a line."""
    tools, workers = map(int, sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(api_key=KEY, state_dir=Path(folder), max_tools=2000)
        web = create_app(settings)
        recorder = web.service.recorder
        recorder.open()
        children = [fork(lambda: write(recorder, tools)) for _ in range(workers - 1)]
        try:
            count(recorder, range(tools), REQUESTS)
            while len(list(Path(folder).glob("runs/*/ready-*"))) < workers - 1:
                time.sleep(0.05)
            _report(web, recorder, tools)
        finally:
            for pid in children:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _report(web: Any, recorder: Recorder, tools: int) -> None:
    reader = Reader(recorder)

    def panel() -> None:
        msgspec.json.encode(performance.metrics(None, web.service.sources(), time.time()))

    all_of_them, some = range(tools), range(min(20, tools))
    lines = [_timed(reader.snapshot, lambda: count(recorder, all_of_them, 1))]
    lines.append(_timed(reader.snapshot, lambda: count(recorder, some, 1)))
    web.ensure_started()
    lines.append(_timed(panel, lambda: count(recorder, some, 1)))
    with make_server("127.0.0.1", 0, web, handler_class=_Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        lines.append(_timed(lambda: _get(server.server_port), lambda: count(recorder, some, 1)))
        server.shutdown()
    print("\n".join(lines))  # noqa: T201


def _timed(work: Callable[[], object], before: Callable[[], None]) -> str:
    found: list[float] = []
    for _ in range(TURNS + 2):
        before()
        began = perf_counter()
        work()
        found.append((perf_counter() - began) * 1000)
    return spread(found[2:], 1)


def _get(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/performance/metrics", headers={"X-API-Key": KEY})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"the API answered {answer.status}")


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """No line a request."""


def count(recorder: Recorder, tools: range, requests: int) -> None:
    """Count so many requests of each of the tools."""
    draw = random.Random(os.getpid())
    for number in tools:
        tool = recorder.tool(f"GET /tool/{number}", own=False)
        for _ in range(requests):
            taken_ns = int(draw.lognormvariate(16, 1))  # 9 ms in the middle
            tool.count(NOWHERE, perf_counter_ns(), taken_ns, SUCCESS, 100)


def write(recorder: Recorder, tools: int, called: int = 0) -> None:
    """Another worker: it counts requests of all tools, and at each SIGUSR1 one more of the first `called`."""
    recorder.open()
    count(recorder, range(tools), REQUESTS)
    signal.signal(signal.SIGUSR1, lambda *_: count(recorder, range(called), 1))
    assert recorder.run is not None
    (recorder.run.folder / f"ready-{os.getpid()}").touch()
    while True:
        signal.pause()


def fork(work: Callable[[], None]) -> int:
    """Do `work` in a child; its process id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()
