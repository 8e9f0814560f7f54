"""The bundled tool server over HTTP: `GET /tools/list` and `POST /api/v1/tools/call`.

It decodes the call, tells the hook which tool this request is, and hands over to the toolbox. Keys
are checked before a request gets here, and errors become problem+json behind it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from ..errors import BadRequestError
from ..settings import Settings
from ..tools.builtin import Toolbox
from . import bodies

TOOL_KEY = "laptime.tool"
UNMATCHED = "(unmatched)"


class ToolCall(msgspec.Struct, frozen=True):
    """The body of a call. Members beside these are ignored; a wrong type is refused."""

    name: str
    arguments: dict[str, Any] = msgspec.field(default_factory=dict)


_decoder = msgspec.json.Decoder(ToolCall)


def blueprint(settings: Settings, toolbox: Toolbox) -> Blueprint:
    """The two routes over `toolbox`. The body is read as JSON, whatever its content type says."""
    routes = Blueprint("tools", __name__)

    @routes.get("/tools/list")
    def list_tools() -> Response:
        now = datetime.now(UTC).isoformat()
        return _json({"success": True, "timestamp": now, "tools": toolbox.describe()})

    @routes.post("/api/v1/tools/call")
    def call_tool() -> Response:
        call = _decode(bodies.raw(settings.max_body_bytes))
        known = call.name in toolbox.names()
        request.environ[TOOL_KEY] = call.name if known else UNMATCHED
        text = toolbox.call(call.name, call.arguments)
        return _json({"success": True, "tool": call.name, "content": [{"type": "text", "text": text}]})

    return routes


def _decode(body: bytes) -> ToolCall:
    try:
        return _decoder.decode(body)
    except RecursionError:
        reason = "it is nested too deeply"
    except UnicodeDecodeError as error:
        reason = f"it is not UTF-8 ({error.reason})"
    except msgspec.DecodeError as error:
        reason = str(error) if body else "it is empty"
    allowed = '{"name": "<tool>", "arguments": {}}'
    raise BadRequestError(f"the body is no tool call: {reason}; allowed is {allowed}")


def _json(body: dict[str, Any]) -> Response:
    response = Response(msgspec.json.encode(body), mimetype="application/json")
    response.cache_control.no_store = True
    return response
