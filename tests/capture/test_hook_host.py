"""The hook leaves the host as it is: its bytes, its headers, its errors, its server's short cuts."""

from __future__ import annotations

import io
import re
import wsgiref.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from flask import Flask, Response, request, send_file, stream_with_context

from app.capture import cells as layout
from app.capture.hook import Hook
from app.capture.recorder import Recorder
from tests.capture.hosts import App, Measured, called, environ_of, notes_in, served

OURS = (b"X-Response-Time", b"X-Request-Success", b"Server-Timing")


@pytest.fixture
def flask_app(tmp_path: Path) -> Flask:
    """An ordinary application with answers of every kind."""
    (tmp_path / "file.bin").write_bytes(bytes(range(256)) * 500)
    app = Flask("host")

    @app.route("/text")
    def text() -> str:
        return "hello"

    @app.post("/echo")
    def echo() -> Response:
        return Response(request.get_data(), 201)

    @app.route("/empty")
    def empty() -> tuple[str, int]:
        return "", 204

    @app.route("/unchanged")
    def unchanged() -> tuple[str, int, dict[str, str]]:
        return "", 304, {"ETag": '"1"'}

    @app.route("/stream")
    def stream() -> Response:
        return Response(stream_with_context(iter(["a", "b", "", "c"])))

    @app.route("/file")
    def file() -> Response:
        return send_file(tmp_path / "file.bin", etag=False, last_modified=1)

    @app.route("/error")
    def error() -> str:
        raise ValueError("the view's")

    return app


def _without_ours(headers: list[bytes]) -> list[bytes]:
    return [line for line in headers if line.split(b":")[0] not in OURS and not line.startswith(b"Date:")]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize(
    "path", ["/text", "/echo", "/empty", "/unchanged", "/stream", "/file", "/error", "/none"]
)
def test_the_host_answers_byte_for_byte_as_without_the_hook(
    tmp_path: Path, flask_app: Flask, method: str, path: str
) -> None:
    more = {"wsgi.input": io.BytesIO(b"sent"), "CONTENT_LENGTH": "4"}
    bare = served(flask_app, environ_of(path, method, more))
    more["wsgi.input"] = io.BytesIO(b"sent")
    measured = Measured(tmp_path, flask_app)
    status, headers, body = served(measured.hook, environ_of(path, method, more))
    assert (status, _without_ours(headers), body) == (bare[0], _without_ours(bare[1]), bare[2])
    assert [sum(line.startswith(name) for line in headers) for name in OURS] == [1, 1, 1]
    assert measured.only.requests == 1
    header = measured.recorder.header
    assert (measured.worker.in_flight, notes_in(header), header[layout.FAULTS]) == (0, 0, 0)


def _listed(environ: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ARG001
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"one chunk"]


def _raised(environ: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ARG001
    raise ValueError("the host's")


def _nothing(environ: dict[str, Any], start_response: Any) -> None:  # noqa: ARG001
    start_response("200 OK", [("Content-Type", "text/plain")])


def _wrong_type(environ: dict[str, Any], start_response: Any) -> list[str]:  # noqa: ARG001
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["text"]


@pytest.mark.parametrize("app", [_listed, _raised, _nothing, _wrong_type])
def test_hosts_that_break_the_rules_get_what_they_get_without_the_hook(tmp_path: Path, app: Any) -> None:
    measured = Measured(tmp_path, app)
    bare, with_hook = served(app, environ_of()), served(measured.hook, environ_of())
    assert (with_hook[0], _without_ours(with_hook[1]), with_hook[2]) == (
        bare[0], _without_ours(bare[1]), bare[2],
    )  # fmt: skip
    assert measured.only.requests == 1


def test_a_single_chunk_still_gets_the_content_length_that_servers_add(tmp_path: Path) -> None:
    _, headers, _ = served(Measured(tmp_path, _listed).hook, environ_of())
    assert b"Content-Length: 9" in headers
    response: Any = Measured(tmp_path, _listed).hook(environ_of(), lambda *_: lambda _: None)
    assert len(response) == 1
    response.close()


def _validated(app: App) -> App:
    return validator(app)


def _streamed(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:  # noqa: ARG001
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"a"
    yield b"b"


def _late(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    environ["wsgi.errors"].write("")
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return iter([b"gone"])


def _no_body(environ: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ARG001
    start_response("204 No Content", [])
    return []


@pytest.mark.parametrize("app", [_listed, _streamed, _late, _no_body])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_hook_keeps_the_rules_of_wsgi_towards_both_sides(tmp_path: Path, app: App, method: str) -> None:
    measured = Measured(tmp_path, _validated(app))
    environ = environ_of("/a", method, {"QUERY_STRING": ""})
    _, _, body = called(_validated(measured.hook), environ)
    assert body == called(_validated(app), environ_of("/a", method, {"QUERY_STRING": ""}))[2]
    assert measured.only.requests == 1
    assert measured.recorder.header[layout.FAULTS] == 0


def test_the_headers_tell_time_and_success(tmp_path: Path) -> None:
    _, headers, _ = called(Measured(tmp_path, _listed).hook, environ_of())
    assert re.fullmatch(r"\d+\.\d\dms", headers["X-Response-Time"])
    assert headers["X-Request-Success"] == "true"
    assert headers["Server-Timing"] == f"app;dur={headers['X-Response-Time'].removesuffix('ms')}"


@pytest.mark.parametrize("status", ["400 Bad Request", "500 Error"])
def test_an_error_is_told_as_no_success(tmp_path: Path, status: str) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ARG001
        start_response(status, [])
        return []

    assert called(Measured(tmp_path, app).hook, environ_of())[1]["X-Request-Success"] == "false"


@pytest.mark.parametrize("name", ["x-response-time", "X-REQUEST-SUCCESS", "Server-Timing"])
def test_a_header_that_the_host_set_stays_and_the_others_are_added(tmp_path: Path, name: str) -> None:
    sent = [("Content-Type", "text/plain"), (name, "mine")]

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ARG001
        start_response("200 OK", sent)
        return [b"ok"]

    _, headers, _ = called(Measured(tmp_path, app).hook, environ_of())
    assert headers[name] == "mine"
    lowered = sorted(one.lower() for one in headers)
    assert lowered == ["content-type", "server-timing", "x-request-success", "x-response-time"]
    assert sent == [("Content-Type", "text/plain"), (name, "mine")]


def test_headers_can_be_turned_off(tmp_path: Path) -> None:
    measured = Measured(tmp_path, _listed, response_headers=False)
    assert called(measured.hook, environ_of())[1] == {"Content-Type": "text/plain"}
    assert measured.only.requests == 1


class ServersFile:
    """A server's file wrapper, as gunicorn's: sent by sendfile when the answer is one of these."""

    def __init__(self, filelike: Any, blksize: int = 8192) -> None:
        self.filelike, self.blksize, self.closed = filelike, blksize, 0

    def __getitem__(self, key: int) -> bytes:
        chunk: bytes = self.filelike.read(self.blksize)
        if not chunk:
            raise IndexError(key)
        return chunk

    def close(self) -> None:
        self.closed += 1
        self.filelike.close()


class Unclosable:
    """A wrapper without a close."""

    def __init__(self, filelike: Any) -> None:
        self.filelike = filelike

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.filelike)


class Slotted:
    """A wrapper that takes no new attribute, as those written in C."""

    __slots__ = ("filelike",)

    def __init__(self, filelike: Any) -> None:
        self.filelike = filelike

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.filelike)

    def close(self) -> None:
        self.filelike.close()


def _sends_file(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [("Content-Length", "9000")])
    return environ["wsgi.file_wrapper"](io.BytesIO(b"x" * 9000))


@pytest.mark.parametrize("wrapper", [ServersFile, Unclosable, wsgiref.util.FileWrapper])
def test_a_servers_own_file_wrapper_stays_what_it_is(tmp_path: Path, wrapper: Callable[..., Any]) -> None:
    measured = Measured(tmp_path, _sends_file)
    environ = environ_of("/file", more={"wsgi.file_wrapper": wrapper})
    response: Any = measured.hook(environ, lambda *_: lambda _: None)
    assert type(response) is wrapper
    filelike = response.filelike
    assert b"".join(response) == b"x" * 9000
    response.close()
    assert filelike.closed or wrapper is Unclosable
    assert (measured.only.requests, measured.only.response_bytes) == (1, 9000)
    assert measured.worker.in_flight == 0


def test_a_file_wrapper_that_fails_to_close_is_counted_as_a_server_error(tmp_path: Path) -> None:
    class Broken(ServersFile):
        def close(self) -> None:
            raise OSError("the disk is gone")

    measured = Measured(tmp_path, _sends_file)
    with pytest.raises(OSError, match="the disk is gone"):
        called(measured.hook, environ_of(more={"wsgi.file_wrapper": Broken}))
    assert (measured.only.requests, measured.only.server_errors) == (1, 1)


def _made_by_a_function(filelike: Any) -> Slotted:
    return Slotted(filelike)


@pytest.mark.parametrize("wrapper", [Slotted, _made_by_a_function])
def test_a_file_wrapper_that_can_not_be_watched_is_sent_as_any_other_body(
    tmp_path: Path, wrapper: Callable[..., Any]
) -> None:
    measured = Measured(tmp_path, _sends_file)
    _, _, body = called(measured.hook, environ_of(more={"wsgi.file_wrapper": wrapper}))
    assert body == b"x" * 9000
    assert (measured.only.requests, measured.only.response_bytes) == (1, 9000)
    assert measured.recorder.header[layout.FAULTS] == 0


def test_wsgiref_sends_a_file_of_the_host_as_a_file(tmp_path: Path, flask_app: Flask) -> None:
    seen: list[object] = []

    def watched(environ: dict[str, Any], start_response: Any) -> Any:
        response = measured.hook(environ, start_response)
        seen.append(isinstance(response, environ["wsgi.file_wrapper"]))
        return response

    measured = Measured(tmp_path, flask_app)
    served(watched, environ_of("/file"))
    assert measured.only.response_bytes == 128_000


def test_a_service_that_can_not_start_leaves_the_host_unmeasured_but_alive(tmp_path: Path) -> None:
    def fails() -> None:
        raise OSError("no threads left")

    hook = Hook(Recorder(tmp_path, 10), fails).wrap(_listed)
    for _ in range(3):
        status, headers, body = called(hook, environ_of())
        assert (status, headers, body) == ("200 OK", {"Content-Type": "text/plain"}, b"one chunk")
