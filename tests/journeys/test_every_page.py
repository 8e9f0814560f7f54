"""Every page in both themes, on a desk and on a phone: accessible, within its width, without a complaint.

Once with traffic, alerts and a channel behind it, and once of a service that nobody has called. A new page is
a row in `site`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Response

from app.factory import create_app
from app.settings import Settings

from . import axe
from .browser import Complaints, sign_in, visit
from .load import mixed, send, tool_call
from .loopback import eventually
from .service import KEY, Service
from .site import PLACES, Place

pytestmark = pytest.mark.xdist_group("every page")
TOOL = "read_file"
# Where it is looked at (px), and in which themes.
DESK, PHONE = (1440, 1000), (375, 812)
Looks = tuple[tuple[tuple[int, int], tuple[Literal["light", "dark"], ...]], ...]
THOROUGHLY: Looks = ((DESK, ("light", "dark")), (PHONE, ("dark", "light")))
BRIEFLY: Looks = ((DESK, ("light",)), (PHONE, ("dark",)))


# What answers below the dashboard and is no page: files, and parts of pages.
NO_PAGES = {"pages.static", "pages.panel", "pages.tools_file", "alerts.history_csv", "alerts.test_outcome"}


class Used(NamedTuple):
    """A service, and what its pages are about: the values of a path's names."""

    service: Service
    known: Mapping[str, str]


class Reader(NamedTuple):
    """A page of the browser with what it complained of, and every answer that was an error."""

    page: Page
    complaints: Complaints
    refused: list[str]


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Used]:
    """A service with traffic, a tool that fails, an alert about it, a silence and a channel."""
    with Service(tmp_path_factory.mktemp("used"), workers=2) as service:
        send(service.url, KEY, mixed(200), clients=2)
        send(service.url, KEY, [tool_call(TOOL, {"file_path": "missing"})] * 60)
        channel = {"name": "On call", "url": "json://127.0.0.1:9/", "enabled": False}
        made = service.post_json("/performance/channels", channel)
        assert made.status == 201, made.body
        silence = {"seconds": 3600, "tools": ["ping"], "reason": "tried"}
        assert service.post_json("/performance/silences", silence).status == 201
        eventually(lambda: _alerts(service), "an alert")
        [rule, *_] = service.get("/performance/rules").json()["rules"]
        known = {"alert": _alerts(service)[0], "rule": str(rule["id"]), "tool": TOOL}
        yield Used(service, known | {"channel": str(made.json()["channel"]["id"])})


@pytest.fixture(scope="module")
def unused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Used]:
    """A service that nobody has called; a link to a tool may lead to it all the same."""
    with Service(tmp_path_factory.mktemp("unused"), workers=1) as service:
        yield Used(service, {"rule": "1", "tool": "nobody called it"})


@pytest.fixture(scope="module")
def reader_of_used(browser: Browser, used: Used) -> Iterator[Reader]:
    yield from _reader(browser, used)


@pytest.fixture(scope="module")
def reader_of_unused(browser: Browser, unused: Used) -> Iterator[Reader]:
    yield from _reader(browser, unused)


def test_no_page_is_left_out(tmp_path: Path) -> None:
    routes = create_app(Settings(api_key=KEY, state_dir=tmp_path)).url_map
    known = dict.fromkeys(("alert", "rule", "channel", "tool"), "1")
    asked = [urlsplit(place.of(known) or "").path for place in PLACES if place.status == 200]
    seen = {routes.bind("localhost").match(path)[0] for path in asked}
    pages = [rule for rule in routes.iter_rules() if rule.rule.startswith("/dashboard")]
    assert {rule.endpoint for rule in pages if "GET" in (rule.methods or ())} - seen == NO_PAGES


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_a_page_of_a_service_in_use(reader_of_used: Reader, used: Used, place: Place) -> None:
    path = place.of(used.known)
    assert path is not None, f"{place.path} names what this test's service lacks"
    _judge(reader_of_used, used.service.url + path, place, THOROUGHLY)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_a_page_of_a_fresh_service(reader_of_unused: Reader, unused: Used, place: Place) -> None:
    path = place.of(unused.known)
    if path is not None:
        _judge(reader_of_unused, unused.service.url + path, place, BRIEFLY)


@pytest.mark.parametrize(
    "place", [place for place in PLACES if place.is_inside], ids=lambda place: place.name
)
def test_the_focus_is_seen_wherever_tab_leads(reader_of_used: Reader, used: Used, place: Place) -> None:
    """From the link that skips the bar on: WCAG 2.4.7 and 2.4.11, which axe cannot judge."""
    page, path = reader_of_used.page, place.of(used.known)
    assert path is not None
    page.set_viewport_size({"width": 1100, "height": 700})
    page.goto(used.service.url + path)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    stops = list[str]()
    while (stop := page.evaluate(_STOP)) and len(stops) < 300:
        stops.append(stop["name"])
        assert stop["is_marked"], f"{stop['name']} has the focus and does not show it"
        assert not stop["over"], f"{stop['name']} has the focus below {stop['over']}"
        page.keyboard.press("Tab")
    assert len(stops) > 1, stops


# What has the focus: whether its looks say so, and what lies over it; null where Tab has led round.
_STOP = """() => {
  const one = document.activeElement;
  window.stopped ??= new WeakSet();
  if (one === document.body || stopped.has(one)) return null;
  stopped.add(one);
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one), box = one.getBoundingClientRect();
  const within = (value, most) => Math.min(Math.max(value, 1), most - 2);
  const x = within(box.x + box.width / 2, innerWidth);
  const y = within(box.y + Math.min(box.height, innerHeight) / 2, innerHeight);
  const over = document.elementFromPoint(x, y);
  return {
    name: [one.localName, one.id || one.textContent.trim().slice(0, 40) || one.ariaLabel].join(" "),
    is_marked: (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none",
    over: one.contains(over) || over.contains(one) ? "" : over.outerHTML.slice(0, 80),
  };
}"""


def _reader(browser: Browser, used: Used) -> Iterator[Reader]:
    complaints, refused = Complaints(), list[str]()

    def on_response(response: Response) -> None:
        if response.status >= 400:
            refused.append(f"{response.status} {response.url}")

    with visit(browser, complaints, width=DESK[0], height=DESK[1]) as page:
        page.on("response", on_response)
        sign_in(page, used.service.url, KEY)
        yield Reader(page, complaints, refused)


def _judge(reader: Reader, url: str, place: Place, looks: Looks) -> None:
    """The page at `url` has nothing wrong with it, however it is looked at."""
    page, complaints, refused = reader
    for told in (complaints.console, complaints.errors, complaints.foreign, refused):
        told.clear()  # an earlier page's are its own test's
    wrong = []
    rules = axe.ALL
    for (width, height), themes in looks:
        page.set_viewport_size({"width": width, "height": height})
        answer = page.goto(url)
        assert answer is not None
        if answer.status != place.status:
            wrong.append(f"it answers {answer.status}")
        wrong += [f"{width} px: {one}" for one in _outline(page)]
        for theme in themes:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # or colours are on their way
            wrong += [f"{width} px, {theme}: {one}" for one in axe.findings(page, rules)]
            rules = axe.LOOKS
    if place.status >= 400:  # the browser's console tells of the page's own status, too
        complaints.console = [line for line in complaints.console if f"({url})" not in line]
    wrong += [f"refused: {one}" for one in refused if one != f"{place.status} {url}"]
    wrong += [str(complaints)] if str(complaints) else []
    assert not wrong, "\n".join(wrong)


def _outline(page: Page) -> list[str]:
    """What is wrong with the page's frame: its width, its heading, its title."""
    beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    headings, title = page.locator("h1").all_inner_texts(), page.title()
    checks = {
        f"it is {beyond} px wider than the window": beyond > 0,
        f"its headings of level 1 are {headings}": len(headings) != 1 or not headings[0].strip(),
        f"its title is {title!r}": not title.removesuffix("· Laptime").strip() or title.count("Laptime") != 1,
    }
    return [told for told, is_wrong in checks.items() if is_wrong]


def _alerts(service: Service) -> list[str]:
    return [str(one["id"]) for one in service.get("/performance/alerts").json()["alerts"]]
