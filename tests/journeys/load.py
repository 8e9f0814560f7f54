"""Calls to a service from many clients at once, counted exactly: what a client received in full, and no more.

Tests call `send`. From a terminal, `make load` puts traffic on a running service and prints the counts that
its dashboard has to show.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Call:
    """One request; `tool` is the name that the service is to count it under."""

    tool: str
    method: str
    path: str
    body: bytes | None = None


@dataclass(slots=True)
class Counts:
    """What came back: answers by (tool, status), and the calls that got no whole answer."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All answers."""
        return self.answers.total()

    def of_tool(self, tool: str) -> int:
        """The answers to one tool's calls, of any status."""
        return sum(count for (name, _), count in self.answers.items() if name == tool)

    def of_status(self, status: int) -> int:
        """The answers with one status, of any tool."""
        return sum(count for (_, found), count in self.answers.items() if found == status)


def tool_call(name: str, arguments: dict[str, object] | None = None) -> Call:
    """A call of a bundled tool."""
    body = json.dumps({"name": name, "arguments": arguments or {}}).encode()
    return Call(name, "POST", "/api/v1/tools/call", body)


def send(address: str, key: str, calls: Iterable[Call], *, clients: int = 8, timeout_s: float = 60) -> Counts:
    """Send every call once, from `clients` threads, each call on a connection of its own.

    A call without a whole answer is counted in `unanswered` and not sent again.
    """
    waiting, counts, lock = iter(calls), Counts(), threading.Lock()

    def client() -> None:
        while True:
            with lock:
                call = next(waiting, None)
            if call is None:
                return
            status = _send_one(address, key, call, timeout_s)
            with lock:
                if status is None:
                    counts.unanswered[call.tool] += 1
                else:
                    counts.answers[call.tool, status] += 1

    threads = [threading.Thread(target=client, name=f"client-{number}") for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts


def mixed(number: int) -> list[Call]:
    """So many calls of the bundled tools: quick and slow ones, and one in twenty that fails."""
    several = [
        tool_call("ping"),
        tool_call("list_files", {"directory": "."}),
        tool_call("ping"),
        tool_call("read_file", {"file_path": "README.md"}),
        tool_call("get_system_status"),
        tool_call("ping"),
        tool_call("list_files", {"directory": "app"}),
        tool_call("analyze_code", {"file_path": "app/settings.py"}),
        tool_call("ping"),
        tool_call("read_file", {"file_path": "no such file"}),
    ]
    rare = [*several[:-1], several[0]]
    return [(several if place // 10 % 2 else rare)[place % 10] for place in range(number)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Send mixed calls to a running service and print what came back, tool by tool."""
    parser = argparse.ArgumentParser(prog="load", description=main.__doc__)
    port = os.environ.get("PORT", "8000")
    parser.add_argument("--address", default=f"http://127.0.0.1:{port}", help="default: %(default)s")
    parser.add_argument("--key", help="default: LAPTIME_API_KEY, else the key in the state folder")
    parser.add_argument("--calls", type=int, default=2000, help="default: %(default)s")
    parser.add_argument("--clients", type=int, default=8, help="default: %(default)s")
    options = parser.parse_args(arguments)
    counts = send(options.address, options.key or _found_key(), mixed(options.calls), clients=options.clients)
    lines = [f"{tool:20} {status} {count:8,}" for (tool, status), count in sorted(counts.answers.items())]
    lines += [f"{tool:20} --- {count:8,} without an answer" for tool, count in counts.unanswered.items()]
    lines.append(f"{'answers in all':20}     {counts.total:8,}")
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if counts.unanswered else 0


def _send_one(address: str, key: str, call: Call, timeout_s: float) -> int | None:
    parts = urlsplit(address)
    connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=timeout_s)
    headers = {"X-API-Key": key, "Connection": "close"}
    if call.body is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request(call.method, call.path, call.body, headers)
        response = connection.getresponse()
        response.read()  # IncompleteRead, an HTTPException, if the end is missing
    except (OSError, HTTPException):
        return None
    else:
        return response.status
    finally:
        connection.close()


def _found_key() -> str:
    chosen = os.environ.get("LAPTIME_API_KEY")
    return chosen or (Path(os.environ.get("LAPTIME_STATE_DIR", "instance")) / "key").read_text().strip()


if __name__ == "__main__":
    sys.exit(main())
