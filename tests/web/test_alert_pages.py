"""The pages of alerts as a browser gets them, through the real service: read, changed, refused, escaped."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from app.model.silencing import Silence
from app.store import notices, writing
from tests.panels.fake import HOSTILE

from .alerting import Desk
from .test_pages import Tags

PAGES = ("", "/history", "/rules", "/rules/new", "/silences", "/channels")
LONG = "x" * 200
THRESHOLD: dict[str, Any] = {
    "kind": "threshold", "name": "Slow reports", "metric": "p95", "of": "*", "patterns": "", "together": "",
    "condition": "above", "window": "300", "hold": "2", "least_requests": "20", "least_failures": "0",
    "recovery": "3,600", "recovery_min": "1", "limit_warning": "4,000", "limit_error": "8000", "enabled": "1",
    "by": "Ann",
}  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.engine.dispose()


def assert_clean(html: str) -> None:
    """Nothing inline, one heading, no id twice."""
    page = Tags(html)
    assert page.inline == []
    assert page.named("style") == []
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert [tag for tag, _ in page.tags].count("h1") == 1
    ids = page.named("id")
    assert sorted(ids) == sorted(set(ids))
    assert not {tag for tag, _ in page.tags} & {"img", "path:日本"}
    assert "<script>alert" not in html


@pytest.mark.parametrize("path", PAGES)
def test_every_page_stands_while_there_is_nothing(desk: Desk, path: str) -> None:
    assert_clean(desk.get(path))


def test_without_an_alert_the_page_says_what_is_watched(desk: Desk) -> None:
    page = desk.get()
    assert "No alert is active" in page
    assert "5 rules watch the machine." in page
    assert "nobody is told of it yet" in page
    assert "There has been no alert yet." in page


def test_an_alert_is_told_with_its_evidence_its_release_and_who_knows(desk: Desk) -> None:
    now_s = time.time()
    id = desk.alert(release="3f9c21ab" * 5, release_s=now_s - 720 - 540)
    mail, chat = desk.channel("mail"), desk.channel("chat")
    desk.notice(mail, id, notices.DELIVERED)
    desk.notice(chat, id, notices.DEAD, "answer: 403")
    page = desk.get()
    assert "1 active alert" in page
    assert "30.6 % over the last 5 min, limit 90 %. 264 of 380 requests failed." in page
    assert "Began 9 min after release <b>3f9c21a</b>" in page
    assert "told mail at" in page
    assert "chat was not told: not delivered" in page
    assert Tags(page).named("data-active") == ["1"]
    story = desk.get(f"/{id}")
    assert_clean(story)
    assert "mail was told that it began" in story
    assert "chat was not told that it began" in story
    assert "answer: 403" in story
    assert "29.7 %" in story


def test_the_live_part_of_a_page_is_what_its_address_answers_to_htmx(desk: Desk) -> None:
    id = desk.alert()
    for path in ("", f"/{id}"):
        part = desk.part(path)
        assert "<html" not in part
        regions = [attrs for _, attrs in Tags(desk.get(path)).tags if "data-panel" in attrs]
        assert [one["data-hx-get"] for one in regions] == [f"/dashboard/alerts{path}"]
        assert f'id="alert-{id}"' in part or 'id="lead"' in part


def test_an_alert_is_acknowledged_and_that_is_taken_back(desk: Desk) -> None:
    id = desk.alert()
    answer = desk.post(f"/{id}/acknowledge", by="Ann", note="rolling back at 15:00", back="story")
    assert answer.location == f"/dashboard/alerts/{id}"
    page = desk.get()
    assert "acknowledged by Ann at" in page
    assert "“rolling back at 15:00”" in page
    assert "1 acknowledged" in page
    assert desk.post(f"/{id}/take-back").location == "/dashboard/alerts"
    assert "acknowledged by" not in desk.get()


def test_an_alert_is_silenced_and_the_silence_ended(desk: Desk) -> None:
    id = desk.alert()
    desk.post(f"/{id}/silence", by="Ann", note="known", hours="4")
    (silence,) = desk.desk.silences.standing()
    assert (silence.type, silence.tools, silence.author, silence.reason) == (
        "low_success_rate", ("run_query",), "Ann", "known",
    )  # fmt: skip
    assert silence.end_s == pytest.approx(time.time() + 4 * 3600, abs=10)
    assert "silenced until" in desk.get()
    assert "1 alert" in desk.get("/silences")
    desk.post(f"/silences/{silence.id}/end", alert=str(id))
    assert desk.desk.silences.standing() == []
    assert "silenced until" not in desk.get()


def test_an_alert_is_resolved_with_a_note(desk: Desk) -> None:
    id = desk.alert()
    desk.post(f"/{id}/resolve", by="Ann", note="restarted")
    assert "No alert is active" in desk.get()
    story = desk.get(f"/{id}")
    assert "resolved by Ann" in story
    assert "restarted" in story
    assert "29.7 % at worst, limit 90 %." in story
    assert 'action="/dashboard/alerts/1/resolve"' not in story


@pytest.mark.parametrize(
    ("act", "fields", "said"),
    [
        ("acknowledge", {"by": LONG}, "by is"),
        ("acknowledge", {"by": "Ann", "note": "n" * 501}, "note has 501 characters"),
        ("resolve", {"by": "Ann", "note": "two\nlines"}, "note has 9 characters"),
        ("silence", {"by": "Ann", "hours": "soon"}, "for is &#39;soon&#39;"),
        ("silence", {"by": "Ann"}, "a silence needs an end"),
    ],
)
def test_what_is_refused_is_said_beside_the_form_and_what_was_typed_stays(
    desk: Desk, act: str, fields: dict[str, Any], said: str
) -> None:
    id = desk.alert()
    page = desk.post(f"/{id}/{act}", 400, **fields).text
    assert said in page
    assert f'<details class="menu" id="menu-{act}-{id}" open>' in page
    assert f'value="{fields["by"]}"' in page
    assert desk.desk.alerts.story(id).alert.stage == "firing"


def test_an_alert_that_is_not_there_and_an_act_that_is_none(desk: Desk) -> None:
    desk.get("/99", 404)
    desk.get(f"/{10**20}", 404)
    desk.post("/99/acknowledge", 404, by="Ann")
    desk.post(f"/{desk.alert()}/explode", 400)


def test_a_form_of_another_session_changes_nothing(desk: Desk) -> None:
    id = desk.alert()
    forms = [f"/{id}/{act}" for act in ("acknowledge", "take-back", "silence", "resolve")]
    forms += ["/rules/new", "/rules/1", "/rules/1/switch", "/rules/1/delete", "/rules/1/reset", "/silences"]
    forms += ["/rules/preview", "/silences/1/end", "/channels", "/channels/1", "/channels/1/test"]
    for path in forms:
        response = desk.browser.post(f"/dashboard/alerts{path}", data={"csrf_token": "x", "hours": "1"})
        assert response.status_code == 400, path
        assert "the form is out of date" in response.text
    assert desk.desk.alerts.story(id).alert.stage == "firing"
    assert desk.desk.silences.standing() == []


def test_reading_changes_nothing(desk: Desk) -> None:
    id, channel = desk.alert(), desk.channel()
    desk.desk.silences.make(Silence(0, time.time(), time.time() + 60))
    before = _everything(desk, id)
    rule = desk.desk.rules.all()[0].id
    for path in (*PAGES, f"/{id}", f"/rules/{rule}", f"/channels/{channel}", "/history.csv"):
        desk.get(path)
    acts = (f"/{id}/acknowledge", f"/{id}/resolve", f"/rules/{rule}/delete", f"/channels/{channel}/test")
    for path in acts:
        desk.get(path, 405)
    assert _everything(desk, id) == before


def _everything(desk: Desk, id: int) -> object:
    all_of = desk.desk
    return (
        all_of.alerts.story(id), all_of.rules.all(), all_of.silences.standing(), all_of.channels.all(),
        all_of.channels.log(100),
    )  # fmt: skip


def test_no_link_and_no_part_leads_nowhere(desk: Desk) -> None:
    id, channel = desk.alert(), desk.channel()
    desk.notice(channel, id, notices.DELIVERED)
    waiting, seen = [*PAGES, f"/{id}"], set[str]()
    while waiting:
        path = waiting.pop()
        if path in seen or len(seen) > 60:
            continue
        seen.add(path)
        page = Tags(desk.get(path))
        links = page.named("href") + page.named("data-hx-get")
        found = [one.partition("#")[0] for one in links if one.startswith("/dashboard/alerts")]
        waiting += [one.removeprefix("/dashboard/alerts") for one in found]
    assert len(seen) > 20


def test_hostile_names_are_text_and_break_nothing(desk: Desk) -> None:
    for number, name in enumerate((*HOSTILE, LONG)):
        desk.alert(tool=name, message=f"It's {name}", opened_s=time.time() - number, release=name[:50])
    desk.channel("<b>mail</b> & 'more'")
    now_s = time.time()
    desk.desk.silences.make(Silence(0, now_s, now_s + 60, "<i>", ("<script>alert(1)</script>",), "", "<u>"))
    asked = ("/1", "/history?text=%3Cscript%3Ealert(1)", "/silences?tools=%22%3E%3Cimg%20src=x%3E")
    for path in (*PAGES, *asked):
        page = desk.get(path)
        assert_clean(page)
        assert "<b>mail</b>" not in page


def test_five_hundred_alerts_are_a_page_that_can_be_read(desk: Desk) -> None:
    for number in range(500):
        desk.alert(tool=f"GET /items/{number}/{'long' * 20}", type="high_response_time")
    desk.get()
    began_s = time.perf_counter()
    page = desk.get()
    assert time.perf_counter() - began_s < 3
    assert "500 active alerts" in page
    assert "100 of 500, the worst of each rule." in page
    assert page.count('class="alert ') == 100
    assert "High response time</h2><p>500 active, <a" in page


def test_the_history_is_filtered_and_read_a_page_at_a_time(desk: Desk) -> None:
    now_s = time.time()
    for number in range(60):
        over = {"resolved_s": now_s - number, "state": "resolved"} if number else {}
        desk.alert(tool=f"tool_{number}", opened_s=now_s - 60 - number, **over)
    first = desk.get("/history")
    assert "tool_0" in first
    assert "tool_59" not in first
    (older,) = {one for one in Tags(first).named("href") if "after=" in one}
    second = desk.get(older.removeprefix("/dashboard/alerts"))
    assert "tool_59" in second
    (newer,) = {one for one in Tags(second).named("href") if "before=" in one}
    back = desk.get(newer.removeprefix("/dashboard/alerts"))
    assert "tool_0" in back
    assert "before=" not in back
    assert "tool_7" in desk.get("/history?tool=tool_7")
    assert "tool_8" not in desk.get("/history?tool=tool_7")
    active = desk.get("/history?state=active&severity=error&type=low_success_rate&text=tool")
    assert "tool_0" in active
    assert "tool_1" not in active
    assert "No alert is like that" in desk.get("/history?text=nothing")
    for wrong in (
        "severity=bad",
        "state=bad",
        "after=x",
        "after=nan_1",
        f"after=1_{10**20}",
        f"text={'t' * 1001}",
    ):
        desk.get(f"/history?{wrong}", 400)


def test_the_file_has_the_same_alerts_and_no_formulas(desk: Desk) -> None:
    desk.alert(tool="=cmd|' /C calc'!A0", message="+1")
    desk.alert(tool="@sum", message="\tx", resolved_s=time.time(), state="resolved")
    response = desk.browser.get("/dashboard/alerts/history.csv?state=active")
    assert response.mimetype == "text/csv"
    assert "attachment" in response.headers["Content-Disposition"]
    head, only = csv.reader(StringIO(response.text))
    row = dict(zip(head, only, strict=True))
    assert (row["tool"], row["message"]) == ("'=cmd|' /C calc'!A0", "'+1")
    assert (row["severity"], row["requests"], row["ended"]) == ("error", "380", "")
    assert "'@sum" in desk.browser.get("/dashboard/alerts/history.csv").text


def test_a_rule_is_made_changed_turned_off_and_deleted(desk: Desk) -> None:
    desk.channel("mail")
    answer = desk.post("/rules/new", **THRESHOLD, channels=["mail"])
    made = desk.desk.rules.all()[-1]
    assert answer.location == f"/dashboard/alerts/rules#rule-{made.id}"
    rule = made.rule
    assert (rule.name, rule.metric, rule.hold_s, rule.recovery) == ("Slow reports", "p95", 120, 3600.0)
    assert [(one.severity, one.threshold) for one in rule.levels] == [("warning", 4000), ("error", 8000)]
    assert (rule.channels, made.changed_by) == (("mail",), "Ann")
    assert "made by Ann" in desk.get("/rules")
    page = desk.get(f"/rules/{made.id}")
    assert_clean(page)
    assert 'value="4,000"' in page
    changed = THRESHOLD | {"name": "Slower", "of": "", "patterns": "list_*\n!list_all", "together": "1"}
    desk.post(f"/rules/{made.id}", **changed)
    rule = desk.desk.rules.one(made.id).rule
    assert (rule.name, rule.tools, rule.together) == ("Slower", ("list_*", "!list_all"), True)
    desk.post(f"/rules/{made.id}/switch", enabled="")
    assert not desk.desk.rules.one(made.id).rule.enabled
    desk.post(f"/rules/{made.id}/delete")
    desk.get(f"/rules/{made.id}", 404)


def test_a_rule_comes_back_from_its_fields_as_it_was(desk: Desk) -> None:
    for stored in desk.desk.rules.all():
        page = Tags(desk.get(f"/rules/{stored.id}"))
        inputs = [attrs for tag, attrs in page.tags if tag == "input" and "name" in attrs]
        sent: dict[str, Any] = {one["name"]: one.get("value", "") for one in inputs}
        chosen = {"metric": stored.rule.metric, "of": "*", "condition": stored.rule.condition}
        window = str(stored.rule.window_s)
        desk.post(f"/rules/{stored.id}", **(sent | chosen | {"window": window, "by": "Ann"}))
        assert desk.desk.rules.one(stored.id).rule == stored.rule
        assert "changed by Ann" in desk.get("/rules")
        desk.post(f"/rules/{stored.id}/reset")
        assert desk.desk.rules.one(stored.id).changed_s is None


def test_a_default_rule_is_not_deleted(desk: Desk) -> None:
    id = desk.desk.rules.all()[0].id
    assert "turn it off instead" in desk.post(f"/rules/{id}/delete", 400).text


def test_an_objective_and_a_digest_are_made(desk: Desk) -> None:
    desk.post(
        "/rules/new", kind="objective", of="run_query", good="latency", slower="500", target="99.9",
        fast="error", slow="warning", enabled="1", by="Ann",
    )  # fmt: skip
    desk.post("/rules/new", kind="digest", every="week", at="07:30", enabled="1", by="Ann")
    objective, digest = (one.rule for one in desk.desk.rules.all()[-2:])
    assert (objective.name, objective.slower_than_ms) == ("99.9 % response time (run_query)", 500.0)
    assert [one.severity for one in objective.levels] == ["warning", "error"]
    assert (digest.name, digest.every, digest.at) == ("Weekly digest", "week", "07:30")
    for id in (one.id for one in desk.desk.rules.all()[-2:]):
        assert_clean(desk.get(f"/rules/{id}"))


def test_a_rule_of_absence_looks_back_for_as_long_as_is_allowed(desk: Desk) -> None:
    limits: dict[str, Any] = {"limit_warning": "15", "limit_error": "", "recovery": ""}
    desk.post("/rules/new", **{**THRESHOLD, **limits, "metric": "absence", "of": "ping", "hold": "0"})
    rule = desk.desk.rules.all()[-1].rule
    assert (rule.window_s, rule.tools) == (930, ("ping",))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"limit_warning": "", "limit_error": ""}, "no severity has a limit"),
        ({"limit_warning": "four"}, "the limit of warning is &#39;four&#39;"),
        ({"limit_warning": "4,5"}, "allowed is a number such as 4,000 or 0.5"),
        ({"limit_error": "3,000"}, "not beyond that of warning"),
        ({"metric": "mood"}, "there is no metric"),
        ({"kind": "wish"}, "allowed is threshold, objective or digest"),
        ({"recovery": "5,000"}, "still above the mildest limit"),
        ({"of": "", "patterns": ""}, "tools names none"),
        ({"metric": "slower_than"}, "slower than is empty"),
        ({"name": "High response time"}, "there is a rule &#39;High response time&#39; already"),
        ({"channels": ["gone"]}, "there is no channel &#39;gone&#39; any more"),
        ({"by": LONG}, "by is"),
        ({"window": "1e9"}, "over the last is"),
    ],
)
def test_a_rule_that_cant_be_is_refused_in_words_and_kept_as_typed(
    desk: Desk, changes: dict[str, Any], said: str
) -> None:
    page = desk.post("/rules/new", 400, **(THRESHOLD | changes)).text
    assert said in page
    if changes.get("kind", "threshold") == "threshold":
        assert f'value="{changes.get("name", "Slow reports")}"' in page
        assert f'name="limit_warning" value="{changes.get("limit_warning", "4,000")}"' in page
    assert len(desk.desk.rules.all()) == 5


def test_the_preview_answers_beside_the_form_and_saves_nothing(desk: Desk) -> None:
    page = desk.post("/rules/new", 200, **THRESHOLD, preview="1").text
    assert "Would not have fired in the last 7 days" in page
    assert 'value="Slow reports"' in page
    part = desk.post("/rules/preview", 200, **THRESHOLD).text
    assert "Would not have fired" in part
    assert "<html" not in part
    wrong = desk.post("/rules/preview", 200, **(THRESHOLD | {"limit_warning": "x"})).text
    assert "Can&#39;t be tried yet" in wrong or "Can't be tried yet" in wrong
    assert len(desk.desk.rules.all()) == 5


def test_a_value_beyond_the_limit_that_would_not_have_fired_is_explained(desk: Desk) -> None:
    desk.front.call("ping")
    low = {"metric": "max", "limit_warning": "0.0001", "limit_error": "", "recovery": "", "hold": "0"}
    part = desk.post("/rules/preview", 200, **{**THRESHOLD, **low}).text
    assert "Would not have fired" in part
    assert "too short, or of too few requests" in part


def test_an_address_may_fill_in_a_new_rule(desk: Desk) -> None:
    page = desk.get("/rules/new?metric=error_rate&of=run_query&limit_warning=5&least_requests=3")
    assert '<option value="error_rate" data-unit="%" selected>' in page
    assert "Error rate over 5 % (run_query)" in page
    assert 'name="limit_warning" value=""' in desk.get("/rules/new?limit_error=9")


def test_a_silence_is_planned_listed_and_dropped(desk: Desk) -> None:
    planned: dict[str, Any] = {
        "type": "high_cpu_usage",
        "severity": "warning",
        "reason": "backup",
        "by": "Ben",
    }
    desk.post("/silences", start="2099-01-01T08:00", end="2099-01-01T10:00", **planned)
    (silence,) = desk.desk.silences.standing()
    assert silence.end_s - silence.start_s == 7200
    page = desk.get("/silences")
    assert_clean(page)
    assert "1 planned" in page
    assert "High CPU usage" in page
    desk.post(f"/silences/{silence.id}/end")
    assert "Nothing is silenced now." in desk.get("/silences")
    desk.post("/silences", tools="list_*\nping", hours="1", by="Ben")
    assert desk.desk.silences.standing()[0].tools == ("list_*", "ping")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "a silence needs an end"),
        ({"end": "2001-01-01T00:00"}, "the silence ends before it starts"),
        ({"start": "never", "hours": "1"}, "from is &#39;never&#39;"),
        ({"start": "2001-01-01T00:00", "end": "2001-01-02T00:00"}, "over already"),
        ({"hours": "999999"}, "more than a year"),
        ({"hours": "1", "severity": "bad"}, "severity is"),
    ],
)
def test_a_silence_that_cant_be_is_refused_in_words(desk: Desk, fields: dict[str, Any], said: str) -> None:
    page = desk.post("/silences", 400, reason="typed", **fields).text
    assert said in page
    assert 'value="typed"' in page
    assert desk.desk.silences.standing() == []


def test_a_channel_is_shown_changed_tried_and_deleted(desk: Desk) -> None:
    id = desk.channel("mail")
    page = desk.get("/channels")
    assert "mailtos://smtp.example.com" in page
    assert "no notice yet" in page
    form: dict[str, Any] = {
        "name": "mail to ops",
        "least_severity": "error",
        "quiet_from": "22:00",
        "quiet_to": "07:00",
    }
    desk.post(f"/channels/{id}", **form, time_zone="Europe/Berlin", types=["low_success_rate"])
    channel = desk.desk.channels.one(id).channel
    assert (channel.name, channel.least_severity, channel.types) == (
        "mail to ops", "error", ("low_success_rate",),
    )  # fmt: skip
    assert not channel.enabled
    desk.post(f"/channels/{id}/switch", enabled="1")
    assert desk.desk.channels.one(id).channel.enabled
    page = desk.get("/channels")
    assert "quiet 22:00 to 07:00 Europe/Berlin" in page
    assert "takes error and worse of Low success rate" in page
    assert_clean(desk.get(f"/channels/{id}"))
    desk.post(f"/channels/{id}/delete")
    assert desk.desk.channels.all() == []


def test_a_test_tells_how_it_went_by_itself(desk: Desk) -> None:
    id = desk.channel("mail")
    answer = desk.post(f"/channels/{id}/test")
    page = desk.get(answer.location.removeprefix("/dashboard/alerts"))
    assert "on its way; how it went appears here" in page
    key = answer.location.rpartition("=")[2]
    part = desk.part(f"/channels/tests/{key}")
    assert f'data-hx-get="/dashboard/alerts/channels/tests/{key}"' in part
    assert 'data-hx-trigger="every 1s"' in part
    notice = desk.desk.channels.notice(key).notice
    with writing(desk.engine) as connection:
        begun = notices.begin(connection, notice, time.time(), 10)
        assert begun is not None
        notices.finish(connection, notice, begun, 0.1, "answer: 403", state="dead", now_s=time.time())
    part = desk.part(f"/channels/tests/{key}")
    assert "not delivered" in part
    assert "answer: 403" in part
    assert "data-hx-get" not in part
    desk.get("/channels/tests/unknown", 404)


def test_the_log_tells_every_try_a_page_at_a_time(desk: Desk) -> None:
    id, channel = desk.alert(), desk.channel("mail")
    for _ in range(31):
        desk.notice(channel, id, notices.DELIVERED)
    desk.notice(channel, id, notices.DEAD, "refused: <b>")
    page = desk.get("/channels")
    assert "refused: &lt;b&gt;" in page
    assert "1 try" in page
    (older,) = {one for one in Tags(page).named("href") if "before=" in one}
    assert "Newest" in desk.get(older.removeprefix("/dashboard/alerts").partition("#")[0])
    dead = desk.get("/channels?state=dead")
    assert dead.count('class="log-row"') == 1
    desk.get("/channels?state=lost", 400)
    desk.get("/channels?before=x", 400)
    desk.get("/channels?before=9999999999", 400)


def test_a_channel_of_the_environment_keeps_its_address(desk: Desk) -> None:
    id = desk.channel("pager", source="1")
    page = desk.get(f"/channels/{id}")
    assert "LAPTIME_NOTIFY_URLS decides this" in page
    assert 'name="url"' not in page
    assert "turn it off instead" in desk.post(f"/channels/{id}/delete", 400).text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "mail", "least_severity": "warning"}, "the address is empty"),
        ({"name": "", "least_severity": "warning", "url": "json://x"}, "name is"),
        ({"name": "mail", "least_severity": "bad", "url": "json://x"}, "the least severity is one of"),
        ({"name": "a", "least_severity": "info", "url": "json://x", "time_zone": "Moon"}, "time_zone is"),
        (
            {"name": "a", "least_severity": "info", "url": "json://x", "quiet_from": "1:00"},
            "quiet hours need",
        ),
    ],
)
def test_a_channel_that_cant_be_is_refused_and_its_address_not_shown_again(
    desk: Desk, fields: dict[str, Any], said: str
) -> None:
    page = desk.post("/channels", 400, **fields).text
    assert said in page
    assert f'value="{fields["name"]}"' in page
    assert "json://x" not in page.replace("jsons://", "")


def test_without_a_session_people_are_led_to_the_door(desk: Desk) -> None:
    response = desk.front.browser().get("/dashboard/alerts/1", headers={"Accept": "text/html"})
    assert response.status_code == 303
    assert response.location == "/dashboard/signin?next=/dashboard/alerts/1"
