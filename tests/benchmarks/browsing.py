"""What a page costs in a real Chromium: its first visit, its second one, and each refresh of all its panels.

Processor is what the page's main thread had of it, by Chromium's own account, the debugger's part included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from time import monotonic, sleep
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from tests.journeys.browser import launch

from .report import spread, table

_WATCH = """
window.seen = {shift: 0, paint_ms: 0, longest_ms: 0};
const watch = (type, each) => new PerformanceObserver((list) => list.getEntries().forEach(each))
  .observe({type, buffered: true});
watch("layout-shift", (entry) => { if (!entry.hadRecentInput) seen.shift += entry.value; });
watch("largest-contentful-paint", (entry) => { seen.paint_ms = entry.startTime; });
watch("longtask", (entry) => { seen.longest_ms = Math.max(seen.longest_ms, entry.duration); });
"""
_REFRESH = """
() => new Promise((done) => {
  const left = new Set(document.querySelectorAll("[data-panel]"));
  const swapped = (event) => {
    left.delete(event.target.closest("[data-panel]"));
    if (left.size) return;
    document.removeEventListener("htmx:after:swap", swapped);
    setTimeout(done, 200);
  };
  document.addEventListener("htmx:after:swap", swapped);
  document.querySelector("[data-refresh-now]").click();
})
"""
_SETTLED_MS = 700
_REFRESHES = 2  # for each visit
_RESTED_MS, _LENT_S = 500, 4.7
# The phone is the one that Lighthouse imagines: a processor four times slower, and slow 4G.
_SLOW = {
    "latency": 150,
    "downloadThroughput": 1_638_400 / 8,
    "uploadThroughput": 675_000 / 8,
    "offline": False,
}
_DEVICES: Mapping[str, tuple[int, int, bool]] = {"desk": (1440, 900, False), "phone": (375, 812, True)}


@dataclass(slots=True)
class Wire:
    """What one visit has sent and asked for."""

    requests: int = 0
    kept: int = 0
    sent_bytes: int = 0

    def listen(self, session: CDPSession) -> None:
        """Count from now on."""

        def on_response(event: dict[str, Any]) -> None:
            self.requests += 1
            self.kept += bool(event["response"].get("fromDiskCache"))

        def on_kept(_event: dict[str, Any]) -> None:
            self.kept += 1

        def on_end(event: dict[str, Any]) -> None:
            self.sent_bytes += int(event["encodedDataLength"])

        session.on("Network.responseReceived", on_response)
        session.on("Network.requestServedFromCache", on_kept)
        session.on("Network.loadingFinished", on_end)


@dataclass(slots=True)
class Found:
    """The figures of all visits to a page on a device, by their names."""

    of: dict[str, list[float]] = field(default_factory=dict)

    def add(self, **figures: float) -> None:
        """One more of each."""
        for name, value in figures.items():
            self.of.setdefault(name, []).append(value)

    def cells(self, digits: Mapping[str, int]) -> list[str]:
        """Medians of those, times with their quartiles."""
        return [
            spread(self.of[name], places) if name.endswith("_ms") else f"{median(self.of[name]):,.{places}f}"
            for name, places in digits.items()
        ]


def browse(port: int, key: str, pages: Mapping[str, str], visits: int, call: Callable[[], None]) -> str:
    """A table of visits and one of refreshes, as Markdown; `call` makes something new to show."""
    found = {(title, device): Found() for title in pages for device in _DEVICES}
    urls = {title: f"http://127.0.0.1:{port}{path}" for title, path in pages.items()}
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for _ in range(visits):
            for (title, device), figures in found.items():
                _visit(browser, urls[title], key, device, figures)
        refreshed = _refreshes(browser, urls, key, _REFRESHES * visits, call)
        browser.close()
    first = {"requests": 0, "sent_kb": 1, "paint_ms": 0, "spent_ms": 0, "shift": 3}
    again = {"again_requests": 0, "again_kept": 0, "again_kb": 1, "again_paint_ms": 0}
    rows = [[*one, *figures.cells(first | again)] for one, figures in found.items()]
    heads = [
        "page", "on", "requests", "sent, KB", "largest paint, ms", "processor, ms", "layout shift",
        "second visit: requests", "kept", "sent, KB", "largest paint, ms",
    ]  # fmt: skip
    each = {
        "spent_ms": 1,
        "script_ms": 1,
        "layout_ms": 1,
        "longest_ms": 0,
        "shift": 3,
        "requests": 0,
        "sent_kb": 1,
    }
    heads_of_each = [
        "page, each refresh", "processor, ms", "of it scripts", "style and layout", "longest task, ms",
        "layout shift", "requests", "sent, KB",
    ]  # fmt: skip
    rows_of_each = [[title, *figures.cells(each)] for title, figures in refreshed.items()]
    return f"{table(heads, rows)}\n{table(heads_of_each, rows_of_each)}"


def _visit(browser: Browser, url: str, key: str, device: str, found: Found) -> None:
    context = _context(browser, key, device)
    page, session = _open(context, is_slow=_DEVICES[device][2])
    wire = Wire()
    wire.listen(session)
    first = _look(page, session, url)
    found.add(requests=wire.requests, sent_kb=wire.sent_bytes / 1000, **first)
    before = Wire(wire.requests, wire.kept, wire.sent_bytes)
    again = _look(page, session, url)
    found.add(
        again_requests=wire.requests - before.requests,
        again_kept=wire.kept - before.kept,
        again_kb=(wire.sent_bytes - before.sent_bytes) / 1000,
        again_paint_ms=again["paint_ms"],
    )
    context.close()


def _look(page: Page, session: CDPSession, url: str) -> dict[str, float]:
    page.goto("about:blank")
    before = _spent(session)["TaskDuration"]
    page.goto(url)
    page.wait_for_timeout(_SETTLED_MS)
    seen = page.evaluate("seen")
    spent_ms = _spent(session)["TaskDuration"] - before
    return {"paint_ms": seen["paint_ms"], "shift": seen["shift"], "spent_ms": spent_ms}


def _refreshes(
    browser: Browser, urls: Mapping[str, str], key: str, turns: int, call: Callable[[], None]
) -> dict[str, Found]:
    """Pages in turns, each in a process of its own, so long apart that workers lend nothing any more."""
    with ExitStack() as stack:
        opened: dict[str, tuple[Page, CDPSession]] = {}
        for title, url in urls.items():
            context = stack.enter_context(_context(browser, key, "desk"))
            context.add_init_script("localStorage.setItem('laptime-refresh', '0')")
            opened[title] = _open(context, is_slow=False)
            opened[title][0].goto(url)
        found = {title: Found() for title in urls}
        for turn in range(-1, turns):
            began_s = monotonic()
            for title, (page, session) in opened.items():
                call()
                figures = _refresh(page, session)
                if turn >= 0:
                    found[title].add(**figures)
            sleep(max(0.0, began_s + _LENT_S - monotonic()))
    return found


def _refresh(page: Page, session: CDPSession) -> dict[str, float]:
    """One refresh; what the page does in the same time by itself is left out."""
    wire = Wire()
    page.evaluate("seen.longest_ms = seen.shift = 0")
    resting = _spent(session)
    page.wait_for_timeout(_RESTED_MS)
    before = _spent(session)
    wire.listen(session)
    page.evaluate(_REFRESH)
    after = _spent(session)
    share = (after["Timestamp"] - before["Timestamp"]) / (before["Timestamp"] - resting["Timestamp"])
    spent = {name: after[name] - before[name] - share * (before[name] - resting[name]) for name in _SPENT}
    seen = page.evaluate("seen")
    return {
        "spent_ms": spent["TaskDuration"],
        "script_ms": spent["ScriptDuration"],
        "layout_ms": spent["LayoutDuration"] + spent["RecalcStyleDuration"],
        "longest_ms": seen["longest_ms"],
        "shift": seen["shift"],
        "requests": wire.requests,
        "sent_kb": wire.sent_bytes / 1000,
    }


def _context(browser: Browser, key: str, device: str) -> BrowserContext:
    width, height, is_phone = _DEVICES[device]
    context = browser.new_context(
        viewport={"width": width, "height": height}, has_touch=is_phone, extra_http_headers={"X-API-Key": key}
    )
    context.add_init_script(_WATCH)
    return context


def _open(context: BrowserContext, *, is_slow: bool) -> tuple[Page, CDPSession]:
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    if is_slow:
        session.send("Network.emulateNetworkConditions", _SLOW)
        session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    return page, session


def _spent(session: CDPSession) -> dict[str, float]:
    """What the page's main thread has had of the processor so far, by what for, in milliseconds."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return {one["name"]: one["value"] * 1000 for one in metrics if one["name"] in _SPENT}


_SPENT = ("TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "Timestamp")
