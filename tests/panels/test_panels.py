"""Every panel in every condition that a service can be in: what it says, and that it can always say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec
import pytest

from app.errors import BadRequestError, NotFoundError
from app.model.alerting import Alert, SystemSample
from app.model.formats import NOTHING
from app.model.rules import Level, Rule, StoredRule
from app.model.silencing import Silence
from app.model.windows import NAMED, Window, named
from app.panels.alerts import alerts
from app.panels.figures import figures
from app.panels.look import Look
from app.panels.recent import recent
from app.panels.registry import PANELS, Panel, page_of
from app.panels.system import system
from app.panels.tool_figures import tool_figures
from app.panels.tools import ROWS, SORTS, tools
from app.panels.traffic import response_time, throughput
from app.panels.verdict import verdict
from app.sources import Traffic

from . import fake
from .fake import NOW_S, VARIANTS, FakeSources

HOUR = named("1h", NOW_S)


class Sampled(FakeSources):
    """A service whose samples are these."""

    def __init__(self, *samples: SystemSample) -> None:
        super().__init__()
        self._sampled = samples

    def samples(self, since_s: float) -> Sequence[SystemSample]:
        """All of them that are not older."""
        return [one for one in self._sampled if one.at_s >= since_s]


def needed(panel: Panel) -> dict[str, str]:
    """What a panel can't do without."""
    return {name: "run_query" for name, option in panel.options.items() if option.needed}


@cache
def look(variant: str) -> Look:
    return Look(VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.slug)
def test_every_panel_answers_in_every_condition(panel: Panel, variant: str) -> None:
    view = panel.show(HOUR, look(variant), NOW_S, **needed(panel))
    assert msgspec.json.decode(msgspec.json.encode(view))
    assert view.__dataclass_params__.frozen


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.slug)
def test_every_panel_answers_for_every_window(panel: Panel, name: str) -> None:
    sources = FakeSources(tools={"ping": fake.Tool(2, 5, 9)}, requests_each=50)
    assert msgspec.json.encode(panel.show(named(name, NOW_S), sources, NOW_S, **needed(panel)))


def test_the_verdict_names_what_is_wrong_worst_first() -> None:
    said = verdict(HOUR, look("troubled"), NOW_S)
    assert (said.severity, said.word) == ("error", "Error")
    assert said.sentence == "run_query is failing, analyze_code is slow"
    assert said.detail == "for 12 min. The other 9 tools raise no alert."
    facts = {fact.label: fact for fact in said.facts}
    assert (facts["Active alerts"].value, facts["Active alerts"].note) == (
        "1 error, 1 warning",
        "2 of 11 tools in trouble",
    )
    assert facts["Workers"].dots == (True, True, False, False)


def test_a_critical_alert_of_the_system_decides_the_verdict() -> None:
    said = verdict(HOUR, look("critical"), NOW_S)
    assert said.severity == "critical"
    assert said.sentence == "CPU is high: 98 %, run_query is failing and 1 more"
    assert said.facts[0].value == "1 critical, 2 more"


def test_a_healthy_service_is_called_healthy() -> None:
    said = verdict(HOUR, look("healthy"), NOW_S)
    assert (said.severity, said.sentence) == ("ok", "Healthy: all 11 tools are as they should be")
    assert "Slowest: analyze_code" in said.detail


def test_a_service_without_a_request_is_neither_healthy_nor_ill() -> None:
    said = verdict(HOUR, look("empty"), NOW_S)
    assert (said.severity, said.sentence) == ("unknown", "Nothing measured yet")
    assert {fact.label: fact.value for fact in said.facts}["Memory"] == "not known"


def test_a_machine_that_is_not_sampled_is_not_called_healthy() -> None:
    said = verdict(HOUR, look("unsampled"), NOW_S)
    assert (said.severity, said.sentence) == ("unknown", "The machine was not sampled for 3 min")
    assert system(HOUR, look("unsampled"), NOW_S).stale_since_s == NOW_S - 180


def test_a_gap_is_told_and_not_counted_as_zero() -> None:
    now = figures(HOUR, look("gap"), NOW_S).tiles[0]
    assert now.delta.text == "9 min missing"
    assert float(now.figure.text) == pytest.approx(400, rel=0.1)
    assert verdict(HOUR, look("gap"), NOW_S).facts[-1].value == "9 min missing"
    assert len(throughput(HOUR, look("gap"), NOW_S).chart.gaps_s) == 1


def test_the_figures_compare_with_the_hour_before() -> None:
    requests, success, p95, saturation = figures(HOUR, look("troubled"), NOW_S).tiles
    assert (requests.label, requests.delta.text) == ("Requests", "As before")
    assert success.delta.tone == "worse"
    assert "points lower" in success.delta.text
    assert p95.figure.unit == "ms"
    assert (saturation.figure.text, saturation.delta.text) == ("20.0", "As before")
    assert all(tile.spark.line and tile.spark.was for tile in (requests, success, p95, saturation))


@pytest.mark.parametrize(("compare", "than"), [("day", "a day before"), ("week", "a week before")])
def test_the_figures_compare_with_an_earlier_day_if_asked(compare: str, than: str) -> None:
    success = figures(HOUR, look("troubled"), NOW_S, compare=compare).tiles[1]
    assert success.delta.than.startswith(f"than {than} (")
    assert success.spark.was


def test_the_figures_compare_with_nothing_if_asked() -> None:
    for tile in figures(HOUR, look("troubled"), NOW_S, compare="off").tiles[:3]:
        assert tile.delta.text == ""
        assert tile.delta.than.endswith("requests in the last hour")
        assert not tile.spark.was
    assert {row.trend.text for row in tools(HOUR, look("troubled"), NOW_S, compare="off").rows} == {NOTHING}


def test_there_is_no_comparison_with_a_time_before_the_start() -> None:
    for tile in figures(HOUR, look("first_minutes"), NOW_S).tiles[:3]:
        assert (tile.delta.text, tile.delta.at_s) == ("No data before", NOW_S - 250)
        assert not tile.spark.was


def test_a_young_service_is_measured_by_the_minutes_that_it_ran() -> None:
    requests = figures(HOUR, look("first_minutes"), NOW_S).tiles[0]
    assert float(requests.figure.text) == pytest.approx(400, rel=0.15)


def test_thin_data_are_points_with_their_count() -> None:
    _, success, p95, _ = figures(HOUR, look("thin"), NOW_S).tiles
    assert p95.figure.text.startswith("~")
    assert p95.delta.text == "7 requests"
    assert not p95.spark.line
    assert success.spark.dots.count("M") == 7
    chart = response_time(HOUR, look("thin"), NOW_S).chart
    assert chart.is_thin
    assert tools(HOUR, look("thin"), NOW_S).rows[0].is_thin


def test_nothing_measured_is_a_dash_and_never_a_zero() -> None:
    _, success, p95, _ = figures(HOUR, look("empty"), NOW_S).tiles
    assert (success.figure.text, p95.figure.text) == (NOTHING, NOTHING)
    assert response_time(HOUR, look("empty"), NOW_S).requests == 0


def test_the_charts_add_up_to_the_table_of_tools() -> None:
    sources = look("troubled")
    table = tools(HOUR, sources, NOW_S)
    outcome = throughput(HOUR, sources, NOW_S)
    in_table = sum(int(row.requests.replace(",", "")) for row in table.rows)
    assert outcome.requests == in_table
    assert outcome.ok + outcome.client_errors + outcome.server_errors + outcome.other_failures == in_table
    told = [[int(cell.replace(",", "")) for cell in row.cells] for row in outcome.rows]
    assert sum(map(sum, told)) == in_table


def test_a_chart_marks_the_alert_that_it_shows() -> None:
    assert [alarm.label for alarm in response_time(HOUR, look("troubled"), NOW_S).chart.alarms] == [
        "analyze_code slow"
    ]
    assert [alarm.label for alarm in throughput(HOUR, look("troubled"), NOW_S).chart.alarms] == [
        "run_query fails"
    ]


def test_the_points_of_a_chart_lie_between_its_edges() -> None:
    for chart in (response_time(HOUR, look("gap"), NOW_S).chart, throughput(HOUR, look("gap"), NOW_S).chart):
        assert list(chart.edges_s) == sorted(chart.edges_s)
        assert {len(line.values) for line in chart.lines} == {len(chart.edges_s) - 1}


def test_findings_say_the_value_and_its_limit() -> None:
    shown = alerts(HOUR, look("troubled"), NOW_S)
    failing, slow = shown.findings
    assert (failing.who, failing.what) == ("run_query", "Low success rate")
    assert failing.why == "30.6 % over the last 5 min, limit 90 %."
    assert (slow.what, slow.lasted) == ("High response time", "29 min")
    assert slow.why == "Average response time 2,150 ms over the last 5 min, limit 2,000 ms."
    assert failing.spark.limit is not None
    assert slow.spark.line


def test_an_alert_of_a_rule_that_is_gone_is_shown_with_its_own_words() -> None:
    (odd,) = [one for one in alerts(HOUR, look("hostile"), NOW_S).findings if one.severity == "info"]
    assert odd.what == "Made by a user"
    assert odd.why == "Odd: <script>alert(1)</script>."


def test_what_somebody_is_at_comes_last_and_decides_no_verdict() -> None:
    failing, slow = fake.ALERTS
    seen = replace(failing, acknowledged_s=NOW_S - 60, acknowledged_by="Ann")
    sources = FakeSources(active=(seen, slow))
    first, last = alerts(HOUR, sources, NOW_S).findings
    assert (first.who, last.who, last.seen) == ("analyze_code", "run_query", "Acknowledged by Ann.")
    assert verdict(HOUR, sources, NOW_S).severity == "warning"
    assert verdict(HOUR, sources, NOW_S).sentence == "analyze_code is slow"
    only = verdict(HOUR, FakeSources(active=(seen,)), NOW_S)
    assert (only.severity, only.glyph, only.word) == ("unknown", "ack", "Acknowledged,")


def test_what_is_silenced_is_told_of_as_such() -> None:
    silence = Silence(1, NOW_S - 60, NOW_S + 3600, tools=("run_query",))
    shown = alerts(HOUR, FakeSources(silenced=(silence,)), NOW_S)
    assert (shown.count, shown.quiet) == (2, 1)
    assert shown.findings[-1].stage.word == "Silenced"


RULES = {
    "p95": (Rule(name="Slow", metric="p95", levels=(Level("warning", 400),)), "is slow"),
    "errors": (Rule(name="Errors", metric="errors", levels=(Level("warning", 3),)), "is failing"),
    "absent": (Rule(name="Gone", metric="absence", levels=(Level("warning", 3),)), "is not called"),
    "goal": (Rule(name="99.9 %", kind="objective", target_percent=99.9), "is failing"),
    "bytes": (Rule(name="Large answers", metric="bytes", levels=(Level("warning", 3),)), "large answers"),
}


@pytest.mark.parametrize("type", RULES)
def test_an_alert_of_any_rule_reads_well(type: str) -> None:
    rule, told = RULES[type]
    stored = StoredRule(id=9, type=type, rule=rule)
    alert = Alert(type, "ping", "warning", "It is odd", 1234.5, 3.0, NOW_S - 60, requests=20, failures=4)
    sources = FakeSources(active=(alert,), own_rules=(stored,))
    assert verdict(HOUR, sources, NOW_S).sentence == f"ping {told}"
    (finding,) = alerts(HOUR, sources, NOW_S).findings
    assert finding.why.endswith(".")
    assert "None" not in finding.why
    assert "limit" in finding.why


def test_no_more_findings_are_shown_than_can_be_read() -> None:
    many = tuple(
        Alert("high_response_time", f"tool {n}", "warning", "", 3000, 2000, NOW_S) for n in range(30)
    )
    shown = alerts(HOUR, FakeSources(active=many), NOW_S)
    assert (len(shown.findings), shown.count) == (8, 30)


KEYS = {
    "requests": lambda row: -int(row.requests.replace(",", "")),
    "tool": lambda row: row.name.lower(),
    "success": lambda row: float(row.success),
    "share": lambda row: -row.share_percent,
    "p95": lambda row: -float(row.p95.replace(",", "").lstrip("~")),
}


@pytest.mark.parametrize("sort", KEYS)
def test_the_table_is_sorted_as_asked(sort: str) -> None:
    rows = tools(HOUR, look("troubled"), NOW_S, sort=sort).rows
    keys: list[Any] = [KEYS[sort](row) for row in rows]  # type: ignore[no-untyped-call]
    assert keys == sorted(keys)
    assert len(rows) == 11


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("rows", ROWS)
def test_the_table_has_as_many_rows_as_asked(sort: str, rows: str) -> None:
    table = tools(HOUR, look("many"), NOW_S, sort=sort, rows=rows)
    assert (len(table.rows), table.matching, table.count) == (int(rows), 130, 130)
    assert len({row.key for row in table.rows}) == int(rows)


def test_the_search_looks_through_all_tools_and_not_only_those_shown() -> None:
    table = tools(HOUR, look("many"), NOW_S, q="ITEMS/129/")
    assert [row.name for row in table.rows] == ["GET /items/129/detail"]
    assert (table.matching, table.count) == (1, 130)


def test_a_tool_in_trouble_is_flagged_where_it_hurts() -> None:
    rows = {row.name: row for row in tools(HOUR, look("troubled"), NOW_S).rows}
    assert rows["run_query"].success_severity == "error"
    assert rows["run_query"].average_severity == ""
    assert rows["analyze_code"].trend.tone == "worse"
    # Within its limit over the hour: the name is flagged and not the figure.
    assert (rows["analyze_code"].severity, rows["analyze_code"].average_severity) == ("warning", "")
    slow = replace(fake.ALERTS[1], threshold=900.0)
    rows = {row.name: row for row in tools(HOUR, FakeSources(active=(slow,)), NOW_S).rows}
    assert rows["analyze_code"].average_severity == "warning"
    assert rows["list_files"].trend.text == "steady"
    assert not rows["(unmatched)"].is_judged


def test_an_alert_of_now_flags_nothing_in_a_time_that_is_over() -> None:
    yesterday = Window("", NOW_S - 90_000, NOW_S - 86_400, 60, 60)
    table = tools(yesterday, look("troubled"), NOW_S)
    assert {row.severity for row in table.rows} == {""}
    assert response_time(yesterday, look("troubled"), NOW_S).chart.alarms == ()


def test_the_order_turns_around_and_columns_go_as_asked() -> None:
    there = tools(HOUR, look("troubled"), NOW_S, sort="p95")
    back = tools(HOUR, look("troubled"), NOW_S, sort="p95", order="reversed")
    assert [row.name for row in back.rows] == [row.name for row in reversed(there.rows)]
    assert (there.ascends, back.ascends) == (False, True)
    assert tools(HOUR, look("troubled"), NOW_S, sort="success").ascends
    bare = tools(HOUR, look("troubled"), NOW_S, hide="p50,course")
    assert {"p50", "course"}.isdisjoint(column.key for column in bare.columns)
    assert not any(row.spark.line for row in bare.rows)
    choices = {choice.column.key: choice for choice in bare.choices}
    assert (choices["p50"].is_shown, choices["p50"].hide) == (False, "course")
    assert (choices["p95"].is_shown, choices["p95"].hide) == (True, "p50,p95,course")


def test_the_file_of_tools_has_the_figures_of_the_table() -> None:
    table = tools(HOUR, look("troubled"), NOW_S, q="e")
    found = tool_figures(HOUR, look("troubled"), q="E").tools
    assert [one.tool_name for one in found] == [row.name for row in table.rows]
    assert [f"{one.total_requests:,}" for one in found] == [row.requests for row in table.rows]
    whole = tool_figures(HOUR, look("troubled")).tools
    assert sum(one.time_share for one in whole) == pytest.approx(100, abs=0.1)
    assert all(one.min_response_time <= one.p50_response_time <= one.max_response_time for one in whole)


def test_the_newest_alerts_are_told_whether_they_are_over_or_not() -> None:
    over = Alert(
        "low_success_rate", "ping", "error", "", 10, 90, NOW_S - 9000, NOW_S - 8000, peak_severity="critical"
    )
    rows = recent(HOUR, FakeSources(past=(over,)), NOW_S).rows
    assert [(row.tool, row.is_active) for row in rows] == [
        ("run_query", True), ("analyze_code", True), ("ping", False)
    ]  # fmt: skip
    assert (rows[2].severity, rows[2].lasted) == ("critical", "16 min")
    assert recent(HOUR, FakeSources(active=()), NOW_S).rows == ()


def test_the_gauges_are_judged_as_the_rules_judge_them() -> None:
    cpu, memory, disk = system(HOUR, look("critical"), NOW_S).gauges
    assert (cpu.value, cpu.severity, cpu.tick_percent) == ("98.2 %", "critical", 80)
    assert (memory.value, memory.of, memory.severity) == ("371", "of 512 MB", "")
    assert (disk.value, disk.of) == ("4.6", "of 10.0 GB")
    assert system(HOUR, look("empty"), NOW_S).gauges == ()


def test_the_system_says_whose_cpu_and_memory_they_are() -> None:
    host, container = (system(HOUR, look(name), NOW_S) for name in ("healthy", "contained"))
    assert (host.whose, host.told_of, host.held_back) == ("the host", "", "")
    assert (container.whose, container.told_of) == (
        "the container",
        "CPU is of the container's 0.5 cores, memory of its limit; load and disks of the host.",
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cpu_limit_cores": 1.0}, "CPU is of the container's 1 core; memory, load and disks of the host."),
        (
            {"memory_source": "container"},
            "Memory is of the container's limit; CPU, load and disks of the host.",
        ),
    ],
)
def test_cpu_and_memory_can_be_of_different_things(changes: dict[str, Any], said: str) -> None:
    shown = system(HOUR, Sampled(SystemSample(NOW_S, 1.0, 2.0, 3.0, **changes)), NOW_S)
    assert (shown.whose, shown.told_of) == ("container and host", said)


def test_load_and_throughput_stand_below_the_gauges_as_far_as_they_are_known() -> None:
    said = "Load 0.52. Network 12 kB/s in, 392 kB/s out. Disks 0 B/s read, 1 MB/s written."
    assert system(HOUR, look("healthy"), NOW_S).flow == said
    assert system(HOUR, Sampled(SystemSample(NOW_S, 1.0, 2.0, 3.0)), NOW_S).flow == ""


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ("15m", "In the last 15 min the container was throttled in 8 periods and 1 process was killed"),
        ("1h", "In the last hour the container was throttled in 11 periods and 1 process was killed"),
        ("24h", "In 1 h 1 min of samples the container was throttled in 11 periods and 1 process was killed"),
    ],
)
def test_what_the_limits_held_back_is_told_for_the_time_that_is_sampled(window: str, said: str) -> None:
    sources = FakeSources(is_contained=True, active=(), history_s=3660)
    shown = system(named(window, NOW_S), sources, NOW_S)
    assert shown.held_back == f"{said} for want of memory."


def test_a_container_that_nothing_held_back_is_told_nothing() -> None:
    quiet = SystemSample(NOW_S, 1.0, 2.0, 3.0, memory_source="container", oom_kills=4)
    assert system(HOUR, Sampled(quiet, quiet), NOW_S).held_back == ""
    killed = quiet._replace(at_s=NOW_S - 2, oom_kills=6)
    said = system(HOUR, Sampled(quiet._replace(at_s=NOW_S - 40), killed), NOW_S).held_back
    assert said == "In 1 min of samples 2 processes were killed for want of memory."


def test_one_look_asks_each_question_once() -> None:
    asked: list[str] = []

    class Asked(FakeSources):
        def traffic(self, window: Window) -> Traffic:
            asked.append(f"traffic {window.start_s}")
            return super().traffic(window)

    page = Look(Asked())
    for panel in PANELS:
        panel.show(HOUR, page, NOW_S, **needed(panel))
    assert len(asked) == len(set(asked)) + 1  # the snapshot of the stand-in asks for the hour itself


def test_an_unknown_panel_or_option_says_what_is_allowed() -> None:
    with pytest.raises(NotFoundError, match="there are verdict"):
        page_of("nope")
    with pytest.raises(BadRequestError, match="allowed is share, tool"):
        page_of("tools")[0].options["sort"].check("size")
    with pytest.raises(BadRequestError, match="allowed is 100"):
        page_of("tools")[0].options["q"].check("a" * 101)
