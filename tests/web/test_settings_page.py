"""The page of settings: what decides beside what it decides about, and changed thresholds that judge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.model.formats import NOTHING
from app.panels import configuration
from app.settings import Settings
from tests.panels import fake
from tests.panels.fake import NOW_S

from .alerting import Desk
from .test_alert_pages import assert_clean
from .test_pages import Tags

SECRETS: dict[str, Any] = {"api_key": "a-key-nobody-may-read", "database_url": "postgresql://u:pass-word@h/d"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.engine.dispose()


def read(desk: Desk, status: int = 200) -> str:
    response = desk.browser.get("/dashboard/settings", headers={"Accept": "text/html"})
    assert response.status_code == status, response.text
    return response.text


def save(desk: Desk, status: int = 303, **fields: Any) -> TestResponse:
    response = desk.browser.post(
        "/dashboard/settings/thresholds",
        data={"csrf_token": desk.token(), **fields},
        headers={"Accept": "text/html"},
    )
    assert response.status_code == status, response.text
    return response


def limits(desk: Desk) -> dict[str, list[float]]:
    return {one.type: [level.threshold for level in one.rule.levels] for one in desk.desk.rules.all()}


def test_the_page_stands_and_every_section_is_there(desk: Desk) -> None:
    html = read(desk)
    assert_clean(html)
    page = Tags(html)
    for link in (href for href in page.named("href") if href.startswith("#")):
        assert link.removeprefix("#") in page.named("id")
    assert {"high_response_time.warning", "high_cpu_usage.critical"} <= set(page.named("name"))
    assert "LAPTIME_KEEP_10S_HOURS, its default" in html
    assert "SQLite" in html


def test_no_key_is_on_the_page(desk: Desk) -> None:
    assert desk.front.key not in read(desk)
    told = {one.variable: one.value for one in configuration.values(Settings(**SECRETS))}
    assert (told["LAPTIME_API_KEY"], told["LAPTIME_DATABASE_URL"]) == ("set", "set")
    assert not {secret for secret in SECRETS.values() if secret in repr(told)}


def test_a_threshold_is_changed_and_decides_at_once(desk: Desk) -> None:
    changed: dict[str, Any] = {
        "high_response_time.warning": "1,500",
        "high_cpu_usage.critical": "97.5",
        "by": "Ann",
    }
    answer = save(desk, **changed)
    assert answer.headers["Location"].endswith("/dashboard/settings?saved=2#thresholds")
    assert limits(desk)["high_response_time"] == [1500.0]
    assert limits(desk)["high_cpu_usage"] == [80.0, 97.5]
    assert {one.changed_by for one in desk.desk.rules.all() if one.changed_s is not None} == {"Ann"}
    html = desk.browser.get(answer.headers["Location"], headers={"Accept": "text/html"}).text
    assert "Every worker judges by it within 5 s" in html
    assert html.count(">changed</span>") == 2


def test_what_is_sent_as_it_was_changes_nothing(desk: Desk) -> None:
    page = Tags(read(desk))
    sent: dict[str, Any] = {
        attrs["name"]: attrs["value"]
        for tag, attrs in page.tags
        if tag == "input" and "." in attrs.get("name", "")
    }
    assert len(sent) == 8
    save(desk, **sent)
    assert not any(one.changed_s for one in desk.desk.rules.all())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"high_cpu_usage.warning": "96"}, "critical"),
        ({"low_success_rate.error": "101"}, "101"),
        ({"high_response_time.warning": "soon"}, "High response time, warning is &#39;soon&#39;"),
        ({"high_response_time.warning": ""}, "is empty"),
        ({"high_response_time.warning": "<script>alert(1)</script>"}, "allowed is a number"),
    ],
)
def test_what_can_not_be_is_told_with_what_was_typed_and_nothing_is_saved(
    desk: Desk, fields: dict[str, Any], said: str
) -> None:
    before = limits(desk)
    html = save(desk, 400, **fields, **{"high_disk_usage.warning": "70"}).text
    assert_clean(html)
    assert said in html
    assert 'value="70"' in html
    assert limits(desk) == before


def test_a_form_without_its_token_is_refused(desk: Desk) -> None:
    answer = desk.browser.post("/dashboard/settings/thresholds", data={"high_cpu_usage.warning": "50"})
    assert answer.status_code in (400, 403)
    assert limits(desk)["high_cpu_usage"] == [80.0, 95.0]


def test_each_threshold_stands_beside_the_worst_of_now() -> None:
    sources = fake.troubled()
    told = {one.name: one for one in configuration.thresholds(sources.rules(), sources, NOW_S)}
    slow, failing, cpu = told["High response time"], told["Low success rate"], told["High CPU usage"]
    assert (slow.whose, failing.whose) == ("analyze_code", "run_query")
    assert (failing.severity, cpu.severity) == ("error", "")
    assert cpu.now == "54.8 %"
    assert slow.well == "1,900 ms"
    assert [limit.severity for limit in cpu.limits] == ["warning", "critical"]


def test_nothing_measured_is_a_dash(desk: Desk) -> None:
    sources = fake.empty()
    told = configuration.thresholds(sources.rules(), sources, NOW_S)
    assert {one.now for one in told} == {NOTHING}
    rows = configuration.retention(Settings(keep_10s_hours=3), None, NOW_S)
    assert (rows[0].kept, rows[0].is_default, rows[0].reach) == ("3 h", False, "")
    assert (rows[1].decided, rows[1].is_default) == ("LAPTIME_KEEP_1MIN_HOURS", True)
    assert desk.desk.rules.all()
