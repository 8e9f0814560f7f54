"""`make screenshots`: every page in both themes and three widths, as pictures in `screenshots/` to look at.

They are of the demo, whose year of history is made for it. With `--docs` the pictures that the README shows
are made anew instead.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, sync_playwright

from tests.journeys.browser import launch
from tests.journeys.loopback import free_port

CHECKOUT = Path(__file__).parents[1]
SETTLED_S = 25.0  # so long the live traffic runs before it is looked at
WIDTHS = {1440: 1100, 1100: 1000, 375: 800}
PAGES = {
    "overview": "/?window=1h",
    "overview-week": "/?window=7d&compare=week",
    "tool": "/tool?tool=analyze_code&window=1h",
    "system": "/system?window=24h",
    "alerts": "/alerts",
    "alerts-history": "/alerts/history",
    "alerts-rules": "/alerts/rules",
    "alerts-rule": "/alerts/rules/new",
    "alerts-silences": "/alerts/silences",
    "alerts-channels": "/alerts/channels",
    "settings": "/settings",
}
SHOWN = (("overview", "light"), ("tool", "dark"))  # in the README


def main() -> int:
    """Make the pictures; where they are is said at the end."""
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("--docs", action="store_true", help="the README's pictures alone")
    asked = parser.parse_args()
    folder = CHECKOUT / ("docs" if asked.docs else "screenshots")
    folder.mkdir(exist_ok=True)
    with _demo() as (port, key), sync_playwright() as playwright:
        browser = launch(playwright)
        for theme in ("light", "dark"):
            _take(browser, port, key, folder, theme, is_docs=asked.docs)
        browser.close()
    sys.stdout.write(f"The pictures are in {folder}\n")
    return 0


@contextmanager
def _demo() -> Iterator[tuple[int, str]]:
    """A demo of its own, with traffic that has run for a while: its port and its key."""
    port = free_port()
    with TemporaryDirectory() as state:
        env = os.environ | {"LAPTIME_STATE_DIR": state, "PORT": str(port), "LAPTIME_BANNER": ""}
        with (Path(state) / "log").open("w") as log:
            demo = subprocess.Popen([sys.executable, "-m", "tests.demo"], cwd=CHECKOUT, env=env, stderr=log)
        try:
            _wait(port)
            time.sleep(SETTLED_S)
            yield port, (Path(state) / "key").read_text().strip()
        finally:
            demo.terminate()
            demo.wait(30)


def _wait(port: int) -> None:
    until_s = time.monotonic() + 120
    while time.monotonic() < until_s:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/dashboard/signin")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.5)
        else:
            return
        finally:
            connection.close()
    raise TimeoutError("the demo did not start within 120 s")


def _take(browser: Browser, port: int, key: str, folder: Path, theme: str, *, is_docs: bool) -> None:
    context = browser.new_context(
        color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce"
    )
    page = context.new_page()
    dashboard = f"http://127.0.0.1:{port}/dashboard"
    page.goto(f"{dashboard}/signin")
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    for name, path in PAGES.items():
        if is_docs and (name, theme) not in SHOWN:
            continue
        for width, height in WIDTHS.items():
            if is_docs and width != max(WIDTHS):
                continue
            page.set_viewport_size({"width": width, "height": height})
            _show(page, dashboard + path)
            where = folder / (f"{name}-{theme}.png" if is_docs else f"{name}-{width}-{theme}.png")
            page.screenshot(path=where, full_page=not is_docs)
    context.close()


def _show(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    sys.exit(main())
