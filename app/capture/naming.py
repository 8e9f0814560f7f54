"""Which tool a request is: a name of bounded cardinality, never a raw path.

In order: what the host says (`environ["laptime.tool"]`), the route that the framework matched, and for
a callable without a known framework the path with its variable parts folded.
"""

from __future__ import annotations

import re
from typing import Any

UNMATCHED = "(unmatched)"
TOOL = "laptime.tool"  # the environ key by which a host names the tool itself
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
    request: Any = environ.get("werkzeug.request")
    if hasattr(request, "url_rule"):  # Flask's; a plain Werkzeug request knows no routes
        rule = request.url_rule
        if rule is None:
            return UNMATCHED
        path = environ.get("SCRIPT_NAME", "") + rule.rule
    elif status == 404:
        return UNMATCHED
    else:
        path = folded(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""))
    method = environ.get("REQUEST_METHOD", "")
    return f"{method if method in METHODS else OTHER_METHOD} {path}"


def folded(path: str) -> str:
    """A path with numbers, UUIDs and long hexadecimal strings folded to the kind that they are."""
    path = _HEX.sub("/<hex>", _NUMBER.sub("/<int>", _UUID.sub("/<uuid>", path)))
    return printable(path) or "/"


def printable(text: str) -> str:
    """Text without control characters and marks that turn the reading direction; runs become one blank."""
    return _UNPRINTABLE.sub(" ", text).strip()
