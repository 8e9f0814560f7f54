"""Two instances on one PostgreSQL show one truth: totals, windows and alerts, and go on when one is gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests import postgres

from .load import mixed, send
from .loopback import eventually
from .service import KEY, Service


@pytest.fixture
def both(tmp_path: Path, postgres_url: str) -> Iterator[tuple[Service, Service]]:
    """Two services with folders of their own and one store."""
    url = postgres.new_database(postgres_url)
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(
                Service(
                    _made(tmp_path / name), workers=2, env={"DATABASE_URL": url, "LAPTIME_INSTANCE": name}
                )
            )
            for name in ("one", "two")
        )
        yield first, second


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def total(service: Service, query: str = "") -> int:
    found: int = service.metrics(query)["overview"]["total_requests"]
    return found


def _tells(service: Service, query: str, number: int) -> bool:
    return total(service, query) == number


def test_both_tell_the_sum_of_both_and_the_same_alerts(both: tuple[Service, Service]) -> None:
    first, second = both
    answered = send(first.url, KEY, mixed(200)).total + send(second.url, KEY, mixed(300)).total
    assert answered == 500
    for query in ("", "?window=1h"):
        for service in both:
            eventually(partial(_tells, service, query, 500), f"all of both {query}", within_s=40)

    def quantiles(service: Service) -> dict[str, float]:
        return {name: one["p95_response_time"] for name, one in service.metrics()["tools"].items()}

    eventually(lambda: quantiles(first) == quantiles(second), "the same quantiles")

    def failing(service: Service) -> list[tuple[str, str, str]]:
        """Alerts of tools with the time that they began."""
        found = service.get("/performance/alerts").json()["alerts"]
        return [(a["type"], a["tool"], a["timestamp"]) for a in found if a["tool"] != "system"]

    eventually(lambda: failing(first), "the alert of the tool that fails", within_s=30)
    began = failing(first)
    for _ in range(4):  # both instances have judged again by then, and nobody has resolved or opened anything
        eventually(lambda: failing(first) == failing(second) == began, "the same alerts on both")


def read_file_alerts(service: Service) -> list[str]:
    """When the alerts of the tool that fails began."""
    found = service.get("/performance/alerts").json()["alerts"]
    return [one["timestamp"] for one in found if one["tool"] == "read_file"]


def test_one_that_is_frozen_does_not_keep_the_other_from_judging(both: tuple[Service, Service]) -> None:
    first, second = both
    send(second.url, KEY, mixed(30))
    workers = [psutil.Process(pid) for pid in first.workers()]
    master = workers[0].parent()
    assert master is not None
    frozen = [*workers, master]
    for process in frozen:
        process.suspend()
    try:
        send(second.url, KEY, mixed(300))
        eventually(lambda: read_file_alerts(second), "the alert, opened by the one that is left", within_s=45)
        began = read_file_alerts(second)
    finally:
        for process in frozen:
            process.resume()
    for _ in range(3):
        eventually(
            lambda: read_file_alerts(first) == read_file_alerts(second) == began, "one alert", within_s=20
        )
