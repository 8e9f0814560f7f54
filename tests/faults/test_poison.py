"""Names and headers that a database or a number can't hold: the rest is stored, and nothing stands still."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.journeys.loopback import eventually
from tests.journeys.service import Service

from .measured import call
from .stores import hasty, is_well

NAMES = (
    b"%00", b"a%00b", b"%ED%A0%80", b"%ED%A0%80%ED%B0%80", b"%FF%FE", b"%C0%80", b"%F0%9F%98%80", b"%0D%0A",
    b"%E2%80%AE", b"%EF%BF%BF", b"'%22;--", b"%25s%25(x)s", b"x" * 3000, b"%20",
)  # fmt: skip
WAYS = (b"named", b"by_path", b"name_tool", b"surrogates")
STARTS = (
    b"nan", b"t=nan", b"inf", b"-inf", b"-1", b"1e400", b"0", b"9" * 4000, b"t=", b"1e18", b"-1e18",
    b"\xff\xfe", b"18446744073709551616", b"0x10", b"1_000_000_000",
)  # fmt: skip


def raw(service: Service, path: bytes, header: bytes = b"") -> int:
    """The status of a GET whose bytes go out as they are; 0 where the server hung up."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as client:
        client.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + header + b"\r\n")
        answer = client.recv(65536)
    return int(answer.split()[1]) if answer else 0


def total(service: Service, query: str) -> int:
    answer = service.get(f"/performance/metrics{query}")
    found: int = answer.json()["metrics"]["overview"]["total_requests"] if answer.status == 200 else -1
    return found


def test_poisonous_names_are_stored_as_far_as_they_can_be_with_all_others(
    tmp_path: Path, database_url: str
) -> None:
    with hasty(tmp_path, workers=2, env={"DATABASE_URL": database_url}) as service:
        paths = [b"/" + way + b"/" + name for way in WAYS for name in NAMES]
        assert {raw(service, path) for path in paths} == {200}
        assert call(service, "quick", 50).of_status(200) == 50
        expected = total(service, "")
        assert expected >= len(paths) + 50
        eventually(lambda: total(service, "?window=1h") == expected, "all in the window", within_s=20)
    with hasty(tmp_path, workers=1, env={"DATABASE_URL": database_url}) as service:  # by the store alone
        eventually(
            lambda: total(service, "?window=1h") - total(service, "") == expected, "all stored", within_s=20
        )
        assert is_well(service)
        for page in ("/performance/metrics?window=1h", "/performance/dashboard", "/dashboard/"):
            assert service.get(page).status == 200


def test_absurd_times_of_a_proxy_are_no_times_and_hold_up_nothing(tmp_path: Path, database_url: str) -> None:
    with hasty(tmp_path, workers=2, env={"DATABASE_URL": database_url}) as service:
        for start in STARTS:
            for name in (b"X-Request-Start", b"X-Queue-Start"):
                assert raw(service, b"/quick", name + b": " + start + b"\r\n") in (200, 400)
        assert raw(service, b"/" + b"x" * 2**20) in (0, 400, 414)  # the server's own limit
        assert call(service, "quick", 50).of_status(200) == 50
        expected = total(service, "")
        eventually(lambda: total(service, "?window=1h") == expected, "all in the window", within_s=20)
        queue = service.metrics()["queue_time"]
        assert all(value is None or 0 <= value < 3_600_000 for value in queue.values()), queue
        assert is_well(service)
