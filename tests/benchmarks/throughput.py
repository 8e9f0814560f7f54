"""Requests per second under gunicorn, two sync workers, by wrk: bare and with Laptime, taking turns."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from .report import spread, table
from .server import served
from .variants import BARE, KINDS, OURS, App, build


def application() -> App:
    """What gunicorn serves: the kind and variant that the environment names."""
    kind, variant, folder = os.environ["BENCH"].split("|")
    return build(kind, variant, Path(folder))


def run(folder: Path, turns: int, seconds: int) -> str:
    """A row for each kind and variant, as Markdown: requests per second, and their ratio to bare's."""
    if shutil.which("wrk") is None:
        return "wrk is not installed, so nothing was measured; on Debian and Ubuntu: apt-get install wrk\n"
    rows = []
    for kind in KINDS:
        found = _turns(kind, folder, turns, seconds)
        for variant, rates in found.items():
            ratios = [rate / bare for rate, bare in zip(rates, found[BARE], strict=True)]
            rows.append([kind, variant, spread(rates, 0), spread(ratios, 3)])
    return table(["application", "measured by", "requests/s", "times bare, in a turn"], rows)


def _turns(kind: str, folder: Path, turns: int, seconds: int) -> dict[str, list[float]]:
    """Each variant's requests per second by turn; all of them stand by while one is asked."""
    with ExitStack() as stack:
        ports = {
            variant: stack.enter_context(_server(kind, variant, folder / f"{kind}-{number}"))
            for number, variant in enumerate(OURS)
        }
        for port in ports.values():
            _wrk(port, 1)
        found: dict[str, list[float]] = {variant: [] for variant in OURS}
        for turn in range(turns):
            first = turn % len(OURS)
            for variant in (*OURS[first:], *OURS[:first]):
                found[variant].append(_wrk(ports[variant], seconds))
        return found


def _server(kind: str, variant: str, folder: Path) -> AbstractContextManager[int]:
    said = f"{kind}|{variant}|{folder}"
    return served("tests.benchmarks.throughput:application()", said, folder, workers=2)


def _wrk(port: int, seconds: int) -> float:
    command = ["wrk", "-t1", "-c8", f"-d{seconds}s", f"http://127.0.0.1:{port}/"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if found is None or "Non-2xx" in said:
        raise SystemExit(f"wrk met something else than answers:\n{said}")
    return float(found[1])
