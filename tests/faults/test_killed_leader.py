"""The elected worker killed at each step of its jobs, or frozen amid them: nothing lost, nothing doubled."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests import postgres
from tests.journeys.loopback import eventually
from tests.journeys.service import Service

from .measured import call, counted, in_flight, leaders, measured, under_load, worker_files
from .stores import ASKED, file_of, hasty, in_the_hour, is_sane, stores

STEPPING = {"LAPTIME_HOST_APP": "tests.faults.stepping:application"}
# What alerts and notices do is killed at each step elsewhere, with somebody who is told.
BUT_FOR_ALERTS = {"STEPS_ONLY": "^((?!/jobs/(judge|material|send_notices|digest)).)*$"}
WORKERS = 4
QUIET_S = 3.0  # many turns, none of which found another step
KINDS = {"begin", "execute", "commit", "checkin", "open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}


def is_quiet(taken: Path) -> bool:
    """Whether no step was taken for some time."""
    return taken.exists() and time.time() - taken.stat().st_mtime > QUIET_S


@pytest.mark.timeout(300)
def test_a_leader_killed_at_each_step_of_its_jobs_loses_nothing_and_doubles_nothing(
    tmp_path: Path, database_url: str
) -> None:
    env = {"DATABASE_URL": database_url}
    past = measured(tmp_path, workers=2, env=env).start()
    before = call(past, "quick", 50).of_status(200)
    past.kill()  # so that there is a run to end, of which nothing is rolled up yet

    taken = tmp_path / "steps"
    stepping = env | STEPPING | BUT_FOR_ALERTS | {"STEPS": str(taken)}
    with measured(tmp_path, workers=WORKERS, preload=True, env=stepping, tracebacks=True) as service:
        with under_load(service, "quick", clients=1) as counts:
            eventually(lambda: is_quiet(taken), "turns without another step", within_s=150)
        steps = taken.read_text().splitlines()
        assert {step.split()[0] for step in steps} >= KINDS
        for job in ("roll_up", "evaluate_alerts", "prune"):
            assert any(f"/jobs/{job}.py" in step for step in steps), job
        eventually(lambda: len(service.workers()) == WORKERS, "the next worker")
        eventually(lambda: len(worker_files(service.state)) == WORKERS, "the dead to be folded")
        assert list((service.state / "ended").iterdir()) == []
        found = counted(service, "quick")
        assert counts.total <= found <= counts.total + counts.unanswered.total()
        eventually(lambda: in_flight(service.state) == 0, "nothing in flight")
        stores(service, "quick", before + found)
        assert len(leaders(service.state)) == 1
    if database_url.startswith("sqlite"):
        assert is_sane(Path(database_url.removeprefix("sqlite:///")))


def alerts_of(service: Service, tool: str) -> list[tuple[str, str]]:
    """The active alerts of a tool: their types and when they began."""
    found = service.get("/performance/alerts").json()["alerts"]
    return [(one["type"], one["timestamp"]) for one in found if one["tool"] == tool]


def frozen(service: Service) -> list[int]:
    """The workers that stand still."""
    return [pid for pid in service.workers() if psutil.Process(pid).status() == psutil.STATUS_STOPPED]


def freezing(folder: Path, where: str) -> dict[str, str]:
    """The elected worker stands still, once, at the step that matches."""
    return STEPPING | {"STEPS": str(folder / "steps"), "STEPS_SIGNAL": "SIGSTOP", "STEPS_ONLY": where}


def test_a_leader_frozen_amid_a_write_is_ended_by_its_server_and_another_goes_on(tmp_path: Path) -> None:
    """It holds the store's own lock: whoever leads meanwhile has to wait for its end."""
    env = freezing(tmp_path, "^commit [^ ]+ /jobs/roll_up")
    with measured(tmp_path, "--timeout=4", workers=3, env=env, tracebacks=True) as service:
        eventually(lambda: frozen(service), "a frozen leader", within_s=20)
        [pid] = frozen(service)
        with under_load(service, "quick") as counts:
            eventually(lambda: pid not in service.workers(), "its end", within_s=30)
            eventually(lambda: len(leaders(service.state)) == 1, "another leader")
        found = counted(service, "quick")
        assert counts.total <= found <= counts.total + counts.unanswered.total()
        stores(service, "quick", found)
    assert is_sane(file_of(service))


def test_from_a_leader_that_stands_still_another_takes_over_and_it_writes_nothing_more(
    tmp_path: Path, database_url: str
) -> None:
    env = {"DATABASE_URL": database_url}
    with hasty(tmp_path, "--timeout=300", workers=3, env=env, tracebacks=True) as service:
        answered = call(service, "quick", 100).of_status(200)
        stores(service, "quick", answered)
        [first] = leaders(service.state)
        psutil.Process(first).suspend()
        eventually(lambda: first not in leaders(service.state) and leaders(service.state), "another")
        answered += call(service, "quick", 100, clients=1).of_status(200)
        assert call(service, "in_view", 10, clients=1).of_status(500) == 10
        eventually(lambda: alerts_of(service, "in_view"), "the other one to judge", within_s=20)
        psutil.Process(first).resume()
        stores(service, "quick", answered)
        time.sleep(3)
        stores(service, "quick", answered)
        assert len(leaders(service.state)) == 1
        assert first not in leaders(service.state)
        assert len(alerts_of(service, "in_view")) == 1
        assert "has stood still for 7 s; another takes over" in service.output()


def test_a_leader_frozen_with_the_fleets_claim_loses_it_and_what_it_writes_later_is_refused(
    tmp_path: Path, postgres_url: str
) -> None:
    url = postgres.new_database(postgres_url)

    def instance(name: str, env: dict[str, str]) -> Service:
        (tmp_path / name).mkdir()
        own = {"DATABASE_URL": url, "LAPTIME_INSTANCE": name} | env
        return measured(tmp_path / name, "--timeout=300", workers=2, env=own, tracebacks=True)

    with ExitStack() as stack:
        one = stack.enter_context(instance("one", freezing(tmp_path, "^commit [^ ]+ /jobs/evaluate_alerts")))
        eventually(lambda: frozen(one), "a frozen leader", within_s=20)
        [pid] = frozen(one)
        two = stack.enter_context(instance("two", {}))
        answered = call(one, "quick", 100).total + call(two, "quick", 100).total
        assert call(two, "in_view", 10).of_status(500) == 10
        eventually(lambda: alerts_of(two, "in_view"), "the other one to judge", within_s=60)
        began = alerts_of(two, "in_view")
        psutil.Process(pid).send_signal(signal.SIGCONT)
        eventually(lambda: "the job evaluate_alerts failed" in one.output(), "a write that is refused")
        for service in (one, two):
            eventually(lambda: counted(service, "quick") == answered == 200, "both", within_s=30)  # noqa: B023
            assert [in_the_hour(service, "quick") for _ in range(ASKED)] == [200] * ASKED
        assert alerts_of(one, "in_view") == alerts_of(two, "in_view") == began
