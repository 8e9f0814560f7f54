"""The WSGI hook: times each request from its entry to the close of its body, and counts it once.

It stands before the host's application and changes nothing of what the host sends but for up to three
response headers. Whatever the host raises goes through; nothing of ours is raised into it. Laptime's own
pages are answered from here too, and counted apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from .call import Call
from .own_cost import TIMED, TimedCall
from .recorder import Recorder
from .stream import Stream, watch_file

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def nothing_of_ours(_environ: WSGIEnvironment, _start_response: StartResponse) -> Iterable[bytes]:
    """In the place of Laptime's own pages where it has none: no path leads here."""
    raise LookupError("no path is Laptime's own here")


class Hook:
    """Measures applications. `ensure_started` is called by the first request of each process.

    With `response_headers` each response tells its own time and success. A request slower than `slow_ms`
    is logged at WARNING.
    """

    def __init__(
        self,
        recorder: Recorder,
        ensure_started: Callable[[], None],
        *,
        response_headers: bool = True,
        slow_ms: float = 1000.0,
    ) -> None:
        self.recorder = recorder
        self.ensure_started = ensure_started
        self.response_headers = response_headers
        self.slow_ns = int(slow_ms * 1e6)

    def wrap(
        self,
        application: WSGIApplication,
        own: WSGIApplication = nothing_of_ours,
        prefixes: tuple[str, ...] = (),
        paths: frozenset[str] = frozenset(),
    ) -> WSGIApplication:
        """`application`, measured; `own` answers `paths` and what is at or below the `prefixes`."""
        recorder = self.recorder
        below = tuple(f"{prefix}/" for prefix in prefixes)
        exactly = paths.union(prefixes)

        # A function and its free variables: calling an object would cost a twentieth of all of it.
        def measured(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            began_ns = perf_counter_ns()
            path = environ.get("PATH_INFO", "")
            try:
                note = recorder.free.popleft()
            except IndexError:
                if not recorder.is_open and not self._is_started():
                    is_own = path in exactly or path.startswith(below)
                    return (own if is_own else application)(environ, start_response)
                _, note = recorder.enter()
            call = TimedCall() if note >= TIMED else Call()
            call.began_ns = began_ns
            call.hook = self
            call.environ = environ
            call.start_response = start_response
            call.path = path
            call.header = header = recorder.header
            call.note = note
            call.tool = None
            call.first_ns = 0
            methods = recorder.paths.get(path)
            if methods is None and not (path in exactly or path.startswith(below)):
                methods = recorder.methods_of(path)
            if methods is not None:
                call.methods = methods
                call.tools = recorder.tools
                served = application
                header[note] = began_ns
            else:
                call.methods = {}
                call.tools = recorder.own
                served = own
            if note >= TIMED:
                call.spent(perf_counter_ns() - began_ns)
            try:
                body = served(environ, call.start)
            except BaseException as error:  # a worker's time-out too: counted, and handed on as it is
                call.fail(error)
                call.close()
                raise
            if type(body) is list or type(body) is tuple:
                call.extend(body)
                call.answered(body)
                return call
            return _handed_through(call, body)

        return measured

    def _is_started(self) -> bool:
        """Start this process's part of the service; where that fails, the host answers unmeasured."""
        try:
            self.ensure_started()
        except Exception as error:  # noqa: BLE001 - the host comes first: no fault of ours reaches it
            self.recorder.fault(error)
        return self.recorder.is_open


def _handed_through(call: Call, body: Any) -> Iterable[bytes]:
    """A body that is no list, as it is; the server's own file wrapper stays the server's."""
    wrapper = (call.environ or {}).get("wsgi.file_wrapper")
    if wrapper is not None and isinstance(wrapper, type) and isinstance(body, wrapper):
        return watch_file(call, body)
    return Stream(call, body)
