"""A clock that is set while the service runs, and clocks of two instances that differ."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests import postgres
from tests.journeys.loopback import eventually
from tests.journeys.service import Service

from .clocks import Clock
from .measured import call, counted
from .stores import ASKED, hasty, in_the_hour, is_sane, is_well

ANSWERS = (
    "metrics", "metrics?window=15m", "metrics?window=1h", "metrics?window=24h", "dashboard", "alerts",
    "health", "history?metric=requests&window=15m",
)  # fmt: skip


def numbers(found: Any) -> Iterator[float]:
    """All numbers in an answer."""
    if isinstance(found, dict):
        for value in found.values():
            yield from numbers(value)
    elif isinstance(found, list):
        for value in found:
            yield from numbers(value)
    elif isinstance(found, int | float) and not isinstance(found, bool):
        yield found


def has_nothing_negative(service: Service) -> bool:
    """Whether no answer of the API has a number below zero; one may be away for a moment."""
    for path in ANSWERS:
        answer = service.get(f"/performance/{path}")
        assert answer.status in (200, 503), answer.body
        if answer.status == 200:
            assert all(number >= 0 for number in numbers(json.loads(answer.body))), (path, answer.body)
    return True


def opened(service: Service) -> int:
    found: int = service.get("/performance/alerts").json()["alert_count"]
    return found


def fine_points(service: Service) -> int:
    """How many requests the points of ten seconds in the last quarter of an hour have."""
    answer = service.get("/performance/history?metric=requests&tool=quick&window=15m")
    if answer.status != 200:
        return -1
    points = answer.json()["history"]["points"]
    return int(sum(point["value"] or 0 for point in points))


@pytest.mark.parametrize("wrong", ["+1d", "-1h"])
def test_a_clock_that_is_wrong_for_a_while_costs_no_count_and_no_history(tmp_path: Path, wrong: str) -> None:
    clock = Clock(tmp_path / "clock")
    env = clock.env | {"LAPTIME_SAMPLE_INTERVAL_S": "1"}
    with hasty(tmp_path, workers=2, env=env, tracebacks=True) as service:
        assert call(service, "quick", 100).of_status(200) == 100
        eventually(lambda: in_the_hour(service, "quick") == 100, "the store")
        time.sleep(2)
        before = opened(service)
        clock.set(wrong)
        for number in range(1, 7):
            assert call(service, "quick", 10).of_status(200) == 10
            assert {counted(service, "quick") for _ in range(ASKED)} == {100 + 10 * number}
            assert has_nothing_negative(service)
            assert opened(service) <= before + 1
            time.sleep(0.7)
        clock.set("+0")
        eventually(lambda: is_well(service), "recovery", within_s=30)
        # Its own turns go by the clock of now again: what comes from here on is dated as it should be.
        time.sleep(3)
        dated = in_the_hour(service, "quick")
        assert 100 <= dated <= 160
        assert call(service, "quick", 50).of_status(200) == 50
        eventually(lambda: in_the_hour(service, "quick") == dated + 50, "what came after", within_s=30)
        assert {counted(service, "quick") for _ in range(ASKED)} == {210}
        assert fine_points(service) >= 150
        assert has_nothing_negative(service)
        assert opened(service) <= before + 1
    assert is_sane(tmp_path / "state" / "laptime.sqlite3")


def test_two_instances_whose_clocks_differ_by_forty_seconds_do_not_take_each_others_turns(
    tmp_path: Path, postgres_url: str
) -> None:
    url = postgres.new_database(postgres_url)
    ahead = Clock(tmp_path / "clock", "+40")
    with ExitStack() as stack:

        def instance(name: str, env: dict[str, str]) -> Service:
            (tmp_path / name).mkdir()
            own = {"DATABASE_URL": url, "LAPTIME_INSTANCE": name} | env
            return stack.enter_context(hasty(tmp_path / name, workers=2, env=own, tracebacks=True))

        def owner() -> tuple[str, int]:
            with postgres.connected(url) as connection:
                query = "SELECT owner, fence FROM laptime_claims WHERE name = 'evaluate_alerts'"
                found: tuple[str, int] | None = connection.execute(query).fetchone()
            return found or ("", 0)

        def began(service: Service) -> list[str]:
            found = service.get("/performance/alerts").json()["alerts"]
            return [one["timestamp"] for one in found if one["tool"] == "in_view"]

        one = instance("one", {})
        assert call(one, "in_view", 10).of_status(500) == 10
        eventually(lambda: began(one), "the alert", within_s=20)
        since = began(one)
        two = instance("two", ahead.env)
        for service in (one, two):
            assert call(service, "quick", 100).of_status(200) == 100
        for _ in range(10):  # of both instances several turns
            time.sleep(0.7)
            assert owner() == ("one", 1)
            assert began(one) == began(two) == since
        for service in (one, two):
            eventually(lambda: counted(service, "quick") == 200, "both", within_s=30)  # noqa: B023
