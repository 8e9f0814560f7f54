"""The dashboard's pages as a browser gets them: whole, as fragments, escaped, and without anything inline."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask

import app
from app.desk import Desk
from app.errors import UnavailableError
from app.panels.registry import PAGES, PANELS, Page, page_of
from app.web import alert_pages, auth, pages, problems, settings_page, static_files
from app.web.keys import Keys
from app.web.shelf import Lent, Shelf
from app.web.tries import Tries
from tests.front_door import Browser, Front
from tests.panels import fake

ROOT = Path(app.__file__).parent
VENDOR = static_files.STATIC / "vendor"
HTMX = {"HX-Request": "true"}
KEY = {"X-API-Key": "an-open-secret-for-tests"}
SLUGS = [panel.slug for panel in PANELS]
NEEDED = {"tool": "run_query"}


def address(page: Page, **query: str) -> str:
    """A page with what it can't do without."""
    asked = {name: NEEDED[name] for panel in page.panels for name, one in panel.options.items() if one.needed}
    return f"/dashboard{page.path}?{urlencode(asked | query)}"


def fragment_of(slug: str, **query: str) -> str:
    """A panel's address with what it can't do without."""
    asked = {name: NEEDED[name] for name, one in page_of(slug)[0].options.items() if one.needed}
    return f"/dashboard/panels/{slug}?{urlencode(asked | query)}"


def _nobody() -> Desk:
    raise UnavailableError("the desk is not asked here")


class NoShelf(Shelf):
    """Nothing is lent, because here the time stands still while the sources change."""

    def get(self, key: str, now_s: float, fresh_s: float, make: Callable[[], str]) -> Lent:  # noqa: ARG002
        return Lent(make(), now_s)

    def put(self, key: str, now_s: float, text: str) -> Lent:  # noqa: ARG002
        return Lent(text, now_s)


class Dashboard:
    """The pages over a stand-in for the sources, behind the real door."""

    def __init__(self, folder: Path) -> None:
        self.sources = fake.VARIANTS["troubled"]()
        keys = Keys.load(KEY["X-API-Key"], folder)
        web = Flask("laptime", root_path=str(ROOT), static_folder=None)
        web.register_blueprint(
            pages.blueprint(lambda: self.sources, banner="", shelf=NoShelf(folder)), url_prefix="/dashboard"
        )
        web.register_blueprint(
            alert_pages.blueprint(lambda: self.sources, _nobody), url_prefix="/dashboard/alerts"
        )
        web.register_blueprint(
            settings_page.blueprint(lambda: self.sources, _nobody, {}), url_prefix="/dashboard/settings"
        )
        web.register_blueprint(auth.blueprint, url_prefix="/dashboard")
        auth.guard(web, auth.Door(keys, Tries(folder, b"secret"), public_url=""), sessions=True)
        problems.register(web, pages="/dashboard")
        self.client = Browser(web)

    def get(self, path: str, headers: dict[str, str] | None = None) -> str:
        response = self.client.get(path, headers=KEY | (headers or {}))
        assert response.status_code == 200, response.text
        return response.text

    def refused(self, path: str) -> tuple[int, str]:
        response = self.client.get(path, headers=KEY | {"Accept": "text/html"})
        assert response.mimetype == "text/html"
        return response.status_code, response.text


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: fake.NOW_S)
        yield Dashboard(tmp_path_factory.mktemp("state"))


class Tags(HTMLParser):
    """All tags of a page with their attributes, and the text within scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.inline: list[str] = []
        self._within = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._within = tag

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within in ("script", "style") and data.strip():
            self.inline.append(data)

    def named(self, attribute: str) -> list[str]:
        """All values of an attribute."""
        return [attrs[attribute] for _, attrs in self.tags if attribute in attrs]


@pytest.mark.parametrize("of", PAGES, ids=lambda page: page.slug)
@pytest.mark.parametrize("variant", fake.VARIANTS)
def test_every_page_stands_in_every_condition_with_nothing_inline(
    dashboard: Dashboard, variant: str, of: Page
) -> None:
    dashboard.sources = fake.VARIANTS[variant]()
    page = Tags(dashboard.get(address(of)))
    assert page.named("data-panel") == [panel.slug for panel in of.panels]
    assert page.inline == []
    assert page.named("style") == []
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert [tag for tag, _ in page.tags].count("h1") == 1


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/"])
def test_the_overview_answers_at_both_addresses_without_going_elsewhere(
    dashboard: Dashboard, path: str
) -> None:
    dashboard.sources = fake.VARIANTS["troubled"]()
    assert "run_query is failing, analyze_code is slow" in dashboard.get(path)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_panel_is_a_fragment_for_htmx_and_a_page_for_people(dashboard: Dashboard, slug: str) -> None:
    dashboard.sources = fake.VARIANTS["troubled"]()
    fragment = dashboard.get(fragment_of(slug, window="15m"), HTMX)
    page = dashboard.get(fragment_of(slug, window="15m"))
    assert "<html" not in fragment
    assert fragment.strip() in page
    assert Tags(page).named("data-panel") == [slug]
    assert Tags(fragment).named("data-at") == ["2025-11-24T14:41:00Z"]


@pytest.mark.parametrize("tool", [*fake.HOSTILE, "never called </h1>"])
@pytest.mark.parametrize("slug", SLUGS)
def test_hostile_names_are_text_in_every_panel(dashboard: Dashboard, slug: str, tool: str) -> None:
    dashboard.sources = fake.VARIANTS["hostile"]()
    html = dashboard.get(fragment_of(slug, tool=tool), HTMX)
    assert html.count("</h1>") <= 1
    assert "<script>alert" not in html
    assert "<img" not in html
    assert not {tag for tag, _ in Tags(html).tags} & {"script", "img", "path:日本"}
    assert "49 {%" not in html


def test_hostile_names_are_there_and_readable(dashboard: Dashboard) -> None:
    dashboard.sources = fake.VARIANTS["hostile"]()
    titles = Tags(dashboard.get("/dashboard/panels/tools", HTMX)).named("title")
    assert set(fake.HOSTILE) <= set(titles)


def test_every_panel_refreshes_itself_with_the_window_of_the_page(dashboard: Dashboard) -> None:
    dashboard.sources = fake.VARIANTS["troubled"]()
    page = Tags(dashboard.get("/dashboard?window=6h&sort=p95"))
    regions = [attrs for _, attrs in page.tags if "data-panel" in attrs]
    for region in regions:
        address = urlsplit(region["data-hx-get"])
        assert address.path == f"/dashboard/panels/{region['data-panel']}"
        assert parse_qs(address.query)["window"] == ["6h"]
        assert region["data-hx-trigger"] == "laptime:refresh"
    options = {attrs["name"]: attrs["value"] for _, attrs in page.tags if "data-option" in attrs}
    assert options == {"sort": "p95", "order": "", "rows": "25", "hide": "", "q": ""}


def test_a_young_service_is_shown_in_minutes_and_an_older_one_in_an_hour(dashboard: Dashboard) -> None:
    for variant, window in (("first_minutes", "15m"), ("healthy", "1h")):
        dashboard.sources = fake.VARIANTS[variant]()
        page = Tags(dashboard.get("/dashboard"))
        chosen = [
            attrs["href"] for tag, attrs in page.tags if tag == "a" and attrs.get("aria-current") == "true"
        ]
        assert chosen[0] == f"/dashboard?window={window}"
        assert all(f"window={window}" in path for path in page.named("data-hx-get") if "?" in path)


def test_choices_that_were_made_stay_in_the_links_of_the_others(dashboard: Dashboard) -> None:
    dashboard.sources = fake.VARIANTS["quiet"]()
    page = Tags(dashboard.get("/dashboard?window=6h&sort=p95&rows=100&q=items"))
    links = [parse_qs(urlsplit(href).query) for href in page.named("href") if href.startswith("/dashboard?")]
    assert {"window": ["7d"], "sort": ["p95"], "rows": ["100"], "q": ["items"]} in links
    assert {"window": ["6h"], "sort": ["requests"], "rows": ["100"], "q": ["items"]} in links
    assert {"window": ["6h"], "sort": ["p95"], "q": ["items"]} in links


@pytest.mark.slow
@pytest.mark.parametrize("of", PAGES, ids=lambda page: page.slug)
def test_no_link_leads_to_a_page_that_is_not_there(dashboard: Dashboard, of: Page) -> None:
    dashboard.sources = fake.VARIANTS["quiet"]()
    page = Tags(dashboard.get(address(of)))
    for href in set(page.named("href") + page.named("src") + page.named("data-hx-get")):
        if href.startswith(("/dashboard/alerts", "/dashboard/settings")):
            continue  # walked in tests of their own, with a desk behind them
        if href.startswith("/"):
            dashboard.get(href)
        else:
            assert href.startswith("#"), href


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("window=2h", "allowed is 15m, 1h"),
        ("window=", "allowed is 15m, 1h"),
        ("sort=size", "allowed is share, tool"),
        ("rows=26", "allowed is 25, 100"),
        ("q=" + "a" * 101, "allowed is 100"),
    ],
)
def test_a_wrong_choice_is_a_page_that_says_what_is_allowed(
    dashboard: Dashboard, query: str, said: str
) -> None:
    status, text = dashboard.refused(f"/dashboard?{query}")
    assert status == 400
    assert said in text


@pytest.mark.parametrize("path", ["panels/nope", "nope", "static/0/nope.css", "static/0/../../pages.py"])
def test_what_is_not_there_is_a_page_of_its_own(dashboard: Dashboard, path: str) -> None:
    status, text = dashboard.refused(f"/dashboard/{path}")
    assert status == 404
    assert "To the overview" in text


@pytest.mark.parametrize("query", ["", "?tool=", "?tool=" + "a" * 1001])
def test_a_page_of_a_tool_needs_a_name_that_a_tool_can_have(dashboard: Dashboard, query: str) -> None:
    assert dashboard.refused(f"/dashboard/tool{query}")[0] == 400


def test_pages_are_never_kept_and_static_files_by_their_content(dashboard: Dashboard) -> None:
    dashboard.sources = fake.VARIANTS["troubled"]()
    page = dashboard.client.get("/dashboard", headers=KEY)
    assert page.headers["Cache-Control"] == "no-store"
    found = re.search(r"/dashboard/static/[0-9a-f]{12}/app\.css", page.text)
    assert found
    kept = dashboard.client.get(found[0]).headers["Cache-Control"]
    assert "max-age=31536000" in kept
    assert "immutable" in kept
    asked = dashboard.client.get("/dashboard/static/000000000000/app.css")
    assert asked.headers["Cache-Control"] == "no-cache"


def test_what_charts_import_is_named_in_the_page(dashboard: Dashboard) -> None:
    named = re.findall(
        r'rel="modulepreload" href="[^"]+/static/[0-9a-f]{12}/([^"]+)"', dashboard.get("/dashboard")
    )
    imported = re.findall(r'from "\./(.+)"', (static_files.STATIC / "charts.js").read_text())
    assert named
    assert set(imported) <= set(named)
    assert not re.search("modulepreload", dashboard.client.get("/dashboard/signin").text)


def test_scripts_and_styles_come_with_a_type_that_browsers_accept(dashboard: Dashboard) -> None:
    for path in sorted(static_files.STATIC.rglob("*.*")):
        name = path.relative_to(static_files.STATIC).as_posix()
        kind = dashboard.client.get(f"/dashboard/static/000000000000/{name}").mimetype
        expected = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
        assert kind == expected.get(path.suffix, "application/json")


def test_nothing_measured_shows_the_call_to_make(dashboard: Dashboard) -> None:
    dashboard.sources = fake.VARIANTS["empty"]()
    html = dashboard.get("/dashboard")
    assert "Nothing measured yet" in html
    assert "curl -X POST http://localhost/api/v1/tools/call" in html


@pytest.mark.parametrize("state", ["start", "out", "expired"])
def test_the_sign_in_page_says_nothing_about_the_inside(dashboard: Dashboard, state: str) -> None:
    query = {"start": "", "out": "?out=", "expired": "?link=used"}[state]
    response = dashboard.client.get(f"/dashboard/signin{query}")
    page = Tags(response.text)
    assert page.inline == []
    assert "0.1.0" not in response.text
    assert [attrs["action"] for tag, attrs in page.tags if tag == "form"] == ["/dashboard/signin"]
    assert "key" in page.named("name")


def test_vendored_files_are_the_released_ones_and_their_licences_are_told() -> None:
    vendored = json.loads((VENDOR / "vendored.json").read_text())
    assert {one["file"] for one in vendored} == {path.name for path in VENDOR.glob("*.js")}
    notices = (ROOT.parent / "NOTICES").read_text()
    for one in vendored:
        assert sha256((VENDOR / one["file"]).read_bytes()).hexdigest() == one["sha256"]
        assert f"{one['name']} {one['version']}" in notices


def test_the_real_service_shows_the_call_that_was_just_made(tmp_path: Path) -> None:
    front = Front(tmp_path)
    assert front.call("ping").status_code == 200
    page = front.get("/dashboard")
    assert page.status_code == 200
    assert "Healthy: the one tool is as it should be" in page.text
    row = front.browser().get("/dashboard/panels/tools?window=15m", headers=HTMX | {"X-API-Key": front.key})
    assert "ping" in Tags(row.text).named("title")
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
