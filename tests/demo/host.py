"""The service that the demo measures: each path is a tool, as quick and as reliable as the story says."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .story import TOOLS, duration_ns, mood

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_TOOLS = {tool.name: tool for tool in TOOLS}


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer one call of a tool."""
    tool = _TOOLS.get(environ["PATH_INFO"].strip("/"))
    if tool is None:
        start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return []
    environ["laptime.tool"] = tool.name
    now_s, draw = time.time(), random.Random()
    one = mood(tool, now_s, now_s)
    time.sleep(duration_ns(one, tool.spread, draw) / 1e9)
    chance, status = draw.random(), "200 OK"
    if chance < one.server_errors:
        status = "503 Service Unavailable"
    elif chance < one.server_errors + one.client_errors:
        status = "404 Not Found"
    body = b"made up\n" * draw.randrange(100, 500)
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
