"""Names without end and requests without end, on a bare WSGI host: names and memory stay bounded."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from app.capture.cells import OTHER
from app.capture.hook import Hook
from app.capture.reader import Reader
from app.capture.recorder import Recorder

from .host import quick

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

MAX_TOOLS = 200
ROOM_BYTES = 4 * 1024**2  # what the allocator may keep; one kept object of 64 bytes a request would be more


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    """A recorder with its file open, for at most MAX_TOOLS names."""
    recorder = Recorder(tmp_path, MAX_TOOLS)
    recorder.open()
    yield recorder
    recorder.cells.close()


def ask(hook: WSGIApplication, method: str, path: str) -> None:
    """One request to the end, as a server does it."""
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path}
    body = hook(environ, lambda *_: lambda _: None)
    assert b"".join(body) == b"quick"
    body.close()  # type: ignore[attr-defined]


def resident_bytes() -> int:
    gc.collect()
    found: int = psutil.Process().memory_info().rss
    return found


def counted(recorder: Recorder) -> dict[str, int]:
    tools = Reader(recorder).snapshot().tools
    return {name: one.series.requests for name, one in tools.items()}


def test_fifty_thousand_random_paths_and_methods_leave_bounded_names_and_flat_memory(
    recorder: Recorder,
) -> None:
    hook, choose = Hook(recorder, lambda: None).wrap(quick), random.Random(11)

    def random_requests(number: int) -> None:
        for _ in range(number):
            ask(hook, choose.randbytes(4).hex().upper(), f"/{choose.randbytes(9).hex()[:15]}x")

    random_requests(5_000)
    before = resident_bytes()
    random_requests(45_000)
    assert resident_bytes() - before < ROOM_BYTES
    found = counted(recorder)
    assert len(found) <= MAX_TOOLS + 1
    assert sum(found.values()) == 50_000
    assert found[OTHER] >= 50_000 - MAX_TOOLS - 1


def test_two_hundred_thousand_requests_leave_memory_flat_and_an_exact_count(recorder: Recorder) -> None:
    hook = Hook(recorder, lambda: None).wrap(quick)
    for _ in range(20_000):
        ask(hook, "GET", "/")
    before = resident_bytes()
    for _ in range(180_000):
        ask(hook, "GET", "/")
    assert resident_bytes() - before < ROOM_BYTES
    assert counted(recorder) == {"GET /": 200_000}
