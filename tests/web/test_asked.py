"""What an address of the dashboard asks for: two dates, what to compare with, whose clock, which columns."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.panels import fake

from .test_pages import HTMX, KEY, Dashboard, Tags

TWO_DATES = "from=2025-11-24T12:00&to=2025-11-24T13:00"


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[Dashboard]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: fake.NOW_S)
        made = Dashboard(tmp_path)
        made.sources = fake.VARIANTS["troubled"]()
        yield made


def queries(page: Tags, attribute: str = "href") -> list[dict[str, list[str]]]:
    return [parse_qs(urlsplit(href).query) for href in page.named(attribute)]


def test_two_dates_rule_the_page_and_stay_in_its_links(dashboard: Dashboard) -> None:
    page = Tags(dashboard.get(f"/dashboard?{TWO_DATES}&compare=day&zone=utc"))
    asked = {"from": ["2025-11-24T12:00"], "to": ["2025-11-24T13:00"], "compare": ["day"], "zone": ["utc"]}
    assert {**asked, "sort": ["p95"]} in queries(page)
    assert {"window": ["7d"], "compare": ["day"], "zone": ["utc"]} in queries(page)
    assert asked in queries(page, "data-hx-get")
    assert page.named("data-times") == ["utc"]


def test_two_dates_show_what_was_then(dashboard: Dashboard) -> None:
    then = dashboard.get(f"/dashboard/panels/figures?{TWO_DATES}", HTMX)
    assert "60 min" in then or "1 h" in then
    assert then != dashboard.get("/dashboard/panels/figures?window=1h", HTMX)


def test_a_field_left_empty_means_until_now(dashboard: Dashboard) -> None:
    page = Tags(dashboard.get("/dashboard?from=2025-11-24T12:00&to="))
    assert {"from": ["2025-11-24T12:00"], "sort": ["p95"]} in queries(page)


def test_the_menu_offers_every_comparison_and_marks_the_one_that_is_chosen(dashboard: Dashboard) -> None:
    html = dashboard.get("/dashboard?window=1h&compare=week")
    assert "vs week before" in html
    assert "than a week before" in html
    chosen = [attrs["href"] for _, attrs in Tags(html).tags if attrs.get("aria-current") == "true"]
    assert "/dashboard?window=1h&compare=week" in chosen


@pytest.mark.parametrize(("window", "offered"), [("1h", 4), ("24h", 3), ("7d", 3)])
def test_no_comparison_is_offered_twice(dashboard: Dashboard, window: str, offered: int) -> None:
    page = Tags(dashboard.get(f"/dashboard?window={window}"))
    menu = [
        href for href in page.named("href") if "compare=" in href or href == f"/dashboard?window={window}"
    ]
    assert len({href for href in menu if "sort" not in href and "hide" not in href}) == offered


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("compare=year", "allowed is before, day, week, off"),
        ("zone=mars", "allowed is local, utc"),
        ("to=2025-11-24T12:00", "to needs a from"),
        ("from=soon", "allowed is an ISO 8601 instant"),
        ("from=2025-11-24T13:00&to=2025-11-24T12:00", "is not before"),
        ("from=2125-11-24T13:00", "is not before"),
        ("from=2125-11-24T13:00&to=2125-11-25T13:00", "lies ahead"),
        ("window=1h&from=2025-11-24T12:00", "exclude each other"),
        ("from=" + "1" * 200, "200 characters"),
        ("hide=p50,size", "hide is"),
        ("order=up", "order is"),
    ],
)
def test_what_can_not_be_shown_is_told(dashboard: Dashboard, query: str, said: str) -> None:
    status, text = dashboard.refused(f"/dashboard?{query}")
    assert status == 400
    assert said in text


def test_a_young_service_with_history_is_shown_in_an_hour(dashboard: Dashboard) -> None:
    class Restarted(fake.FakeSources):
        @property
        def started_s(self) -> float:
            return self.now_s - 60

        def _is_measured(self, start_s: float, step_s: float) -> bool:  # noqa: ARG002
            return True

    dashboard.sources = Restarted()
    assert "8 in the last hour" in dashboard.get("/dashboard") or "in the last hour" in dashboard.get(
        "/dashboard"
    )


def test_the_finder_lists_tools_for_htmx_and_is_a_page_for_people(dashboard: Dashboard) -> None:
    part = dashboard.get("/dashboard/find?q=run&window=6h&compare=day", HTMX)
    assert "<html" not in part
    assert {"window": ["6h"], "compare": ["day"], "tool": ["run_query"]} in queries(Tags(part))
    page = dashboard.get("/dashboard/find?q=run")
    assert page.count("<h1") == 1
    assert "No tool has “nobody” in its name" in dashboard.get("/dashboard/find?q=nobody")
    assert dashboard.refused("/dashboard/find?q=" + "a" * 101)[0] == 400


def test_the_table_is_a_file_for_spreadsheets_and_programs(dashboard: Dashboard) -> None:
    dashboard.sources = fake.VARIANTS["hostile"]()
    found = json.loads(dashboard.get("/dashboard/tools.json?window=1h"))
    rows = list(csv.DictReader(StringIO(dashboard.get("/dashboard/tools.csv?window=1h"))))
    assert [row["tool_name"] for row in rows] == [tool["tool_name"] for tool in found["tools"]]
    assert [row["total_requests"] for row in rows] == [str(tool["total_requests"]) for tool in found["tools"]]
    answer = dashboard.client.get("/dashboard/tools.csv?window=1h", headers=KEY)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="laptime-tools.csv"'
    assert answer.mimetype == "text/csv"
