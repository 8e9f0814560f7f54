"""Memory that Laptime adds to a worker with 100 tools, beyond what the libraries take that it imports.

Three processes, one after the other, each printing its proportional set size (proc_pid_smaps(5)):
the application bare; bare with Laptime's libraries imported; measured.
"""

from __future__ import annotations

import gc
import importlib
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from statistics import median

from .driver import drive, environ_of
from .report import spread, table
from .variants import flask_app, laptime

TOOLS = 100


def run(turns: int) -> str:
    """The three sizes and their differences in MB, as Markdown."""
    found: dict[str, list[float]] = {"bare": [], "libraries": [], "Laptime": []}
    for _ in range(turns):
        for kind, sizes in found.items():
            command = [sys.executable, "-m", "tests.benchmarks.memory", kind]
            sizes.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    rows = [[kind, spread(sizes)] for kind, sizes in found.items()]
    for name, low, high in (
        ("added, beyond the libraries", "libraries", "Laptime"),
        ("added, all in all", "bare", "Laptime"),
    ):
        rows.append([name, f"{median(found[high]) - median(found[low]):.2f}"])
    return table([f"{TOOLS} tools", "MB in a worker (PSS)"], rows)


def _measure(kind: str) -> float:
    app = flask_app(TOOLS)
    with tempfile.TemporaryDirectory() as folder:
        before = set(sys.modules)
        served = laptime(app.wsgi_app, Path(folder)) if kind == "Laptime" else app.wsgi_app
        if kind == "libraries":
            _import_libraries(before)
        for _ in range(20):
            for number in range(TOOLS):
                drive(served, environ_of(f"/tool{number}"), 1)
        if kind == "Laptime":
            time.sleep(3)  # the store is opened and the jobs begin
            for _ in range(5):
                headers = {"HTTP_X_API_KEY": "bench-key-0123456789"}
                drive(served, environ_of("/performance/metrics") | headers, 1)
        gc.collect()
        lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


def _import_libraries(before: set[str]) -> None:
    """All that Laptime brings in but itself, named by a process that runs it."""
    command = [sys.executable, "-m", "tests.benchmarks.memory", "names"]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    for name in names:
        if name not in before and name.partition(".")[0] not in ("app", "tests"):
            with suppress(ImportError):  # a module that another makes up while it runs
                importlib.import_module(name)


def main() -> None:
    """Print one figure, or with `names` the modules that a running Laptime has imported."""
    kind = sys.argv[1]
    if kind == "names":
        _measure("Laptime")
        names = "\n".join(name for name in sys.modules if name != "__main__")
        print(names)  # noqa: T201
    else:
        print(_measure(kind))  # noqa: T201


if __name__ == "__main__":
    main()
