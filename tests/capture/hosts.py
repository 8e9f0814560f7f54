"""A measured application for tests: a real recorder, and requests by wsgiref's own server code."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from wsgiref.handlers import SimpleHandler
from wsgiref.util import setup_testing_defaults

from app.capture import cells as layout
from app.capture.hook import Hook
from app.capture.reader import Reader
from app.capture.recorder import Recorder
from app.model.series import Series, Worker

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

App = Callable[[dict[str, Any], Any], Iterable[bytes]]
OWN_PATH = "/dashboard"  # the one page of Laptime's own, which `app` answers too


class Measured:
    """`app` behind the hook, and what was counted of it."""

    def __init__(self, state: Path, app: App, **options: Any) -> None:
        self.recorder = Recorder(state, 100)
        self.reader = Reader(self.recorder)
        self.hook = Hook(self.recorder, self.start, **options).wrap(app, app, paths=frozenset({OWN_PATH}))

    def start(self) -> None:
        self.recorder.open()

    @property
    def tools(self) -> dict[str, Series]:
        return {name: totals.series for name, totals in self.reader.snapshot().tools.items()}

    @property
    def own(self) -> dict[str, Series]:
        return {name: totals.series for name, totals in self.reader.snapshot().own.items()}

    @property
    def only(self) -> Series:
        """The one tool that was counted."""
        [series] = self.tools.values()
        return series

    @property
    def worker(self) -> Worker:
        [worker] = self.reader.snapshot().workers
        return worker

    def worker_of(self, pid: int) -> Worker:
        [worker] = (one for one in self.reader.snapshot().workers if one.pid == pid)
        return worker


def notes_in(header: memoryview) -> int:
    """How many requests a worker's header tells as answered and not yet counted."""
    return sum(note >= layout.ANSWERED for note in header[layout.NOTES : layout.NOTES_END])


def environ_of(
    path: str = "/", method: str = "GET", more: Mapping[str, object] | None = None
) -> dict[str, Any]:
    """A whole WSGI environ of one request, and what `more` a host or a server has put into it."""
    environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "SCRIPT_NAME": "", **(more or {})}
    setup_testing_defaults(environ)
    return environ


class Server(SimpleHandler):
    """wsgiref's server code with nothing of the day in its answer; errors are kept, not printed."""

    wsgi_run_once = False
    http_version = "1.1"
    os_environ: dict[str, str] = {}  # noqa: RUF012 - the base class's attribute

    def __init__(self, environ: dict[str, Any]) -> None:
        self.out = io.BytesIO()
        self.failed = False
        super().__init__(io.BytesIO(), self.out, io.StringIO(), environ, multithread=True, multiprocess=True)

    def log_exception(self, exc_info: Any) -> None:  # noqa: ARG002
        self.failed = True


def served(app: WSGIApplication, environ: dict[str, Any]) -> tuple[bytes, list[bytes], bytes]:
    """One request through wsgiref: status line, header lines sorted, body."""
    server = Server(environ)
    server.run(app)
    head, _, body = server.out.getvalue().partition(b"\r\n\r\n")
    status, *headers = head.split(b"\r\n")
    return status, sorted(headers), body


def called(app: App, environ: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
    """One request as a plain server makes it: status, headers, body; the body is closed in any case."""
    told: list[Any] = []
    written: list[bytes] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        if exc_info is not None and written:
            raise exc_info[1]
        told[:] = [status, dict(headers)]
        return written.append

    body = app(environ, start)
    try:
        for chunk in body:
            written.append(chunk)  # noqa: PERF402 - one after the other, as a server does
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()
    return told[0], told[1], b"".join(written)
