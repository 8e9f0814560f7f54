"""The settings page as a browser gets it, through the real service: read, saved, refused, escaped."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.desk import Desk, Door
from app.errors import UnavailableError
from app.model.channels import Channel
from app.model.rules import Level, Rule, StoredRule
from app.settings import Settings
from app.store import Connection, channels, make_engine, writing
from app.web import alert_pages, auth, pages, problems, settings_page
from app.web.keys import Keys
from app.web.shelf import Shelf
from app.web.tries import Tries
from tests.front_door import KEY, Browser, Front
from tests.panels import fake

from .test_alert_pages import assert_clean
from .test_pages import ROOT, Tags

PATH = "/dashboard/settings"
SECTIONS = (
    "thresholds", "retention", "keys", "channels", "appearance", "cost", "version", "settings",
)  # fmt: skip


class Page:
    """The service with its default rules, and a browser that is signed in."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.front = Front(folder, **settings)
        self.front.judge(time.time())  # makes the default rules
        self.desk = self.front.app.service.desk()
        self.browser: Browser = self.front.browser()
        key = self.front.key
        assert self.browser.post("/dashboard/signin", data={"key": key}).status_code == 303

    def get(self) -> str:
        response = self.browser.get(PATH, headers={"Accept": "text/html"})
        assert response.status_code == 200, response.text
        return response.text

    def fields(self, html: str = "") -> dict[str, str]:
        """What the form of the thresholds would send as the page stands."""
        found = {}
        for tag in re.findall(r"<input [^>]*>", html or self.get()):
            name, value = re.search(r' name="([^"]*)"', tag), re.search(r' value="([^"]*)"', tag)
            if name and 'type="radio"' not in tag:
                found[name[1]] = unescape(value[1]) if value else ""
        return found

    def send(
        self,
        status: int = 303,
        fields: Mapping[str, str] | None = None,
        changes: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Send the form with some fields changed; their names have an underscore for the hyphen."""
        sent = dict(fields or self.fields()) | _hyphened(changes or {})
        response = self.browser.post(PATH, data=sent, headers={"Accept": "text/html"})
        assert response.status_code == status, response.text
        return response

    def rule(self, type: str) -> StoredRule:
        return next(one for one in self.desk.rules.all() if one.type == type)

    def levels(self, type: str) -> tuple[Level, ...]:
        return self.rule(type).rule.levels


def _hyphened(changes: Mapping[str, str]) -> dict[str, str]:
    """Fields by their names in the form: `warning_3` is warning-3 there."""
    return {name.replace("_", "-"): text for name, text in changes.items()}


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page(tmp_path)


def test_the_page_has_every_section_and_the_list_leads_to_each(page: Page) -> None:
    html = page.get()
    assert_clean(html)
    tags = Tags(html)
    assert set(SECTIONS) <= set(tags.named("id"))
    assert [href for href in tags.named("href") if href in {f"#{one}" for one in SECTIONS}] == [
        f"#{one}" for one in SECTIONS
    ]
    assert "data-live" not in html  # nothing here has a window or refreshes itself


def test_the_default_rules_stand_with_their_numbers_and_what_decides_them(page: Page) -> None:
    html = page.get()
    fields = page.fields(html)
    slow, failing, cpu = (
        page.rule(f"{one}").id for one in ("high_response_time", "low_success_rate", "high_cpu_usage")
    )
    assert fields[f"warning-{slow}"] == "2,000"
    assert fields[f"worse-{slow}"] == ""
    assert fields[f"warning-{failing}"] == ""
    assert fields[f"worse-{failing}"] == "90"
    assert (fields[f"warning-{cpu}"], fields[f"worse-{cpu}"]) == ("80", "95")
    assert 'placeholder="1,900"' in html  # well again by itself
    assert "as LAPTIME_ALERT_RESPONSE_TIME_MS says" in html.replace("<wbr>", "")
    assert "only LAPTIME_SLOW_MS decides" in html
    assert "too few requests" in html
    assert "not sampled" in html


def test_a_new_limit_is_saved_as_a_rule_and_no_variable_decides_it_any_more(page: Page) -> None:
    slow, cpu = page.rule("high_response_time"), page.rule("high_cpu_usage")
    before = page.rule("high_memory_usage")
    response = page.send(
        changes={
            f"warning_{slow.id}": "1,500.5",
            f"worse_{slow.id}": "4000",
            f"well_{cpu.id}": "70",
            "by": "Ann",
        }
    )
    assert response.location == f"{PATH}#thresholds"
    assert page.levels("high_response_time") == (Level("warning", 1500.5), Level("critical", 4000.0))
    assert page.rule("high_cpu_usage").rule.recovery == 70.0
    assert page.rule("high_memory_usage") == before
    html = page.get()
    assert "changed by Ann" in html
    assert html.count(f'form="reset-{slow.id}"') == html.count(f'id="reset-{slow.id}"') == 1
    own = html.partition("data-unsaved>")[2].partition("</form>")[0]
    first = next(
        tag for tag in re.findall(r"<button [^>]*>", own) if 'type="submit"' in tag and "form=" not in tag
    )
    assert "btn-main" in first  # what Enter in a field presses
    assert "as LAPTIME_ALERT_RESPONSE_TIME_MS says" not in html.replace("<wbr>", "")
    page.front.judge(time.time())  # the settings don't take it back
    assert page.levels("high_response_time")[0].threshold == 1500.5
    response = page.browser.post(
        f"{PATH}/thresholds/{slow.id}/reset", data={"csrf_token": page.fields()["csrf_token"]}
    )
    assert response.status_code == 303
    assert page.levels("high_response_time") == (Level("warning", 2000.0),)
    assert page.rule("high_response_time").changed_s is None


def test_what_nobody_touched_is_not_saved_again(page: Page) -> None:
    page.send()
    assert all(one.changed_s is None for one in page.desk.rules.all())
    page.send(changes={f"warning_{page.rule('high_response_time').id}": " 2000 "})  # the same number
    assert page.rule("high_response_time").changed_s is None


def test_an_old_page_changes_its_own_rows_and_takes_nobodys_change_back(page: Page) -> None:
    old = page.fields()
    slow, cpu = page.rule("high_response_time"), page.rule("high_cpu_usage")
    page.desk.rules.change(cpu.id, msgspec.structs.replace(cpu.rule, levels=(Level("warning", 60.0),)), "Bob")
    page.send(fields=old, changes={f"warning_{slow.id}": "1000"})
    assert page.levels("high_cpu_usage") == (Level("warning", 60.0),)
    assert page.levels("high_response_time") == (Level("warning", 1000.0),)
    html = page.send(400, fields=old, changes={f"warning_{cpu.id}": "55"}).text
    assert "CPU usage was changed by Bob meanwhile" in html
    assert page.fields(html)[f"warning-{cpu.id}"] == "55"
    assert page.levels("high_cpu_usage") == (Level("warning", 60.0),)
    page.send(fields=page.fields(html))  # looked at, and saved again
    assert page.levels("high_cpu_usage")[0] == Level("warning", 55.0)


def test_what_was_typed_stays_while_the_store_takes_nothing(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise UnavailableError("the store is full")

    slow = page.rule("high_response_time")
    monkeypatch.setattr(page.desk.rules, "change_all", full)
    html = page.send(503, changes={f"warning_{slow.id}": "1,500"}).text
    assert_clean(html)
    assert "the store is full" in html
    assert "Nothing was saved." in html
    assert page.fields(html)[f"warning-{slow.id}"] == "1,500"


@pytest.mark.parametrize(
    ("type", "changes", "said"),
    [
        ("high_response_time", {"warning": "soon"}, "time: warning is &#39;soon&#39;; allowed is a number"),
        ("high_response_time", {"warning": ""}, "no limit is left"),
        ("high_response_time", {"worse": "1000"}, "not beyond that of warning"),
        ("high_response_time", {"warning": "-5"}, "threshold is -5; allowed is 0 to"),
        ("high_response_time", {"well": "2,500"}, "recovery is 2500, which is still above the mildest limit"),
        ("high_cpu_usage", {"worse": "101"}, "threshold is 101; allowed is 0 to 100 percent"),
        ("high_cpu_usage", {"warning": "97"}, "of critical is 95, which is not beyond that of warning"),
        ("low_success_rate", {"worse": "1e3"}, "the worse limit is &#39;1e3&#39;"),
        ("low_success_rate", {"well": "50"}, "still below the mildest limit"),
    ],
)  # fmt: skip
def test_a_wrong_number_is_told_beside_its_row_and_nothing_is_saved(
    page: Page, type: str, changes: dict[str, str], said: str
) -> None:
    rule, other = page.rule(type), page.rule("high_disk_usage")
    typed = {f"{name}_{rule.id}": text for name, text in changes.items()}
    html = page.send(400, changes=typed | {f"warning_{other.id}": "50"}).text
    assert_clean(html)
    assert said in html
    assert "Nothing was saved." in html
    fields = page.fields(html)
    assert all(fields[f"{name}-{rule.id}"] == text for name, text in changes.items())
    assert fields[f"warning-{other.id}"] == "50"
    assert f'aria-describedby="wrong-{rule.id}"' in html
    assert all(one.changed_s is None for one in page.desk.rules.all())


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "' OR 1=1 --", "nan", "inf", "1e999",
        "9" * 400, "1,0,0", "0x10", "\x00", "\u202e5", "{{ 7 * 7 }}", "%s", "1;2", "-", ".", ",",
    ],
)  # fmt: skip
def test_hostile_numbers_are_refused_and_escaped(page: Page, text: str) -> None:
    rule = page.rule("high_cpu_usage")
    html = page.send(400, changes={f"warning_{rule.id}": text}).text
    assert_clean(html)
    assert page.rule("high_cpu_usage") == rule


def test_hostile_forms_change_nothing_they_should_not(page: Page) -> None:
    rule = page.rule("high_cpu_usage")
    fields = page.fields()
    page.send(400, fields=fields, changes={f"warning_{rule.id}": "70", "by": "x" * 101})
    page.send(400, fields=fields, changes={f"warning_{rule.id}": "70", "by": "a\nb"})
    page.send(400, fields=fields, changes={f"warning_{rule.id}": "70", f"was_{rule.id}": "1|2|3"})
    page.send(303, fields={"csrf_token": fields["csrf_token"], "warning-99": "1", f"was-{rule.id}": "x"})
    page.send(303, fields={"csrf_token": fields["csrf_token"], "kind": "digest", "levels": "[]"})
    page.send(400, fields=fields | {"csrf_token": "wrong", f"warning-{rule.id}": "70"})
    assert page.rule("high_cpu_usage") == rule
    page.send(fields=fields, changes={f"warning_{rule.id}": "70", "by": "<b>Eve</b>"})
    assert "&lt;b&gt;Eve&lt;/b&gt;" in page.get()
    for path in (
        f"{PATH}/thresholds/{2**31}/reset",
        f"{PATH}/thresholds/99/reset",
        f"{PATH}/thresholds/x/reset",
    ):
        assert page.browser.post(path, data={"csrf_token": fields["csrf_token"]}).status_code == 404


def test_rules_that_were_made_otherwise_are_not_cut_down_to_the_table(page: Page) -> None:
    slow, cpu = page.rule("high_response_time"), page.rule("high_cpu_usage")
    four = (Level("info", 500.0), Level("warning", 1000.0), Level("error", 1500.0), Level("critical", 2000.0))
    page.desk.rules.change(slow.id, msgspec.structs.replace(slow.rule, metric="p95", levels=four), "Ann")
    page.desk.rules.change(cpu.id, Rule(name="Now a digest", kind="digest"), "Ann")
    page.desk.rules.make(Rule(name="My own", levels=(Level("error", 5.0),)), "Ann")
    html = page.get()
    assert "P95" not in html
    assert "p95 response time" in html
    assert "2 more in the rule" in html
    assert "Now a digest is no threshold any more" in html
    assert "1 of your own" in html
    page.send(changes={f"warning_{slow.id}": "1200"})
    assert page.levels("high_response_time") == (four[0], Level("warning", 1200.0), *four[2:])


def test_a_rule_that_is_off_says_so(page: Page) -> None:
    disk = page.rule("high_disk_usage")
    page.desk.rules.change(disk.id, msgspec.structs.replace(disk.rule, enabled=False), "Ann")
    assert "above, off" in page.get()


def test_the_worst_tool_now_stands_beside_its_limit(page: Page) -> None:
    for number in range(25):
        page.front.call("read_file", {"file_path": "notes.txt" if number < 5 else f"absent-{number}.txt"})
    html = page.get()
    assert re.search(r'data-sev="error">.*?<span class="vh">error: </span>20 %', html)
    assert "read_file" in html


def test_retention_tells_each_period_and_its_variable(page: Page) -> None:
    page.front.call("ping")
    page.front.roll_up(time.time())
    html = page.get()
    for name in ("10S_HOURS", "1MIN_HOURS", "10MIN_DAYS", "2H_DAYS", "26H_DAYS"):
        assert f"LAPTIME_KEEP_{name}" in html
    assert "SQLite 3" in html
    assert "24h, 7d" in html


def test_no_secret_is_ever_on_the_page(tmp_path: Path) -> None:
    url = "sqlite:///" + str(tmp_path / "hidden-place.sqlite3")
    page = Page(
        tmp_path, database_url=url, notify_urls="json://token-of-mine@hooks.example.com",
        public_url="https://ann:pass-word@laptime.example", banner="<i>Staging</i>",
    )  # fmt: skip
    html = page.get()
    for secret in (KEY, "hidden-place", "token-of-mine", "pass-word"):
        assert secret not in html
    assert html.count("set, and not shown") == 3
    assert "https://…@laptime.example" in html
    assert "&lt;i&gt;Staging&lt;/i&gt;" in html
    assert "<i>Staging</i>" not in html
    assert "the one in <code>LAPTIME_API_KEY</code>" in html


def test_a_generated_key_is_named_by_its_file_only(tmp_path: Path) -> None:
    page = Page(tmp_path, api_key="")
    html = page.get()
    assert "made at the first start, in the file <code>key</code>" in html
    assert page.front.key not in html


def test_who_asks_with_a_key_is_not_told_to_be_signed_in(page: Page) -> None:
    assert "Asked with the key, without a session" in page.front.get(PATH).text
    assert "Signed in with the key" in page.get()


def test_a_stranger_is_led_to_the_door(page: Page) -> None:
    stranger = page.front.browser()
    assert "/dashboard/signin" in stranger.get(PATH).location
    assert stranger.post(PATH, data={}).status_code == 303
    assert all(one.changed_s is None for one in page.desk.rules.all())


def test_channels_are_listed_with_how_they_fare(page: Page) -> None:
    engine = make_engine(page.front.settings)
    with writing(engine) as connection:
        address = {"service": "E-mail", "shown": "mailtos://smtp.example.com", "source": ""}
        channels.add(connection, Channel(name="<b>mail</b>"), address)
        channels.add(connection, Channel(name="chat", enabled=False), address)
    engine.dispose()
    html = page.get()
    assert_clean(html)
    assert "&lt;b&gt;mail&lt;/b&gt;" in html
    assert "no notice yet" in html
    assert '<span class="tag">off</span>' in html


def test_every_setting_is_in_the_table_with_where_it_is_from(tmp_path: Path) -> None:
    html = Page(tmp_path, slow_ms=250.5, response_headers=False).get()
    assert re.search(
        r"LAPTIME_SLOW_MS</code></th><td class=\"value\">250.5</td><td class=\"narrow\"><b>set</b>", html
    )
    assert re.search(r"LAPTIME_RESPONSE_HEADERS</code></th><td class=\"value\">off</td>", html)
    assert re.search(r"LAPTIME_MAX_TOOLS</code></th><td class=\"value muted\">1000</td>", html)


def _none() -> Iterator[Connection]:
    return iter(())


class Away:
    """The page over a stand-in for the sources, whose store does not answer."""

    def __init__(self, folder: Path, sources: fake.FakeSources) -> None:
        @contextmanager
        def reading() -> Iterator[Connection]:
            yield from _none()
            raise UnavailableError("the store is <away>")

        engine = make_engine(Settings(state_dir=folder))
        desk = Desk(sources.settings, sources, Door(engine, reading), None)  # type: ignore[arg-type]
        web = Flask("laptime", root_path=str(ROOT), static_folder=None)
        shelf = Shelf(folder)
        web.register_blueprint(
            pages.blueprint(lambda: sources, banner="", shelf=shelf), url_prefix="/dashboard"
        )
        web.register_blueprint(
            alert_pages.blueprint(lambda: sources, lambda: desk), url_prefix="/dashboard/alerts"
        )
        web.register_blueprint(settings_page.blueprint(lambda: sources, lambda: desk, {}), url_prefix=PATH)
        web.register_blueprint(auth.blueprint, url_prefix="/dashboard")
        keys = Keys.load(KEY, folder)
        auth.guard(web, auth.Door(keys, Tries(folder, b"secret"), public_url=""), sessions=True)
        problems.register(web, pages="/dashboard")
        self.browser = Browser(web)


@pytest.mark.parametrize("variant", fake.VARIANTS)
def test_without_its_store_the_page_stands_and_says_what_is_not_known(tmp_path: Path, variant: str) -> None:
    away = Away(tmp_path, fake.VARIANTS[variant]())
    response = away.browser.get(PATH, headers={"X-API-Key": KEY, "Accept": "text/html"})
    assert response.status_code == 200
    assert_clean(response.text)
    assert "Some of it is not known now: the store is &lt;away&gt;." in response.text
    assert "The rules are not known now" in response.text
    assert "Not known while the store is away." in response.text
    assert "LAPTIME_KEEP_10S_HOURS" in response.text
    saved = away.browser.post(PATH, headers={"X-API-Key": KEY}, data={})
    assert saved.status_code == 503
