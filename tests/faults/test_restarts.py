"""Why workers ended, and how busy they are, of a real gunicorn whose workers end in every way there is."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from app.capture.samples import RING_FILE, SampleRing
from tests.journeys.loopback import eventually
from tests.journeys.service import Service

from .measured import call, measured

NONE = {"recycled": 0, "killed": 0, "out_of_memory": 0, "timed_out": 0}
QUICK = {"LAPTIME_SAMPLE_INTERVAL_S": "1"}


def workers(service: Service) -> Any:
    return service.metrics()["workers"]


def restarts(service: Service) -> dict[str, int]:
    found: dict[str, int] = workers(service)["restarts"]
    return found


def told(service: Service, **reasons: int) -> None:
    """Wait until so many restarts are told, and no other."""

    def is_told() -> bool:
        return restarts(service) == NONE | reasons

    eventually(is_told, f"{reasons}, not {restarts(service)}", within_s=25)


def all_up(service: Service, count: int = 2) -> None:
    """Wait until all workers count: one that ends before that was never known."""
    eventually(lambda: workers(service)["count"] == count, "all workers")


def ask_in_vain(service: Service, path: str) -> None:
    with suppress(OSError, HTTPException):
        service.get(path)


def test_a_worker_that_is_killed_counts_once(tmp_path: Path) -> None:
    with measured(tmp_path, workers=2) as service:
        all_up(service)
        assert restarts(service) == NONE
        service.kill(service.workers()[0])
        told(service, killed=1)
        all_up(service)
        service.kill(service.workers()[0])
        told(service, killed=2)


def test_a_reload_recycles_all_workers(tmp_path: Path) -> None:
    with measured(tmp_path, workers=2) as service:
        all_up(service)
        old = set(service.workers())
        service.signal(signal.SIGHUP)
        eventually(lambda: len(service.workers()) == 2 and not old & set(service.workers()), "new workers")
        told(service, recycled=2)


def test_workers_that_have_served_enough_are_recycled(tmp_path: Path) -> None:
    # As many as the questions below don't use up: the next worker has to live until its turn comes.
    with measured(tmp_path, "--max-requests=600", workers=1) as service:
        first = service.workers()
        call(service, "quick", 602)
        eventually(lambda: service.workers() not in ([], first), "the next worker")
        eventually(lambda: restarts(service)["recycled"] >= 1, "the fold", within_s=25)
        found = restarts(service)
        assert found == NONE | {"recycled": found["recycled"]}


@pytest.mark.parametrize("worker_class", ["sync", "gevent"])
def test_a_request_beyond_the_time_out_ends_its_worker(tmp_path: Path, worker_class: str) -> None:
    args = ("--timeout=2", f"--worker-class={worker_class}")
    with measured(tmp_path, *args, workers=2, tracebacks=True) as service:
        all_up(service)
        ask_in_vain(service, "/spinning/30" if worker_class == "gevent" else "/asleep/30")
        told(service, timed_out=1)


def test_reasons_add_up_over_leaders_and_end_with_the_run(tmp_path: Path) -> None:
    with measured(tmp_path, workers=2) as service:
        for kills in (1, 2, 3):
            all_up(service)
            service.kill(service.workers()[0])
            told(service, killed=kills)
    with measured(tmp_path, workers=2) as again:
        all_up(again)
        assert restarts(again) == NONE
        again.kill(again.workers()[0])
        told(again, killed=1)


def test_a_process_that_a_request_forks_is_no_worker(tmp_path: Path) -> None:
    with measured(tmp_path, workers=1) as service:
        assert call(service, "forking", 20).of_status(200) == 20
        service.kill(service.workers()[0])
        told(service, killed=1)


@pytest.mark.parametrize(
    ("options", "slots"),
    [
        ((), 2),
        (("--worker-class=gthread", "--threads=4"), 8),
        (("--threads=3",), 6),
        (("--worker-class=gevent",), None),
    ],
    ids=["sync", "gthread", "threads", "gevent"],
)
def test_workers_tell_their_slots_and_what_they_take(
    tmp_path: Path, options: tuple[str, ...], slots: int | None
) -> None:
    with measured(tmp_path, *options, workers=2) as service:
        all_up(service)
        found = workers(service)
        assert found["slots"] == slots
        assert sorted(one["pid"] for one in found["processes"]) == sorted(service.workers())
        for one in found["processes"]:
            assert 10 * 2**20 < one["resident_bytes"] < 2**30
            assert one["open_files"] > 3
            assert one["threads"] >= 1


def test_a_host_with_a_configuration_of_its_own_tells_its_slots(tmp_path: Path) -> None:
    own = tmp_path / "own.conf.py"
    own.write_text("control_socket_disable = True\n")
    with measured(tmp_path, f"--config={own}", "--threads=3", workers=2) as service:
        call(service, "quick", 20)
        eventually(lambda: workers(service)["slots"] == 6, "both workers")


@contextmanager
def busy(service: Service, clients: int) -> Iterator[None]:
    """So many requests at once for as long as the block runs."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.is_set():
            service.get("/asleep/0.5")

    threads = [threading.Thread(target=go_on) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_saturation_is_the_share_of_slots_that_is_at_work(tmp_path: Path) -> None:
    options = ("--worker-class=gthread", "--threads=4")
    with measured(tmp_path, *options, workers=2, env=QUICK) as service:
        ring = SampleRing(service.state / RING_FILE)

        def means() -> list[float]:
            """Of whole seconds under load: a sample tells of the time before it."""
            return [one.in_flight for one in ring.since(began_s) if one.in_flight is not None][2:]

        began_s = time.time()
        with busy(service, clients=4):
            eventually(lambda: len(means()) >= 8, "samples", within_s=30)
            assert 3.2 < sum(means()) / len(means()) < 4.4
            found, newest = workers(service), ring.since(0)[-1]
        assert (newest.workers, newest.slots) == (2, 8)
        assert newest.in_flight is not None
        assert newest.saturation_percent == pytest.approx(100 * newest.in_flight / 8, abs=0.1)
        assert 20 < found["saturation_percent"] < 80
        assert 20 < sum(one["busy_percent"] for one in found["processes"]) / 2 < 80
