"""One request on its way: its start_response and, for a host that answers with a list, its body.

Every object and every call on this path is paid by every request. So one object is all of it: being a
list, it is iterated over and measured by the server without a call of ours.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from .cells import NOWHERE, REPORTED, SERVER_ERROR, SERVICE
from .endings import note_time_out
from .headers import BAD, GOOD, OURS, STATUSES, Pair, ours, status_of, told_length, without
from .naming import FAILURE, METHODS, ROUTE, TOOL, UNMATCHED, key_of
from .queueing import QUEUE_START, REQUEST_START, queued_ns

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from .hook import Hook
    from .tool import Tool, Tools

log = logging.getLogger("laptime.slow")

UNSEEN = -1  # nothing of the body went through our hands


class Call(list[bytes]):
    """One request. The hook fills it in, without an __init__, which would cost another call.

    `environ` is None once the request is counted, `header` is that of the file that its `note` lies in.
    `tool` is None until headers are sent, and then `status`, `outcome` (cells.SUCCESS and so on), `headers`
    and `sent`, the body's bytes or UNSEEN, are set. `first_ns` is the performance counter at a stream's first
    byte, 0 for none. `path` is as it came, and `methods` are its tools by method, where nothing but the path
    names them.
    """

    __slots__ = (
        "began_ns", "environ", "first_ns", "header", "headers", "hook", "methods", "note", "outcome", "path",
        "sent", "start_response", "status", "tool", "tools",
    )  # fmt: skip

    hook: Hook
    environ: WSGIEnvironment | None
    start_response: StartResponse
    began_ns: int
    first_ns: int
    header: memoryview
    note: int
    tools: Tools
    methods: dict[str, Tool]
    path: str
    tool: Tool | None
    status: int
    outcome: int
    headers: list[Pair]
    sent: int

    def start(self, status: str, headers: list[Pair], exc_info: Any = None) -> Callable[[bytes], object]:
        """The start_response that the host calls: reads the status and the route, adds our headers."""
        environ = self.environ
        told = (self.status, self.outcome) if exc_info is not None and self.tool is not None else None
        if environ is not None:
            try:
                self.status, self.outcome = STATUSES.get(status) or status_of(status)
                self.headers = headers
                self.sent = UNSEEN
                if (
                    TOOL in environ or "werkzeug.request" in environ or ROUTE in environ
                    or "bottle.app" in environ or self.status == 404 or environ.get("SCRIPT_NAME")
                ):  # fmt: skip
                    tools = self.tools
                    key = key_of(environ, self.status)
                    self.tool = tools.known.get(key) or tools.find(key)
                else:  # its path and method name it, and the hook has looked the path up already
                    method = environ.get("REQUEST_METHOD", "")
                    self.tool = self.methods.get(method) or self._find(method)
                if self.hook.response_headers:
                    hundredths = (perf_counter_ns() - self.began_ns + 5000) // 10_000
                    known = BAD if self.outcome or FAILURE in environ else GOOD
                    added = known.get(hundredths) or ours(hundredths, known)
                    for name, _ in headers:
                        if 12 < len(name) < 18 and name.lower() in OURS:
                            headers = without(added, headers)
                            break
                    else:
                        headers = [*headers, *added]
            except Exception as error:  # noqa: BLE001 - the host comes first: no fault of ours reaches it
                self.hook.recorder.fault(error)
                if self.header is self.hook.recorder.header:  # else a forked child's: named when counted
                    environ["laptime.tool"] = UNMATCHED
        if exc_info is None:
            return self.start_response(status, headers)
        try:
            return self.start_response(status, headers, exc_info)
        except BaseException:  # too late to tell another status, and the host may go on with the first
            self.status, self.outcome = told or (self.status, self.outcome)
            raise

    def answered(self, body: Sequence[bytes] = ()) -> None:
        """Note that the request is answered, where it survives this process: close() may come late.

        Called when the last byte is handed out; of a list, as a whole, it is told the `body`.
        """
        tool = self.tool
        if tool is None:
            return
        try:
            if body:
                self.sent = len(body[0]) if len(body) == 1 else sum(map(len, body))
            header = self.header
            if header is self.hook.recorder.header:
                outcome = self.outcome
                if not outcome and FAILURE in self.environ:  # type: ignore[operator]
                    outcome = REPORTED
                header[self.note] = tool.answered[outcome]
        except Exception as error:  # noqa: BLE001 - the host comes first: no fault of ours reaches it
            self.hook.recorder.fault(error)

    def close(self) -> None:
        """Count this request, once; the server calls it, also when the client left."""
        environ = self.environ
        if environ is None:
            return
        ended_ns = perf_counter_ns()
        self.environ = None
        hook = self.hook
        recorder = hook.recorder
        try:
            tool = self.tool
            if tool is None or self.header is not recorder.header:
                tool = self._found(environ)
            taken_ns = ended_ns - self.began_ns
            outcome = self.outcome
            if not outcome and FAILURE in environ:
                outcome = REPORTED
            size = self.sent
            if size < 0:
                size = self._unseen_bytes(environ)
            streaming_ns = ended_ns - self.first_ns if self.first_ns else 0
            if REQUEST_START in environ or QUEUE_START in environ:
                self._count_queue(environ, tool, ended_ns)
            note = self.note
            tool.count(note, ended_ns, taken_ns, outcome, size, streaming_ns)
            if taken_ns > hook.slow_ns:
                log.warning(
                    "slow request: %s took %.1f ms (status %d)", tool.name, taken_ns / 1e6, self.status
                )
            if note != NOWHERE:
                recorder.free.append(note)
            else:
                recorder.leave(self.header, note)
        except Exception as error:  # noqa: BLE001 - the host comes first: no fault of ours reaches it
            recorder.fault(error)
            recorder.leave(self.header, self.note)

    def _count_queue(self, environ: WSGIEnvironment, tool: Tool, ended_ns: int) -> None:
        recorder = self.hook.recorder
        waited_ns = queued_ns(environ, recorder.epoch_ns + self.began_ns)
        if waited_ns is not None and self.tools.kind == SERVICE:
            recorder.queue(tool, ended_ns, waited_ns)

    def _find(self, method: str) -> Tool:
        key = method, "", self.path, False
        tool = self.tools.known.get(key) or self.tools.find(key)
        if method in METHODS:  # of others there may be any number
            self.methods[method] = tool
        return tool

    def spent(self, own_ns: int) -> None:
        """What the hook spent on this request so far; of most nobody adds it up (see `own_cost`)."""

    def _unseen_bytes(self, environ: WSGIEnvironment) -> int:
        """The size of a body that went out by write() or sendfile, as far as the headers told it."""
        if self.tool is None or self.status in (204, 304) or environ.get("REQUEST_METHOD") == "HEAD":
            return 0
        return max(0, told_length(self.headers))

    def fail(self, error: BaseException | None = None) -> None:
        """The host raised `error`: a server error, whatever status it had sent."""
        self.status, self.outcome = 500, SERVER_ERROR
        if isinstance(error, SystemExit):
            note_time_out(self.hook.recorder.header, error)
        if self.tool is None or self.sent < 0:
            self.sent = 0

    def _found(self, environ: WSGIEnvironment) -> Tool:
        """The tool of a request that sent no headers in this process.

        Whoever raises before the headers was not named yet, and a crash must not look unmatched.
        """
        recorder = self.hook.recorder
        if self.header is not recorder.header:  # a child that the view forked and that answers now, say
            if not recorder.is_open:
                self.hook.ensure_started()
            self.header, self.note = recorder.enter_again(self.header, self.note)
        tools = recorder.own if self.tools.kind else recorder.tools
        if self.tool is not None:  # named before the fork
            return tools.named.get(self.tool.name) or recorder.add(self.tool.name, tools)
        if not hasattr(self, "status"):
            self.fail()
        self.sent = 0
        try:
            key = key_of(environ, self.status)
            return tools.known.get(key) or tools.find(key)
        except Exception as error:  # noqa: BLE001 - a name of the host's that is none costs no count
            recorder.fault(error)
            return recorder.tool(UNMATCHED, own=bool(self.tools.kind))
