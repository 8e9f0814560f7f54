"""The panels of one tool: the map of its times, their spread, what its answers were, and who watches it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from msgspec import structs

from app.model.alerting import Alert
from app.model.formats import NOTHING
from app.model.histogram import RELATIVE_ERROR
from app.model.rules import Level, Rule, StoredRule
from app.model.series import EMPTY, Request, Snapshot, ToolTotals
from app.model.windows import NAMED, named
from app.panels.look import Look
from app.panels.tool.figures import tool_figures
from app.panels.tool.head import tool_head
from app.panels.tool.heat import heatmap
from app.panels.tool.outcomes import outcomes, weights
from app.panels.tool.requests import newest, slowest
from app.panels.tool.spread import spread
from app.panels.tool.watch import tool_watch
from app.panels.traffic import response_time, throughput

from .fake import ALERTS, NOW_S, FakeSources, empty, gap, thin, troubled

HOUR = named("1h", NOW_S)


def test_the_head_tells_the_worst_alert_and_how_many_others() -> None:
    mild = Alert("odd", "run_query", "info", "Odd", 1.0, 0.0, NOW_S - 60)
    head = tool_head(HOUR, FakeSources(active=(*ALERTS, mild)), NOW_S, tool="run_query")
    assert head.trouble
    assert (head.trouble.severity, head.trouble.others, head.state) == ("error", 1, "")
    assert (head.trouble.lasted, head.trouble.since_s) == ("12 min", ALERTS[0].since_s)
    assert tool_head(HOUR, troubled(), NOW_S, tool="ping").trouble is None


def test_an_alert_that_somebody_has_seen_comes_after_one_that_nobody_has() -> None:
    seen = replace(ALERTS[0], acknowledged_s=NOW_S - 60, acknowledged_by="Ann")
    mild = Alert("odd", "run_query", "info", "Odd", 1.0, 0.0, NOW_S - 60)
    head = tool_head(HOUR, FakeSources(active=(seen, mild)), NOW_S, tool="run_query")
    assert head.trouble
    assert head.trouble.severity == "info"


def test_a_tool_that_nobody_ever_called_is_told_so() -> None:
    head = tool_head(HOUR, troubled(), NOW_S, tool="nobody")
    assert (head.state, head.trouble) == ("unseen", None)
    assert heatmap(HOUR, troubled(), NOW_S, tool="nobody").chart is None
    assert spread(HOUR, troubled(), NOW_S, tool="nobody").bars == ()
    assert newest(HOUR, troubled(), NOW_S, tool="nobody").rows == ()
    assert slowest(HOUR, troubled(), NOW_S, tool="nobody").rows == ()
    assert weights(HOUR, troubled(), NOW_S, tool="nobody").rows == ()


def test_a_tool_that_was_called_before_the_window_leads_to_one_that_holds_it() -> None:
    class Away(FakeSources):
        """Nobody has called since half an hour."""

        def _point(self, name, start_s, window):  # type: ignore[no-untyped-def]
            return EMPTY if start_s > NOW_S - 1800 else super()._point(name, start_s, window)

        def snapshot(self) -> Snapshot:
            return replace(super().snapshot(), tools={})

    head = tool_head(named("15m", NOW_S), Away(), NOW_S, tool="ping")
    assert head.state == "quiet"
    assert head.last_s
    assert head.longer


@pytest.mark.parametrize(
    ("tool", "is_nameable"),
    [("ping", True), ("!ping", False), ("get*", False), (" ping", False), ("a\nb", False)],
)
def test_a_rule_is_offered_for_names_that_a_pattern_can_mean(tool: str, is_nameable: bool) -> None:
    assert tool_head(HOUR, troubled(), NOW_S, tool=tool).is_nameable is is_nameable


def test_the_figures_of_a_tool_end_with_its_share_of_all_time() -> None:
    requests, success, p95, share = tool_figures(HOUR, troubled(), NOW_S, tool="analyze_code").tiles
    assert float(requests.figure.text) == pytest.approx(12.4, rel=0.15)
    assert success.label == "Success rate"
    assert (p95.figure.unit, p95.delta.tone) == ("s", "worse")
    assert (share.label, share.figure.unit) == ("Share of total time", "%")
    assert 0 < float(share.figure.text) < 100
    assert share.spark.line
    assert share.spark.was


def test_the_shares_of_all_tools_are_the_whole() -> None:
    sources = Look(troubled())
    shares = [
        float(tool_figures(HOUR, sources, NOW_S, tool=name).tiles[3].figure.text)
        for name in sources.traffic(HOUR).tools
    ]
    assert sum(shares) == pytest.approx(100, abs=0.1 * len(shares))


@pytest.mark.parametrize("window", NAMED)
def test_the_map_holds_every_request_of_its_points(window: str) -> None:
    view = heatmap(named(window, NOW_S), troubled(), NOW_S, tool="run_query")
    assert view.chart
    cells = view.chart.cells
    assert cells
    assert len(cells.columns) == len(cells.minutes) == len(view.chart.edges_s) - 1
    assert sum(sum(column[1:]) for column in cells.columns) == view.requests
    assert list(cells.edges_ms) == sorted(cells.edges_ms)
    assert list(cells.limits) == sorted(cells.limits)
    assert 8 <= len(cells.edges_ms) <= 27
    told = [int(cell.replace(",", "")) for row in view.rows for cell in row.cells if cell != NOTHING]
    assert sum(told) == view.requests


def test_the_map_shows_two_populations_apart() -> None:
    class Cached(FakeSources):
        """Half of the calls are answered from a cache."""

        def _point(self, name, start_s, window):  # type: ignore[no-untyped-def] # noqa: ARG002
            slow = super()._point("search_docs", start_s, window)
            quick = super()._point("ping", start_s, window)
            return None if slow is None or quick is None else slow + quick

    view = heatmap(HOUR, Cached(), NOW_S, tool="search_docs")
    assert view.chart
    assert view.chart.cells
    counts = "".join("x" if count else "." for count in view.chart.cells.columns[30][1:])
    assert re.fullmatch("x+[.]{2,}x[.x]*", counts)


def test_a_gap_is_a_gap_in_the_map() -> None:
    view = heatmap(HOUR, gap(), NOW_S, tool="run_query")
    assert view.chart
    assert len(view.chart.gaps_s) == 1
    assert view.chart.cells
    assert view.chart.cells.columns.count(()) >= 8


def test_the_spread_holds_every_request_once_and_lies_around_the_percentiles() -> None:
    view = spread(HOUR, troubled(), NOW_S, tool="run_query")
    assert sum(bar.now for bar in view.bars) == view.requests
    assert sum(bar.was for bar in view.bars) == view.was
    assert 2 <= len(view.bars) <= 21
    assert max(max(bar.now, bar.was) for bar in view.bars) == view.most
    assert view.line.startswith("M0 100V")
    assert view.ticks[0][0] == 0
    assert [percent for percent, _ in view.ticks] == sorted(percent for percent, _ in view.ticks)


def test_the_spread_is_alone_where_nothing_is_compared() -> None:
    view = spread(HOUR, troubled(), NOW_S, tool="run_query", compare="off")
    assert (view.was, view.line) == (None, "")
    assert not any(bar.was for bar in view.bars)


def test_the_classes_add_up_to_all_answers() -> None:
    view = outcomes(HOUR, troubled(), NOW_S, tool="fetch_url")
    assert sum(int(row.requests.replace(",", "")) for row in view.rows) == view.requests
    assert [row.is_none for row in view.rows] == [False, False, True, True]
    assert view.than == "hour before"
    failing = {row.name: row for row in outcomes(HOUR, troubled(), NOW_S, tool="run_query").rows}
    assert float(failing["Server error (5xx)"].share) > float(failing["Server error (5xx)"].was)


def test_what_no_proxy_tells_is_not_measured_and_not_zero() -> None:
    view = weights(HOUR, troubled(), NOW_S, tool="run_query")
    rows = {row.name: row.value for row in view.rows}
    assert rows["Queue before it"] == "not measured"
    assert not view.is_queued
    assert rows["Answer"] == "1 kB"


def test_the_rules_that_judge_it_stand_there_those_that_fire_first() -> None:
    own = StoredRule(
        id=9,
        type="own",
        rule=Rule(name="Own", metric="p99", tools=("run_*",), levels=(Level("info", 8000.0),), enabled=False),
    )
    others = structs.replace(own, id=10, type="others", rule=structs.replace(own.rule, tools=("ping",)))
    view = tool_watch(HOUR, FakeSources(own_rules=(own, others)), NOW_S, tool="run_query")
    names = [one.name for one in view.rules]
    assert names[0] == "Low success rate"
    assert view.rules[0].since_s == ALERTS[0].since_s
    assert names[-1] == "Own"
    assert (view.rules[-1].severity, view.rules[-1].enabled) == ("unknown", False)
    assert len(view.rules) == 3
    assert [row.tool for row in view.alerts] == ["run_query"]


def test_the_newest_requests_have_their_real_times() -> None:
    class Recent(FakeSources):
        def snapshot(self) -> Snapshot:
            known = super().snapshot()
            recent = (Request(NOW_S - 1, 2_000_000, True), Request(NOW_S - 2, 8_000_000, False))
            return replace(known, tools={"ping": ToolTotals(known.tools["ping"].series, recent)})

    rows = newest(HOUR, Recent(), NOW_S, tool="ping").rows
    assert [(row.at_s, row.time, row.is_success, row.percent) for row in rows] == [
        (NOW_S - 1, "2.0 ms", True, 25.0),
        (NOW_S - 2, "8.0 ms", False, 100.0),
    ]


def test_the_slowest_of_each_span_stand_slowest_first() -> None:
    sources = troubled()
    rows = slowest(HOUR, sources, NOW_S, tool="analyze_code").rows
    assert len(rows) == 10
    assert [row.percent for row in rows] == sorted((row.percent for row in rows), reverse=True)
    greatest_ms = sources.traffic(HOUR).tools["analyze_code"].max_ns / 1e6
    assert float(rows[0].exact.removesuffix(" ms").replace(",", "")) == pytest.approx(greatest_ms)


def test_the_charts_of_a_tool_are_of_that_tool_alone() -> None:
    one = response_time(HOUR, troubled(), NOW_S, tool="analyze_code")
    p95_ms = (troubled().traffic(HOUR).tools["analyze_code"].quantiles_ms() or [0, 0])[1]
    assert float(one.p95.text) * 1000 == pytest.approx(p95_ms, rel=RELATIVE_ERROR)
    assert [alarm.label for alarm in one.chart.alarms] == ["analyze_code slow"]
    assert response_time(HOUR, troubled(), NOW_S, tool="ping").chart.alarms == ()
    assert (
        throughput(HOUR, troubled(), NOW_S, tool="ping").requests
        < throughput(HOUR, troubled(), NOW_S).requests
    )


def test_a_tool_that_is_seldom_called_gets_fewer_points() -> None:
    seldom = response_time(HOUR, troubled(), NOW_S, tool="render_diff").chart
    often = response_time(HOUR, troubled(), NOW_S, tool="list_files").chart
    assert len(seldom.edges_s) < len(often.edges_s)
    assert response_time(HOUR, thin(), NOW_S, tool="ping").chart.is_thin


def test_before_the_first_request_nothing_is_drawn() -> None:
    assert heatmap(HOUR, empty(), NOW_S, tool="ping").chart is None
    assert spread(HOUR, empty(), NOW_S, tool="ping").requests == 0
