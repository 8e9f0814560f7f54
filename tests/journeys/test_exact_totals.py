"""Every answer that clients received is counted once, whichever worker is asked, in the very next read."""

from __future__ import annotations

import random
import signal
import sqlite3
import threading
from collections import Counter
from pathlib import Path

import pytest

from .load import mixed, send, tool_call
from .loopback import eventually
from .service import KEY, Service

READS = 16  # so many that all four workers are asked


def answers_by_tool(answers: Counter[tuple[str, int]]) -> dict[str, int]:
    by_tool: Counter[str] = Counter()
    for (tool, _status), count in answers.items():
        by_tool[tool] += count
    return dict(by_tool)


@pytest.mark.parametrize("preload", [False, True], ids=["plain", "preload"])
def test_two_thousand_calls_from_eight_clients_are_counted_once_by_four_workers(
    tmp_path: Path, preload: bool
) -> None:
    with Service(tmp_path, workers=4, preload=preload) as service:
        counts = send(service.url, KEY, mixed(2000), clients=8)
        assert not counts.unanswered
        assert counts.total == 2000
        expected = answers_by_tool(counts.answers)
        failed = sum(count for (_, status), count in counts.answers.items() if status >= 400)
        assert failed > 0
        for _ in range(READS):
            metrics = service.metrics()
            assert {name: tool["total_requests"] for name, tool in metrics["tools"].items()} == expected
            assert metrics["overview"]["total_requests"] == 2000
            assert metrics["overview"]["total_errors"] == failed


def test_each_answer_is_in_the_very_next_read(tmp_path: Path) -> None:
    """One client, four workers, under load from others: call, then ask at once."""
    with Service(tmp_path, workers=4) as service:
        stop = threading.Event()

        def disturb() -> None:
            while not stop.is_set():
                service.call_tool("list_files", {"directory": "."})

        others = [threading.Thread(target=disturb) for _ in range(3)]
        for other in others:
            other.start()
        try:
            for number in range(1, 301):
                assert service.call_tool("ping").status == 200
                assert service.metrics("?tool_name=ping")["total_requests"] == number
        finally:
            stop.set()
            for other in others:
                other.join()


def test_killed_workers_lose_nothing_that_they_had_counted(tmp_path: Path) -> None:
    choose = random.Random(7)
    with Service(tmp_path, workers=3) as service:
        answered = 0
        for _ in range(6):
            counts = send(service.url, KEY, [tool_call("ping")] * 150, clients=6)
            answered += counts.total
            service.kill(choose.choice(service.workers()))
            eventually(lambda: len(service.workers()) == 3, "the next worker")
            assert service.metrics()["tools"]["ping"]["total_requests"] == answered
        # The elected worker folds the dead ones' files; the total stays what it was.
        eventually(
            lambda: len(list(service.state.glob("runs/*/worker-*.cells"))) == 3, "the fold", within_s=20
        )
        for _ in range(READS):
            assert service.metrics()["tools"]["ping"]["total_requests"] == answered == 900


def test_a_reload_keeps_the_totals_and_the_uptime(tmp_path: Path) -> None:
    with Service(tmp_path, workers=2) as service:
        send(service.url, KEY, [tool_call("ping")] * 100)
        before = service.metrics()["overview"]
        old = set(service.workers())
        service.signal(signal.SIGHUP)
        eventually(lambda: len(service.workers()) == 2 and not old & set(service.workers()), "new workers")
        after = service.metrics()["overview"]
        assert after["total_requests"] == 100
        assert after["start_time"] == before["start_time"]
        assert after["uptime_seconds"] > before["uptime_seconds"]


def test_a_restart_begins_new_totals_and_keeps_the_history(tmp_path: Path) -> None:
    with Service(tmp_path, workers=2) as service:
        send(service.url, KEY, [tool_call("ping")] * 50)
    with Service(tmp_path, workers=2) as service:
        assert service.metrics()["overview"]["total_requests"] == 0
        send(service.url, KEY, [tool_call("ping")] * 20)
        assert service.metrics()["overview"]["total_requests"] == 20
        eventually(
            lambda: service.metrics("?window=1h")["overview"]["total_requests"] == 70,
            "both runs in the window",
            within_s=25,
        )


def test_a_window_has_every_request_at_any_moment_around_a_roll_up(tmp_path: Path) -> None:
    with Service(tmp_path, workers=3) as service:
        answered = 0
        for _ in range(12):
            answered += send(service.url, KEY, [tool_call("ping")] * 25, clients=4).total
            for window in ("15m", "1h", "24h", "1y"):
                found = service.metrics(f"?window={window}")["tools"]["ping"]["total_requests"]
                assert found == answered, window
            eventually_idle()


def eventually_idle() -> None:
    """Give the clock a second, so that the rounds spread over a roll-up."""
    threading.Event().wait(1.0)


def test_laptimes_own_requests_are_never_in_the_totals(tmp_path: Path) -> None:
    with Service(tmp_path, workers=2) as service:
        for path in (
            "/performance/metrics",
            "/performance/health",
            "/health",
            "/dashboard/",
            "/performance/nope",
        ):
            service.get(path)
        metrics = service.metrics()
        assert metrics["overview"]["total_requests"] == 0
        assert metrics["tools"] == {}


def test_the_masters_death_and_a_cold_start_count_nothing_twice(tmp_path: Path) -> None:
    service = Service(tmp_path, workers=3).start()
    answered = send(service.url, KEY, [tool_call("ping")] * 120).total
    service.kill()  # the master and its workers, at once
    with Service(tmp_path, workers=3) as again:
        answered += send(again.url, KEY, [tool_call("ping")] * 30).total
        eventually(
            lambda: again.metrics("?window=1h")["tools"]["ping"]["total_requests"] == answered == 150,
            "the dead run in the window, once",
            within_s=25,
        )
        eventually(lambda: len(list(again.state.glob("runs/*-*"))) == 1, "the dead run's folder to go")
        assert again.metrics("?window=1h")["tools"]["ping"]["total_requests"] == 150


def test_a_host_with_a_new_name_counts_its_former_run_once(tmp_path: Path) -> None:
    """A container gets another name at each deploy; the state folder on its disk stays."""
    with Service(tmp_path, workers=2) as service:
        answered = send(service.url, KEY, [tool_call("ping")] * 40).total
        eventually(lambda: rolled_up(service), "the roll-up", within_s=20)
        (run,) = service.state.glob("runs/*-*")
        instance = (run / "instance").read_text()
    # What the store and the run's folder say of the former host is as another host would have written it.
    (run / "instance").write_text("former-host")
    with sqlite3.connect(service.state / "laptime.sqlite3") as store:
        store.execute("PRAGMA foreign_keys = OFF")
        store.execute("UPDATE laptime_instances SET name = 'former-host'")
        for table in ("laptime_runs", "laptime_watermarks"):
            store.execute(f"UPDATE {table} SET instance = 'former-host'")  # noqa: S608 - fixed words
    assert instance != "former-host"
    with Service(tmp_path, workers=2) as service:
        eventually(lambda: not run.exists(), "the former run's folder to go", within_s=25)
        assert service.metrics("?window=1h")["tools"]["ping"]["total_requests"] == answered == 40


def rolled_up(service: Service) -> bool:
    with sqlite3.connect(service.state / "laptime.sqlite3") as store:
        try:
            return bool(store.execute("SELECT 1 FROM laptime_rollups WHERE tool_id > 0").fetchone())
        except sqlite3.OperationalError:  # the tables are not made yet
            return False
