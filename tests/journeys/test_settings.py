"""The settings page in a real Chromium against real gunicorn: a limit is changed beside its worst value, the
alert follows, and what a browser keeps for itself holds on every page."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from .browser import Complaints
from .load import send, tool_call
from .service import KEY, Service

JUDGED_MS = 30_000


def sign_in(page: Page, service: Service) -> None:
    page.goto(f"{service.url}/dashboard/signin?next=/dashboard/settings")
    page.get_by_label("Key").fill(KEY)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Settings", exact=True)).to_be_visible()


def test_a_limit_is_changed_beside_the_worst_value_and_its_alert_ends(
    tmp_path: Path, page: Page, complaints: Complaints
) -> None:
    with Service(tmp_path, workers=2) as service:
        send(service.url, KEY, [tool_call("read_file", {"file_path": "missing"})] * 12)
        sign_in(page, service)
        page.goto(f"{service.url}/dashboard/alerts")
        expect(page.locator("li.alert", has_text="low success rate")).to_be_visible(timeout=JUDGED_MS)
        page.goto(f"{service.url}/dashboard/settings")
        limit = page.get_by_label("Success rate, error below")
        row = page.locator("tr").filter(has=limit)
        expect(row).to_contain_text("error: 0 %")
        save = page.get_by_role("button", name="Save")
        expect(save).to_be_disabled()
        limit.fill("ninety")
        expect(row).to_contain_text("was 90")
        expect(page.get_by_text("1 row is not saved.")).to_be_visible()
        save.click()
        expect(page.get_by_text("the worse limit is 'ninety'")).to_be_visible()
        complaints.console.clear()  # the answer's status, which a refused form has
        limit.fill("0")
        limit.press("Enter")
        expect(row).to_contain_text("changed by dashboard")
        page.goto(f"{service.url}/dashboard/alerts")
        expect(page.locator("li.alert", has_text="low success rate")).to_have_count(0, timeout=JUDGED_MS)
        page.goto(f"{service.url}/dashboard/settings")
        row.get_by_role("button", name="Back to default").click()
        expect(row).to_contain_text("LAPTIME_ALERT_SUCCESS_RATE_PERCENT")
        expect(limit).to_have_value("90")


def test_theme_and_refresh_are_kept_and_the_list_follows_the_section(tmp_path: Path, page: Page) -> None:
    with Service(tmp_path) as service:
        sign_in(page, service)
        places = page.get_by_role("navigation", name="Settings", exact=True)
        expect(places.locator("[aria-current]")).to_have_text("Thresholds")
        places.get_by_role("link", name="All settings").click()
        expect(places.locator("[aria-current]")).to_have_text("All settings")
        places.get_by_role("link", name="Own cost").click()
        expect(places.locator("[aria-current]")).to_have_text("Own cost")
        page.get_by_text("Dark", exact=True).click()
        page.get_by_text("60 s", exact=True).click()
        page.goto(f"{service.url}/dashboard")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        expect(page.locator("[data-live] summary")).to_have_attribute("title", "Refreshes every 60 s")
        page.get_by_role("button", name="Switch between light and dark").click()
        page.goto(f"{service.url}/dashboard/settings")
        expect(page.get_by_label("Light", exact=True)).to_be_checked()
        page.get_by_text("As the system", exact=True).click()
        page.reload()
        expect(page.locator("html")).not_to_have_attribute("data-theme", "light")
        page.get_by_role("button", name="Sign out").last.click()
        expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
