"""`make bench`: all figures in one run, as Markdown on stdout."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from . import cost, history, memory, pages, reading, rolling, throughput
from .report import machine


def main() -> None:
    """Run the parts that are asked for (default: all) and print each when it is there."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--peers", type=Path, default=Path(".cache/bench-venv/bin/python"))
    parser.add_argument("--rounds", type=int, default=80)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=3, help="of load in one turn of the throughput")
    parser.add_argument(
        "--cases", type=int, nargs="*", default=[10, 100, 1000], help="numbers of tools to read"
    )
    parser.add_argument("--history-tools", type=int, default=100, help="always active for 400 days")
    parser.add_argument("--visits", type=int, default=7, help="of the browser to each page")
    parser.add_argument("parts", nargs="*")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts: dict[str, tuple[str, Callable[[], str]]] = {
            "cost": ("Cost added to a request", lambda: cost.run(options.peers, folder, options.rounds)),
            "throughput": (
                "Throughput, gunicorn with 2 sync workers, wrk -t1 -c8",
                lambda: throughput.run(folder, options.turns, options.seconds),
            ),
            "memory": (
                f"Memory, gunicorn with {memory.WORKERS} sync workers",
                lambda: memory.run(Path(tempfile.mkdtemp(dir=folder))),
            ),
            "reading": ("Reading /performance/metrics", lambda: reading.run(options.cases)),
            "rolling": (
                f"Roll-up of {rolling.WORKERS} workers, time of the processor",
                lambda: rolling.run(max(options.cases)),
            ),
            "history": (
                "History of 400 days",
                lambda: history.run(Path(tempfile.mkdtemp(dir=folder)), options.history_tools),
            ),
            "pages": (
                f"Pages with a year of {options.history_tools} tools, {pages.WORKERS} sync workers",
                lambda: pages.run(Path(tempfile.mkdtemp(dir=folder)), options.history_tools, options.visits),
            ),
        }
        _say(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC. {machine()}.\n")
        for part in options.parts or parts:
            title, work = parts[part]
            _say(f"## {title}\n")
            _say(work())


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
