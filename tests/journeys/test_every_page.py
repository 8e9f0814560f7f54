"""Every page in both themes on a desk and on a phone: accessible (axe), without complaints, within its width.

With traffic and alerts behind them, and again with nothing at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.panels.registry import PAGES

from .browser import Complaints, visit
from .load import mixed, send, tool_call
from .loopback import eventually
from .service import KEY, Service

# WCAG 2.2 AA, and what the makers of axe hold to be good practice.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TOOL = "read_file"
MADE_OF_PANELS = [f"{one.path}?window=15m&tool={quote(TOOL)}" for one in PAGES]
OTHERS = [
    "/alerts", "/alerts/history", "/alerts/rules", "/alerts/rules/new", "/alerts/silences",
    "/alerts/channels", "/settings", "/find?q=e", "/no-such-page",
]  # fmt: skip
PATHS = MADE_OF_PANELS + OTHERS
pytestmark = pytest.mark.xdist_group("every page")


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with traffic, and a tool that fails."""
    with Service(tmp_path_factory.mktemp("busy"), workers=2) as service:
        send(service.url, KEY, mixed(200), clients=2)
        send(service.url, KEY, [tool_call(TOOL, {"file_path": "missing"})] * 60)
        eventually(lambda: active(service), "an alert", within_s=30)
        yield service


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that nobody has called."""
    with Service(tmp_path_factory.mktemp("idle"), workers=1) as service:
        yield service


def active(service: Service) -> list[dict[str, Any]]:
    """The active alerts."""
    found: list[dict[str, Any]] = json.loads(service.get("/performance/alerts").body)["alerts"]
    return found


def sign_in(page: Page, service: Service) -> None:
    page.goto(f"{service.url}/dashboard/signin")
    page.get_by_label("Key").fill(KEY)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1").first).to_be_visible()


def findings(page: Page) -> list[str]:
    """What axe has to say, a line to each rule with the first place that breaks it."""
    results = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    return [
        f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]} ({len(one['nodes'])} places)"
        for one in results.response["violations"]
    ]


def judge(page: Page, url: str, complaints: Complaints) -> list[str]:
    """What is wrong with a page in both themes and at both widths."""
    wrong = []
    for width, height in ((1440, 1000), (375, 800)):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(url)
        expect(page.locator(".htmx-request")).to_have_count(0)  # what is on its way is pale
        if "no-such-page" in url:
            complaints.console.clear()  # the browser tells of the 404 that was asked for
        if page.locator("h1").count() != 1:
            wrong.append(f"{width}: {page.locator('h1').count()} headings")
        if not page.title().endswith(" · Laptime"):
            wrong.append(f"{width}: its title is {page.title()!r}")
        beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if beyond > 0:
            wrong.append(f"{width}: {beyond} px beyond the edge")
        for scheme in ("light", "dark") if width > 1000 else ("light",):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # or colours are on their way
            wrong += [f"{width} {scheme}: {one}" for one in findings(page)]
    return wrong


@pytest.fixture
def desk(browser: Browser, busy: Service, complaints: Complaints) -> Iterator[tuple[Page, BrowserContext]]:
    with visit(browser, complaints) as page:
        sign_in(page, busy)
        yield page, page.context
    assert not str(complaints), str(complaints)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_with_traffic_is_accessible_and_fits(
    desk: tuple[Page, BrowserContext], busy: Service, complaints: Complaints, path: str
) -> None:
    wrong = judge(desk[0], f"{busy.url}/dashboard{path}", complaints)
    assert not wrong, "\n".join(wrong)


def test_an_alerts_story_is_accessible_and_fits(
    desk: tuple[Page, BrowserContext], busy: Service, complaints: Complaints
) -> None:
    (alert, *_) = active(busy)
    wrong = judge(desk[0], f"{busy.url}/dashboard/alerts/{alert['id']}", complaints)
    assert not wrong, "\n".join(wrong)


def test_every_page_is_accessible_and_fits_before_the_first_request(
    browser: Browser, idle: Service, complaints: Complaints
) -> None:
    with visit(browser, complaints) as page:
        sign_in(page, idle)
        wrong = [
            f"{path} {one}"
            for path in PATHS
            for one in judge(page, f"{idle.url}/dashboard{path}", complaints)
        ]
    assert not str(complaints), str(complaints)
    assert not wrong, "\n".join(wrong)


def test_the_door_is_accessible_and_fits(browser: Browser, idle: Service, complaints: Complaints) -> None:
    with visit(browser, complaints) as page:
        wrong = judge(page, f"{idle.url}/dashboard/signin", complaints)
        wrong += judge(page, f"{idle.url}/dashboard/signin?out=", complaints)
    assert not str(complaints), str(complaints)
    assert not wrong, "\n".join(wrong)
