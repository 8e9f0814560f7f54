"""What people do about alerts, in a real Chromium against real gunicorn: a rule is made and tried, its alert
acknowledged, silenced and resolved, and nothing that they are typing is lost to a refresh."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from .browser import Complaints, visit
from .load import send, tool_call
from .service import KEY, Service

JUDGED_MS = 20_000


def sign_in(page: Page, service: Service, path: str) -> None:
    page.goto(f"{service.url}/dashboard/signin?next={path}")
    page.get_by_label("Key").fill(KEY)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation", name="Alerts", exact=True)).to_be_visible()


def test_a_rule_is_written_and_what_it_finds_is_seen_silenced_and_resolved(
    tmp_path: Path, page: Page, browser: Browser
) -> None:
    with Service(tmp_path, workers=2) as service:
        send(service.url, KEY, [tool_call("read_file", {"file_path": "missing"})] * 12)
        sign_in(page, service, "/dashboard/alerts/rules/new")
        _write(page)
        page.goto(f"{service.url}/dashboard/alerts")
        row = page.locator("li.alert", has_text="broken reads")
        expect(row).to_be_visible(timeout=JUDGED_MS)
        expect(page.locator("[data-active-count]").first).to_be_visible()
        _acknowledge(page, row)
        _silence_and_resolve(page)
        _reads_without_scripts(browser, service)


def _write(page: Page) -> None:
    """Make the rule; the answer beside it follows what is typed."""
    page.get_by_label("When", exact=True).select_option(label="Error rate")
    page.get_by_label("for at least").fill("0")
    page.get_by_label("and at least").fill("5")
    warning = page.get_by_label("Warning", exact=True)
    warning.fill("ten")
    expect(page.locator("#answer")).to_contain_text("the limit of warning is 'ten'")
    warning.fill("10")
    expect(page.locator("#answer")).to_contain_text("Would have fired", timeout=JUDGED_MS)
    expect(page.locator("[data-unit-of-metric]").first).to_have_text("%")
    page.get_by_label("Name", exact=True).fill("Broken reads")
    page.get_by_label("Your name").fill("Ann")
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_role("heading", name="Broken reads")).to_be_visible()
    expect(page.get_by_role("button", name="Broken reads", pressed=True)).to_be_visible()


def _acknowledge(page: Page, row: object) -> None:
    """A note is typed while the page refreshes; the name is the one that was given with the rule."""
    row.locator("summary", has_text="Acknowledge").click()  # type: ignore[attr-defined]
    note = row.get_by_label("Note, if you like").first  # type: ignore[attr-defined]
    note.fill("look")
    with page.expect_response(lambda one: one.url.endswith("/dashboard/alerts"), timeout=JUDGED_MS):
        pass
    page.wait_for_timeout(200)
    expect(note).to_be_focused()
    note.press_sequentially("ing at it")
    expect(row.get_by_label("Your name").first).to_have_value("Ann")  # type: ignore[attr-defined]
    note.press("Enter")
    expect(page.locator("li.alert", has_text="broken reads")).to_contain_text("acknowledged by Ann")
    expect(page.locator("li.alert", has_text="broken reads")).to_contain_text("“looking at it”")


def _silence_and_resolve(page: Page) -> None:
    page.locator("li.alert .alert-title a", has_text="broken reads").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("read_file")
    page.locator("summary", has_text="Silence").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="4 h", exact=True)).to_be_hidden()
    page.locator("summary", has_text="Silence").click()
    page.get_by_role("button", name="4 h", exact=True).click()
    expect(page.locator("#lead")).to_contain_text("silenced until")
    page.locator("summary", has_text="Resolve").click()
    page.locator("form[id^=form-resolve]").get_by_label("Note, if you like").fill("the file is back")
    page.locator("form[id^=form-resolve]").get_by_role("button", name="Resolve").click()
    expect(page.locator("#lead")).to_contain_text("resolved by Ann")
    expect(page.locator("#timeline")).to_contain_text("the file is back")


def _reads_without_scripts(browser: Browser, service: Service) -> None:
    complaints = Complaints()
    with visit(browser, complaints, width=375, scripts=False) as page:
        sign_in(page, service, "/dashboard/alerts")
        for path in ("", "/history", "/rules", "/rules/new", "/silences", "/channels"):
            page.goto(f"{service.url}/dashboard/alerts{path}")
            assert page.evaluate("document.documentElement.scrollWidth") <= 375, path
        page.goto(f"{service.url}/dashboard/alerts/rules/new?metric=error_rate&limit_warning=10")
        page.get_by_role("button", name="Preview").click()
        expect(page.locator("#answer")).to_contain_text(re.compile("Would (not )?have fired"))
    assert not str(complaints), str(complaints)
