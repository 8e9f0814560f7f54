"""The hook counts each request once, whatever the host does."""

from __future__ import annotations

import gc
import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.capture import cells as layout
from app.capture.cells import CellFile
from app.capture.merge import notes_of
from tests.capture.forks import Forks
from tests.capture.hosts import OWN_PATH, App, Measured, called, environ_of, notes_in

PLAIN = [("Content-Type", "text/plain")]


class Body:
    """A body that can fail at each of its steps, and remembers how often it was closed."""

    def __init__(self, chunks: Iterable[bytes], fails: str = "", error: BaseException | None = None) -> None:
        self.chunks, self.fails, self.error, self.closed = list(chunks), fails, error, 0

    def _step(self, name: str) -> None:
        if self.fails == name and self.error is not None:
            raise self.error

    def __iter__(self) -> Iterator[bytes]:
        self._step("iter")
        for chunk in self.chunks:
            yield chunk
            self._step("next")

    def close(self) -> None:
        self.closed += 1
        self._step("close")


def answering(body: Any, status: str = "200 OK", headers: list[tuple[str, str]] | None = None) -> App:
    def app(environ: dict[str, Any], start_response: Any) -> Any:  # noqa: ARG001
        start_response(status, PLAIN if headers is None else headers)
        return body() if callable(body) else body

    return app


def _write(environ: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ARG001
    write = start_response("200 OK", [("Content-Length", "6")])
    write(b"abc")
    write(b"def")
    return []


def _generator(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:  # noqa: ARG001
    start_response("200 OK", PLAIN)
    yield b"abc"
    yield b"def"


@pytest.mark.parametrize(
    "app",
    [
        answering([b"abc", b"def"]),
        answering((b"abcdef",)),
        answering(lambda: iter([b"abc", b"def"])),
        answering(lambda: Body([b"abcd", b"ef"])),
        _generator,
        _write,
    ],
    ids=["list", "tuple", "iterator", "closable", "generator", "write"],
)
def test_any_kind_of_body_is_counted_once_with_its_bytes(tmp_path: Path, app: App) -> None:
    measured = Measured(tmp_path, app)
    for turn in range(1, 4):
        assert called(measured.hook, environ_of("/a"))[2] == b"abcdef"
        assert list(measured.tools) == ["GET /a"]
        assert (measured.only.requests, measured.only.errors) == (turn, 0)
        assert measured.only.response_bytes == 6 * turn
    assert (measured.worker.in_flight, notes_in(measured.recorder.header)) == (0, 0)
    assert measured.recorder.header[layout.FAULTS] == 0


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("200 OK", (1, 0, 0, 0)),
        ("399 ?", (1, 0, 0, 0)),
        ("400 Bad Request", (0, 1, 1, 0)),
        ("499 ?", (0, 1, 1, 0)),
        ("500 Error", (0, 1, 0, 1)),
        ("599 ?", (0, 1, 0, 1)),
        ("199 ?", (0, 1, 0, 1)),
        ("204", (1, 0, 0, 0)),
    ],
)
def test_the_status_decides_the_class(tmp_path: Path, status: str, expected: tuple[int, ...]) -> None:
    measured = Measured(tmp_path, answering([], status))
    called(measured.hook, environ_of())
    one = measured.only
    assert (one.ok.count, one.errors, one.client_errors, one.server_errors) == expected


@pytest.mark.parametrize(
    "error", [ValueError("the host's"), SystemExit(1), KeyboardInterrupt(), GeneratorExit()]
)
def test_an_exception_in_the_view_goes_through_as_it_is_and_counts_as_a_server_error(
    tmp_path: Path, error: BaseException
) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ARG001
        raise error

    measured = Measured(tmp_path, app)
    with pytest.raises(type(error)) as raised:
        measured.hook(environ_of("/crash/7"), lambda *_: lambda _: None)
    assert raised.value is error
    assert list(measured.tools) == ["GET /crash/<int>"]
    assert (measured.only.requests, measured.only.server_errors) == (1, 1)
    assert measured.worker.in_flight == 0


@pytest.mark.parametrize("step", ["iter", "next", "close"])
@pytest.mark.parametrize("error", [ValueError("the host's"), SystemExit(1)])
def test_an_exception_in_the_body_goes_through_as_it_is_and_counts_once(
    tmp_path: Path, step: str, error: BaseException
) -> None:
    body = Body([b"abc", b"def"], step, error)
    measured = Measured(tmp_path, answering(body))
    with pytest.raises(type(error)) as raised:
        called(measured.hook, environ_of("/a"))
    assert raised.value is error
    assert body.closed == 1
    assert list(measured.tools) == ["GET /a"]
    assert (measured.only.requests, measured.only.server_errors) == (1, 1)


def test_a_generator_that_fails_before_its_headers_is_named_by_its_path(tmp_path: Path) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        yield environ["the host's mistake"]
        start_response("200 OK", PLAIN)

    measured = Measured(tmp_path, app)
    with pytest.raises(KeyError, match="the host's mistake"):
        called(measured.hook, environ_of("/late"))
    assert {name: series.server_errors for name, series in measured.tools.items()} == {"GET /late": 1}


def test_an_answer_that_is_replaced_is_counted_as_what_was_sent(tmp_path: Path) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", PLAIN)
        try:
            environ["the host's mistake"]
        except KeyError:
            start_response("503 Busy", PLAIN, sys.exc_info())
            start_response("502 Gateway", PLAIN, sys.exc_info())
        return [b"sorry"]

    measured = Measured(tmp_path, app)
    status, headers, _ = called(measured.hook, environ_of())
    assert (status, headers["X-Request-Success"]) == ("502 Gateway", "false")
    assert (measured.only.requests, measured.only.server_errors) == (1, 1)


def test_an_answer_that_is_replaced_too_late_raises_what_the_server_raises(tmp_path: Path) -> None:
    error = ValueError("the host's")

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:  # noqa: ARG001
        start_response("200 OK", PLAIN)
        yield b"half"
        start_response("500 Error", PLAIN, (ValueError, error, None))

    measured = Measured(tmp_path, app)
    with pytest.raises(ValueError, match="the host's") as raised:
        called(measured.hook, environ_of())
    assert raised.value is error
    assert (measured.only.requests, measured.only.server_errors) == (1, 1)


@pytest.mark.parametrize("kind", ["list", "generator"])
def test_a_body_counts_when_the_server_closes_it_and_only_then(tmp_path: Path, kind: str) -> None:
    measured = Measured(tmp_path, answering([b"a"]) if kind == "list" else _generator)
    response: Any = measured.hook(environ_of(), lambda *_: lambda _: None)
    iterator = iter(response)
    next(iterator)
    assert measured.tools == {}
    assert measured.worker.in_flight == 1
    response.close()
    response.close()
    assert measured.only.requests == 1
    assert measured.worker.in_flight == 0


def test_a_generator_that_the_client_left_is_closed_and_counted(tmp_path: Path) -> None:
    ended: list[str] = []

    def stream() -> Iterator[bytes]:
        try:
            while True:
                yield b"more"
        finally:
            ended.append("closed")

    measured = Measured(tmp_path, answering(stream))
    response: Any = measured.hook(environ_of(), lambda *_: lambda _: None)
    iterator = iter(response)
    assert [next(iterator), next(iterator)] == [b"more", b"more"]
    response.close()
    assert ended == ["closed"]
    assert (measured.only.ok.count, measured.only.response_bytes) == (1, 8)


def test_bodies_that_no_server_ever_closes_leave_no_fault_behind(tmp_path: Path) -> None:
    measured = Measured(tmp_path, _generator)
    for _ in range(10):
        next(iter(measured.hook(environ_of(), lambda *_: lambda _: None)))
    gc.collect()
    assert measured.tools == {}
    assert measured.worker.in_flight == 10
    assert measured.recorder.header[layout.FAULTS] == 0


def test_with_a_length_told_a_request_is_answered_with_its_last_byte_and_else_with_its_end(
    tmp_path: Path,
) -> None:
    def answered(headers: list[tuple[str, str]]) -> list[int]:
        measured = Measured(tmp_path, answering(lambda: Body([b"abc", b"def"]), headers=headers))
        response = measured.hook(environ_of(), lambda *_: lambda _: None)
        return [notes_in(measured.recorder.header) for _ in response] + [notes_in(measured.recorder.header)]

    assert answered([("content-length", "6")]) == [0, 1, 1]
    assert answered(PLAIN) == [0, 0, 1]


@pytest.mark.parametrize("length", ["abc", "", "-5", "1e3", "9" * 14, "9" * 15, "9" * 30, "\uff19", "0"])
def test_a_wrong_length_costs_no_count(tmp_path: Path, length: str) -> None:
    measured = Measured(tmp_path, answering(lambda: iter(()), headers=[("Content-Length", length)]))
    for _ in range(20):
        _, headers, _ = called(measured.hook, environ_of(method="HEAD"))
        assert headers["Content-Length"] == length
        assert "X-Response-Time" in headers
    assert measured.only.requests == 20
    assert measured.recorder.header[layout.FAULTS] == 0


@pytest.mark.parametrize("name", ["list_files", "größe", "\ud800", "line\nbreak" * 100])
def test_the_host_may_name_the_tool_and_report_a_failure(tmp_path: Path, name: str) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ["laptime.tool"] = name
        environ["laptime.failure"] = "the model gave no answer"
        start_response("200 OK", PLAIN)
        return [b""]

    measured = Measured(tmp_path, app)
    _, headers, _ = called(measured.hook, environ_of("/call"))
    assert headers["X-Request-Success"] == "false"
    one = measured.only
    assert (one.requests, one.errors, one.client_errors, one.server_errors) == (1, 1, 0, 0)


def test_a_failure_may_be_reported_while_the_body_is_sent(tmp_path: Path) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        yield b"half"
        environ["laptime.failure"] = "the stream broke off"

    measured = Measured(tmp_path, app)
    called(measured.hook, environ_of())
    assert (measured.only.requests, measured.only.errors) == (1, 1)


def test_a_tool_name_that_fails_to_be_a_text_costs_no_count_and_does_not_reach_the_host(
    tmp_path: Path,
) -> None:
    class Hostile:
        def __str__(self) -> str:
            raise ValueError("no text")

    measured = Measured(tmp_path, answering([b"ok"]))
    status, _, body = called(measured.hook, environ_of(more={"laptime.tool": Hostile()}))
    assert (status, body) == ("200 OK", b"ok")
    assert measured.only.requests == 1
    assert measured.recorder.header[layout.FAULTS] == 1


def test_own_pages_are_measured_apart(tmp_path: Path) -> None:
    measured = Measured(tmp_path, answering([b"ok"]))
    called(measured.hook, environ_of(OWN_PATH))
    called(measured.hook, environ_of("/a"))
    assert list(measured.own) == ["GET /dashboard"]
    assert list(measured.tools) == ["GET /a"]


def test_flask_routes_are_named_without_the_hosts_help(tmp_path: Path) -> None:
    host = Flask("host")
    host.get("/users/<int:number>")(lambda number: f"user {number}")
    measured = Measured(tmp_path, host)
    for path in ("/users/1", "/users/2", "/users/nobody", "/.env"):
        called(measured.hook, environ_of(path))
    counts = {name: series.requests for name, series in measured.tools.items()}
    assert counts == {"GET /users/<int:number>": 2, "(unmatched)": 2}


def test_a_slow_request_is_logged_in_one_line_with_its_name_and_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    environ = environ_of(more={"laptime.tool": "analyze\r\nERROR forged\u202e line"})
    measured = Measured(tmp_path, answering([b"ok"]), slow_ms=0)
    called(measured.hook, environ)
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("slow request: analyze ERROR forged line took ")
    assert record.getMessage().endswith(" ms (status 200)")
    assert record.getMessage().isprintable()
    called(Measured(tmp_path, answering([b"ok"]), slow_ms=3_600_000).hook, environ)
    assert len(caplog.records) == 1


def test_a_child_that_the_view_forks_and_that_answers_too_is_counted_in_its_own_file(
    tmp_path: Path, forks: Forks
) -> None:
    inside: list[int] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ARG001
        inside.append(forks.start(answer_and_leave) if not inside else 0)
        start_response("200 OK", PLAIN)
        return [b"ok"]

    def answer_and_leave() -> None:
        inside.append(0)
        called(measured.hook, environ_of("/child"))
        assert measured.worker_of(os.getpid()).requests == 1

    measured = Measured(tmp_path, app)
    called(measured.hook, environ_of("/parent"))
    assert forks.join(inside[0]) == 0
    assert {name: series.requests for name, series in measured.tools.items()} == {
        "GET /parent": 1,
        "GET /child": 1,
    }
    assert (measured.worker.requests, measured.worker.in_flight) == (1, 0)
    assert notes_in(measured.recorder.header) == 0


def test_both_sides_of_a_fork_in_the_view_are_counted_once_each(tmp_path: Path) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ARG001
        pids.append(os.fork())
        start_response("200 OK", PLAIN)
        return [b"ok"]

    pids: list[int] = []
    measured = Measured(tmp_path, app)
    try:
        called(measured.hook, environ_of())
    finally:
        if pids and pids[0] == 0:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pids[0], 0)[1]) == 0
    assert measured.only.requests == 2
    files = list(tmp_path.glob("runs/*/worker-*"))
    assert len(files) == 2
    for cells in map(CellFile.open, files):
        counted = sum(cells.tool(number)[layout.REQUESTS] for number in range(cells.header[layout.TOOLS]))
        assert (counted, notes_of(cells)) == (1, [])


def test_the_time_to_a_streams_first_byte_is_kept(tmp_path: Path) -> None:
    def stream() -> Iterator[bytes]:
        yield b""  # no byte yet
        yield b"first"
        time.sleep(0.05)
        yield b"last"

    measured = Measured(tmp_path, answering(stream))
    called(measured.hook, environ_of("/a"))
    one = measured.only
    assert one.average_first_byte_ms is not None
    assert one.average_ms is not None
    assert one.streaming_ns >= 50_000_000
    assert one.average_first_byte_ms == pytest.approx(one.average_ms - one.streaming_ns / 1e6)


def test_what_is_sent_as_a_whole_has_its_first_byte_when_it_is_answered(tmp_path: Path) -> None:
    measured = Measured(tmp_path, answering([b"ok"]))
    called(measured.hook, environ_of("/a"))
    assert measured.only.average_first_byte_ms == measured.only.average_ms


@pytest.mark.parametrize(
    "more",
    [
        {"laptime.route": ["no", "name"]},
        {"laptime.route": object()},
        {"REQUEST_METHOD": None},
        {"PATH_INFO": ""},
    ],
)
def test_an_odd_environ_costs_no_count_and_no_place_for_a_note(
    tmp_path: Path, more: dict[str, object]
) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ.get("fails"):
            raise ValueError("the host's")
        start_response("200 OK", PLAIN)
        return [b"ok"]

    measured = Measured(tmp_path, app)
    for _ in range(5):
        assert called(measured.hook, environ_of("/a", more=more))[2] == b"ok"
        with pytest.raises(ValueError, match="the host's"):
            called(measured.hook, environ_of("/a", more={**more, "fails": True}))
    assert sum(series.requests for series in measured.tools.values()) == 10
    assert len(measured.recorder.free) == layout.NOTES_END - layout.NOTES
    assert measured.worker.in_flight == 0


@pytest.mark.parametrize("body", [[b"hello"], iter([b"hello"])])
def test_a_length_that_is_no_text_is_between_the_host_and_its_server(tmp_path: Path, body: Any) -> None:
    headers: Any = [("Content-Length", 5)]
    measured = Measured(tmp_path, answering(body, headers=headers))
    assert called(measured.hook, environ_of())[2] == b"hello"
    assert (measured.only.requests, measured.only.response_bytes) == (1, 5)
    assert measured.recorder.header[layout.FAULTS] == 0


def test_bytes_that_no_client_took_are_not_counted(tmp_path: Path) -> None:
    length = [("Content-Length", "1000000")]
    left: Any = Measured(tmp_path / "left", answering(lambda: iter([b"x" * 1000]), headers=length))
    left.hook(environ_of(), lambda *_: lambda _: None).close()
    assert left.only.response_bytes == 0

    def raises(_: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", length)
        raise ValueError("the host's")

    measured = Measured(tmp_path / "raised", raises)
    with pytest.raises(ValueError, match="the host's"):
        measured.hook(environ_of(), lambda *_: lambda _: None)
    assert measured.only.response_bytes == 0


def test_a_second_status_that_comes_too_late_and_is_caught_changes_nothing(tmp_path: Path) -> None:
    def app(_: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        yield b"half"
        with pytest.raises(ValueError, match="found out late"):
            start_response("500 Error", PLAIN, (ValueError, ValueError("found out late"), None))
        yield b"whole"

    measured = Measured(tmp_path, app)
    called(measured.hook, environ_of())
    assert (measured.only.ok.count, measured.only.errors) == (1, 0)


def test_a_path_that_the_host_rewrites_is_named_as_it_came(tmp_path: Path) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ["PATH_INFO"] = f"/{environ['HTTP_HOST']}{environ['PATH_INFO']}"
        start_response("200 OK", PLAIN)
        return []

    measured = Measured(tmp_path, app)
    for host in ("a", "b", "b"):
        called(measured.hook, environ_of("/x", more={"HTTP_HOST": host}))
    assert {name: one.requests for name, one in measured.tools.items()} == {"GET /x": 3}


def test_a_generator_that_tells_its_length_late_is_answered_with_its_last_byte(tmp_path: Path) -> None:
    def app(_: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "6")])
        yield b"abc"
        yield b"def"

    measured = Measured(tmp_path, app)
    response = measured.hook(environ_of(), lambda *_: lambda _: None)
    assert [notes_in(measured.recorder.header) for _ in response] == [0, 1]


def test_a_path_that_a_route_names_is_looked_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ["laptime.route"] = "/users/<id>"
        start_response("200 OK", PLAIN)
        return []

    measured, asked = Measured(tmp_path, app), list[str]()
    methods_of = measured.recorder.methods_of

    def noted(path: str) -> Any:
        asked.append(path)
        return methods_of(path)

    monkeypatch.setattr(measured.recorder, "methods_of", noted)
    for _ in range(5):
        called(measured.hook, environ_of("/users/7"))
    assert asked == ["/users/7"]
    assert measured.only.requests == 5
