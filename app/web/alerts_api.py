"""`/performance/alerts/...` and `/performance/silences`: the history, one alert's story, what people do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from ..desk import Desk
from ..errors import BadRequestError
from ..model.silencing import Silence
from ..model.windows import instant_s
from ..panels.alert_lines import alert_line, notices_of, silence_answer
from ..panels.alerting.history import cursor_text
from .alert_filters import csv_of, cursor, wanted_alerts
from .bodies import answer, body, number, only, text, texts
from .shell import ID

_PAGE, _MOST = 50, 500
NOBODY = "api"


def add(api: Blueprint, desk_of: Callable[[], Desk]) -> None:
    """Add the routes to those of the API."""

    @api.get("/alerts/history")
    def alert_history() -> Response:
        """A page of all alerts, newest first; `format=csv` gives all of them as a file."""
        wanted = wanted_alerts()
        form = request.args.get("format", "json")
        if form == "csv":
            return csv_of(desk_of(), wanted)
        if form != "json":
            raise BadRequestError(f"format is {form[:40]!r}; allowed is json, csv")
        page = desk_of().alerts.page(wanted, limit(_PAGE, _MOST), cursor("after"))
        following = cursor_text(page.following) if page.following else None
        return answer({"alerts": [alert_line(one) for one in page.alerts], "next": following})

    @api.get(f"/alerts/{ID}")
    def alert(id: int) -> Response:
        """One alert and what was told of it."""
        story = desk_of().alerts.story(id)
        return answer({"alert": alert_line(story.alert, story.silence), "notices": notices_of(story.told)})

    @api.post(f"/alerts/{ID}/acknowledge")
    def acknowledge(id: int) -> Response:
        """Say that somebody is at it."""
        by, note = _signed(body())
        return answer({"alert": alert_line(desk_of().alerts.acknowledge(id, by, note))})

    @api.delete(f"/alerts/{ID}/acknowledge")
    def take_back(id: int) -> Response:
        """Take that back."""
        return answer({"alert": alert_line(desk_of().alerts.take_back(id))})

    @api.post(f"/alerts/{ID}/resolve")
    def resolve(id: int) -> Response:
        """End an alert by hand."""
        by, note = _signed(body())
        return answer({"alert": alert_line(desk_of().alerts.resolve(id, by, note))})

    @api.get("/silences")
    def silences() -> Response:
        """The silences that stand or are planned, then the newest that are over."""
        desk, now_s = desk_of().silences, time.time()
        found = [*desk.standing(), *desk.past()]
        return answer({"silences": [silence_answer(one, now_s) for one in found]})

    @api.post("/silences")
    def make_silence() -> Response:
        """Silence something, at once or from a start that lies ahead."""
        now_s = time.time()
        made = desk_of().silences.make(_silence(body(), now_s))
        return answer({"silence": silence_answer(made, now_s)}, 201)

    @api.delete(f"/silences/{ID}")
    def end_silence(id: int) -> Response:
        """End a silence now."""
        return answer({"silence": silence_answer(desk_of().silences.end(id), time.time())})


def limit(usual: int, most: int) -> int:
    """How many rows the query asks for. Raises BadRequestError."""
    asked = request.args.get("limit", str(usual))
    if not (asked.isascii() and asked.isdigit() and len(asked) < 6 and 1 <= int(asked) <= most):
        raise BadRequestError(f"limit is {asked[:40]!r}; allowed is 1 to {most}")
    return int(asked)


def _signed(members: dict[str, Any]) -> tuple[str, str]:
    only(members, "by", "note")
    return text(members, "by") or NOBODY, text(members, "note")


def _silence(members: dict[str, Any], now_s: float) -> Silence:
    only(members, "rule", "tools", "severity", "start", "end", "seconds", "reason", "author")
    start_s = instant_s("start", text(members, "start")) if "start" in members else now_s
    seconds = number(members, "seconds")
    if ("end" in members) == (seconds is not None):
        raise BadRequestError("a silence needs either end, an instant, or seconds from its start")
    end_s = start_s + seconds if seconds is not None else instant_s("end", text(members, "end"))
    return Silence(
        id=0,
        start_s=start_s,
        end_s=end_s,
        type=text(members, "rule"),
        tools=texts(members, "tools"),
        severity=text(members, "severity"),
        reason=text(members, "reason"),
        author=text(members, "author") or NOBODY,
    )
