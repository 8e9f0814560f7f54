"""What measuring costs is timed from the inside, once in 1,024 requests, without the host's own time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.capture import cells as layout
from tests.capture.forks import Forks
from tests.capture.hosts import App, Measured, called, environ_of

TURN = layout.NOTES_END - layout.NOTES
SLEEP_S = 0.05


def _listed(_: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


def _streamed(_: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"ok"


def _slow(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    time.sleep(SLEEP_S)
    body = _listed(environ, start_response)
    time.sleep(SLEEP_S)
    return body


@pytest.mark.parametrize("app", [_listed, _streamed])
def test_one_request_in_1024_is_timed_and_counted_like_all_others(tmp_path: Path, app: App) -> None:
    measured = Measured(tmp_path, app)
    for number in range(2 * TURN):
        status, headers, body = called(measured.hook, environ_of("/a"))
        assert (status, body, "X-Response-Time" in headers) == ("200 OK", b"ok", True)
        if number % 256 == 255:
            assert measured.reader.snapshot().own_cost.requests == (number + 1) // TURN
    assert measured.only.requests == 2 * TURN
    assert measured.only.response_bytes == 4 * TURN
    assert measured.reader.snapshot().own_cost.total_ns > 0
    assert list(measured.tools) == ["GET /a"]


def test_what_the_host_and_the_server_take_is_left_out(tmp_path: Path) -> None:
    measured = Measured(tmp_path, _slow)
    called(measured.hook, environ_of())
    measured.recorder.free.rotate(1)  # the turn of the last place has come
    while measured.recorder.free[0] != layout.NOTES_END - 1:
        measured.recorder.free.rotate(1)

    def start(*_: object) -> Any:
        time.sleep(SLEEP_S)
        return lambda _: None

    body: Any = measured.hook(environ_of(), start)
    time.sleep(SLEEP_S)
    body.close()
    cost = measured.reader.snapshot().own_cost
    assert cost.requests == 1
    assert cost.total_ns < SLEEP_S * 1e9
    assert measured.only.total_ns > 5 * SLEEP_S * 1e9


def test_what_dead_workers_timed_is_kept(tmp_path: Path, forks: Forks) -> None:
    measured = Measured(tmp_path, _listed)
    measured.recorder.open()

    def work() -> None:
        for _ in range(TURN):
            called(measured.hook, environ_of("/a"))

    assert forks.run(work) == 0
    before = measured.reader.snapshot().own_cost
    assert before.requests == 1
    assert measured.reader.retire() == 1
    assert measured.reader.snapshot().own_cost == before
