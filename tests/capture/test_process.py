"""Who is alive, and who forked whom."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from app.capture.process import Process, supervisor
from tests.capture.forks import Forks, shared_numbers, until


def test_this_process_is_alive_and_the_same_whenever_it_asks() -> None:
    assert Process.current() == Process.of(os.getpid())
    assert Process.current().is_alive()


def test_a_process_is_alive_until_it_ends_even_when_nobody_reaped_it(forks: Forks) -> None:
    pid = forks.start(signal.pause)
    child = Process.of(pid)
    assert child.is_alive()
    os.kill(pid, signal.SIGSTOP)
    assert child.is_alive()
    os.kill(pid, signal.SIGKILL)
    until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
    assert not child.is_alive()
    forks.join(pid)
    assert not child.is_alive()


def test_another_process_with_the_same_id_is_not_the_same() -> None:
    me = Process.current()
    assert not replace(me, start_ticks=me.start_ticks - 1).is_alive()
    assert not replace(me, boot=me.boot ^ 1).is_alive()


def test_a_process_with_a_hostile_name_is_still_told(tmp_path: Path) -> None:
    program = tmp_path / "x) S 1 1 ("
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as child:
        process = Process.of(child.pid)
        assert process.start_ticks >= Process.current().start_ticks
        assert process.is_alive()
        child.kill()


def test_the_one_that_forked_is_the_supervisor_and_one_that_started_a_program_is_not(forks: Forks) -> None:
    me, told = Process.current(), shared_numbers(1)

    def work() -> None:
        told[0] = supervisor() == me

    assert forks.run(work) == 0
    assert told[0] == 1
    code = "from app.capture.process import supervisor; print(supervisor())"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "None\n"
