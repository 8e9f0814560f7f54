"""The WSGI hook: times each request from its entry to the close of its body, and counts it once.

It stands before the host's application and changes nothing of what the host sends but for up to three
response headers. Whatever the host raises goes through; nothing of ours is raised into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import perf_counter_ns
from typing import TYPE_CHECKING

from .call import Call
from .cells import ENTERED
from .recorder import Recorder
from .stream import Stream, watch_file

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Hook:
    """Measures `application`. `ensure_started` is called by the first request of each process.

    With `response_headers` each response tells its own time and success. A request slower than `slow_ms`
    is logged at WARNING.
    """

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
        call = Call()
        call.began_ns = perf_counter_ns()
        recorder = self.recorder
        if not recorder.is_open and not self._is_started():
            return self.application(environ, start_response)
        call.hook = self
        call.environ = environ
        call.start_response = start_response
        call.tool = None
        recorder.header[ENTERED] += 1
        try:
            body = self.application(environ, call.start)
        except BaseException:  # SystemExit at a worker's time-out too: counted, and handed on as it is
            call.fail()
            call.close()
            raise
        if type(body) is list or type(body) is tuple:
            call.extend(body)
            call.answered()
            return call
        wrapper = environ.get("wsgi.file_wrapper")
        if wrapper is not None and isinstance(wrapper, type) and isinstance(body, wrapper):
            return watch_file(call, body)
        return Stream(call, body)

    def _is_started(self) -> bool:
        """Start this process's part of the service; where that fails, the host answers unmeasured."""
        try:
            self.ensure_started()
        except Exception as error:  # noqa: BLE001 - the host comes first: no fault of ours reaches it
            self.recorder.fault(error)
        return self.recorder.is_open
