"""A WSGI application that does what hosts do, the odd and the bad included; served bare and measured.

Every route names its tool; a name that is no route is answered 404 and left to Laptime to name.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import Monitor

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

TEXT = [("Content-Type", "text/plain")]
SLOW_S = 0.2


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Dispatch by the first part of the path."""
    name = environ["PATH_INFO"].split("/")[1]
    view = ROUTES.get(name)
    if view is None:
        start_response("404 Not Found", [*TEXT, ("Content-Length", "4")])
        return [b"none"]
    environ["laptime.tool"] = name
    return view(environ, start_response)


def quick(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [*TEXT, ("Content-Length", "5")])
    return [b"quick"]


def named(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The rest of the path is the tool's name."""
    environ["laptime.tool"] = environ["PATH_INFO"].split("/")[2]
    return quick(environ, start_response)


def by_path(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The path names the tool, as for any framework that has no routes."""
    del environ["laptime.tool"]
    return quick(environ, start_response)


def name_tool(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """As an application says it, with what it knows of the request's text."""
    Monitor.name_tool(environ, environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"))
    return quick(environ, start_response)


def surrogates(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """With the bytes that are no UTF-8 as lone surrogates, which Python's own decoders make of them."""
    Monitor.name_tool(environ, environ["PATH_INFO"].encode("latin-1").decode("utf-8", "surrogateescape"))
    return quick(environ, start_response)


def slow(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    time.sleep(SLOW_S)
    return quick(environ, start_response)


def answering(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The rest of the path is the status."""
    status = environ["PATH_INFO"].split("/")[2]
    start_response(f"{status} Told", [*TEXT, ("Content-Length", "5")])
    return [b"quick"]


def asleep(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The rest of the path is for how many seconds."""
    time.sleep(float(environ["PATH_INFO"].split("/")[2]))
    return quick(environ, start_response)


def spinning(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The same without a pause, so that greenlets get no turn."""
    until_s = time.monotonic() + float(environ["PATH_INFO"].split("/")[2])
    while time.monotonic() < until_s:
        pass
    return quick(environ, start_response)


def forking(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A child that does its work and leaves, as one made to convert a picture would."""
    child = os.fork()
    if not child:
        os._exit(0 if hashlib.sha256(b"work").digest() else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0
    return quick(environ, start_response)


class Unread(io.FileIO):
    """A file that can be sent by its descriptor alone: whoever reads it in Python fails."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError(f"{size} bytes were read where sendfile was to send them")


def by_sendfile(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    length = str(Path(__file__).stat().st_size)
    start_response("200 OK", [*TEXT, ("Content-Length", length)])
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](Unread(__file__))
    return wrapped


def by_write(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    write: Callable[[bytes], object] = start_response("200 OK", [*TEXT, ("Content-Length", "12")])
    write(b"written")
    return [b" then"]


def restarted(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    try:
        raise ValueError("found out late")
    except ValueError:
        start_response("503 Service Unavailable", [*TEXT, ("X-Second", "yes")], sys.exc_info())
    return [b"the second", b" one"]


def nothing(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("204 No Content", [])
    return []


def unchanged(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("304 Not Modified", [("ETag", '"one"')])
    return ()


def streamed(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", TEXT)
    for number in range(5):
        yield b"part %d\n" % number


def endless(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", TEXT)
    while True:
        yield b"more" * 4096


def in_view(_: WSGIEnvironment, __: StartResponse) -> Iterable[bytes]:
    raise RuntimeError("in the view")


def in_iterator(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", TEXT)
    yield b"half"
    raise RuntimeError("in the iterator")


class Unclosable:
    """A body whose close raises."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"whole"

    def close(self) -> None:
        raise RuntimeError("in close")


def in_close(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [*TEXT, ("Content-Length", "5")])
    return Unclosable()


ROUTES: dict[str, Callable[[Any, Any], Iterable[bytes]]] = {
    "health": quick,
    "quick": quick,
    "named": named,
    "by_path": by_path,
    "name_tool": name_tool,
    "surrogates": surrogates,
    "slow": slow,
    "answering": answering,
    "asleep": asleep,
    "spinning": spinning,
    "forking": forking,
    "by_sendfile": by_sendfile,
    "by_write": by_write,
    "restarted": restarted,
    "nothing": nothing,
    "unchanged": unchanged,
    "streamed": streamed,
    "endless": endless,
    "in_view": in_view,
    "in_iterator": in_iterator,
    "in_close": in_close,
}
