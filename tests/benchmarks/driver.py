"""The bare application and a variant of it in one process, in turns: what the process itself is like cancels.

Each line on stdin runs one round of both, each answer is the two in nanoseconds a request.

python -m tests.benchmarks.driver wsgi "Laptime, everything on" /tmp/folder
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from .variants import BARE, App, build

ROUND_NS = 60_000_000
WARM_UP = 300


def environ_of(path: str = "/") -> dict[str, Any]:
    """A request as a server hands it over."""
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost:8000",
        "HTTP_USER_AGENT": "bench",
        "HTTP_ACCEPT": "*/*",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def drive(app: App, environ: dict[str, Any], requests: int) -> int:
    """Answer so many requests as a server does, the body iterated and closed; the nanoseconds of all."""

    def start_response(_status: str, _headers: Any, _exc_info: Any = None) -> Any:
        return None

    began_ns = perf_counter_ns()
    for _ in range(requests):
        body = app(environ.copy(), start_response)
        for _chunk in body:
            pass
        close = getattr(body, "close", None)
        if close is not None:
            close()
    return perf_counter_ns() - began_ns


def main() -> None:
    """Build, warm up, and answer a line for a line."""
    kind, variant, folder = sys.argv[1:]
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a peer prints must not look like an answer
    apps = build(kind, BARE, Path(folder)), build(kind, variant, Path(folder))
    environ = environ_of()
    took_ns = [max(1, drive(app, environ, WARM_UP)) for app in apps]
    requests = max(20, ROUND_NS * WARM_UP // max(took_ns))
    for app in apps:
        drive(app, environ, requests)
    print("ready", file=out, flush=True)
    for number, _line in enumerate(sys.stdin):
        turn = (0, 1) if number % 2 else (1, 0)
        took = {which: drive(apps[which], environ, requests) / requests for which in turn}
        print(took[0], took[1], file=out, flush=True)
    os._exit(0)  # threads and exit hooks of a peer are not part of what is measured


if __name__ == "__main__":
    main()
