"""The election among real processes: one leads, the next takes over, a pause costs nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from app.errors import SupersededError
from app.jobs import leader
from app.jobs.leader import Candidate
from tests.capture.forks import Forks, forks, shared_numbers, until

CANDIDATES = 4


class Election:
    """Candidates in processes of their own: how often each has asked, and whether it leads."""

    def __init__(self, lock: Path, made: Forks) -> None:
        self.lock, self.forks = lock, made
        self.beats, self.leads = shared_numbers(CANDIDATES), shared_numbers(CANDIDATES)
        self.pids = [made.start(partial(self._stand, number)) for number in range(CANDIDATES)]

    def _stand(self, number: int) -> None:
        def beat() -> None:
            self.beats[number] += 1

        def lead() -> None:
            self.leads[number] += 1

        def resign() -> None:
            self.leads[number] -= 1

        Candidate(self.lock, lead, beat, resign).start()
        time.sleep(120)

    def leader(self) -> int:
        """Wait until somebody leads; its number."""
        until(lambda: any(self.leads))
        return list(self.leads).index(1)

    def let_all_ask(self, *others_than: int) -> None:
        """Wait until every other candidate has asked twice more."""
        waiting = [number for number in range(CANDIDATES) if number not in others_than]
        before = list(self.beats)
        until(lambda: all(self.beats[number] >= before[number] + 3 for number in waiting))


@pytest.fixture
def election(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Election]:
    monkeypatch.setattr(leader, "POLL_S", 0.05)
    with forks() as made:
        yield Election(tmp_path / "leader.lock", made)


def test_two_polls_are_well_within_the_five_seconds_that_a_takeover_may_take() -> None:
    assert 2 * leader.POLL_S < 5


def test_exactly_one_of_four_leads_and_is_told_so_once(election: Election) -> None:
    election.leader()
    election.let_all_ask()
    assert sorted(election.leads) == [0, 0, 0, 1]


def test_another_takes_over_within_two_polls_after_a_kill(election: Election) -> None:
    gone: list[int] = []
    for _ in range(CANDIDATES - 1):
        number = election.leader()
        election.forks.kill(election.pids[number])
        election.leads[number] = 0
        gone.append(number)
        election.let_all_ask(*gone)
        assert sum(election.leads) == 1


def test_a_leader_that_is_stopped_for_a_moment_stays_the_leader(election: Election) -> None:
    number = election.leader()
    os.kill(election.pids[number], signal.SIGSTOP)
    election.let_all_ask(number)
    os.kill(election.pids[number], signal.SIGCONT)
    for _ in range(4):
        election.let_all_ask()
    assert list(election.leads).index(1) == number
    assert sum(election.leads) == 1


def test_one_of_the_others_takes_over_from_a_leader_that_stands_still_and_it_resigns(
    election: Election,
) -> None:
    number = election.leader()
    os.kill(election.pids[number], signal.SIGSTOP)
    until(lambda: sum(election.leads) == 2)  # what it last said of itself is that it leads
    for _ in range(4):
        election.let_all_ask(number)
    assert sum(election.leads) == 2
    os.kill(election.pids[number], signal.SIGCONT)
    until(lambda: election.leads[number] == 0)
    for _ in range(4):
        election.let_all_ask()
    assert sum(election.leads) == 1


def test_a_takeover_takes_less_than_ten_seconds() -> None:
    assert (leader.STILL_POLLS + 2) * leader.POLL_S < 10


def test_who_leads_no_more_knows_it_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    led: list[int] = []
    one = Candidate(tmp_path / "lock", lambda: led.append(1), lambda: None, lambda: None)
    assert not one.leads()
    one.start()
    until(lambda: led)
    assert one.leads()
    leader.check(one.leads)
    monkeypatch.setattr(leader, "POLL_S", 60)
    (tmp_path / "lock").unlink()
    assert not one.leads()
    with pytest.raises(SupersededError):
        leader.check(one.leads)
    one.stop()


def test_a_forked_child_of_a_dead_leader_does_not_keep_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader, "POLL_S", 0.05)
    child, led = shared_numbers(1), shared_numbers(2)

    def lead_and_fork() -> None:
        Candidate(tmp_path / "lock", lambda: led.__setitem__(0, 1), lambda: None, lambda: None).start()
        until(lambda: led[0])
        pid = os.fork()
        if pid == 0:
            child[0] = os.getpid()
        signal.pause()

    def stand() -> None:
        Candidate(tmp_path / "lock", lambda: led.__setitem__(1, 1), lambda: None, lambda: None).start()
        signal.pause()

    with forks() as made:
        first = made.start(lead_and_fork)
        until(lambda: child[0])
        made.start(stand)
        made.kill(first)
        try:
            until(lambda: led[1])
            assert Path(f"/proc/{child[0]}").exists()
        finally:
            os.kill(child[0], signal.SIGKILL)


def test_one_that_stops_lets_the_next_lead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader, "POLL_S", 0.01)
    led: list[str] = []
    first = Candidate(tmp_path / "lock", lambda: led.append("first"), lambda: None, lambda: None)
    first.start()
    until(lambda: led)
    second = Candidate(tmp_path / "lock", lambda: led.append("second"), lambda: None, lambda: None)
    second.start()
    first.stop()
    until(lambda: len(led) == 2)
    second.stop()
    assert led == ["first", "second"]


ENDING = """
import atexit, sys, threading, time
from pathlib import Path
from app.jobs.leader import Candidate

def lead():
    while threading.main_thread().is_alive():
        time.sleep(0.01)
    raise RuntimeError("can't create new thread at interpreter shutdown")

atexit.register(time.sleep, 0.5)  # else the candidate's thread would not get that far
Candidate(Path(sys.argv[1]), lead, lambda: None, lambda: None).start()
time.sleep(0.1)
"""


def test_a_worker_that_is_elected_while_it_ends_says_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ENDING, str(tmp_path / "lock")]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    assert ended.stderr == ""


def test_a_folder_that_can_not_be_written_is_said_once_and_the_beat_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(leader, "POLL_S", 0.01)
    (tmp_path / "file").write_text("in the way")
    beats: list[int] = []
    candidate = Candidate(tmp_path / "file" / "lock", lambda: None, lambda: beats.append(1), lambda: None)
    candidate.start()
    until(lambda: len(beats) > 5)
    candidate.stop()
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "no worker can be elected to sample and judge"
    ]


def test_one_whose_lock_file_was_removed_lets_go_and_somebody_leads_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader, "POLL_S", 0.01)
    leads: Counter[str] = Counter()

    def candidate(name: str) -> Candidate:
        def lead() -> None:
            leads[name] += 1

        def resign() -> None:
            leads[name] -= 1

        return Candidate(tmp_path / "lock", lead, lambda: None, resign)

    both = [candidate("first"), candidate("second")]
    for one in both:
        one.start()
    until(lambda: leads.total() == 1)
    for _ in range(3):
        (tmp_path / "lock").unlink()
        until(lambda: (tmp_path / "lock").exists() and leads.total() == 1)
        time.sleep(0.1)
        assert leads.total() == 1
    for one in both:
        one.stop()
