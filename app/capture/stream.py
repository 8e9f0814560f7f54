"""Bodies that are not lists: handed through as they are, watched for their first and last byte and close."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from .headers import told_length

if TYPE_CHECKING:
    from .call import Call


class Stream:
    """The host's body as it is. When its last byte is handed out, the request is answered."""

    __slots__ = ("_body", "_call")

    def __init__(self, call: Call, body: Iterable[bytes]) -> None:
        self._call = call
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        call = self._call
        length = -1
        sent = call.sent = 0
        try:
            for chunk in self._body:
                if chunk:
                    if not sent:  # a generator has told its headers by now
                        call.first_ns = perf_counter_ns()
                        length = told_length(call.headers) if call.tool is not None else -1
                    sent += len(chunk)
                    call.sent = sent
                    if sent >= length >= 0:
                        call.answered()
                yield chunk
            call.answered()
        except GeneratorExit:  # the client left, which is nobody's failure
            raise
        except BaseException as error:
            call.fail(error)
            raise

    def close(self) -> None:
        """Close the host's body and count the request; the server calls it, also when the client left."""
        call = self._call
        if call.tool is not None and call.sent < 0:  # left before the first byte
            call.sent = 0
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        except BaseException as error:
            call.fail(error)
            raise
        finally:
            call.close()


def watch_file(call: Call, body: Any) -> Iterable[bytes]:
    """Leave the server's own file wrapper in place, so that it can use sendfile, and hook its close."""
    stream = Stream(call, body)
    inner = getattr(body, "close", None)

    def close() -> None:
        try:
            if inner is not None:
                inner()
        except BaseException as error:
            call.fail(error)
            raise
        finally:
            call.close()

    call.answered()  # its last byte goes out unseen
    try:
        body.close = close
    except (AttributeError, TypeError):  # a wrapper without room for it: sent as any other body
        return stream
    return body  # type: ignore[no-any-return]
