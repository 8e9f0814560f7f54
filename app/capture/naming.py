"""Which tool a request is: a name of bounded cardinality, never a raw path.

In order: what the host says (`environ["laptime.tool"]`), the route that the framework matched (Flask and
Bottle leave it in the environ, `app.middleware` puts it there for Django, Falcon and Pyramid), and for
everybody else the path with its variable parts folded.
"""

from __future__ import annotations

import re
from typing import Any

TOOL, ROUTE, FAILURE = "laptime.tool", "laptime.route", "laptime.failure"
UNMATCHED = "(unmatched)"
# A name that the host gave; or the method, SCRIPT_NAME, the route or path, and whether it is a route.
Key = str | tuple[str, str, Any, bool]
OTHER_METHOD = "(other)"
# RFC 9110, section 9.3, and PATCH (RFC 5789): what is not among them comes from no ordinary client.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})

_NUMBER = re.compile(r"/\d+(?=/|$)")
_UUID = re.compile(r"/[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?=/|$)")
_HEX = re.compile(r"/[0-9a-fA-F]{16,}(?=/|$)")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+")


def key_of(environ: dict[str, Any], status: int) -> Key:
    """What names the request that was answered with `status`, cheap to find and to look up: see `name_of`.

    Call it while start_response runs. Flask drops its route when the call is over, so later is too late.
    """
    if TOOL in environ:
        name = environ[TOOL]
        if name is not None:
            return str(name)
    if ROUTE in environ:
        route = environ[ROUTE]
    elif "werkzeug.request" in environ:
        try:
            rule = environ["werkzeug.request"].url_rule
        except AttributeError:  # a plain Werkzeug request, as a middleware makes it, knows no routes
            return _by_path(environ, status)
        if rule is None:
            return UNMATCHED
        route = rule.rule
    elif "bottle.app" in environ:
        if "bottle.route" not in environ:
            return UNMATCHED
        route = environ["bottle.route"].rule
    else:
        return _by_path(environ, status)
    return environ.get("REQUEST_METHOD", ""), environ.get("SCRIPT_NAME", ""), route, True


def name_of(key: Key) -> str:
    """The tool's name: as the host says it, or the method and either the route or the folded path."""
    if isinstance(key, str):
        return key
    method, script, path, is_route = key
    named = f"{_text(script)}/{str(path).lstrip('/')}" if is_route else folded(_text(script + path))
    return f"{method if method in METHODS else OTHER_METHOD} {named}"


def _by_path(environ: dict[str, Any], status: int) -> Key:
    if status == 404:
        return UNMATCHED
    path = environ.get("PATH_INFO", "")
    return environ.get("REQUEST_METHOD", ""), environ.get("SCRIPT_NAME", ""), path, False


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
