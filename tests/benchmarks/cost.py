"""The cost that is added to a request: each variant beside the bare application, all rounds interleaved."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import IO

from .report import spread, table
from .variants import BARE, KINDS, OF_KIND, OURS, PROMETHEUS

TITLES = {"wsgi": "a trivial WSGI callable", "flask": "a Flask application"}


def run(peers: Path, folder: Path, rounds: int) -> str:
    """Both kinds of application, as Markdown; `peers` is the Python that has the peers installed."""
    return "\n".join(_kind(kind, peers, folder, rounds) for kind in KINDS)


def _kind(kind: str, peers: Path, folder: Path, rounds: int) -> str:
    variants = [variant for variant in OF_KIND[kind] if variant != BARE]
    with ExitStack() as stack:
        running: dict[str, tuple[IO[str], IO[str]]] = {}
        for number, variant in enumerate(variants):
            place = folder / f"{kind}{number}"
            place.mkdir()
            python = sys.executable if variant in OURS else str(peers)
            running[variant] = stack.enter_context(_driver(python, kind, variant, place))
        found: dict[str, list[tuple[float, float]]] = {variant: [] for variant in variants}
        for number in range(rounds):
            # Each round begins elsewhere, so that no variant always follows the same one.
            turn = number % len(variants)
            for variant in (*variants[turn:], *variants[:turn]):
                put, get = running[variant]
                put.write("\n")
                put.flush()
                bare, measured = map(float, get.readline().split())
                found[variant].append((bare / 1000, measured / 1000))
    return _table(kind, found)


@contextmanager
def _driver(python: str, kind: str, variant: str, folder: Path) -> Iterator[tuple[IO[str], IO[str]]]:
    command = [python, "-m", "tests.benchmarks.driver", kind, variant, str(folder)]
    log = (folder / "log").open("wb")
    with log, subprocess.Popen(command, stdin=-1, stdout=-1, stderr=log, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if process.stdout.readline() != "ready\n":
                raise SystemExit(f"{variant} does not run:\n{(folder / 'log').read_text()[-3000:]}")
            yield process.stdin, process.stdout
        finally:
            process.kill()


def _table(kind: str, found: dict[str, list[tuple[float, float]]]) -> str:
    added = {variant: [took - bare for bare, took in pairs] for variant, pairs in found.items()}
    prometheus = median(added[PROMETHEUS])
    rows = [
        [
            variant,
            spread([bare for bare, _ in pairs]),
            spread([took for _, took in pairs]),
            spread(added[variant]),
            f"{median(added[variant]) / prometheus:.2f}",
        ]
        for variant, pairs in found.items()
    ]
    heads = ["measured by", "bare, us a request", "measured, us", "us added", "added, to prometheus_client's"]
    return f"### {TITLES[kind]}\n\n{table(heads, rows)}"
