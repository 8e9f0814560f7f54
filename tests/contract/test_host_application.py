"""Laptime in front of an application that somebody else wrote: measured, and otherwise left alone."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper

import pytest
from werkzeug.test import Client, create_environ, run_wsgi_app
from werkzeug.wrappers import Request

from app import Monitor
from app.settings import Settings
from tests.front_door import KEY, Front, problem

OURS = {"x-response-time", "x-request-success", "server-timing"}
FLASK_HOST = """
from flask import Flask, Response, request

app = Flask(__name__)


@app.get("/users/<int:user>")
def user(user):
    return {"user": user}


@app.get("/health")
def health():
    return "the host's own"


@app.get("/")
def index():
    return "the host's index"


@app.get("/signed")
def signed():
    return Response("x", headers={"Server-Timing": "db;dur=1", "Cache-Control": "max-age=60"})


@app.post("/echo")
def echo():
    return Response(request.get_data(), 201, {"Set-Cookie": "host=1"}, mimetype="application/x-host")


@app.get("/broken")
def broken():
    return "broken", 500

"""


@pytest.fixture
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Front]:
    """A service before the application that a module in the current folder defines."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def start(source: str) -> Front:
        (tmp_path / "hostmodule.py").write_text(source)
        monkeypatch.delitem(sys.modules, "hostmodule", raising=False)
        return Front(tmp_path, host_app="hostmodule:app")

    return start


def direct(method: str, path: str, body: bytes = b"") -> tuple[bytes, str, list[tuple[str, str]]]:
    """What the host's application answers when nothing is in front of it."""
    environ = create_environ(path, method=method, input_stream=BytesIO(body), content_length=len(body))
    chunks, status, headers = run_wsgi_app(sys.modules["hostmodule"].app, environ, buffered=True)
    return b"".join(chunks), status, list(headers)


def requests(front: Front) -> dict[str, int]:
    tools: dict[str, Any] = front.json("/performance/metrics")["metrics"]["tools"]
    return {name: one["total_requests"] for name, one in tools.items()}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/users/5"),
        ("HEAD", "/users/5"),
        ("GET", "/users/none"),
        ("GET", "/health"),
        ("GET", "/"),
        ("GET", "/favicon.ico"),
        ("POST", "/echo"),
        ("GET", "/broken"),
        ("GET", "/tools/list"),
        ("GET", "/dashboards"),
        ("GET", "/performances/metrics"),
    ],
)
def test_a_flask_application_answers_the_same_bytes_and_headers(
    named: Callable[[str], Front], method: str, path: str
) -> None:
    front = named(FLASK_HOST)
    body = bytes(range(256)) if method == "POST" else b""
    response = front.browser().open(path, method=method, data=body)
    expected_body, expected_status, expected_headers = direct(method, path, body)
    assert response.data == expected_body
    assert response.status.lower() == expected_status.lower()
    kept = [(name, value) for name, value in response.headers if name.lower() not in OURS]
    assert sorted(kept) == sorted(expected_headers)
    assert {name.lower() for name, _ in response.headers} >= OURS


def test_a_header_that_the_host_set_stays(named: Callable[[str], Front]) -> None:
    response = named(FLASK_HOST).browser().get("/signed")
    assert response.headers.getlist("Server-Timing") == ["db;dur=1"]
    assert response.headers["Cache-Control"] == "max-age=60"
    assert "Content-Security-Policy" not in response.headers


def test_a_flask_application_is_measured_by_its_routes(named: Callable[[str], Front]) -> None:
    front = named(FLASK_HOST)
    browser = front.browser()
    for path in ("/users/1", "/users/2", "/users/x", "/nowhere/7", "/broken", "/health"):
        browser.get(path)
    assert requests(front) == {
        "GET /users/<int:user>": 2,
        "(unmatched)": 2,
        "GET /broken": 1,
        "GET /health": 1,
    }
    tools = front.json("/performance/metrics")["metrics"]["tools"]
    assert tools["GET /broken"]["server_errors"] == 1
    assert tools["(unmatched)"]["client_errors"] == 2


def test_our_pages_need_the_key_and_the_hosts_do_not(named: Callable[[str], Front]) -> None:
    front = named(FLASK_HOST)
    problem(front.get("/performance/metrics", key=None), 401)
    assert front.get("/dashboard", key=None).status_code == 303
    assert front.get("/users/1", key=None).status_code == 200
    assert front.get("/users/1", key="a-key-of-the-hosts-own").status_code == 200


WSGI_HOST = """
def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/refuse":
        raise ValueError("the host's own")
    if path == "/late":
        start_response("200 OK", [])
        return late()
    if path == "/file":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return environ["wsgi.file_wrapper"](open(__file__, "rb"))
    if path == "/failed":
        environ["laptime.tool"], environ["laptime.failure"] = "charge card", True
    start_response("404 Not Found" if path == "/none" else "200 OK", [("X-Host", "\\xff")])
    return iter([b"a", b"", b"\\x00b"])


def late():
    yield b"begun"
    raise ValueError("after the first byte")
"""


def test_a_bare_wsgi_callable_answers_the_same_and_folds_its_paths(named: Callable[[str], Front]) -> None:
    front = named(WSGI_HOST)
    for path in ("/orders/17/lines/3", "/orders/18/lines/4", "/none"):
        chunks, status, headers = run_wsgi_app(front.app, create_environ(path), buffered=True)
        assert b"".join(chunks) == b"a\x00b"
        assert status == ("404 Not Found" if path == "/none" else "200 OK")
        assert headers["X-Host"] == "\xff"
    assert requests(front) == {"GET /orders/<int>/lines/<int>": 2, "(unmatched)": 1}


def test_a_plain_werkzeug_request_in_front_of_the_host_hides_no_name(named: Callable[[str], Front]) -> None:
    front = named(WSGI_HOST)
    environ = create_environ("/orders/17")
    Request(environ)  # as a middleware makes it: it leaves itself in the environ, and knows no route
    run_wsgi_app(front.app, environ, buffered=True)
    assert requests(front) == {"GET /orders/<int>": 1}


def test_a_host_may_name_its_tool_and_report_a_failure_behind_a_good_status(
    named: Callable[[str], Front],
) -> None:
    front = named(WSGI_HOST)
    _, status, headers = run_wsgi_app(front.app, create_environ("/failed"), buffered=True)
    assert (status, headers["X-Request-Success"]) == ("200 OK", "false")
    found = front.json("/performance/metrics")["metrics"]["tools"]["charge card"]
    assert (found["error_count"], found["client_errors"], found["server_errors"]) == (1, 0, 0)


def test_what_the_host_raises_goes_through_and_counts_as_a_server_error(
    named: Callable[[str], Front],
) -> None:
    front = named(WSGI_HOST)
    with pytest.raises(ValueError, match="the host's own"):
        Client(front.app).get("/refuse")
    with pytest.raises(ValueError, match="after the first byte"):
        Client(front.app).get("/late", buffered=True)
    tools = front.json("/performance/metrics")["metrics"]["tools"]
    assert sum(one["server_errors"] for one in tools.values()) == 2


def test_a_file_is_handed_to_the_server_in_its_own_wrapper(named: Callable[[str], Front]) -> None:
    front = named(WSGI_HOST)
    sent: list[str] = []

    def start_response(*told: Any) -> Callable[[bytes], object]:
        sent.append(told[0])
        return lambda _: None

    environ = create_environ("/file")
    environ["wsgi.file_wrapper"] = FileWrapper
    body = front.app(environ, start_response)
    assert type(body) is FileWrapper
    assert b"".join(body) == Path("hostmodule.py").read_bytes()
    body.close()
    assert sent == [f"200 {HTTPStatus.OK.phrase}"]
    assert requests(front) == {"GET /file": 1}


def test_an_application_in_an_attribute_of_an_attribute_is_found(
    named: Callable[[str], Front], tmp_path: Path
) -> None:
    named(FLASK_HOST)
    (tmp_path / "other").mkdir()
    front = Front(tmp_path / "other", host_app="hostmodule:app.wsgi_app")
    assert front.get("/users/3").json == {"user": 3}


def test_the_prefixes_are_settings(tmp_path: Path) -> None:
    front = Front(tmp_path, dashboard_prefix="/ops/laptime", performance_prefix="/ops/api")
    front.call("ping")
    assert front.json("/ops/api/metrics")["metrics"]["overview"]["total_requests"] == 1
    assert front.get("/").location == "/ops/laptime"
    sign_in = front.get("/ops/laptime?window=6h", key=None).location
    assert sign_in == "/ops/laptime/signin?next=/ops/laptime?window%3D6h"
    browser = front.browser()
    signed_in = browser.post(sign_in, data={"key": KEY})
    assert (signed_in.status_code, signed_in.location) == (303, "/ops/laptime?window=6h")
    page = browser.get("/ops/laptime").text
    assert re.search(r"/ops/laptime/static/[0-9a-f]{12}/app\.css", page)
    assert '"/dashboard' not in page
    assert "/ops/laptime/signin?link=" in front.app.service.link("http://127.0.0.1")
    for path in ("/dashboard", "/performance/metrics"):
        problem(front.get(path), 404)
    problem(front.get("/ops/api/none"), 404)


def test_the_monitor_writes_what_the_host_says_into_the_environ_and_measures_its_jobs(tmp_path: Path) -> None:
    def shop(environ: Any, start_response: Any) -> list[bytes]:
        Monitor.name_tool(environ, "charge card")
        start_response("200 OK", [])
        Monitor.report_failure(environ)
        return [b"declined"]

    monitor = Monitor(Settings(api_key=KEY, state_dir=tmp_path))
    client = Client(monitor.wrap(shop))
    with monitor.measure("send invoices"):
        client.get("/anything", buffered=True)
    answer = client.get("/performance/metrics", headers={"X-API-Key": KEY}, buffered=True).json
    assert answer is not None
    tools = answer["metrics"]["tools"]
    assert {name: (tool["total_requests"], tool["error_count"]) for name, tool in tools.items()} == {
        "charge card": (1, 1),
        "send invoices": (1, 0),
    }
