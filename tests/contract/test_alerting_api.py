"""Rules, alerts, silences and channels by JSON: what is made, changed, tried, refused."""

from __future__ import annotations

import csv
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.store import alerts, make_engine, writing
from tests.contract.shapes import ALERT, ANSWERS, CHANNEL, LOGGED, NOTICE, RULE, SILENCE, differences
from tests.front_door import KEY, Front, problem

SECRETS = ("s3cret", "t0ken")
URL = "json://someone:s3cret@hooks.example.com/t0ken"
RULE_BODY = {
    "name": "Slow reports",
    "metric": "p95",
    "tools": ["report*", "!report_all"],
    "levels": [{"severity": "warning", "threshold": 1000}, {"severity": "error", "threshold": 4000.5}],
    "by": "Ada",
}


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Front:
    """A service in which a tool fails."""
    made = Front(tmp_path_factory.mktemp("front"))
    for _ in range(5):
        made.call("read_file", {"file_path": "absent"})
    made.judge(time.time())
    return made


def fits(value: object, shape: Any) -> bool:
    assert differences(value, shape) == []
    return True


def refused(front: Front, method: str, path: str, body: object, *words: str, status: int = 400) -> str:
    code = {400: "bad_request", 409: "conflict"}[status]
    detail = problem(front.send(method, f"/performance/{path}", body), status, code)
    for word in words:
        assert word in detail
    return detail


def alert_of(front: Front) -> dict[str, Any]:
    found: dict[str, Any] = front.json("/performance/alerts/history?tool=read_file")["alerts"][0]
    return found


def seeded(folder: Path, number: int) -> Front:
    """A service with so many alerts of the past, several at each instant."""
    front = Front(folder)
    engine = make_engine(front.settings)
    with writing(engine) as connection:
        for n in range(number):
            severity = ("warning", "error")[n % 2]
            values = {"type": f"rule_{n % 3}", "tool": f"=tool {n % 7}", "severity": severity}
            values |= {"peak_severity": severity, "state": "resolved", "message": f'number {n}, said "no"'}
            at_s = 1_700_000_000.0 + n // 4
            alerts.open_alert(
                connection,
                values | {"value": n, "threshold": 1, "peak": n, "opened_s": at_s, "resolved_s": at_s + 60},
            )
    engine.dispose()
    return front


@pytest.mark.parametrize("path", [path for path in ANSWERS if path.count("/") > 1])
def test_every_answer_has_its_shape(front: Front, path: str) -> None:
    assert fits(front.json(path), ANSWERS[path])


def test_an_alert_says_how_bad_it_is_and_is_told_as_a_story(front: Front) -> None:
    [alert] = [one for one in front.json("/performance/alerts")["alerts"] if one["tool"] == "read_file"]
    assert (alert["state"], alert["value"], alert["threshold"]) == ("firing", 0.0, 90.0)
    assert (alert["requests"], alert["failures"], alert["since"]) == (5, 5, alert["timestamp"])
    story = front.json(f"/performance/alerts/{alert['id']}")
    assert story["alert"] == alert
    assert story["notices"] == []
    problem(front.get("/performance/alerts/99999"), 404, "not_found")
    assert front.get("/performance/alerts/x").status_code == 404


def test_an_alert_is_acknowledged_taken_back_and_resolved(front: Front) -> None:
    place = f"/performance/alerts/{alert_of(front)['id']}"
    seen = front.changed("POST", f"{place}/acknowledge", {"by": "Ada", "note": "looking"})["alert"]
    assert fits(seen, ALERT)
    assert (seen["state"], seen["acknowledged_by"], seen["acknowledged_note"]) == (
        "acknowledged",
        "Ada",
        "looking",
    )
    assert front.changed("DELETE", f"{place}/acknowledge")["alert"]["state"] == "firing"
    assert front.changed("POST", f"{place}/acknowledge")["alert"]["acknowledged_by"] == "api"
    over = front.changed("POST", f"{place}/resolve", {"note": "known"})["alert"]
    assert (over["state"], over["resolved_by"], over["resolved_note"]) == ("resolved", "api", "known")
    assert over["id"] not in [one["id"] for one in front.json("/performance/alerts")["alerts"]]
    again = front.changed("POST", f"{place}/acknowledge", {"by": "Eve"})["alert"]
    assert again == over  # what is over stays as it is
    for act in ("acknowledge", "resolve"):
        refused(front, "POST", f"alerts/{over['id']}/{act}", {"who": "Ada"}, "'who'", "by, note")
        refused(front, "POST", f"alerts/{over['id']}/{act}", {"by": 3}, "by is 3; allowed is text")
        refused(front, "POST", f"alerts/{over['id']}/{act}", {"note": "x" * 501}, "501")
        problem(front.send("POST", f"/performance/alerts/99999/{act}"), 404, "not_found")


def test_a_rule_is_made_read_changed_and_deleted(front: Front) -> None:
    response = front.send("POST", "/performance/rules", RULE_BODY)
    assert response.status_code == 201
    made = response.json["rule"] if response.json else {}
    assert fits(made, RULE)
    place = f"/performance/rules/{made['id']}"
    assert response.headers["Location"].endswith(place)
    assert (made["type"], made["changed_by"], made["is_default"]) == ("slow_reports", "Ada", False)
    assert made["levels"][1] == {"severity": "error", "threshold": 4000.5}
    assert front.json(place)["rule"] == made
    assert made in front.json("/performance/rules")["rules"]
    patched = front.changed("PATCH", place, {"hold_s": 60, "enabled": False})["rule"]
    assert (patched["hold_s"], patched["enabled"], patched["metric"]) == (60, False, "p95")
    refused(front, "PUT", f"rules/{made['id']}", made | {"hold_s": 5}, "read it again", status=409)
    sent_back = patched | {"hold_s": 5, "enabled": True}  # what was read may be sent back
    put = front.changed("PUT", place, sent_back)["rule"]
    assert (put["hold_s"], put["enabled"], put["type"]) == (5, True, "slow_reports")
    refused(front, "POST", "rules", RULE_BODY, "already", status=409)
    assert front.changed("DELETE", place)["rule"]["id"] == made["id"]
    problem(front.get(place), 404, "not_found")
    problem(front.send("PATCH", place, {}), 404, "not_found")


def test_a_default_rule_is_changed_and_reset_and_never_deleted(front: Front) -> None:
    [cpu] = [one for one in front.json("/performance/rules")["rules"] if one["type"] == "high_cpu_usage"]
    place = f"/performance/rules/{cpu['id']}"
    levels = [{"severity": "warning", "threshold": 50.0}]
    changed = front.changed("PATCH", place, {"levels": levels, "by": "Ada"})["rule"]
    assert (changed["levels"], changed["changed_by"]) == (levels, "Ada")
    refused(front, "DELETE", f"rules/{cpu['id']}", None, "turn it off", status=409)
    assert front.changed("POST", f"{place}/reset")["rule"] == cpu


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, ("name", "1 to 100")),
        ({"name": "a\nb"}, ("name",)),
        ({"metric": "speed"}, ("metric is 'speed'", "average")),
        ({"tools": []}, ("tools",)),
        ({"tools": ["!x"]}, ("tools",)),
        ({"levels": []}, ("levels",)),
        ({"levels": [{"severity": "bad", "threshold": 1}]}, ("levels[0].severity", "'bad'")),
        (
            {"levels": [{"severity": "error", "threshold": "1"}]},
            ("levels[0].threshold is '1'; allowed is a number",),
        ),
        (
            {"levels": [{"severity": "warning", "threshold": 2}, {"severity": "error", "threshold": 1}]},
            ("not beyond",),
        ),
        (
            {"levels": [{"severity": "error", "threshold": 1}, {"severity": "warning", "threshold": 2}]},
            ("from mild to severe",),
        ),
        ({"window_s": 5}, ("window_s is 5", "30")),
        ({"window_s": 60.5}, ("window_s is 60.5; allowed is a whole number",)),
        ({"hold_s": -1}, ("hold_s",)),
        ({"recovery": 5000}, ("recovery",)),
        ({"condition": "near"}, ("condition", "'near'")),
        ({"least_requests": 10**9}, ("least_requests",)),
        ({"slower_than_ms": 5}, ("slower_than_ms",)),
        ({"metric": "slower_than"}, ("slower_than_ms",)),
        ({"metric": "cpu"}, ("of the machine",)),
        ({"kind": "objective", "levels": [{"severity": "error"}]}, ("target_percent",)),
        ({"hold_s": 10**400}, ("hold_s",)),
        ({"channels": ["x"] * 51}, ("channels",)),
        ({"metric": "absence", "levels": [{"severity": "error", "threshold": 5}]}, ("never",)),
        ({"kind": "digest", "at": "25:00"}, ("at is '25:00'",)),
        ({"colour": "red"}, ("colour",)),
        ({"message": "x" * 501}, ("message",)),
        ({"by": "x" * 101}, ("by",)),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_in_words(
    front: Front, changes: dict[str, Any], words: tuple[str, ...]
) -> None:
    refused(front, "POST", "rules", RULE_BODY | changes, *words)


def test_a_rule_is_tried_before_it_is_saved(front: Front) -> None:
    body = {"name": "Failing", "metric": "success_rate", "condition": "below", "days": 1}
    body |= {"levels": [{"severity": "error", "threshold": 50}]}
    found = front.changed("POST", "/performance/rules/preview", body)["preview"]
    assert (found["days"], found["unit"], found["count"]) == (1, "percent", 1)
    [firing] = found["firings"]
    assert (firing["tool"], firing["to"], firing["severity"], firing["peak"]) == (
        "read_file",
        None,
        "error",
        0.0,
    )
    assert "Failing" not in [one["name"] for one in front.json("/performance/rules")["rules"]]
    refused(front, "POST", "rules/preview", body | {"days": 8}, "days is 8", "1 to 7")
    refused(front, "POST", "rules/preview", body | {"days": "1"}, "days")
    refused(front, "POST", "rules/preview", body | {"days": 1.5}, "days is 1.5", "a whole number")
    refused(front, "POST", "rules/preview", body | {"name": ""}, "name")
    refused(front, "POST", "rules/preview?course=yes", body, "course is 'yes'")
    assert found["course"] is None
    course = front.changed("POST", "/performance/rules/preview?course=1", body)["preview"]["course"]
    assert [target["tool"] for target in course["targets"]] == ["read_file"]
    assert {len(target["values"]) for target in course["targets"]} == {len(course["timestamps"])}
    assert course["targets"][0]["values"][-1] == 0.0


def test_an_objective_and_a_digest_are_rules_too(front: Front) -> None:
    levels = [{"severity": "warning"}, {"severity": "critical"}]
    objective = {"name": "Answers", "kind": "objective", "target_percent": 99.9, "levels": levels}
    digest = {"name": "Every day", "kind": "digest", "every": "week", "at": "07:30"}
    for body in (objective, digest):
        made = front.changed("POST", "/performance/rules", body, 201)["rule"]
        assert fits(made, RULE)
        assert (
            front.changed("POST", "/performance/rules/preview", body)["preview"]["count"] == 0
            or body is objective
        )
        front.changed("DELETE", f"/performance/rules/{made['id']}")


def test_a_silence_is_made_now_or_in_advance_and_ended(front: Front) -> None:
    body = {"tools": ["read_*"], "severity": "error", "seconds": 600, "reason": "a move", "author": "Ada"}
    made = front.changed("POST", "/performance/silences", body, 201)["silence"]
    assert fits(made, SILENCE)
    assert (made["state"], made["tools"], made["severity"]) == ("standing", ["read_*"], "error")
    planned = {"start": "2099-01-01T00:00:00+00:00", "end": "2099-01-01T02:00:00Z", "rule": "high_cpu_usage"}
    later = front.changed("POST", "/performance/silences", planned, 201)["silence"]
    assert (later["state"], later["rule"], later["author"]) == ("planned", "high_cpu_usage", "api")
    found = front.json("/performance/silences")["silences"]
    assert {made["id"], later["id"]} <= {one["id"] for one in found}
    for one in (made, later):
        ended = front.changed("DELETE", f"/performance/silences/{one['id']}")["silence"]
        assert ended["state"] in ("over", "planned")
    assert front.json("/performance/silences")["silences"][0]["state"] == "over"
    problem(front.send("DELETE", "/performance/silences/99999"), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, ("end", "seconds")),
        ({"seconds": 60, "end": "2099-01-01T00:00:00Z"}, ("end", "seconds")),
        ({"seconds": -5}, ("ends before",)),
        ({"seconds": 1e12}, ("more than a year",)),
        ({"seconds": True}, ("seconds is true; allowed is a number or null",)),
        ({"end": "tomorrow"}, ("end is 'tomorrow'",)),
        ({"end": "2020-01-01T00:00:00Z"}, ("before",)),
        ({"start": "2020-01-01T00:00:00Z", "seconds": 60}, ("over already",)),
        ({"seconds": 60, "severity": "bad"}, ("severity is 'bad'",)),
        ({"seconds": 60, "tools": "all"}, ("tools",)),
        ({"seconds": 60, "until": 1}, ("'until'",)),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(
    front: Front, body: dict[str, Any], words: tuple[str, ...]
) -> None:
    refused(front, "POST", "silences", body, *words)


def test_a_channel_is_made_and_its_address_is_never_told(front: Front) -> None:
    body = {"name": "ops", "url": URL, "least_severity": "error", "quiet_from": "22:00", "quiet_to": "07:00"}
    response = front.send("POST", "/performance/channels", body)
    assert response.status_code == 201
    made = (response.json or {})["channel"]
    assert fits(made, CHANNEL)
    place = f"/performance/channels/{made['id']}"
    assert response.headers["Location"].endswith(place)
    assert (made["service"], made["shown"], made["source"]) == ("JSON", "json://hooks.example.com/…", "store")
    changed = front.changed("PATCH", place, {"types": ["high_cpu_usage"]})["channel"]
    assert (changed["types"], changed["least_severity"]) == (["high_cpu_usage"], "error")
    again = front.changed("PUT", place, changed | {"url": "json://elsewhere.example.com/t0ken"})["channel"]
    assert again["shown"] == "json://elsewhere.example.com/…"
    refused(front, "POST", "channels", body, "already", status=409)
    started = front.changed("POST", f"{place}/test", None, 202)["notice"]
    logged = front.json(started["href"])["notice"]
    assert fits(logged, LOGGED)
    assert (logged["state"], logged["kind"], logged["channel"]) == ("waiting", "test", "ops")
    assert front.json("/performance/notices?limit=1")["notices"] == [logged]
    assert front.json("/performance/notices?state=dead")["notices"] == []
    assert fits(front.json(place)["channel"], CHANNEL)
    [told] = front.json("/performance/channels")["channels"]
    assert fits(told["newest_notice"], NOTICE)
    everything = front.get("/performance/channels").text + front.get("/performance/notices").text
    assert not any(secret in everything for secret in SECRETS)
    stored = b"".join(path.read_bytes() for path in front.settings.state_dir.glob("laptime.sqlite3*"))
    assert not any(secret.encode() in stored for secret in SECRETS)
    front.changed("DELETE", place)
    problem(front.get(place), 404, "not_found")
    problem(front.get(started["href"]), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"name": "x"}, ("url is missing",)),
        ({"name": "", "url": URL}, ("name",)),
        ({"name": "x", "url": "gopher://s3cret"}, ("Apprise",)),
        ({"name": "x", "url": "file:///etc/passwd"}, ("this machine",)),
        ({"name": "x", "url": 5}, ("url is a number",)),
        ({"name": "x", "url": URL, "least_severity": "none"}, ("least_severity",)),
        ({"name": "x", "url": URL, "quiet_from": "22:00"}, ("quiet",)),
        ({"name": "x", "url": URL, "quiet_from": "22", "quiet_to": "7"}, ("quiet_from is '22'",)),
        ({"name": "x", "url": URL, "time_zone": "Mars/Base"}, ("time_zone is 'Mars/Base'",)),
        ({"name": "x", "url": URL, "time_zone": "../../etc/passwd"}, ("time_zone",)),
    ],
)
def test_a_channel_that_makes_no_sense_is_refused_without_its_secret(
    front: Front, body: dict[str, Any], words: tuple[str, ...]
) -> None:
    detail = refused(front, "POST", "channels", body, *words)
    assert not any(secret in detail for secret in SECRETS)


@pytest.mark.parametrize("path", ["rules", "silences", "channels", "rules/preview"])
def test_a_body_has_to_be_an_object_of_json(front: Front, path: str) -> None:
    place = f"/performance/{path}"
    headers = {"X-API-Key": KEY}
    plain = front.browser().post(place, data="name=x", headers=headers, content_type="text/plain")
    problem(plain, 415, "unsupported_media_type")
    for data in ("{", "nonsense", "\xff", "[" * 5000, '{"a":' * 5000, "NaN"):
        broken = front.browser().post(place, data=data, headers=headers, content_type="application/json")
        assert "JSON" in problem(broken, 400, "bad_request")
    for data in ("[]", "3", '"x"', "null"):
        other = front.browser().post(place, data=data, headers=headers, content_type="application/json")
        assert "object" in problem(other, 400, "bad_request")
    large = front.browser().post(
        place, data="x" * 2_000_000, headers=headers, content_type="application/json"
    )
    problem(large, 413)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    [
        "name",
        "kind",
        "metric",
        "tools",
        "levels",
        "window_s",
        "recovery",
        "url",
        "seconds",
        "start",
        "end",
        "at",
        "types",
        "quiet_from",
        "time_zone",
        "by",
        "note",
        "days",
        "target_percent",
        "channels",
        "severity",
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    path=st.sampled_from(
        ["rules", "rules/1", "rules/preview", "silences", "channels", "channels/1", "alerts/1/resolve"]
    ),
    method=st.sampled_from(["POST", "PUT", "PATCH"]),
    body=st.dictionaries(_NAMES, _JSON, max_size=6),
)
def test_no_body_is_an_error_of_ours(front: Front, path: str, method: str, body: dict[str, Any]) -> None:
    assert front.send(method, f"/performance/{path}", body).status_code < 500


def test_a_browser_changes_something_with_its_form_token_only(front: Front) -> None:
    browser = front.browser()
    assert browser.post("/dashboard/signin", data={"key": KEY}).status_code == 303
    body = {"seconds": 60}
    problem(browser.post("/performance/silences", json=body), 400, "bad_request")
    page = browser.get("/dashboard/alerts").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    made = browser.post("/performance/silences", json=body, headers={"X-CSRF-Token": token})
    assert made.status_code == 201


def test_pages_of_the_history_are_the_whole_of_it(tmp_path: Path) -> None:
    front = seeded(tmp_path, 230)
    seen: list[int] = []
    following = ""
    while True:
        page = front.json(f"/performance/alerts/history?limit=50{following}")
        seen += [one["id"] for one in page["alerts"]]
        if page["next"] is None:
            break
        following = f"&after={page['next']}"
    assert seen == list(range(230, 0, -1))
    found = front.json("/performance/alerts/history?type=rule_1&severity=error&limit=500")["alerts"]
    assert len(found) == sum(n % 3 == 1 and n % 2 == 1 for n in range(230))
    assert [one["message"] for one in front.json("/performance/alerts/history?q=number 99,")["alerts"]] == [
        'number 99, said "no"'
    ]
    late = front.json("/performance/alerts/history?from=2023-11-14T22:14:10%2B00:00&limit=500")["alerts"]
    assert len(late) == sum(1_700_000_000 + n // 4 >= 1_700_000_050 for n in range(230))


def test_the_history_is_a_file_for_spreadsheets_without_formulas(tmp_path: Path) -> None:
    response = seeded(tmp_path, 30).get("/performance/alerts/history?format=csv&severity=error")
    assert response.mimetype == "text/csv"
    assert response.text.count("\r\n") == 16
    head, *rows = list(csv.reader(StringIO(response.text)))
    assert {"id", "tool", "message", "worst", "began", "ended"} <= set(head)
    assert len(rows) == 15
    assert all(row[head.index("tool")].startswith("'=tool") for row in rows)
    assert rows[0][head.index("message")] == 'number 29, said "no"'


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=x",
        "limit=",
        "after=x",
        "after=nan_1",
        "after=1_",
        "severity=bad",
        "state=x",
        "from=x",
        "format=xml",
        "tool=" + "x" * 1001,
    ],
)
def test_a_query_that_makes_no_sense_is_refused(front: Front, query: str) -> None:
    problem(front.get(f"/performance/alerts/history?{query}"), 400, "bad_request")


@pytest.mark.parametrize("query", ["limit=201", "state=lost", "before=x", "before=99999999999"])
def test_a_query_of_the_log_that_makes_no_sense_is_refused(front: Front, query: str) -> None:
    problem(front.get(f"/performance/notices?{query}"), 400, "bad_request")
