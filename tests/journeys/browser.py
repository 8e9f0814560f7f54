"""A real Chromium for the journeys: it reaches loopback only, and what its console complains of is kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Route

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass(slots=True)
class Complaints:
    """What pages did that no page may do, in the order it came.

    `console` holds errors and warnings, violations of the Content-Security-Policy among them, `errors` what a
    script raised and nobody caught, `foreign` the addresses outside this machine that a page asked for.
    """

    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(self.console + self.errors + [f"asked for {url}" for url in self.foreign])


def launch(playwright: Playwright) -> Browser:
    """Start the Chromium of this machine, or Playwright's own where there is none."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    return playwright.chromium.launch(executable_path=found, args=list(_FLAGS))


@contextmanager
def visit(
    browser: Browser,
    complaints: Complaints,
    *,
    width: int = 1280,
    height: int = 900,
    dark: bool = False,
    scripts: bool = True,
) -> Iterator[Page]:
    """A page in a fresh profile; what it complains about is added to `complaints`."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
        timezone_id="UTC",
        locale="en-GB",
    )
    try:
        _listen(context, complaints)
        yield context.new_page()
    finally:
        context.close()


def sign_in(page: Page, url: str, key: str) -> None:
    """Sign in to the service at `url`; the page is then the overview."""
    page.goto(f"{url}/dashboard/signin")
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: not urlsplit(address).path.endswith("/signin"))


def _listen(context: BrowserContext, complaints: Complaints) -> None:
    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.console.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def on_request(route: Route) -> None:
        if urlsplit(route.request.url).hostname in ("127.0.0.1", "localhost"):
            route.continue_()
        else:
            complaints.foreign.append(route.request.url)
            route.abort()

    context.on("console", on_console)
    context.on("weberror", lambda error: complaints.errors.append(str(error.error)))
    context.route(lambda url: urlsplit(url).scheme in ("http", "https", "ws", "wss"), on_request)
