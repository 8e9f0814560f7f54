"""Workers that are killed, recycled, reloaded, upgraded, forked and threaded: each answer is counted once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.journeys.loopback import eventually

from .measured import are_gone, call, counted, in_flight, leaders, measured, under_load, worker_files


@contextmanager
def watched(check: Callable[[], None]) -> Iterator[None]:
    """`check` again and again beside the block; its first AssertionError is the block's."""
    ended = threading.Event()
    failures: list[AssertionError] = []

    def watch() -> None:
        while not ended.wait(0.02):
            try:
                check()
            except AssertionError as failure:
                failures.append(failure)
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    assert not failures, failures[0]


def test_a_worker_killed_in_a_slow_request_loses_no_answer_and_leaves_nothing_in_flight(
    tmp_path: Path,
) -> None:
    kills = 4
    with measured(tmp_path, workers=3) as service:
        with under_load(service, "slow") as counts:
            for _ in range(kills):
                eventually(lambda: in_flight(service.state) >= 2, "requests in flight")
                service.kill(service.workers()[0])
                eventually(lambda: len(service.workers()) == 3, "the next worker")
        assert counts.total > 0
        assert counts.total <= counted(service, "slow") <= counts.total + kills
        eventually(lambda: in_flight(service.state) == 0, "nothing in flight")


def test_all_workers_killed_over_and_over_leave_exact_counts_and_a_new_leader(tmp_path: Path) -> None:
    rounds, workers = 3, 3
    with measured(tmp_path, workers=workers) as service:
        with under_load(service, "quick") as counts:
            for _ in range(rounds):
                eventually(lambda: len(leaders(service.state)) == 1, "a leader")
                for pid in service.workers():
                    os.kill(pid, signal.SIGKILL)
                eventually(lambda: len(service.workers()) == workers, "the next workers")
        assert counts.total <= counted(service, "quick") <= counts.total + rounds * workers
        eventually(lambda: len(leaders(service.state)) == 1, "a new leader")
        assert leaders(service.state)[0] in service.workers()


def test_recycled_workers_count_exactly_and_leave_no_files(tmp_path: Path) -> None:
    with measured(tmp_path, "--max-requests=20", workers=2, preload=True) as service:
        counts = call(service, "quick", 1000)
        assert not counts.unanswered
        assert counted(service, "quick") == counts.total == 1000
        eventually(lambda: len(worker_files(service.state)) <= 3, "the fold", within_s=30)
        assert counted(service, "quick") == 1000


def test_a_reload_under_load_is_exact_and_has_one_leader_at_any_time(tmp_path: Path) -> None:
    with measured(tmp_path, workers=2) as service:
        eventually(lambda: leaders(service.state), "the first leader")

        def one_at_most() -> None:
            assert len(leaders(service.state)) <= 1

        with watched(one_at_most), under_load(service, "quick") as counts:
            old = set(service.workers())
            service.signal(signal.SIGHUP)
            eventually(
                lambda: len(service.workers()) == 2 and not old & set(service.workers()), "new workers"
            )
        assert counted(service, "quick") == counts.total
        assert not counts.unanswered
        eventually(lambda: set(leaders(service.state)) <= set(service.workers()), "a leader among the new")


def test_a_binary_upgrade_under_load_is_exact_and_has_one_leader_at_any_time(tmp_path: Path) -> None:
    service = measured(tmp_path, workers=2).start()
    try:
        eventually(lambda: leaders(service.state), "the first leader")
        old_workers = service.workers()
        (old,) = {psutil.Process(pid).ppid() for pid in old_workers}

        def successors() -> list[psutil.Process]:
            children = psutil.Process(old).children(recursive=True)
            return [one for one in children if one.pid not in old_workers and one.ppid() != old]

        def one_at_most() -> None:
            assert len(leaders(service.state)) <= 1

        with watched(one_at_most), under_load(service, "quick") as counts:
            service.signal(signal.SIGUSR2)
            eventually(lambda: len(worker_files(service.state)) == 4, "the new master's workers", within_s=20)
            new = {one.pid for one in successors()}
            service.signal(signal.SIGTERM)
            eventually(lambda: are_gone(old_workers), "the end of the old")
        assert not counts.unanswered
        assert counted(service, "quick") == counts.total
        eventually(lambda: set(leaders(service.state)) & new, "a leader among the new")
    finally:
        service.kill()  # the whole group: the new master is no child of this process


def test_preloaded_workers_and_a_route_that_forks_count_each_request_once(tmp_path: Path) -> None:
    with measured(tmp_path, workers=4, preload=True) as service:
        counts = call(service, "forking", 200)
        assert counts.of_status(200) == 200
        assert counted(service, "forking") == 200
        assert len(worker_files(service.state)) == 4


@pytest.mark.parametrize(
    "options",
    [("--worker-class=gthread", "--threads=4"), ("--worker-class=gevent",)],
    ids=["gthread", "gevent"],
)
def test_threads_and_greenlets_count_exactly(tmp_path: Path, options: tuple[str, ...]) -> None:
    with measured(tmp_path, *options, workers=2) as service:
        quick, slow = call(service, "quick", 2000, clients=16), call(service, "slow", 64, clients=16)
        assert (quick.of_status(200), slow.of_status(200)) == (2000, 64)
        for _ in range(6):
            assert (counted(service, "quick"), counted(service, "slow")) == (2000, 64)


def test_a_killed_master_and_a_cold_start_fold_the_dead_once(tmp_path: Path) -> None:
    # With a time-out of 4 s idle workers look for their master every 2 s.
    service = measured(tmp_path, "--timeout=4", workers=2).start()
    answered = call(service, "quick", 200).total
    (master,) = {psutil.Process(pid).ppid() for pid in service.workers()}
    workers = service.workers()
    os.kill(master, signal.SIGKILL)
    eventually(lambda: are_gone(workers), "workers that miss their master to leave")
    service.kill()
    with measured(tmp_path, workers=2) as again:
        assert counted(again, "quick") == 0
        answered += call(again, "quick", 100).total

        def in_the_hour() -> int:
            found: int = again.metrics("?tool_name=quick&window=1h")["total_requests"]
            return found

        eventually(lambda: in_the_hour() == answered == 300, "both runs, once", within_s=25)
        eventually(lambda: len(list(again.state.glob("runs/*-*"))) == 1, "the dead run's folder to go")
        assert in_the_hour() == 300
