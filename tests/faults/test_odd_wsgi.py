"""Hosts that use all that WSGI allows: the same bytes as without Laptime, and each request counted once."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.loopback import eventually
from tests.journeys.service import Service

from .measured import HOST, counted, in_flight, measured

ODD = (
    "by_sendfile", "by_write", "restarted", "nothing", "unchanged", "streamed", "in_view", "in_iterator",
    "in_close", "quick",
)  # fmt: skip

pytestmark = pytest.mark.xdist_group("odd_wsgi")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Service]]:
    """The host alone, and the host behind Laptime with its response headers off."""
    bare = Service(tmp_path_factory.mktemp("bare"), app=HOST, workers=1, tracebacks=True)
    own = {"LAPTIME_RESPONSE_HEADERS": "false"}
    with bare, measured(tmp_path_factory.mktemp("measured"), workers=1, env=own, tracebacks=True) as service:
        yield bare, service


def raw(port: int, method: str, path: str) -> bytes:
    """All bytes that the server sends until it closes the connection, the date left out."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(f"{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
        received = b"".join(iter(lambda: client.recv(65536), b""))
    head, end, body = received.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Date:")]
    return b"\r\n".join(lines) + end + body


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("route", ODD)
def test_the_bytes_are_the_hosts_own_and_the_request_is_counted_once(
    both: tuple[Service, Service], route: str, method: str
) -> None:
    bare, service = both
    before = counted(service, route)
    expected = raw(bare.port, method, f"/{route}")
    assert expected.startswith(b"HTTP/1.1 ")
    assert raw(service.port, method, f"/{route}") == expected
    eventually(lambda: counted(service, route) >= before + 1, "the count")
    assert counted(service, route) == before + 1


def test_a_file_goes_out_by_sendfile_as_it_is(both: tuple[Service, Service]) -> None:
    """The host's file can't be read in Python, so an answer at all is sendfile's."""
    _, service = both
    file = Path(__file__).with_name("host.py").read_bytes()
    assert raw(service.port, "GET", "/by_sendfile").endswith(b"\r\n\r\n" + file)


@pytest.mark.parametrize("route", ["in_view", "in_iterator", "in_close"])
def test_what_the_host_raises_is_a_server_error(both: tuple[Service, Service], route: str) -> None:
    _, service = both
    before = service.metrics(f"?tool_name={route}")["server_errors"]
    raw(service.port, "GET", f"/{route}")
    eventually(
        lambda: service.metrics(f"?tool_name={route}")["server_errors"] == before + 1, "the server error"
    )


def test_clients_that_leave_in_the_middle_are_counted_once_and_are_nobodys_failure(
    both: tuple[Service, Service],
) -> None:
    _, service = both
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", service.port), timeout=20) as client:
            client.sendall(b"GET /endless HTTP/1.1\r\nHost: h\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
    eventually(lambda: counted(service, "endless") == 5, "five counted")
    assert service.metrics("?tool_name=endless")["error_count"] == 0
    eventually(lambda: in_flight(service.state) == 0, "nothing in flight")
