"""Which tool a request is: a name of bounded cardinality, never a raw path.

In order: what the host says (`environ["laptime.tool"]`), the route that the framework matched (Flask and
Bottle leave it in the environ, `app.middleware` puts it there for Django, Falcon and Pyramid), and for
everybody else the path with its variable parts folded.
"""

from __future__ import annotations

import re
from typing import Any

TOOL, ROUTE = "laptime.tool", "laptime.route"
UNMATCHED = "(unmatched)"
OTHER_METHOD = "(other)"
# RFC 9110, section 9.3, and PATCH (RFC 5789): what is not among them comes from no ordinary client.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})

_NUMBER = re.compile(r"/\d+(?=/|$)")
_UUID = re.compile(r"/[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?=/|$)")
_HEX = re.compile(r"/[0-9a-fA-F]{16,}(?=/|$)")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+")


def tool_of(environ: dict[str, Any], status: int) -> str:
    """The name of the tool that answered with `status`; call it while start_response runs.

    Flask drops its route when the call is over, so later is too late.
    """
    name = environ.get(TOOL)
    if name is not None:
        return str(name)
    script = _text(environ.get("SCRIPT_NAME", ""))
    route = _route(environ)
    if route is not None:
        path = f"{script}/{route.lstrip('/')}"
    elif status == 404 or _knows_routes(environ):
        return UNMATCHED
    else:
        path = folded(script + _text(environ.get("PATH_INFO", "")))
    method = environ.get("REQUEST_METHOD", "")
    return f"{method if method in METHODS else OTHER_METHOD} {path}"


def _route(environ: dict[str, Any]) -> str | None:
    """The pattern of the route that the framework matched; None for no framework, or for no match."""
    route = environ.get(ROUTE)
    if route is None:
        rule: Any = getattr(environ.get("werkzeug.request"), "url_rule", None)
        route = getattr(rule or environ.get("bottle.route"), "rule", None)
    return None if route is None else str(route)


def _knows_routes(environ: dict[str, Any]) -> bool:
    """Whether a framework that leaves its routes in the environ has seen the request.

    A plain Werkzeug request, as a middleware makes it, knows no routes.
    """
    return hasattr(environ.get("werkzeug.request"), "url_rule") or "bottle.app" in environ


def _text(raw: str) -> str:
    """A path of the environ as its UTF-8 text; WSGI hands bytes over as Latin-1 (PEP 3333)."""
    return raw if raw.isascii() else raw.encode("latin-1", "replace").decode("utf-8", "replace")


def folded(path: str) -> str:
    """A path with numbers, UUIDs and long hexadecimal strings folded to the kind that they are."""
    path = _HEX.sub("/<hex>", _NUMBER.sub("/<int>", _UUID.sub("/<uuid>", path)))
    return printable(path) or "/"


def printable(text: str) -> str:
    """Text without control characters and marks that turn the reading direction; runs become one blank."""
    return _UNPRINTABLE.sub(" ", text).strip()
