"""How long pages and their panels take to make with a year of history behind them, and what they weigh.

Whole pages, in turns over all of them; then each panel of the overview as a refresh asks for it: made anew,
and lent by the worker that had just made it. What a browser makes of them is `browsing`'s.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter
from typing import NamedTuple
from urllib.parse import urlencode

from app.panels.registry import OVERVIEW, PAGES, Page
from app.settings import Settings
from app.store import make_engine

from .browsing import browse
from .filling import fill
from .report import spread, table
from .server import served
from .worker import TOOLS

KEY = "bench-key-0123456789"  # the one of `variants.laptime`
WORKERS = 2
WINDOWS = ("1h", "24h", "1y")
_CALLS = 5  # of each tool, before anything is looked at
_TURNS, _WARM_UP = 5, 2  # for each visit of the browser, and before them


def run(folder: Path, tools: int, visits: int) -> str:
    """All tables, as Markdown, with so many `visits` of the browser to each page."""
    turns = _TURNS * visits
    with serving(folder, tools) as port:
        looked = {page.title: address(page, WINDOWS[0]) for page in PAGES}
        in_browser = browse(port, KEY, looked, visits, lambda: call_tools(port))
        return "\n".join([_whole(port, turns), _panels(port, turns), in_browser])


@contextmanager
def serving(folder: Path, tools: int) -> Iterator[int]:
    """A service of 100 tools, of which so many have a year of history; all of them have just been called."""
    engine = make_engine(Settings(state_dir=folder))
    fill(engine, tools, int(time.time()))
    engine.dispose()
    with served("tests.benchmarks.worker:application()", f"measured|{folder}", folder, WORKERS) as port:
        for _ in range(_CALLS):
            call_tools(port)
        yield port


def call_tools(port: int) -> None:
    """Call each tool once."""
    for number in range(TOOLS):
        get(port, f"/tool{number}")


def address(page: Page, window: str) -> str:
    """A page's path, about one of the tools where it is about one."""
    needed = {option.name for panel in page.panels for option in panel.options.values() if option.needed}
    return f"/dashboard{page.path}?{urlencode({'window': window} | dict.fromkeys(needed, 'GET /tool1'))}"


class Got(NamedTuple):
    """An answer as it was sent, the milliseconds until it was there, and those of the processor in it."""

    took_ms: float
    spent_ms: float
    body: bytes


def get(port: int, path: str, headers: Mapping[str, str] | None = None) -> Got:
    """One request, with the key; an answer that is no success ends the bench."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    before_ns = {pid: _spent_ns(pid) for pid in _workers}
    began = perf_counter()
    connection.request("GET", path, headers={"X-API-Key": KEY, **(headers or {})})
    answer = connection.getresponse()
    body = answer.read()
    took_ms = (perf_counter() - began) * 1000
    connection.close()
    pid = answer.headers["X-Worker"]
    _workers.add(pid)
    spent_ms = (_spent_ns(pid) - before_ns.get(pid, 0)) / 1e6
    if answer.status != 200:
        raise SystemExit(f"{path} answered {answer.status}: {body[:300]!r}")
    return Got(took_ms, spent_ms, body)


_workers: set[str] = set()  # the process ids of those that have answered


def _spent_ns(pid: str) -> int:
    """What all threads of a process have had of the processor (the kernel's schedstat)."""
    return sum(int(one.read_text().split()[0]) for one in Path(f"/proc/{pid}/task").glob("*/schedstat"))


def _whole(port: int, turns: int) -> str:
    paths = {(page.title, window): address(page, window) for page in PAGES for window in WINDOWS}
    found: dict[tuple[str, str], list[Got]] = {key: [] for key in paths}
    for _ in range(_WARM_UP + turns):
        for key, path in paths.items():
            found[key].append(get(port, path, {"Accept-Encoding": "gzip"}))
    rows = []
    for key, path in paths.items():
        plain, counted = get(port, path).body, found[key][_WARM_UP:]
        sizes = [f"{len(body) / 1000:,.1f}" for body in (plain, counted[-1].body)]
        rows.append([*key, *_times(counted, 0), *sizes])
    heads = ["page", "window", "until it is there, ms", "of it processor", "HTML, KB", "as gzip, KB"]
    return table(heads, rows)


def _panels(port: int, turns: int) -> str:
    found: dict[str, tuple[list[Got], list[Got]]] = {panel.title: ([], []) for panel in OVERVIEW.panels}
    for turn in range(_WARM_UP + turns):
        for panel in OVERVIEW.panels:
            # What nobody has asked before is lent by nobody.
            path = f"/dashboard/panels/{panel.slug}?window={WINDOWS[0]}&turn={turn}"
            for which in found[panel.title]:
                which.append(get(port, path, {"HX-Request": "true"}))
    rows = [
        [title, *_times(made[_WARM_UP:], 1), *_times(lent[_WARM_UP:], 1)]
        for title, (made, lent) in found.items()
    ]
    heads = ["panel of the overview", "made, ms", "of it processor", "lent, ms", "of it processor"]
    return table(heads, rows)


def _times(answers: Sequence[Got], digits: int) -> list[str]:
    return [
        spread([one.took_ms for one in answers], digits),
        spread([one.spent_ms for one in answers], digits),
    ]
