"""Middleware for frameworks that keep the matched route to themselves: it leaves the pattern in the environ.

Each is one line in the host's own configuration and imports nothing of its framework:

    MIDDLEWARE = ["laptime.middleware.Django", ...]                 # Django's settings
    app = falcon.App(middleware=[laptime.middleware.Falcon()])      # Falcon
    config.add_tween("laptime.middleware.pyramid")                  # Pyramid

Without it such a request is named by its folded path.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .capture.naming import ROUTE


class Django:
    """Names a request by `resolver_match.route`; its place among other middleware does not matter."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response

    def __call__(self, request: Any) -> Any:
        return self._get_response(request)

    def process_view(self, request: Any, *_view: Any) -> None:
        """Django calls this once it has matched the route; its META is the environ."""
        request.META[ROUTE] = request.resolver_match.route


class Falcon:
    """Names a request by its URI template."""

    def process_resource(self, req: Any, *_routed: Any) -> None:
        """Falcon calls this once it has matched the route."""
        req.env[ROUTE] = req.uri_template


def pyramid(handler: Callable[[Any], Any], _registry: Any) -> Callable[[Any], Any]:
    """A tween factory: names a request by its matched route's pattern; traversal has none."""

    def tween(request: Any) -> Any:
        try:
            return handler(request)
        finally:
            route = getattr(request, "matched_route", None)
            if route is not None:
                request.environ[ROUTE] = route.pattern

    return tween
