"""Requests per second under gunicorn, two sync workers, by wrk: bare and with Laptime, alternating."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from urllib.request import urlopen

from .report import spread, table
from .variants import App, build

SECONDS = 3


def application() -> App:
    """What gunicorn serves: the kind and variant that the environment names."""
    kind, variant, folder = os.environ["BENCH"].split("|")
    return build(kind, variant, Path(folder))


def run(folder: Path, turns: int, kinds: dict[str, tuple[str, str]]) -> str:
    """A row for each kind, as Markdown: requests per second of both variants, and their ratio in one turn."""
    if shutil.which("wrk") is None:
        return "wrk is not installed, so nothing was measured; on Debian and Ubuntu: apt-get install wrk\n"
    rows = []
    for kind, (bare, laptime) in kinds.items():
        with (
            _server(kind, bare, folder / f"{kind}-bare") as one,
            _server(kind, laptime, folder / kind) as two,
        ):
            _wrk(one, 1)
            _wrk(two, 1)
            found: list[tuple[float, float]] = []
            for turn in range(turns):
                if turn % 2:
                    with_it, without = _wrk(two, SECONDS), _wrk(one, SECONDS)
                else:
                    without, with_it = _wrk(one, SECONDS), _wrk(two, SECONDS)
                found.append((without, with_it))
        ratios = [with_it / without for without, with_it in found]
        plain, measured = ([pair[side] for pair in found] for side in (0, 1))
        rows.append([kind, spread(plain, 0), spread(measured, 0), spread(ratios, 3), f"{median(ratios):.3f}"])
    return table(
        ["application", "bare, requests/s", "Laptime, requests/s", "ratio in a turn", "median"], rows
    )


@contextmanager
def _server(kind: str, variant: str, folder: Path) -> Iterator[int]:
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [
        sys.executable, "-m", "gunicorn", "--config=/dev/null", "--no-control-socket", "--workers=2",
        f"--bind=127.0.0.1:{port}", "tests.benchmarks.throughput:application()",
    ]  # fmt: skip
    environ = os.environ | {"BENCH": f"{kind}|{variant}|{folder}"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, stderr=log, start_new_session=True)
        try:
            _wait(port)
            yield port
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            urlopen(f"http://127.0.0.1:{port}/").close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _wrk(port: int, seconds: int) -> float:
    command = ["wrk", "-t1", "-c8", f"-d{seconds}s", f"http://127.0.0.1:{port}/"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if found is None or "Non-2xx" in said:
        raise SystemExit(f"wrk met something else than answers:\n{said}")
    return float(found[1])
