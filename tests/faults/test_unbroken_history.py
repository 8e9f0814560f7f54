"""A service that is killed and started again while it is called: one history, of all that was answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.journeys.loopback import eventually
from tests.journeys.service import Service

from .measured import under_load
from .stores import hasty, is_sane

RELEASES = ("3f9c2ab", "3f9c2ab", "8d01e77")


def course(service: Service, metric: str, tool: str = "") -> dict[str, Any]:
    """A metric over the last quarter of an hour, in steps of ten seconds."""
    query = f"metric={metric}&window=15m{tool and f'&tool={tool}'}"
    found: dict[str, Any] = service.get(f"/performance/history?{query}").json()["history"]
    return found


def values(service: Service, metric: str, tool: str = "") -> list[float | None]:
    return [point["value"] for point in course(service, metric, tool)["points"]]


def marks(service: Service) -> list[str]:
    """The releases that the chart marks."""
    return [one["release"] for one in course(service, "requests")["releases"]]


def seen(service: Service) -> float:
    """The requests that the chart of the route shows."""
    return sum(filter(None, values(service, "requests", "quick")))


def test_killed_and_started_again_under_load_it_shows_one_history_of_all_answers(
    tmp_path: Path, database_url: str
) -> None:
    env = {"DATABASE_URL": database_url}
    least = unanswered = 0
    for release in RELEASES:
        with hasty(tmp_path, workers=2, env=env | {"LAPTIME_RELEASE": release}) as service:
            former = least
            with under_load(service, "quick", clients=2) as counts:
                eventually(lambda: seen(service) > former + 50, "history")  # noqa: B023
                eventually(lambda: marks(service)[-1:] == [release], "a first roll-up")  # noqa: B023
                if release is not RELEASES[-1]:
                    service.kill()  # the master and all workers, amid requests
            least += counts.total
            unanswered += counts.unanswered.total()
            if release is RELEASES[-1]:
                _looks_right(service, least, least + unanswered)
    if database_url.startswith("sqlite"):
        assert is_sane(Path(database_url.removeprefix("sqlite:///")))


def _looks_right(service: Service, least: int, most: int) -> None:
    eventually(lambda: least <= seen(service) <= most, "all of it")
    requests = values(service, "requests", "quick")
    began = next(place for place, value in enumerate(requests) if value is not None)
    assert None not in requests[began:]  # it was away for less than a step
    whole = service.metrics("?tool_name=quick&window=15m")["total_requests"]
    assert least <= seen(service) == whole <= most
    for window in ("1h", "6h", "24h", "7d", "30d", "1y"):
        assert service.metrics(f"?tool_name=quick&window={window}")["total_requests"] == whole
    eventually(lambda: marks(service) == ["3f9c2ab", "8d01e77"], "a mark where the release changed")
    assert any(value for value in values(service, "cpu"))
    sampled = "the second sample, which tells of the time since the first"
    eventually(lambda: {*values(service, "in_flight")} - {None}, sampled)
