"""What people come to the dashboard for, each from the first look to the answer, in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from app.model.formats import NOTHING

from .browser import Complaints, visit
from .load import mixed, send, tool_call
from .loopback import eventually
from .service import KEY, Service

WAITED_MS = 30_000
SLOWEST = "analyze_code"
pytestmark = pytest.mark.xdist_group("stories")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with traffic of every tool, `analyze_code` by far the slowest of them."""
    folder = tmp_path_factory.mktemp("stories")
    with Service(folder, workers=2) as running:
        send(running.url, KEY, mixed(200), clients=2)
        send(running.url, KEY, [tool_call(SLOWEST, {"file_path": "app/panels/alerting/words.py"})] * 60)
        yield running


def sign_in(page: Page, service: Service, path: str = "/dashboard") -> None:
    page.goto(service.url + path)
    page.get_by_label("Key").fill(KEY)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1").first).to_be_visible()


def drawn(page: Page) -> None:
    """Wait for the charts: the scripts have run then, and there is something to point at."""
    expect(page.locator(".chart canvas[style*=width]")).not_to_have_count(0)


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_the_slow_tool_is_found_and_its_page_says_how_slow(page: Page, service: Service) -> None:
    sign_in(page, service)
    first = page.locator("table.tools tbody tr").first
    expect(first).to_contain_text(SLOWEST)  # most of all time is spent in it
    first.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SLOWEST)
    expect(page.locator("#panel-spread .bar").first).to_be_attached()
    expect(page.locator("#panel-newest tbody tr")).to_have_count(16)
    map_ = page.locator("#panel-heatmap .chart")
    box = map_.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] - 30, box["y"] + box["height"] / 2)
    expect(page.locator("[data-read=cell]")).to_have_text(re.compile(r"^\d\d:\d\d"))


def test_a_stretch_is_zoomed_into_shared_and_left_again(
    page: Page, browser: Browser, complaints: Complaints, service: Service
) -> None:
    sign_in(page, service, "/dashboard?window=1h")
    drawn(page)
    chart = page.locator("#panel-throughput .chart")
    box = chart.bounding_box()
    assert box
    y = box["y"] + 100
    page.mouse.move(box["x"] + box["width"] - 120, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, y, steps=4)
    page.mouse.up()
    page.wait_for_url(re.compile("from="))
    assert set(query(page)) == {"from", "to"}
    with visit(browser, complaints) as other:
        sign_in(other, service)
        other.goto(page.url)
        expect(other.locator(".times summary")).to_contain_text(NOTHING)
        for shown in (".times summary", "#panel-tools .card-head > p"):
            expect(other.locator(shown)).to_have_text(page.locator(shown).inner_text())
    page.go_back()
    page.wait_for_url(re.compile("window=1h"))


def test_the_keyboard_alone_leads_anywhere(page: Page, service: Service) -> None:
    sign_in(page, service)
    drawn(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("read_f")
    expect(page.locator(".found a")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("read_file")
    drawn(page)
    for key, name in (("a", "Alerts"), ("s", "System"), ("e", "Settings"), ("o", "Overview")):
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page.locator(".nav a[aria-current=page]")).to_contain_text(name)
        page.wait_for_load_state()
    drawn(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    focused = page.evaluate("document.activeElement.textContent")
    assert focused == page.locator("table.tools tbody tr").nth(1).get_by_role("link").inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(focused)


def test_a_zoom_is_made_by_keys(page: Page, service: Service) -> None:
    sign_in(page, service, "/dashboard?window=1h")
    drawn(page)
    page.locator("#panel-response_time .chart").focus()
    for key in ("ArrowLeft", "Enter", "ArrowLeft", "ArrowLeft", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url(re.compile("from="))


def test_focus_and_an_open_menu_outlive_a_refresh(page: Page, service: Service) -> None:
    sign_in(page, service)
    drawn(page)
    row = page.locator("table.tools tbody tr").nth(2).get_by_role("link")
    name = row.inner_text()
    row.focus()
    columns = page.locator("#panel-tools details.menu").first
    columns.evaluate("menu => { menu.open = true; }")
    send(service.url, KEY, [tool_call("ping")] * 30)
    page.evaluate("window.before = document.querySelector('table.tools tbody tr')")
    with page.expect_response(re.compile("panels/tools"), timeout=WAITED_MS):
        pass
    page.wait_for_timeout(300)
    assert page.evaluate("document.activeElement.textContent") == name
    assert columns.evaluate("menu => menu.open")
    assert page.evaluate("window.before.isConnected")


def test_columns_are_chosen_and_stay_chosen(page: Page, service: Service) -> None:
    sign_in(page, service)
    drawn(page)
    heads = page.locator("table.tools thead th")
    expect(heads).to_have_count(11)
    page.locator("#panel-tools summary", has_text="Columns").click()
    page.locator("#panel-tools .menu-body").get_by_role("link", name="p50 ms").click()
    expect(heads).to_have_count(10)
    page.wait_for_url(re.compile("hide=p50"))
    with page.expect_response(re.compile("panels/tools"), timeout=WAITED_MS) as asked:
        pass
    assert "hide=p50" in asked.value.url
    page.get_by_role("navigation", name="Window").get_by_role("link", name="6h").click()
    page.wait_for_url(re.compile("window=6h"))
    assert query(page)["hide"] == ["p50"]
    expect(heads).to_have_count(10)


def test_times_are_told_by_the_clock_that_is_chosen(
    browser: Browser, complaints: Complaints, service: Service
) -> None:
    context = browser.new_context(timezone_id="Asia/Kolkata", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    sign_in(page, service, "/dashboard?window=1h")
    expect(page.locator("[data-zone]")).to_have_text("local (Asia/Calcutta)")
    page.locator(".times summary").click()
    page.locator(".times").get_by_role("link", name="UTC").click()
    expect(page.locator("[data-zone]")).to_have_text("UTC")
    assert query(page)["zone"] == ["utc"]
    # Two dates that are typed are of that clock, and the address says which instants they are.
    page.goto(f"{service.url}/dashboard?zone=local")
    page.locator(".times summary").click()
    page.get_by_label("From", exact=True).fill("2025-11-24T05:30")
    page.get_by_label("To", exact=True).fill("2025-11-24T06:30")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("from="))
    assert (query(page)["from"], query(page)["to"]) == (["2025-11-24T00:00:00Z"], ["2025-11-24T01:00:00Z"])
    context.close()
    assert not str(complaints)


def test_a_phone_has_everything_at_the_thumb(
    browser: Browser, complaints: Complaints, service: Service
) -> None:
    with visit(browser, complaints, width=375, height=740) as page:
        sign_in(page, service)
        bar = page.locator(".nav").bounding_box()
        assert bar
        assert bar["y"] + bar["height"] == pytest.approx(740, abs=1)
        for link in page.locator(".nav a").all():
            box = link.bounding_box()
            assert box
            assert box["height"] >= 44
        page.locator(".finder summary").click()
        page.get_by_label("Find a tool by its name").fill("ping")
        page.locator(".found a").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("ping")
        size = page.locator("#finder").evaluate("field => parseFloat(getComputedStyle(field).fontSize)")
        assert size >= 16  # or the phone zooms in
    assert not str(complaints), str(complaints)


def test_without_a_script_every_page_reads_and_its_links_work(
    browser: Browser, complaints: Complaints, service: Service
) -> None:
    with visit(browser, complaints, scripts=False) as page:
        sign_in(page, service)
        page.get_by_role("navigation", name="Window").get_by_role("link", name="6h").click()
        assert query(page)["window"] == ["6h"]
        page.locator("#tools-search").fill("read")
        page.locator("#tools-search").press("Enter")
        expect(page.locator("table.tools tbody tr")).to_have_count(1)
        page.locator("#panel-response_time details.twin summary").click()
        expect(page.locator("#panel-response_time details.twin table")).to_be_visible()
        page.locator(".finder summary").click()
        page.get_by_label("Find a tool by its name").fill("ping")
        page.get_by_label("Find a tool by its name").press("Enter")
        page.locator(".found a").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("ping")
        for name in ("System", "Alerts", "Settings"):
            page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
            expect(page.locator("h1").first).to_be_visible()
    assert not str(complaints), str(complaints)


def test_what_a_release_did_is_marked_and_told(page: Page, tmp_path: Path) -> None:
    with Service(tmp_path, workers=1, env={"LAPTIME_RELEASE": "v2.0"}) as service:
        send(service.url, KEY, mixed(50))
        sign_in(page, service, "/dashboard?window=15m")

        def told() -> bool:
            page.reload()
            return "v2.0" in page.locator("#panel-verdict").inner_text()

        eventually(told, "the release in the verdict", within_s=40)
        chart = page.locator("#panel-response_time .chart").get_attribute("data-chart") or ""
        assert '"label":"v2.0"' in chart
