"""The WSGI hook: times each request from its entry to the close of its body, and counts it once.

It stands before the host's application and changes nothing of what the host sends but for up to three
response headers. Whatever the host raises goes through; nothing of ours is raised into it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from .cells import ANSWERED, ENTERED
from .naming import UNMATCHED, printable, tool_of
from .recorder import CLIENT_ERROR, FAILURE, SERVER_ERROR, SUCCESS, Recorder

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("laptime.slow")

OWN = "laptime.own"
_LENGTH_DIGITS = 15  # a Content-Length past 100 TB is nonsense, and a cell's 64 bits are not endless
_OUR_HEADERS = frozenset({"x-response-time", "x-request-success", "server-timing"})


class Hook:
    """Measures `application`. `ensure_started` is called by the first request of each process."""

    def __init__(
        self,
        application: WSGIApplication,
        recorder: Recorder,
        ensure_started: Callable[[], None],
        *,
        response_headers: bool = True,
        slow_ms: float = 1000.0,
    ) -> None:
        self.application = application
        self.recorder = recorder
        self.ensure_started = ensure_started
        self.response_headers = response_headers
        self.slow_ns = int(slow_ms * 1e6)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        began_ns = perf_counter_ns()
        if not self.recorder.is_open and not self._is_started():
            return self.application(environ, start_response)
        call = _Call()
        call.hook, call.environ, call.start_response = self, environ, start_response
        call.began_ns, call.status, call.name, call.length, call.sent = began_ns, 0, "", -1, 0
        call.is_answered = call.is_closed = False
        call.body = ()
        self.recorder.header[ENTERED] += 1
        try:
            body = self.application(environ, call.start)
        except BaseException:  # SystemExit at a worker's time-out too: counted, and handed on as it is
            call.status = 500
            call.record()
            raise
        call.body = body
        kind = type(body)
        if kind is list or kind is tuple:
            call.is_answered = True
            self.recorder.header[ANSWERED] += 1
            call.__class__ = _SizedCall
            return call
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type) and isinstance(body, wrapper):
            return call.watch_file(body)
        return call

    def _is_started(self) -> bool:
        """Start this process's part of the service; where that fails, the host answers unmeasured."""
        try:
            self.ensure_started()
        except Exception as error:  # noqa: BLE001 - the host comes first: no fault of ours reaches it
            self.recorder.fault(error)
        return self.recorder.is_open


class _Call:
    """One request: its start_response, and the body that the server iterates over and closes."""

    __slots__ = (
        "began_ns", "body", "environ", "hook", "is_answered", "is_closed", "length", "name", "sent",
        "start_response", "status",
    )  # fmt: skip

    hook: Hook
    environ: WSGIEnvironment
    start_response: StartResponse
    began_ns: int
    body: Iterable[bytes]
    status: int
    name: str
    length: int
    sent: int
    is_answered: bool
    is_closed: bool

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        """The start_response that the host calls: reads the status and the route, adds our headers."""
        try:
            headers = self._read(status, headers)
        except Exception as error:  # noqa: BLE001 - the host comes first: no fault of ours reaches it
            self.name = self.name or UNMATCHED
            self.hook.recorder.fault(error)
        if exc_info is None:
            return self.start_response(status, headers)
        return self.start_response(status, headers, exc_info)

    def _read(self, status: str, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        elapsed_ns = perf_counter_ns() - self.began_ns
        code = self.status = int(status[:3])
        self.name = tool_of(self.environ, code)
        present = set()
        self.length = -1
        for name, value in headers:
            lowered = name.lower()
            if lowered == "content-length":
                self.length = int(value) if value.isdecimal() and len(value) < _LENGTH_DIGITS else -1
            elif lowered in _OUR_HEADERS:
                present.add(lowered)
        if not self.hook.response_headers:
            return headers
        elapsed = f"{elapsed_ns / 1e6:.2f}"
        success = "true" if 200 <= code < 400 and "laptime.failure" not in self.environ else "false"
        ours = (
            ("X-Response-Time", f"{elapsed}ms"), ("X-Request-Success", success),
            ("Server-Timing", f"app;dur={elapsed}"),
        )  # fmt: skip
        return headers + [pair for pair in ours if pair[0].lower() not in present]

    def __iter__(self) -> Iterator[bytes]:
        """The host's body as it is. Once its last byte is handed out, the request is answered."""
        try:
            for chunk in self.body:
                self.sent += len(chunk)
                if self.sent >= self.length >= 0:
                    self.answered()
                yield chunk
            self.answered()
        except GeneratorExit:
            raise
        except BaseException:
            self.status = 500
            raise

    def answered(self) -> None:
        """Mark the request for readers: the client may have it all before it is closed."""
        if not self.is_answered:
            self.is_answered = True
            self.hook.recorder.header[ANSWERED] += 1

    def close(self) -> None:
        """Close the host's body and count the request; the server calls it, also when the client left."""
        close = getattr(self.body, "close", None)
        try:
            if close is not None:
                close()
        except BaseException:
            self.status = 500
            raise
        finally:
            self.record()

    def record(self) -> None:
        """Count this request, once."""
        if self.is_closed:
            return
        self.is_closed = True
        try:
            self._record()
        except Exception as error:  # noqa: BLE001 - the host comes first: no fault of ours reaches it
            self.hook.recorder.fault(error)

    def _record(self) -> None:
        ended_ns = perf_counter_ns()
        hook, environ, status = self.hook, self.environ, self.status
        recorder = hook.recorder
        if not recorder.is_open:  # a child that the host's view forked, and that answers now
            hook.ensure_started()
            recorder.header[ENTERED] += 1
            self.is_answered = False
        if 200 <= status < 400:
            outcome = FAILURE if "laptime.failure" in environ else SUCCESS
        else:
            outcome = CLIENT_ERROR if 400 <= status < 500 else SERVER_ERROR
        self.answered()
        duration_ns = ended_ns - self.began_ns
        own = OWN in environ
        size = self.sent or self.length
        if size < 0:
            size = self.told_bytes()
        # Whoever failed before it sent headers was not named yet, and a crash must not look unmatched.
        name = self.name or tool_of(environ, status)
        recorder.record(name, own, ended_ns, duration_ns, outcome, size)
        if duration_ns > hook.slow_ns:
            log.warning(
                "slow request: %s took %.1f ms (status %d)", printable(name), duration_ns / 1e6, status
            )

    def told_bytes(self) -> int:
        """The size of a body that was not counted on its way, and for which no length was told."""
        return 0

    def watch_file(self, body: Any) -> Iterable[bytes]:
        """Leave the server's own file wrapper in place, so that it can use sendfile, and hook its close."""
        close = getattr(body, "close", None)

        def close_and_record() -> None:
            try:
                if close is not None:
                    close()
            except BaseException:
                self.status = 500
                raise
            finally:
                self.record()

        try:
            body.close = close_and_record
        except (AttributeError, TypeError):  # a wrapper without room for it: sent as any other body
            return self
        return body  # type: ignore[no-any-return]


class _SizedCall(_Call):
    """A body that is a list or a tuple: handed out natively, its length told as the host's would be."""

    __slots__ = ()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.body)

    def __len__(self) -> int:
        return len(self.body)  # type: ignore[arg-type]

    def told_bytes(self) -> int:
        return sum(len(chunk) for chunk in self.body if isinstance(chunk, bytes))
