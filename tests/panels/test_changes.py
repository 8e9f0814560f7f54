"""What changed without an alert: out of noise only, the weightiest first."""

from __future__ import annotations

import pytest

from app.model.series import Series
from app.model.windows import Window, named
from app.panels.alerts import alerts
from app.panels.changes import changes
from app.panels.found import found
from app.panels.verdict import verdict
from app.sources import Traffic

from .fake import NOW_S, FakeSources, Tool, made, troubled

HOUR = named("1h", NOW_S)


class Changed(FakeSources):
    """A service of one tool, whose requests of this hour and of the time before are these."""

    def __init__(self, now: Series, was: Series) -> None:
        super().__init__(active=())
        self._now, self._was = now, was

    def traffic(self, window: Window) -> Traffic:
        known = super().traffic(window)
        series = self._now if window.end_s > NOW_S - 60 else self._was
        return Traffic(window, {"it": series}, known.points)


def of(requests: int, p95_ms: float = 30, failures: int = 0) -> Series:
    return made(Tool(1, p95_ms / 3, p95_ms), requests, f"{requests}{p95_ms}", server_errors=failures)


def told(now: Series, was: Series, compare: str = "before") -> list[tuple[str, str]]:
    return [(one.what, one.was) for one in changes(HOUR, Changed(now, was), NOW_S, compare)]


def test_a_tool_that_became_slower_is_told_with_what_it_was() -> None:
    ((what, was),) = told(of(500, 90), of(500, 30))
    assert what.startswith("p95 ")
    assert was.startswith("In the hour before it was ")
    ((_, was),) = told(of(500, 90), of(500, 30), "week")
    assert was.startswith("A week before it was ")


@pytest.mark.parametrize(
    ("now", "was"),
    [
        (of(500, 40), of(500, 30)),  # a third slower
        (of(40, 90), of(500, 30)),  # too few now
        (of(500, 90), of(40, 30)),  # too few before
        (of(500, 6), of(500, 2)),  # four milliseconds
        (of(500, 30), of(500, 90)),  # faster
    ],
)
def test_noise_and_what_became_better_are_not_told(now: Series, was: Series) -> None:
    assert told(now, was) == []


def test_more_failures_than_chance_explains_are_told() -> None:
    assert told(of(500, failures=40), of(500, failures=1))[0][0] == "Success rate 92.00 %"
    assert told(of(500, failures=4), of(500, failures=1)) == []
    assert told(of(60, failures=3), of(60, failures=1)) == []


def test_nothing_is_told_where_nothing_is_compared() -> None:
    assert told(of(500, 90), of(500, 30), "off") == []


def test_a_tool_with_an_alert_is_not_told_twice() -> None:
    sources = troubled()
    assert "run_query" in {one.tool for one in changes(HOUR, sources, NOW_S, "before")}
    shown = alerts(HOUR, sources, NOW_S)
    assert not {one.tool for one in shown.findings} & {one.change.tool for one in shown.unusual}


def test_the_newest_release_is_told_with_what_it_did() -> None:
    facts = {fact.label: fact for fact in verdict(HOUR, FakeSources(is_released=True), NOW_S).facts}
    assert facts["Last deploy"].value == "3f9c2ab, 31 min ago"
    assert (facts["Last deploy"].tone, "slower" in facts["Last deploy"].note) == ("worse", True)
    calm = verdict(HOUR, FakeSources(is_released=True, active=()), NOW_S).facts
    assert "p95 as before" in {fact.note for fact in calm}
    assert "Up" in {fact.label for fact in verdict(HOUR, troubled(), NOW_S).facts}


def test_the_finder_puts_what_begins_so_first_and_then_the_busiest() -> None:
    names = [hit.name for hit in found(HOUR, troubled(), "r").hits]
    assert names[:4] == ["read_file", "run_query", "render_diff", "search_docs"]
    assert found(HOUR, troubled(), "").hits[0].name == "list_files"
    assert found(HOUR, troubled(), "no such tool").count == 0
    assert found(HOUR, troubled(), " RUN_").hits[0].name == "run_query"
