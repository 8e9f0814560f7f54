"""Wrong and hostile requests to a running service end in a clear error, and it goes on answering."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from .service import KEY, Service

pytestmark = pytest.mark.xdist_group("bad_input")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder = tmp_path_factory.mktemp("bad-input")
    workspace = folder / "workspace"
    workspace.mkdir()
    (workspace / "inside.txt").write_text("inside")
    (folder / "outside.txt").write_text("canary outside")
    (workspace / "link").symlink_to(folder / "outside.txt")
    env = {"LAPTIME_WORKSPACE": str(workspace), "LAPTIME_MAX_BODY_BYTES": "2048"}
    with Service(folder, workers=2, env=env) as running:
        yield running


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'{"arguments": {}}', 400),
        (b'{"name": 5}', 400),
        (b'{"name": "ping", "arguments": []}', 400),
        (b'{"name": "no_such_tool", "arguments": {}}', 400),
        (b'{"name": "ping", "arguments": {"extra": 1}}', 400),
        (b'{"name": "read_file", "arguments": {"file_path": 7}}', 400),
        (b'{"name": "read_file", "arguments": {"file_path": "missing"}}', 404),
        (b'{"name": "ping", "pad": "' + b"x" * 4096 + b'"}', 413),
        (b"\xff\xfe", 400),
        (b"[" * 2000, 400),
    ],
)
def test_a_wrong_call_is_a_problem_that_says_what_was_wrong(
    service: Service, body: bytes, status: int
) -> None:
    answer = service.request("POST", "/api/v1/tools/call", body=body)
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["success"] is False
    assert problem["status"] == status
    assert len(problem["detail"]) > 10


@pytest.mark.parametrize(
    "path",
    ["../outside.txt", "/etc/passwd", "link", "..%2foutside.txt", "a/../../outside.txt", "\x00", "x" * 5000],
)
def test_a_hostile_path_reads_nothing_outside(service: Service, path: str) -> None:
    for tool in ("read_file", "analyze_code"):
        answer = service.call_tool(tool, {"file_path": path})
        assert answer.status in (400, 404, 413), answer.body
        assert b"canary" not in answer.body
        assert b"root:" not in answer.body


@pytest.mark.parametrize(
    "query",
    ["window=", "window=2h", "window=1h&window=1h", "from=yesterday", "to=2025-01-01T00:00:00%2B00:00",
     "from=2025-01-01T00:00:00", "window=1h&from=2025-01-01T00:00:00%2B00:00", "tool_name="],
)  # fmt: skip
def test_a_wrong_parameter_is_a_problem_that_names_it(service: Service, query: str) -> None:
    answer = service.get(f"/performance/metrics?{query}")
    assert answer.status == 400, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert query.partition("=")[0] in answer.json()["detail"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "BREW"])
def test_another_method_is_a_405_problem(service: Service, method: str) -> None:
    answer = service.request(method, "/performance/metrics")
    assert answer.status == 405
    assert answer.json()["success"] is False
    assert "GET" in answer.headers["Allow"]


def test_a_body_without_a_length_is_cut_at_the_limit(service: Service) -> None:
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    head = f"POST /api/v1/tools/call HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\n"
    head += "Transfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.sendall(head.encode() + chunk * 8 + b"0\r\n\r\n")
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_no_key_no_answer_but_for_health_and_the_way_in(service: Service) -> None:
    api = [f"/performance/{name}" for name in ("metrics", "alerts", "dashboard", "health", "no-such")]
    for path in (*api, "/tools/list", "/no/such/page", f"/performance/metrics?key={KEY}"):
        answer = service.get(path, key=False)
        assert answer.status == 401, path
        assert answer.json()["code"] == "unauthorized"
    assert service.get("/health", key=False).json()["status"] == "healthy"
    assert service.get("/dashboard/signin", key=False).status == 200
    redirected = service.get("/dashboard/", key=False)
    assert redirected.status == 303
    assert redirected.headers["Location"].startswith("/dashboard/signin")


def test_the_service_still_counts_after_all_of_it(service: Service) -> None:
    assert service.call_tool("ping").status == 200
    assert service.metrics("?tool_name=ping")["success_rate"] > 0
    assert Path(service.state / "key").exists() is False  # a chosen key is kept nowhere
