"""Middleware for frameworks that keep the matched route to themselves: it leaves the pattern in the environ.

Each is one line in the host's own configuration and imports nothing of its framework:

    MIDDLEWARE = ["laptime.middleware.Django", ...]                 # Django's settings
    app = falcon.App(middleware=[laptime.middleware.Falcon()])      # Falcon
    config.add_tween("laptime.middleware.pyramid")                  # Pyramid

Without it such a request is named by its folded path. With it, so is what was answered without a route;
but who was sent on or turned away before there was one counts as unmatched, because any path may be.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from .capture.naming import ROUTE, TOOL, UNMATCHED


class Django:
    """Names a request by `resolver_match.route`.

    Its place among other middleware does not matter for what has a route. In front it also sees what the
    others answer before there is one: a redirect to the path with a slash, a refusal of the Host header.
    """

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response

    def __call__(self, request: Any) -> Any:
        status = 500
        try:
            response = self._get_response(request)
            status = response.status_code
            return response
        finally:  # not in process_view, which Django skips once another middleware's has answered
            match = getattr(request, "resolver_match", None)
            _leave(request.META, match and readable(match.route), _is_away(status))


class Falcon:
    """Names a request by its URI template; what a sink answers has none."""

    def process_resource(self, req: Any, *_routed: Any) -> None:
        """Falcon calls this once it has matched the route; the other is left out after an exception."""
        req.env[ROUTE] = req.uri_template

    def process_response(self, req: Any, resp: Any, *_outcome: Any) -> None:
        """Falcon calls this for what another middleware turned away, too."""
        _leave(req.env, req.uri_template, _is_away(resp.status_code))


def pyramid(handler: Callable[[Any], Any], _registry: Any) -> Callable[[Any], Any]:
    """A tween factory: names a request by its matched route's pattern; traversal has none."""

    def tween(request: Any) -> Any:
        try:
            return handler(request)
        finally:
            # Traversal's refusals are views of its own; a view for what is not found may redirect.
            is_lost = getattr(getattr(request, "exception", None), "code", None) == 404
            _leave(request.environ, getattr(request.matched_route, "pattern", None), is_lost)

    return tween


def _is_away(status: int) -> bool:
    return 300 <= status < 500


def _leave(environ: dict[str, Any], route: str | None, is_away: bool) -> None:
    if route is not None:
        environ[ROUTE] = route
    elif is_away:
        environ.setdefault(TOOL, UNMATCHED)


_IS_REGEX = re.compile(r"\A\^|\$\Z|\\|\(\?")  # what Django warns of in a path(): urls.W001
_PARTS = re.compile(
    r"""\\. | \[\^?\]?(?:\\.|[^]\\])*\]                               # an escape; a set
    | \(\?[a-zA-Z]+\) | \(\?P<\w+> | \(\?: | \(\?<?. | \(            # flags; how a group begins
    | \)(?:[*+?]|\{[\d,]+\})? | .                                    # and ends; all else""",
    re.VERBOSE | re.DOTALL,
)
_ANCHORS = frozenset({"^", "$", r"\A", r"\Z", r"\b", r"\B"})


@lru_cache(1024)
def readable(route: str) -> str:
    r"""A route of Django's for people: `^users/(?P<id>\d+)/$` is `users/<id>/`; one of path() stays.

    A group without a name is `<var>`. Django's documentation generator shows routes so, too.
    """
    if not _IS_REGEX.search(route):
        return route
    shown: list[str] = []
    groups: list[bool] = []  # those that are open, and whether each hides what is in it
    for part in _PARTS.findall(route):
        if part.startswith("("):
            if part.endswith(")"):
                continue
            if not any(groups) and (part == "(" or part.endswith(">")):
                shown.append("<var>" if part == "(" else part.removeprefix("(?P"))
            groups.append(part != "(?:")
        elif part.startswith(")") and groups:
            groups.pop()
        elif not any(groups) and part not in _ANCHORS:
            shown.append(part[1:] if part.startswith("\\") and not part[1].isalnum() else part)
    return "".join(shown)
