"""The tool server's two routes: a Flask application with the blueprint, asked over HTTP."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from werkzeug.serving import make_server
from werkzeug.test import Client, TestResponse

from app.settings import Settings
from app.tools.builtin import Toolbox
from app.web import problems, tools_api

CALL = "/api/v1/tools/call"
LIMIT_BYTES = 2_048


class Service:
    """The application, and what the hook would read: the tool's name in the environ of the last request."""

    def __init__(self, root: Path) -> None:
        settings = Settings(workspace=root, max_body_bytes=LIMIT_BYTES, max_file_bytes=1_024)
        self.app = Flask(__name__)
        self.app.register_blueprint(tools_api.blueprint(settings, Toolbox(settings)))
        problems.register(self.app)
        self.environ: WSGIEnvironment = {}
        self.client = Client(self.answer)

    def answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.environ = environ
        return self.app(environ, start_response)

    def call(self, body: object) -> TestResponse:
        """POST `body`, as JSON unless it is bytes."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.post(data, "application/json")

    def post(self, data: bytes, content_type: str | None) -> TestResponse:
        return self.client.post(CALL, data=data, content_type=content_type)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    root = tmp_path_factory.mktemp("workspace")
    (root / "docs").mkdir()
    (root / "notes.txt").write_text("Größe\n")
    (root / "main.py").write_text("def run():\n    return 1\n")
    (root / "large.txt").write_text("x" * 1_025)
    (root.parent / "canary.txt").write_text("canary")
    (root / "out").symlink_to(root.parent / "canary.txt")
    return Service(root)


def _problem(response: TestResponse, status: int, code: str) -> str:
    """Check that the answer is a problem of that kind and give its detail."""
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    assert response.json is not None
    assert response.json["success"] is False
    assert response.json["code"] == code
    return str(response.json["detail"])


def test_a_call_answers_with_the_tools_text(service: Service) -> None:
    response = service.call({"name": "read_file", "arguments": {"file_path": "notes.txt"}})
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json == {
        "success": True,
        "tool": "read_file",
        "content": [{"type": "text", "text": "Größe\n"}],
    }


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("ping", {}, "pong"),
        ("list_files", {"directory": "."}, "5 entries in ."),
        ("get_system_status", {}, "memory: "),
        ("analyze_code", {"file_path": "main.py"}, "functions: 1"),
    ],
)
def test_every_tool_can_be_called(service: Service, name: str, arguments: dict[str, str], text: str) -> None:
    response = service.call({"name": name, "arguments": arguments})
    assert response.status_code == 200
    assert response.json is not None
    assert text in response.json["content"][0]["text"]
    assert service.environ["laptime.tool"] == name


def test_arguments_may_be_left_out_and_further_members_are_ignored(service: Service) -> None:
    assert service.call({"name": "ping", "id": 7, "jsonrpc": "2.0"}).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "nonsense",
    ],
)
def test_json_is_read_whatever_its_content_type_says(service: Service, content_type: str | None) -> None:
    assert service.post(b'{"name": "ping"}', content_type).status_code == 200


def test_the_list_describes_every_tool(service: Service) -> None:
    response = service.client.get("/tools/list")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json is not None
    assert set(response.json) == {"success", "timestamp", "tools"}
    assert response.json["success"] is True
    told = datetime.fromisoformat(response.json["timestamp"])
    assert told.utcoffset() == datetime.now(UTC).utcoffset()
    names = [tool["name"] for tool in response.json["tools"]]
    assert names == ["ping", "read_file", "list_files", "get_system_status", "analyze_code"]
    assert all(set(tool) == {"name", "description", "inputSchema"} for tool in response.json["tools"])
    assert "laptime.tool" not in service.environ


def test_a_failed_call_is_recorded_under_its_tool(service: Service) -> None:
    detail = _problem(
        service.call({"name": "read_file", "arguments": {"file_path": "absent"}}), 404, "not_found"
    )
    assert detail == "'absent' can't be read: it is not in the workspace"
    assert service.environ["laptime.tool"] == "read_file"


def test_an_unknown_tool_is_refused_and_recorded_as_unmatched(service: Service) -> None:
    detail = _problem(service.call({"name": "rm", "arguments": {}}), 400, "unknown_tool")
    assert detail.startswith("there is no tool 'rm'; allowed is ping, ")
    assert service.environ["laptime.tool"] == "(unmatched)"


def test_wrong_arguments_are_refused(service: Service) -> None:
    detail = _problem(service.call({"name": "read_file", "arguments": {"path": "x"}}), 400, "bad_arguments")
    assert "allowed is file_path" in detail


@pytest.mark.parametrize(
    "path", ["../canary.txt", "/etc/passwd", "out", "docs/../../canary.txt", "out/x", "\0"]
)
def test_a_path_out_of_the_workspace_is_refused(service: Service, path: str) -> None:
    response = service.call({"name": "read_file", "arguments": {"file_path": path}})
    assert "canary\n" not in response.text
    _problem(response, 400, "bad_arguments")


def test_a_large_file_is_too_large(service: Service) -> None:
    response = service.call({"name": "read_file", "arguments": {"file_path": "large.txt"}})
    assert "1,024 bytes" in _problem(response, 413, "too_large")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "it is empty"),
        (b"{", "truncated"),
        (b"null", "got `null`"),
        (b"[]", "got `array`"),
        (b'"ping"', "got `str`"),
        (b"{}", "missing required field `name`"),
        (b'{"arguments": {}}', "missing required field `name`"),
        (b'{"name": 5}', "got `int`"),
        (b'{"name": null}', "got `null`"),
        (b'{"name": "ping", "arguments": null}', "got `null`"),
        (b'{"name": "ping", "arguments": []}', "got `array`"),
        (b'{"name": "ping", "arguments": "{}"}', "got `str`"),
        (b'{"name": "ping"} trailing', "trailing characters"),
        (b'{"name": "ping", "arguments": {"x": NaN}}', "malformed"),
        (b'{"name": "ping", "arguments": {"x": 1e999}}', "out of range"),
        (b'{"name": "\xff"}', "not UTF-8"),
        (b'{"name": "\\ud800"}', "truncated"),
        (b"name=ping", "malformed"),
        (b'{"name": "ping", "more": ' + b"[" * 1_500 + b"]" * 500 + b"}", "nested too deeply"),
    ],
)
def test_a_body_that_is_no_call_is_told_why(service: Service, body: bytes, told: str) -> None:
    detail = _problem(service.call(body), 400, "bad_request")
    assert told in detail
    assert detail.endswith('allowed is {"name": "<tool>", "arguments": {}}')
    assert "laptime.tool" not in service.environ


@hypothesis_settings(deadline=None)
@given(body=st.binary(max_size=200))
def test_any_bytes_are_answered_with_a_problem(service: Service, body: bytes) -> None:
    assert service.call(body).status_code == 400


def test_a_body_of_the_largest_size_is_read_and_one_byte_more_is_too_large(service: Service) -> None:
    body = b'{"name": "ping"}'
    assert service.call(body.ljust(LIMIT_BYTES)).status_code == 200
    detail = _problem(service.call(body.ljust(LIMIT_BYTES + 1)), 413, "too_large")
    assert detail == "the body is too large; allowed is at most 2,048 bytes"


@pytest.fixture
def port(service: Service) -> Iterator[int]:
    """The application on a real socket: a body in chunks is taken apart by a server only."""
    server = make_server("127.0.0.1", 0, service.app)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield server.server_port
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.mark.parametrize(("spaces", "status"), [(0, 200), (LIMIT_BYTES - 16, 200), (LIMIT_BYTES - 15, 413)])
def test_the_limit_holds_for_a_body_in_chunks_too(port: int, spaces: int, status: int) -> None:
    body = iter([b'{"name":', b' "ping"}', *[b" "] * spaces])
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(
            "POST", CALL, body=body, encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
        )
        response = connection.getresponse()
        assert response.status == status
        assert json.loads(response.read())["success"] is (status == 200)
