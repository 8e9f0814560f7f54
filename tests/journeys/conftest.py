"""What journeys share: a Chromium, and a page of it that must not have complained by the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from .browser import Complaints, launch, visit

PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all journeys; each page has a profile of its own."""
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def complaints() -> Complaints:
    """What the test's page complains about; a test that provokes something takes it out again."""
    return Complaints()


@pytest.fixture
def page(browser: Browser, complaints: Complaints) -> Iterator[Page]:
    """A desktop page in the light theme. The test fails if the console, a script or the policy complained."""
    with visit(browser, complaints) as page:
        yield page
    assert not str(complaints), str(complaints)
