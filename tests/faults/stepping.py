"""The host of these tests in a service whose elected worker is killed at each step of its jobs, at each once.

A step is a statement, the beginning or end of a transaction, or a file that is made, renamed or removed. What
tells it from others is where the code stands, and for how many times in this transaction. The file that STEPS
names has those that were taken; to be frozen, one is enough. Turns come every quarter of a second, so that it
takes less than a minute.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

import app
from app.jobs import leader, prune, send_notices, timetable
from app.model import telling

from .host import application

__all__ = ["application"]

TIMES = {"ROLL_UP_EVERY_S": 0.25, "EVALUATE_EVERY_S": 0.5, "SEND_EVERY_S": 0.5, "PRUNE_EVERY_S": 0.5}
JOBS = ("ThreadPoolExecutor", "laptime-notice")
TAKEN = Path(os.environ["STEPS"])
SIGNAL = signal.Signals[os.environ.get("STEPS_SIGNAL", "SIGKILL")]
ONLY = re.compile(os.environ.get("STEPS_ONLY", ""))  # what a step has to match to be taken
FILES = frozenset({"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "subprocess.Popen"})
PRODUCT = str(Path(app.__file__).parent)
MOST_ALIKE = 5

for _name, _every_s in TIMES.items():
    assert hasattr(timetable, _name), f"the timetable has no {_name} any more"
    setattr(timetable, _name, _every_s)
assert hasattr(prune, "SETTLED_S")
prune.SETTLED_S = 0.0  # at once
assert hasattr(leader, "POLL_S")
leader.POLL_S = 0.05
for _name, _seconds in (("GROUP_S", 0.5), ("FOLLOWING_S", 0.5)):
    assert hasattr(telling, _name)
    setattr(telling, _name, _seconds)
assert hasattr(send_notices, "LEASE_S")
send_notices.LEASE_S = 1.0  # how long a try that was cut off is waited for

_alike: Counter[tuple[str, str]] = Counter()
_busy = threading.local()


def step(kind: str) -> None:
    """Be killed here, unless this is no job's thread or somebody was killed here before."""
    if not threading.current_thread().name.startswith(JOBS):
        return
    place = _place()
    if kind in ("begin", "checkin"):
        _alike.clear()
    _alike[kind, place] += 1
    name = f"{kind} {place}{min(_alike[kind, place], MOST_ALIKE)}"
    _busy.is_looking = True  # the files that this opens are no steps
    taken = TAKEN.read_text() if TAKEN.exists() else ""
    if ONLY.search(name) and not (taken if SIGNAL is signal.SIGSTOP else f"{name}\n" in taken):
        with TAKEN.open("a") as file:
            file.write(f"{name}\n")
        # to this very thread: another one would take it a moment later, with this one a statement further
        signal.pthread_kill(threading.get_ident(), SIGNAL)
    _busy.is_looking = False


def _place() -> str:
    """Where the product's code stands, innermost first."""
    found = ""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith(PRODUCT):
            found += f"{frame.f_code.co_filename.removeprefix(PRODUCT)}:{frame.f_lineno} "
        frame = frame.f_back
    return found


def _audit(name: str, arguments: tuple[Any, ...]) -> None:
    if name not in FILES or getattr(_busy, "is_looking", False):
        return
    if name != "open" or (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
        step(name)


sys.addaudithook(_audit)
event.listen(Engine, "before_cursor_execute", lambda *_: step("execute"))
event.listen(Engine, "begin", lambda *_: step("begin"))
event.listen(Engine, "commit", lambda *_: step("commit"))
event.listen(Engine, "rollback", lambda *_: step("rollback"))
event.listen(Pool, "checkin", lambda *_: step("checkin"))
