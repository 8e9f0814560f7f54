"""`/performance/alerts/...` and `/performance/silences`: the history, one alert's story, what people do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import msgspec
from flask import Blueprint, Response, request

from ..desk import Desk
from ..errors import BadRequestError
from ..model.alerting import Alert
from ..model.rules import Severity
from ..model.silencing import Silence, covering
from ..model.windows import instant_s
from ..panels.alert_lines import AlertLine, alert_line, notices_of, silence_answer
from ..panels.alerting.history import cursor_text
from .alert_filters import csv_of, cursor, wanted_alerts
from .bodies import answer, members, read
from .shell import ID

_PAGE, _MOST = 50, 500
NOBODY = "api"


class Handled(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who has an alert in hand, and what about it."""

    by: str = NOBODY
    note: str = ""


class SilenceBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A silence from `start` on (now, if it is not given), to `end` or for so many `seconds`."""

    rule: str | None = None
    tools: tuple[str, ...] = ()
    severity: Severity | None = None
    start: str | None = None
    end: str | None = None
    seconds: float | None = None
    reason: str = ""
    author: str = NOBODY


def add(api: Blueprint, desk_of: Callable[[], Desk]) -> None:
    """Add the routes to those of the API."""

    @api.get("/alerts/history")
    def alert_history() -> Response:
        """A page of all alerts, newest first; `format=csv` gives all of them as a file.

        A search looks at a bounded number of alerts for each page, which may hold none and have a next one.
        """
        wanted = wanted_alerts()
        form = request.args.get("format", "json")
        if form == "csv":
            return csv_of(desk_of(), wanted)
        if form != "json":
            raise BadRequestError(f"format is {form[:40]!r}; allowed is json, csv")
        desk = desk_of()
        page = desk.alerts.page(wanted, limit(_PAGE, _MOST), cursor("after"))
        following = cursor_text(page.following) if page.following else None
        return answer({"alerts": _lines(desk, page.alerts), "next": following})

    @api.get(f"/alerts/{ID}")
    def alert(id: int) -> Response:
        """One alert and what was told of it."""
        desk = desk_of()
        told = desk.alerts.told([id]).get(id, ())
        return answer({"alert": _line(desk, desk.alerts.one(id)), "notices": notices_of(told)})

    @api.post(f"/alerts/{ID}/acknowledge")
    def acknowledge(id: int) -> Response:
        """Say that somebody is at it."""
        asked, desk = read(Handled, members()), desk_of()
        return answer({"alert": _line(desk, desk.alerts.acknowledge(id, asked.by, asked.note))})

    @api.delete(f"/alerts/{ID}/acknowledge")
    def take_back(id: int) -> Response:
        """Take that back."""
        desk = desk_of()
        return answer({"alert": _line(desk, desk.alerts.take_back(id))})

    @api.post(f"/alerts/{ID}/resolve")
    def resolve(id: int) -> Response:
        """End an alert by hand."""
        asked = read(Handled, members())
        return answer({"alert": alert_line(desk_of().alerts.resolve(id, asked.by, asked.note))})

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
        made = desk_of().silences.make(_silence(read(SilenceBody, members()), now_s))
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


def _line(desk: Desk, alert: Alert) -> AlertLine:
    return _lines(desk, (alert,))[0]


def _lines(desk: Desk, alerts: Sequence[Alert]) -> list[AlertLine]:
    """The alerts as they are told; those that are open with the silence that covers them."""
    standing, now_s = desk.silences.standing(), time.time()
    return [
        alert_line(one, covering(standing, one.type, one.tool, one.severity, now_s))
        if one.resolved_s is None
        else alert_line(one)
        for one in alerts
    ]


def _silence(asked: SilenceBody, now_s: float) -> Silence:
    start_s = now_s if asked.start is None else instant_s("start", asked.start)
    if asked.end is not None and asked.seconds is None:
        end_s = instant_s("end", asked.end)
    elif asked.seconds is not None and asked.end is None:
        end_s = start_s + asked.seconds
    else:
        raise BadRequestError("a silence needs either end, an instant, or seconds from its start")
    return Silence(
        id=0,
        start_s=start_s,
        end_s=end_s,
        type=asked.rule or "",
        tools=asked.tools,
        severity=asked.severity or "",
        reason=asked.reason,
        author=asked.author,
    )
