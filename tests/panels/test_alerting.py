"""What the pages of alerts say and draw: words, values, courses, charts, and how notices fared."""

from __future__ import annotations

from typing import Any

import pytest

from app.desk.alerts import Telling
from app.model.alerting import Alert
from app.model.readings import Target
from app.model.rules import MEASURES, Level, Rule
from app.model.windows import named
from app.panels.alerting import words
from app.panels.alerting.courses import Courses
from app.panels.alerting.drawing import amount_axis, course_chart, tick
from app.panels.alerting.rules import suggested_name
from app.panels.alerting.stages import stage_of
from app.panels.alerting.told import fates
from app.store.notices import DEAD, DELIVERED, DROPPED, WAITING, Notice

from .fake import NOW_S, FakeSources

HOUR = named("1h", NOW_S)


def rule(**members: Any) -> Rule:
    return Rule(**({"name": "A rule", "levels": (Level("warning", 90.0),)} | members))


def alert(**members: Any) -> Alert:
    defaults: dict[str, Any] = {
        "type": "a_rule", "tool": "ping", "severity": "warning", "message": "It is odd", "value": 30.6,
        "threshold": 90.0, "since_s": NOW_S - 60,
    }  # fmt: skip
    return Alert(**(defaults | members))


@pytest.mark.parametrize(
    ("unit", "value", "told"),
    [
        ("percent", 30.6, "30.6 %"),
        ("percent", 90.0, "90 %"),
        ("milliseconds", 2150.45, "2,150 ms"),
        ("milliseconds", 0.62, "0.6 ms"),
        ("minutes", 15.5, "16 min"),
        ("per minute", 148.23, "148.2 /min"),
        ("times the budget", 14.4, "14.4 times"),
        ("requests", 1.0, "1 request"),
        ("workers", 3.0, "3 workers"),
        ("bytes", 2.0e6, "2 MB"),
        ("bytes per second", 2.0e6, "2 MB/s"),
        ("leagues", 20.0, "20 leagues"),
    ],
)
def test_a_value_is_told_with_its_unit(unit: str, value: float, told: str) -> None:
    assert words.amount(unit, value) == told


def test_a_value_beyond_its_limit_never_looks_like_it() -> None:
    assert words.compared("percent", 89.97, 90.0) == ("89.97 %", "90 %")
    assert words.compared("percent", 99.994, 99.99) == ("99.994 %", "99.99 %")
    assert words.compared("percent", 90.0, 90.0) == ("90 %", "90 %")


@pytest.mark.parametrize(
    ("span_s", "told"),
    [
        (30, "30 s"),
        (90, "90 s"),
        (300, "5 min"),
        (3600, "1 h"),
        (5400, "90 min"),
        (86_400, "1 d"),
        (930, "15.5 min"),
    ],
)
def test_a_span_is_told_exactly(span_s: float, told: str) -> None:
    assert words.span(span_s) == told


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({}, "average response time of each tool over the last 5 min"),
        ({"together": True, "window_s": 3600},
         "average response time of all tools together over the last hour"),
        ({"metric": "cpu", "window_s": 60}, "CPU usage of each instance over the last minute"),
        ({"metric": "absence", "tools": ("ping",)}, "time without a request of ping"),
        ({"tools": ("a", "b*", "!bad"), "together": True, "hold_s": 120},
         "average response time of a, b* together but bad over the last 5 min, for at least 2 min"),
        ({"metric": "slower_than", "slower_than_ms": 500},
         "share of requests slower than 500 ms of each tool over the last 5 min"),
        ({"kind": "objective", "target_percent": 99.95},
         "99.95 % of the requests of each tool succeed, over 30 days"),
        ({"kind": "objective", "target_percent": 99.0, "slower_than_ms": 500, "tools": ("a",)},
         "99 % of the requests of a take at most 500 ms, over 30 days"),
        ({"kind": "digest", "every": "week", "at": "07:30"}, "how it went, every week at 07:30 UTC"),
    ],
)  # fmt: skip
def test_a_rule_is_told_as_a_sentence(members: dict[str, Any], told: str) -> None:
    assert words.condition(rule(**members)) == told


@pytest.mark.parametrize("metric", MEASURES)
def test_an_alert_of_every_metric_has_a_sentence_with_value_and_limit(metric: str) -> None:
    one = rule(metric=metric, slower_than_ms=500.0 if metric == "slower_than" else None)
    said = words.sentence(alert(value=123.4, requests=380, failures=264), one)
    assert "limit" in said
    assert said.endswith(".")
    assert "None" not in said


def test_a_sentence_tells_the_counts_that_it_is_judged_by() -> None:
    one = rule(metric="success_rate", condition="below")
    said = words.sentence(alert(requests=380, failures=264), one)
    assert said == "30.6 % over the last 5 min, limit 90 %. 264 of 380 requests failed."
    goal = rule(kind="objective", target_percent=99.9, levels=(Level("error"),))
    said = words.sentence(alert(value=61.2, threshold=14.4, requests=48_839, failures=155), goal)
    assert said.startswith("The error budget is spent 61.2 times as fast as allowed, limit 14.4.")
    assert said.endswith("155 of 48,839 requests failed in 3 days.")


def test_what_is_over_or_nearly_is_told_as_such() -> None:
    one = rule(metric="success_rate", condition="below")
    over = alert(resolved_s=NOW_S, peak=12.5)
    assert words.sentence(over, one) == "12.5 % at worst, limit 90 %."
    better = words.sentence(alert(value=91.0), one)
    assert better == "91 % over the last 5 min, within its limit of 90 % again."


def test_an_own_message_and_a_rule_that_is_gone_speak_for_themselves() -> None:
    assert words.sentence(alert(), None) == "It is odd."
    assert words.sentence(alert(), rule(message="Odd: {value}")).startswith("It is odd. ")


def test_a_title_names_a_tool_once_and_the_machine_not_at_all() -> None:
    assert str(words.title(alert(), rule(name="Low success rate"))) == "ping low success rate"
    assert str(words.title(alert(), rule(name="CPU is odd"))) == "ping CPU is odd"
    assert str(words.title(alert(), rule(name="Errors of ping"))) == "Errors of ping"
    assert str(words.title(alert(tool="system"), rule(name="High CPU usage"))) == "High CPU usage"
    assert str(words.title(alert(tool="(all)"), rule(name="Slow"))) == "All tools together slow"
    assert str(words.title(alert(type="gone_rule"), None)) == "ping gone rule"


def test_a_rule_without_a_name_gets_one() -> None:
    assert suggested_name(rule(metric="p95")) == "p95 response time over 90 ms"
    assert suggested_name(rule(metric="error_rate", tools=("ping",))) == "Error rate over 90 % (ping)"
    assert suggested_name(rule(kind="digest")) == "Daily digest"


@pytest.mark.parametrize("metric", MEASURES)
def test_every_metric_is_drawn(metric: str) -> None:
    one = rule(metric=metric, slower_than_ms=100.0 if metric == "slower_than" else None)
    target = Target("ping") if MEASURES[metric].is_of_tools else Target("system", "one")
    courses = Courses(HOUR, FakeSources(), [(one, target)])
    values = courses.values(one, target)
    assert values
    if metric not in ("instance_gone", "queue_time", "queue_p50", "queue_p95", "queue_p99", "first_byte"):
        assert any(value is not None for value in values), metric
    chart = course_chart(one, [float(n) for n in range(len(values) + 1)], values)
    assert len(chart.lines[0].values) == len(values)


def test_tools_that_are_judged_as_one_are_drawn_as_one() -> None:
    each = rule(metric="requests")
    for tools in (("*",), ("list_files", "read_*")):
        both = rule(metric="requests", tools=tools, together=True)
        courses = Courses(HOUR, FakeSources(), [(both, Target("x")), (each, Target("list_files"))])
        summed, one = courses.values(both, Target("x")), courses.values(each, Target("list_files"))
        assert all(a > b for a, b in zip(summed, one, strict=True) if a is not None and b is not None)


def test_a_limit_is_drawn_with_its_course_and_not_alone() -> None:
    one = rule(metric="success_rate", condition="below")
    courses = Courses(HOUR, FakeSources(), [(one, Target("run_query")), (one, Target("unknown"))])
    drawn = courses.spark(one, Target("run_query"), 90.0)
    assert drawn.line
    assert drawn.limit is not None
    assert courses.spark(one, Target("unknown"), 90.0).limit is None


def test_a_chart_has_a_line_to_each_level_and_one_where_it_is_well() -> None:
    one = rule(metric="p95", levels=(Level("warning", 100.0), Level("error", 200.0)))
    chart = course_chart(one, [0.0, 60.0, 120.0], [150.0, None])
    assert [limit.label for limit in chart.limits] == ["warning 100 ms", "error 200 ms", "well again 95 ms"]
    assert chart.axis.high >= 200
    goal = rule(kind="objective", target_percent=99.9, levels=(Level("error"),))
    assert [one.label for one in course_chart(goal, [0.0, 60.0], [5.0]).limits] == ["allowed 0.1 %"]


@pytest.mark.parametrize("values", [[], [0.0], [1e-9], [7.3, 5214.0], [1e12], [99.2, 99.9], [None]])
@pytest.mark.parametrize("unit", ["milliseconds", "percent", "bytes", "requests", "per minute"])
def test_an_axis_holds_all_values(unit: str, values: list[float | None]) -> None:
    for zooms in (False, True):
        axis = amount_axis(unit, values, zooms=zooms)
        told = [value for value in values if value is not None]
        assert axis.low <= min(told, default=axis.low)
        assert axis.high >= min(max(told, default=0.0), 100.0 if unit == "percent" else 1e30)
        assert 2 <= len(axis.ticks) <= 6


def test_ticks_are_short() -> None:
    assert [tick("milliseconds", value) for value in (0, 0.5, 250, 2500)] == [
        "0",
        "0.5 ms",
        "250 ms",
        "2.5 s",
    ]
    assert tick("percent", 99.5) == "99.5 %"


def notice(state: str, **members: Any) -> Notice:
    defaults: dict[str, Any] = {
        "id": 1, "key": "k", "channel_id": 1, "kind": "alerts", "state": state, "severity": "error",
        "created_s": NOW_S - 60, "due_s": NOW_S + 20, "expires_s": NOW_S + 3600, "tries": 0, "title": "",
        "body": "", "detail": "", "finished_s": None,
    }  # fmt: skip
    return Notice(**(defaults | members))


@pytest.mark.parametrize(
    ("made", "said", "at_s"),
    [
        (notice(DELIVERED, finished_s=NOW_S), "told mail at", NOW_S),
        (notice(WAITING), "mail waits for others until", NOW_S + 20),
        (notice(WAITING, due_s=NOW_S + 9000), "mail waits for its quiet hours to end at", NOW_S + 9000),
        (notice(WAITING, tries=2), "mail not told yet: failed, tried again at", NOW_S + 20),
        (notice(WAITING, due_s=NOW_S - 1), "mail is being told", None),
        (notice(DEAD), "mail was not told: not delivered", None),
        (notice(DROPPED, detail="it was over"), "mail was not told: it was over", None),
    ],
)
def test_who_was_told_and_how_it_went(made: Notice, said: str, at_s: float | None) -> None:
    (one,) = fates([Telling("mail", made, "firing")], NOW_S, is_silenced=False, has_channels=True)
    assert (one.text, one.at_s) == (
        said,
        at_s if at_s is None or made.state != DELIVERED else at_s // 60 * 60,
    )


def test_why_nobody_was_told() -> None:
    def said(*, is_silenced: bool, has_channels: bool) -> str:
        (one,) = fates([], NOW_S, is_silenced=is_silenced, has_channels=has_channels)
        return one.text

    assert said(is_silenced=False, has_channels=False) == "nobody is told: there is no channel"
    assert said(is_silenced=True, has_channels=True) == "nobody is told while it is silenced"
    assert said(is_silenced=False, has_channels=True) == "no channel takes it"


def test_states_are_words_and_those_that_ask_for_nothing_are_quiet() -> None:
    assert stage_of(alert(), None).word == ""
    assert stage_of(alert(state="flapping"), None).word == "Flapping"
    assert stage_of(alert(state="no_data"), None).word == "No data"
    assert stage_of(alert(acknowledged_s=NOW_S), None).is_quiet
    assert stage_of(alert(resolved_s=NOW_S, state="resolved"), None).word == "Resolved"
