"""What the settings page tells: the worst value beside a limit, what retention takes, and no secret."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import msgspec
import pytest

from app.declared import variable
from app.model.checking import check_rule
from app.model.defaults import DECIDED_BY, default_rules
from app.model.rules import Level, Rule
from app.model.windows import KEEP_S, PERIODS_S, Window
from app.panels.configuration import about
from app.panels.configuration.retention import retention
from app.panels.configuration.thresholds import numbers, thresholds, with_numbers, worse_of
from app.panels.configuration.worst import Worst, worst_now
from app.settings import Settings
from app.sources import Traffic
from app.store.sizes import Held, Size

from . import fake

DEFAULTS = default_rules(Settings())


def worst(type: str, variant: str = "troubled", **changes: object) -> Worst:
    rule = msgspec.structs.replace(DEFAULTS[type], **changes)
    return worst_now(rule, fake.VARIANTS[variant](), fake.NOW_S)


def test_the_worst_tool_is_told_with_its_value_and_how_bad_that_is() -> None:
    failing = worst("low_success_rate")
    assert (failing.who, failing.severity) == ("run_query", "error")
    assert failing.text.endswith(" %")
    slow = worst("high_response_time")
    assert (slow.who, slow.severity) == ("analyze_code", "warning")
    assert worst("high_response_time", "healthy").severity == ""
    assert worst("high_response_time", "healthy").text.endswith(" ms")


def test_the_machine_is_told_without_a_name_where_there_is_one_only() -> None:
    assert worst("high_cpu_usage", "troubled").who == ""
    assert worst("high_cpu_usage", "troubled", levels=(Level("warning", 10.0),)).severity == "warning"
    assert worst("high_cpu_usage", "troubled", levels=(Level("warning", 99.0),)).severity == ""


def test_what_nobody_can_tell_is_no_zero() -> None:
    assert worst("high_response_time", "empty") == Worst("", "too few requests")
    assert worst("high_cpu_usage", "empty") == Worst("", "not sampled")
    assert worst("high_response_time", least_requests=1_000_000) == Worst("", "too few requests")


def test_what_is_beyond_by_chance_is_told_and_not_judged() -> None:
    told = worst("low_success_rate", least_failures=100_000)
    assert told.severity == ""
    assert told.who == "run_query, too few failures to tell"


def test_without_the_store_of_half_a_window_nothing_follows() -> None:
    class Half(fake.FakeSources):
        def traffic(self, window: Window) -> Traffic:
            return replace(super().traffic(window), is_whole=False)

    told = worst_now(DEFAULTS["high_response_time"], Half(), fake.NOW_S)
    assert told == Worst("", "not known while the store is away")


@pytest.mark.parametrize("variant", fake.VARIANTS)
def test_every_default_rule_has_a_row_in_every_condition(variant: str) -> None:
    sources = fake.VARIANTS[variant]()
    view = thresholds(list(sources.rules()), sources, fake.NOW_S)
    assert len(view.rows) == len(DEFAULTS)
    assert [row.variable.startswith("LAPTIME_ALERT_") for row in view.rows] == [True] * len(DEFAULTS)
    assert (view.elsewhere, view.own, view.slow) == ((), 0, "1,000")


@pytest.mark.parametrize("type", DEFAULTS)
def test_the_numbers_of_a_rule_make_the_same_rule_again(type: str) -> None:
    rule = DEFAULTS[type]
    texts = numbers(rule)
    values = {name: float(text.replace(",", "")) if text else None for name, text in texts.items()}
    again = with_numbers(rule, values["warning"], values["worse"], values["well"])
    check_rule(again)
    assert again == rule


def test_limits_without_a_field_stay() -> None:
    rule = Rule(name="x", levels=(Level("info", 1.0), Level("error", 3.0), Level("critical", 4.0)))
    assert worse_of(rule) == "critical"
    assert with_numbers(rule, 2.0, None, 0.5).levels == (
        Level("info", 1.0), Level("warning", 2.0), Level("error", 3.0),
    )  # fmt: skip


def test_the_settings_that_decide_default_rules_do() -> None:
    assert set(DECIDED_BY) == set(DEFAULTS)
    known = {one.name: one for one in fields(Settings)}
    for type, names in DECIDED_BY.items():
        for name in names:
            other: dict[str, Any] = {name: 97.0}
            changed = default_rules(replace(Settings(), **other))
            assert changed[type] != DEFAULTS[type], name
            assert variable(known[name]).startswith("LAPTIME_")


def size(**held: Held) -> Size:
    nothing = Held(None, 0, 0, False)
    periods = {one: held.get(f"of_{one}", nothing) for one in PERIODS_S}
    return Size("SQLite 3", 50 * fake.MB, periods, alerts=7, notices=3)


def test_retention_foretells_what_a_period_takes_once_it_is_full() -> None:
    now_s = fake.NOW_S
    half = Held(int(now_s - KEEP_S[60] / 2), 1000, 10 * fake.MB, True)
    full = Held(int(now_s - KEEP_S[10]), 720, fake.MB, False)
    young = Held(int(now_s - 3 * 600), 3, 300, False)
    view = retention(Settings(), size(of_10=full, of_60=half, of_600=young), now_s)
    by_step = {row.step: row for row in view.rows}
    assert list(by_step) == ["10 s", "1 min", "10 min", "2 h", "26 h", "14 \N{MULTIPLICATION SIGN} 26 h"]
    assert (by_step["1 min"].now, by_step["1 min"].when_full) == ("10.0", "20.0")
    assert by_step["1 min"].full == "in 13 h"
    assert (by_step["10 s"].now, by_step["10 s"].when_full, by_step["10 s"].full) == ("1.0", "1.0", "now")
    assert (by_step["10 min"].now, by_step["10 min"].when_full) == ("<0.1", "\N{EN DASH}")
    assert (by_step["10 min"].now_percent, by_step["10 min"].full_percent) == (0.0, 0.0)
    assert (by_step["2 h"].rows, by_step["2 h"].now, by_step["2 h"].full) == ("0", "0.0", "\N{EN DASH}")
    assert by_step["1 min"].full_percent == 100.0
    assert by_step["1 min"].now_percent == 50.0
    assert view.is_estimate
    assert str(view.total) == "50 MB"
    assert str(view.full) == "\N{EN DASH}"  # of some periods it can't be told yet


def test_retention_stands_without_its_store() -> None:
    view = retention(Settings(), None, fake.NOW_S)
    assert view.total is None
    assert {row.rows for row in view.rows} == {row.now for row in view.rows} == {"\N{EN DASH}"}
    assert [row.kept for row in view.rows] == ["2 h", "26 h", "15 d", "250 d", "400 d", "400 d"]
    assert view.rows[0].variable == "LAPTIME_KEEP_10S_HOURS"


def test_the_setting_that_decides_is_named_where_another_one_outlives_it() -> None:
    view = retention(Settings(keep_10min_days=1000.0), None, fake.NOW_S)
    assert view.rows[-1].variable == "LAPTIME_KEEP_10MIN_DAYS"
    assert view.rows[-1].kept == "1,000 d"


def test_windows_are_told_with_the_period_that_answers_them() -> None:
    serves = {row.step: row.serves for row in retention(Settings(), None, fake.NOW_S).rows}
    assert serves["10 s"] == "15m"
    assert serves["10 min"] == "24h, 7d"
    longer = retention(Settings(keep_10min_days=1.0), None, fake.NOW_S).rows
    assert {row.step: row.serves for row in longer}["2 h"] == "7d, 30d"


def test_of_a_secret_only_is_told_that_it_is_set() -> None:
    secrets: dict[str, Any] = {
        "api_key": "k" * 20,
        "database_url": "postgresql://u:pw@h/d",
        "notify_urls": "json://t@h",
    }
    told = {one.name: one for one in about.all_settings(Settings(**secrets))}
    for name in secrets:
        one = told[f"LAPTIME_{name.upper()}"]
        assert (one.value, one.is_set, one.is_secret) == ("", True, True)
    assert told["LAPTIME_SLOW_MS"].value == "1000"
    assert not told["LAPTIME_SLOW_MS"].is_set


def test_a_password_in_an_address_is_left_out_and_long_values_are_cut() -> None:
    settings = Settings(public_url="https://ann:pw@h.example/x", banner="b" * 500)
    told = {one.name: one.value for one in about.all_settings(settings)}
    assert told["LAPTIME_PUBLIC_URL"] == "https://…@h.example/x"
    assert len(told["LAPTIME_BANNER"]) < 200


def test_cost_and_version_stand_before_anything_was_measured() -> None:
    snapshot = fake.VARIANTS["empty"]().snapshot()
    cost = {one.label: one.value for one in about.cost(snapshot, "", fake.NOW_S)}
    assert cost["Measuring a request"].startswith("none timed yet")
    assert cost["Store"] == "not known while it is away"
    software = {"Flask": "3.1.2"}
    facts = {one.label: one.value for one in about.version(Settings(), snapshot, software, "", fake.NOW_S)}
    assert facts["Flask"] == "3.1.2"
    assert facts["Store"].startswith("does not answer")
    assert facts["Measured"] == "the bundled tool server"
