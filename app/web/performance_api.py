"""`/performance/*`: the JSON API. Parameters in, a panel's dataclass out."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from flask import Blueprint, Response, request

from ..desk import Desk
from ..errors import BadRequestError
from ..model.windows import Window, between, kept, named
from ..panels import history as course
from ..panels import performance
from ..sources import Sources
from . import alerts_api, rules_api
from .auth import SAFE, need_admin

_LONGEST_NAME = 1000
# A preview only reads, though its rule comes in a body.
_READS = frozenset({"performance.preview"})


def blueprint(sources_of: Callable[[], Sources], desk_of: Callable[[], Desk]) -> Blueprint:
    """All routes; what they are made of is called once a request."""
    api = Blueprint("performance", __name__)

    @api.before_request
    def check_scope() -> None:
        if request.method not in SAFE and request.endpoint not in _READS:
            need_admin()

    @api.get("/metrics")
    def metrics() -> Response:
        """All tools and the system, or with `tool_name` one tool; `window`, or `from` and `to`."""
        sources, now_s = sources_of(), time.time()
        window = _window(sources, now_s)
        name = _parameter("tool_name")
        if name is not None:
            return _answer("metrics", performance.tool(name, window, sources))
        return _answer("metrics", performance.metrics(window, sources, now_s))

    @api.get("/alerts")
    def alerts() -> Response:
        """The active alerts, worst first."""
        active = performance.alerts(sources_of(), time.time())
        return _json({"success": True, "timestamp": _now(), "alert_count": len(active), "alerts": active})

    @api.get("/dashboard")
    def dashboard() -> Response:
        """The short form: overview, system, alerts by severity, busiest and troubled tools."""
        sources, now_s = sources_of(), time.time()
        return _answer("dashboard", performance.dashboard(_window(sources, now_s), sources, now_s))

    @api.get("/health")
    def health() -> Response:
        """The status that the active alerts add up to."""
        return _answer("health", performance.health(sources_of()))

    @api.get("/history")
    def history() -> Response:
        """The course of one `metric`, of all tools or of one `tool`, over a window (default: 1h)."""
        sources, now_s = sources_of(), time.time()
        window = _window(sources, now_s) or named("1h", now_s)
        metric, tool = _parameter("metric"), _parameter("tool")
        if metric is None:
            raise BadRequestError("metric is missing; it names what is to be told, such as requests or p95")
        return _answer("history", course.history(metric, tool, window, sources))

    alerts_api.add(api, desk_of)
    rules_api.add(api, desk_of)
    return api


def _window(sources: Sources, now_s: float) -> Window | None:
    keep_s = kept(sources.settings)
    name, start, end = _parameter("window"), _parameter("from"), _parameter("to")
    if name is not None:
        if start is not None or end is not None:
            raise BadRequestError("window and from/to exclude each other; send one of the two")
        return named(name, now_s, keep_s)
    if start is not None:
        window = between(start, end or "", now_s, keep_s)
        if window.start_s > now_s:
            raise BadRequestError(f"from ({start}) lies ahead; it is {_now()} now")
        return window
    if end is not None:
        raise BadRequestError("to needs a from")
    return None


def _parameter(name: str) -> str | None:
    values = request.args.getlist(name)
    if not values:
        return None
    if len(values) > 1:
        raise BadRequestError(f"{name} is given {len(values)} times; send it once")
    if not values[0] or len(values[0]) > _LONGEST_NAME:
        raise BadRequestError(f"{name} has {len(values[0])} characters; allowed are 1 to {_LONGEST_NAME}")
    return values[0]


def _answer(member: str, content: object) -> Response:
    return _json({"success": True, "timestamp": _now(), member: content})


def _json(body: object) -> Response:
    response = Response(msgspec.json.encode(body), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def _now() -> str:
    return datetime.now(UTC).isoformat()
