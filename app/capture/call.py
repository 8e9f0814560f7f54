"""One request on its way: its start_response, and the body that the server iterates over and closes.

One slotted object is all of it, and a plain list is handed out natively, because every object and every
call on this path is paid by every request.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from .cells import CLIENT_ERROR, ENTERED, REPORTED, SERVER_ERROR, SUCCESS
from .headers import BAD, GOOD, OURS, STATUSES, TIMES, Pair, status_of, times_of, without
from .naming import UNMATCHED, printable, tool_of
from .recorder import Tool

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from .hook import Hook

log = logging.getLogger("laptime.slow")

OWN = "laptime.own"
FAILURE = "laptime.failure"
_LENGTH_DIGITS = 15  # a Content-Length past 100 TB is nonsense, and a cell's 64 bits are not endless
_NONE: frozenset[str] = frozenset()


class Call:
    """One request. The hook fills it in, without an __init__, which would cost another call.

    `hook` is None once the request is counted, `status` 0 until headers are sent, `length` the
    Content-Length (-1: not told), `sent` the bytes that were handed out, `tool` the tool once
    it was looked up, and `note` the place of this request's note while it is answered and not counted.
    """

    __slots__ = (
        "began_ns", "body", "environ", "headed_ns", "hook", "length", "name", "note", "sent",
        "start_response", "status", "tool",
    )  # fmt: skip

    hook: Hook | None
    environ: WSGIEnvironment
    start_response: StartResponse
    began_ns: int
    headed_ns: int
    status: int
    name: str
    length: int
    body: Any
    sent: int
    tool: Tool | None
    note: int

    def start(self, status: str, headers: list[Pair], exc_info: Any = None) -> Callable[[bytes], object]:
        """The start_response that the host calls: reads the status and the route, adds our headers."""
        hook = self.hook
        if hook is not None:
            try:
                headed_ns = self.headed_ns = perf_counter_ns()
                self.name, self.length = UNMATCHED, -1
                code = self.status = STATUSES.get(status) or status_of(status)
                environ = self.environ
                name = environ.get("laptime.tool")
                self.name = name if name and type(name) is str else tool_of(environ, code)
                taken = _NONE
                for header, value in headers:
                    if 12 < len(header) < 18:  # as long as the four that are looked for
                        lowered = header.lower()
                        if lowered == "content-length":
                            if len(value) < _LENGTH_DIGITS and value.isdecimal():
                                self.length = int(value)
                        elif lowered in OURS:
                            taken |= {lowered}
                if hook.response_headers:
                    hundredths = (headed_ns - self.began_ns + 5000) // 10_000
                    time, timing = TIMES.get(hundredths) or times_of(hundredths)
                    good = GOOD if 200 <= code < 400 and FAILURE not in environ else BAD
                    headers = [*headers, time, good, timing]
                    if taken:
                        headers = without(headers, taken)
            except Exception as error:  # noqa: BLE001 - the host comes first: no fault of ours reaches it
                hook.recorder.fault(error)
        if exc_info is None:
            return self.start_response(status, headers)
        return self.start_response(status, headers, exc_info)

    def __iter__(self) -> Iterator[bytes]:
        """The host's body as it is: a list's own iterator, anything else watched for its last byte."""
        body = self.body
        return iter(body) if type(body) is list else self._stream(body)

    def _stream(self, body: Iterable[bytes]) -> Iterator[bytes]:
        """The chunks as they come. When the last byte is handed out, the request is answered."""
        length = self.length if self.status else -1
        try:
            for chunk in body:
                self.sent += len(chunk)
                if self.sent >= length >= 0:
                    self.answered()
                yield chunk
            self.answered()
        except GeneratorExit:  # the client left, which is nobody's failure
            raise
        except BaseException:
            self.fail()
            raise

    def answered(self) -> None:
        """Note the request where it survives this process: the client may have its answer before `record`."""
        hook = self.hook
        status = self.status
        if self.note or hook is None or not status or not hook.recorder.is_open:
            return
        try:
            recorder = hook.recorder
            tool = self.tool = recorder.tool(self.name, OWN in self.environ)
            free = recorder.free
            if free:
                note = free.pop()
                if 200 <= status < 400:
                    outcome = REPORTED if FAILURE in self.environ else SUCCESS
                else:
                    outcome = CLIENT_ERROR if 400 <= status < 500 else SERVER_ERROR
                recorder.header[note] = self.headed_ns - self.began_ns << 18 | outcome << 16 | tool.mark
                self.note = note
        except Exception as error:  # noqa: BLE001 - the host comes first: no fault of ours reaches it
            hook.recorder.fault(error)

    def close(self) -> None:
        """Close the host's body and count the request; the server calls it, also when the client left."""
        body = self.body
        if type(body) is list:
            self.record()
            return
        close = getattr(body, "close", None)
        try:
            if close is not None:
                close()
        except BaseException:
            self.fail()
            raise
        finally:
            self.record()

    def fail(self) -> None:
        """The host raised: a server error whatever status it had sent.

        Whoever raises before the headers was not named yet, and a crash must not look unmatched.
        """
        if not self.status:
            self.name, self.length = tool_of(self.environ, 500), -1
        self.status = 500

    def record(self) -> None:
        """Count this request, once."""
        hook = self.hook
        if hook is None:
            return
        ended_ns = perf_counter_ns()
        self.hook = None
        recorder = hook.recorder
        try:
            tool, note, status = self.tool, self.note, self.status
            if tool is None or tool.header is not recorder.header:
                tool, note = self._found(hook), 0
                status = self.status
            if 200 <= status < 400:
                outcome = REPORTED if FAILURE in self.environ else SUCCESS
            else:
                outcome = CLIENT_ERROR if 400 <= status < 500 else SERVER_ERROR
            taken_ns = ended_ns - self.began_ns
            tool.count(note, ended_ns, taken_ns, outcome, self.sent or self._told())
            if note:
                recorder.free.append(note)
            if taken_ns > hook.slow_ns:
                name = printable(self.name)
                log.warning("slow request: %s took %.1f ms (status %d)", name, taken_ns / 1e6, status)
        except Exception as error:  # noqa: BLE001 - the host comes first: no fault of ours reaches it
            recorder.fault(error)

    def _found(self, hook: Hook) -> Tool:
        """The tool of a request that was not answered in this process, or not answered at all."""
        recorder = hook.recorder
        if not recorder.is_open:  # a child that the host's view forked, and that answers now
            hook.ensure_started()
            recorder.header[ENTERED] += 1
        if not self.status:  # a host that never called start_response
            self.fail()
        return recorder.tool(self.name, OWN in self.environ)

    def _told(self) -> int:
        """The size that the headers told, for a body that went out by write()."""
        is_empty = self.status in (204, 304) or self.environ.get("REQUEST_METHOD") == "HEAD"
        return 0 if is_empty else max(0, self.length)

    def watch_file(self) -> Iterable[bytes]:
        """Leave the server's own file wrapper in place, so that it can use sendfile, and hook its close."""
        body = self.body
        close = getattr(body, "close", None)

        def close_and_record() -> None:
            try:
                if close is not None:
                    close()
            except BaseException:
                self.fail()
                raise
            finally:
                self.record()

        try:
            body.close = close_and_record
        except (AttributeError, TypeError):  # a wrapper without room for it: sent as any other body
            return self
        return body  # type: ignore[no-any-return]


class SizedCall(Call):
    """A list or a tuple without a Content-Length: some servers make one from its length, so it tells it."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self.body)
