"""One request on its way: its start_response and, for a host that answers with a list, its body.

Every object and every call on this path is paid by every request. So one object is all of it: being a
list, it is iterated over and measured by the server without a call of ours.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from .cells import ENTERED, REPORTED, SERVER_ERROR
from .headers import BAD, GOOD, OURS, STATUSES, TIMES, Pair, status_of, times_of, told_length, without
from .naming import UNMATCHED, tool_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from .hook import Hook
    from .recorder import Tool

log = logging.getLogger("laptime.slow")

OWN = "laptime.own"
FAILURE = "laptime.failure"


class Call(list[bytes]):
    """One request. The hook fills it in, without an __init__, which would cost another call.

    `hook` is None once the request is counted. `tool` is None until headers are sent, and then the four
    behind it are set: `status`, `outcome` (cells.SUCCESS and so on), `headers`, and `note`, the place of
    this request's note while it is answered and not counted. `sent` is the body's bytes.
    """

    __slots__ = (
        "began_ns", "environ", "headed_ns", "headers", "hook", "note", "outcome", "sent", "start_response",
        "status", "tool",
    )  # fmt: skip

    hook: Hook | None
    environ: WSGIEnvironment
    start_response: StartResponse
    began_ns: int
    headed_ns: int
    tool: Tool | None
    status: int
    outcome: int
    headers: list[Pair]
    note: int
    sent: int

    def start(self, status: str, headers: list[Pair], exc_info: Any = None) -> Callable[[bytes], object]:
        """The start_response that the host calls: reads the status and the route, adds our headers."""
        hook = self.hook
        if hook is not None:
            environ = self.environ
            try:
                headed_ns = self.headed_ns = perf_counter_ns()
                self.status, self.outcome = STATUSES.get(status) or status_of(status)
                self.headers = headers
                self.note = self.sent = 0
                name = environ.get("laptime.tool")
                if type(name) is not str:
                    name = tool_of(environ, self.status)
                recorder = hook.recorder
                tools = recorder.own if OWN in environ else recorder.tools
                self.tool = tools.get(name) or recorder.add(name, tools)
                if hook.response_headers:
                    hundredths = (headed_ns - self.began_ns + 5000) // 10_000
                    time, timing = TIMES.get(hundredths) or times_of(hundredths)
                    good = BAD if self.outcome or FAILURE in environ else GOOD
                    for header, _ in headers:
                        if 12 < len(header) < 18 and header.lower() in OURS:
                            headers = without([time, good, timing], headers)
                            break
                    else:
                        headers = [*headers, time, good, timing]
            except Exception as error:  # noqa: BLE001 - the host comes first: no fault of ours reaches it
                hook.recorder.fault(error)
                if hook.recorder.is_open:  # else it is a forked child's, which is named when it is counted
                    environ["laptime.tool"] = UNMATCHED
        if exc_info is None:
            return self.start_response(status, headers)
        return self.start_response(status, headers, exc_info)

    def answered(self) -> None:
        """Note the request where it survives this process: the client may have its answer before close().

        Called when the last byte is handed out; a list is, as a whole.
        """
        tool = self.tool
        if tool is None or self.note:
            return
        try:
            if self:
                self.sent = len(self[0]) if len(self) == 1 else sum(map(len, self))
            recorder = tool.recorder
            free = recorder.free
            if free:
                outcome = self.outcome or (FAILURE in self.environ and REPORTED)
                note = self.note = free.pop()
                recorder.header[note] = self.headed_ns - self.began_ns << 18 | outcome << 16 | tool.mark
        except Exception as error:  # noqa: BLE001 - the host comes first: no fault of ours reaches it
            tool.recorder.fault(error)

    def close(self) -> None:
        """Count this request, once; the server calls it, also when the client left."""
        hook = self.hook
        if hook is None:
            return
        ended_ns = perf_counter_ns()
        self.hook = None
        recorder = hook.recorder
        try:
            tool = self.tool
            if tool is None or tool.header is not recorder.header:
                tool = self._found(hook)
            note = self.note
            taken_ns = ended_ns - self.began_ns
            outcome = self.outcome or (FAILURE in self.environ and REPORTED)
            tool.count(note, ended_ns, taken_ns, outcome, self.sent or self._unseen_bytes())
            if note:
                recorder.free.append(note)
            if taken_ns > hook.slow_ns:
                log.warning(
                    "slow request: %s took %.1f ms (status %d)", tool.name, taken_ns / 1e6, self.status
                )
        except Exception as error:  # noqa: BLE001 - the host comes first: no fault of ours reaches it
            recorder.fault(error)

    def told_bytes(self) -> int:
        """The Content-Length that the host told, -1 for none."""
        return told_length(self.headers) if self.tool is not None else -1

    def _unseen_bytes(self) -> int:
        """The size of a body that went out by write() or sendfile, as far as the headers told it."""
        if self.status in (204, 304) or self.environ.get("REQUEST_METHOD") == "HEAD":
            return 0
        return max(0, self.told_bytes())

    def fail(self) -> None:
        """The host raised: a server error, whatever status it had sent."""
        self.status, self.outcome = 500, SERVER_ERROR

    def _found(self, hook: Hook) -> Tool:
        """The tool of a request that sent no headers in this process.

        Whoever raises before the headers was not named yet, and a crash must not look unmatched.
        """
        recorder = hook.recorder
        if not recorder.is_open:  # a child that the host's view forked, and that answers now
            hook.ensure_started()
            recorder.header[ENTERED] += 1
        if not hasattr(self, "status"):
            self.fail()
        if self.tool is None:
            self.sent = 0
        self.note = 0
        tools = recorder.own if OWN in self.environ else recorder.tools
        name = tool_of(self.environ, self.status) if self.tool is None else self.tool.name
        return tools.get(name) or recorder.add(name, tools)
