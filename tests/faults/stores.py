"""A service's store seen from outside: what the service says of it, and whether the file is sane."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.journeys.loopback import eventually
from tests.journeys.service import Service

from .hasty import ROLL_UP_EVERY_S
from .measured import measured

HASTY = {"LAPTIME_HOST_APP": "tests.faults.hasty:application"}

ASKED = 6  # so many that each worker is asked


def reasons(service: Service) -> list[str]:
    """Why one worker says that measuring is degraded; empty if it says it is not."""
    health = service.get("/performance/health").json()["health"]
    assert health["degraded"] == bool(health["reasons"])
    found: list[str] = health["reasons"]
    return found


def is_well(service: Service) -> bool:
    """Whether no worker says that it is degraded."""
    return not any(reasons(service) for _ in range(ASKED))


def all_say(service: Service, words: str, *, within_s: float = 20) -> None:
    """Wait until every worker gives a reason of one line with these words."""
    eventually(
        lambda: all(any(words in one for one in reasons(service)) for _ in range(ASKED)),
        f"all workers to say {words!r}",
        within_s=within_s,
    )
    assert not any("\n" in one for one in reasons(service))


def in_the_hour(service: Service, route: str) -> int:
    """The requests of one route in the last hour; -1 while the store is away."""
    answer = service.get(f"/performance/metrics?tool_name={route}&window=1h")
    return answer.json()["metrics"]["total_requests"] if answer.status == 200 else -1


def file_of(service: Service) -> Path:
    """The SQLite file, where the settings name none."""
    return service.state / "laptime.sqlite3"


def is_sane(path: Path) -> bool:
    """Whether SQLite finds nothing wrong in all of the file."""
    with closing(sqlite3.connect(path, timeout=20)) as store:
        return bool(store.execute("PRAGMA integrity_check").fetchone() == ("ok",))


def stores(service: Service, route: str, number: int, *, within_s: float = 30) -> None:
    """Wait until so many requests of the route are in the hour, told by all workers, and are still that many
    after one more roll-up of a hasty service.
    """

    def all_tell() -> bool:
        return all(in_the_hour(service, route) == number for _ in range(ASKED))

    eventually(all_tell, f"{number} requests of {route} in the hour", within_s=within_s)
    time.sleep(ROLL_UP_EVERY_S + 0.5)
    assert [in_the_hour(service, route) for _ in range(ASKED)] == [number] * ASKED


def hasty(folder: Path, *args: str, env: dict[str, str] | None = None, **options: Any) -> Service:
    """A service that measures the host and rolls up every second; `options` as for Service."""
    return measured(folder, *args, env=HASTY | (env or {}), **options)
