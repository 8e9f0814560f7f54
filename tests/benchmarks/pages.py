"""How long pages and their panels take to make with a year of history behind them, and what they weigh.

Whole pages, in turns over all of them; then each panel of the overview as a refresh asks for it: made anew,
and lent by the worker that had just made it. What a browser makes of them is `browsing`'s.
"""

from __future__ import annotations

import gzip
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from time import perf_counter
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


def get(port: int, path: str, headers: Mapping[str, str] | None = None) -> tuple[float, bytes]:
    """The milliseconds until an answer is there in full, and its body, unpacked."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    began = perf_counter()
    connection.request("GET", path, headers={"X-API-Key": KEY, **(headers or {})})
    answer = connection.getresponse()
    body = answer.read()
    took_ms = (perf_counter() - began) * 1000
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"{path} answered {answer.status}: {body[:300]!r}")
    return took_ms, body


def _whole(port: int, turns: int) -> str:
    paths = {(page.title, window): address(page, window) for page in PAGES for window in WINDOWS}
    packed, plain = _interleaved(port, paths, turns, {"Accept-Encoding": "gzip"}), {}
    rows = []
    for key, path in paths.items():
        plain[key] = get(port, path)[1]
        sent = len(packed[key][1])
        rows.append(
            [*key, spread(packed[key][0], 0), f"{len(plain[key]) / 1000:,.0f}", f"{sent / 1000:,.1f}"]
        )
    pack_ms = _packing(plain["Overview", WINDOWS[0]])
    heads = ["page", "window", "until it is there, ms", "HTML, KB", "as gzip, KB"]
    return f"{table(heads, rows)}\nPacking the overview takes {pack_ms:.1f} ms of the first row.\n"


def _panels(port: int, turns: int) -> str:
    query = {"window": WINDOWS[0]}
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for turn in range(-_WARM_UP, turns):
        for panel in OVERVIEW.panels:
            # What nobody has asked before is lent by nobody.
            path = f"/dashboard/panels/{panel.slug}?{urlencode(query | {'turn': str(turn)})}"
            made_ms, lent_ms = (get(port, path, {"HX-Request": "true"})[0] for _ in range(2))
            if turn >= 0:
                found[panel.title].append((made_ms, lent_ms))
    rows = [
        [title, spread([made for made, _ in times], 1), spread([lent for _, lent in times], 1)]
        for title, times in found.items()
    ]
    sums = [
        sum(turn) for turn in zip(*([made for made, _ in times] for times in found.values()), strict=True)
    ]
    rows.append(["all of them", spread(sums, 1), ""])
    return table(["panel of the overview", "made, ms", "lent, ms"], rows)


def _interleaved(
    port: int, paths: Mapping[tuple[str, str], str], turns: int, headers: Mapping[str, str]
) -> dict[tuple[str, str], tuple[list[float], bytes]]:
    found: dict[tuple[str, str], tuple[list[float], bytes]] = {}
    for turn in range(-_WARM_UP, turns):
        for key, path in paths.items():
            took_ms, body = get(port, path, headers)
            times = found[key][0] if key in found else []
            found[key] = ([*times, took_ms] if turn >= 0 else times, body)
    return found


def _packing(html: bytes) -> float:
    times = []
    for _ in range(20):
        began = perf_counter()
        gzip.compress(html, 5, mtime=0)
        times.append((perf_counter() - began) * 1000)
    return median(times)
