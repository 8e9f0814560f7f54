"""What people do with the dashboard, in a real Chromium against real gunicorn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from .browser import Complaints, visit
from .load import mixed, send, tool_call
from .loopback import eventually
from .service import KEY, Service

REFRESHED_MS = 30_000
pytestmark = pytest.mark.xdist_group("dashboard")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("dashboard"), workers=3) as running:
        yield running


def sign_in(page: Page, service: Service, path: str = "/dashboard/") -> None:
    page.goto(service.url + path)
    page.get_by_label("Key").fill(KEY)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1#verdict-title")).to_be_visible()


def shown_requests(page: Page) -> dict[str, int]:
    """The tool table as a reader sees it: requests by name."""
    rows = page.locator("table.tools tbody tr")
    names = rows.locator("th").all_inner_texts()
    counts = rows.locator("td:nth-of-type(1)").all_inner_texts()
    return {
        name.split("\n")[-1].strip(): int(count.replace(",", ""))
        for name, count in zip(names, counts, strict=True)
    }


def test_a_newcomer_opens_the_link_and_sees_what_the_load_tool_counted(tmp_path: Path, page: Page) -> None:
    with Service(tmp_path, key=None, workers=2) as service:
        link = re.compile(r"http://\S+link=[\w-]+")
        eventually(lambda: link.search(service.output()), "the link")
        found = link.search(service.output())
        assert found
        counts = send(service.url, service.key, mixed(400), clients=4)
        page.goto(found.group())
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("table.tools tbody tr")).to_have_count(5)
        expected = {name: counts.of_tool(name) for name, _ in counts.answers}
        assert shown_requests(page) == expected
        assert sum(expected.values()) == 400
        # The link is used up: a second browser that has it stays outside.
        page.context.clear_cookies()
        page.goto(found.group())
        expect(page.get_by_role("heading", name="This link no longer works")).to_be_visible()


def test_calls_appear_by_themselves_and_nothing_that_the_reader_does_is_lost(
    service: Service, page: Page
) -> None:
    send(service.url, KEY, mixed(60), clients=2)
    sign_in(page, service)
    page.evaluate("window.isTheSamePage = true")
    search = page.get_by_role("searchbox", name="Filter tools by name")
    search.fill("ping")
    expect(page.locator("table.tools tbody tr")).to_have_count(1)
    page.locator("details.twin summary").first.click()
    search.focus()
    page.evaluate("scrollTo(0, 200)")
    scrolled = page.evaluate("scrollY")
    assert scrolled > 0
    canvas = page.locator("canvas").first.element_handle()
    before = shown_requests(page)["ping"]
    send(service.url, KEY, [tool_call("ping")] * 37)
    cell = page.locator("table.tools tbody tr td:nth-of-type(1)")
    expect(cell).to_have_text(f"{before + 37:,}", timeout=REFRESHED_MS)
    assert page.evaluate("window.isTheSamePage") is True
    assert page.evaluate("scrollY") == scrolled
    assert page.evaluate("document.activeElement.id") == "tools-search"
    expect(search).to_have_value("ping")
    expect(page.locator("details.twin").first).to_have_attribute("open", "")
    assert canvas is not None
    assert canvas.evaluate("node => node.isConnected")


def test_a_hidden_tab_asks_for_nothing_and_catches_up_when_it_is_seen(service: Service, page: Page) -> None:
    sign_in(page, service)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true})"
    page.evaluate(hide % "true")
    page.wait_for_timeout(500)  # what was under way
    asked.clear()
    page.wait_for_timeout(6500)
    assert asked == []
    page.evaluate(hide % "false")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    eventually_asked = page.locator("[data-live-text]")
    expect(eventually_asked).to_have_text(re.compile("just now|1 s ago|2 s ago"), timeout=REFRESHED_MS)
    assert any("/panels/verdict" in url for url in asked)


def test_a_failing_tool_is_the_pages_heading(tmp_path: Path, page: Page) -> None:
    with Service(tmp_path, workers=2) as service:
        send(service.url, KEY, [tool_call("read_file", {"file_path": "missing"})] * 30)
        sign_in(page, service)
        expect(page.locator("h1")).to_contain_text("read_file is failing", timeout=REFRESHED_MS)
        expect(page.locator("#panel-alerts")).to_contain_text(
            "30 of 30 requests failed", timeout=REFRESHED_MS
        )
        assert page.locator("section.verdict").get_attribute("data-sev") in ("error", "critical")
        eventually(lambda: "read_file" in page.title(), "the title")
        page.wait_for_load_state("networkidle")  # the icon of the new state is on its way


def test_the_page_says_when_the_service_is_gone_and_when_it_is_back(
    tmp_path: Path, page: Page, complaints: Complaints
) -> None:
    service = Service(tmp_path, workers=2).start()
    try:
        sign_in(page, service)
        page.wait_for_load_state("networkidle")
        service.stop()
        expect(page.locator("[data-lost]")).to_be_visible(timeout=30_000)
        expect(page.locator("[data-live]")).to_have_attribute("data-state", "lost")
        service.start()
        expect(page.locator("[data-lost]")).to_be_hidden(timeout=30_000)
        expect(page.locator("[data-live]")).to_have_attribute("data-state", "live")
        page.goto("about:blank")
    finally:
        service.stop()
    # Refused connections are what this test made; nothing else may be in the console.
    assert all("net::ERR_CONNECTION_" in line or "Failed to fetch" in line for line in complaints.console)
    complaints.console.clear()


def test_a_session_that_ended_leads_to_the_door(service: Service, page: Page, complaints: Complaints) -> None:
    sign_in(page, service)
    page.context.clear_cookies()
    expect(page.get_by_role("heading", name="Sign in to")).to_be_visible(timeout=REFRESHED_MS)
    assert all("401" in line for line in complaints.console)
    complaints.console.clear()


def test_a_wrong_key_is_told_and_signing_out_ends_the_session(
    service: Service, page: Page, complaints: Complaints
) -> None:
    page.goto(service.url + "/dashboard/")
    page.get_by_label("Key").fill("not-the-key-at-all")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("This key is not known.")
    assert all("401" in line for line in complaints.console)
    complaints.console.clear()
    page.get_by_label("Key").fill(KEY)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    page.goto(service.url + "/dashboard/")
    expect(page.get_by_role("heading", name="Sign in to")).to_be_visible()


def test_the_window_is_in_the_address_and_survives_a_refresh(service: Service, page: Page) -> None:
    sign_in(page, service)
    page.get_by_role("navigation", name="Window").get_by_role("link", name="15m").click()
    expect(page).to_have_url(re.compile("window=15m"))
    with page.expect_request(lambda request: "/panels/tools" in request.url, timeout=REFRESHED_MS) as asked:
        pass
    assert "window=15m" in asked.value.url


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [375, 768, 1440])
def test_the_page_fits_every_width_in_both_themes(
    service: Service, browser: Browser, width: int, dark: bool
) -> None:
    complaints = Complaints()
    with visit(browser, complaints, width=width, dark=dark) as page:
        page.goto(service.url + "/dashboard/signin")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        sign_in(page, service)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 128) is dark
    assert not str(complaints), str(complaints)


def test_the_page_reads_without_scripts(service: Service, browser: Browser) -> None:
    complaints = Complaints()
    with visit(browser, complaints, scripts=False) as page:
        send(service.url, KEY, mixed(40))
        sign_in(page, service)
        assert shown_requests(page)["ping"] > 0
        page.locator("details.twin summary").first.click()
        expect(page.get_by_role("table", name=re.compile("Response time"))).to_be_visible()
        page.get_by_role("link", name="Requests", exact=True).click()
        counts = list(shown_requests(page).values())
        assert counts == sorted(counts, reverse=True)
    assert not str(complaints), str(complaints)


def test_the_policy_is_strict_and_the_markup_holds_no_script_or_style(service: Service) -> None:
    answer = service.get("/dashboard/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    html = answer.body.decode()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", html))
