"""`/dashboard/alerts`: what is wrong now, one alert's story, the history, and what people do about alerts.

A page is made whole for everybody; asked by htmx, the same address answers the part of it that is live.
A GET changes nothing; a change is a form that is posted, and leads back to a page.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..desk import Desk
from ..errors import BadRequestError
from ..model import formats
from ..panels.alerting import active as now_panel
from ..panels.alerting import history as history_panel
from ..panels.alerting import story as story_panel
from ..panels.look import Look
from ..sources import Sources
from ..store.alert_pages import Filter
from . import channel_pages, rule_pages, silence_pages
from .alert_filters import FILTERS, csv_of, cursor, wanted_alerts
from .alert_forms import NOBODY, silence_like
from .shell import ID, html, page, shell


def blueprint(sources_of: Callable[[], Sources], desk_of: Callable[[], Desk]) -> Blueprint:
    """The pages of alerts, rules, silences and channels; both are called once a request."""
    alerts = Blueprint("alerts", __name__)

    @alerts.get("/")
    @alerts.get("")
    def active() -> Response:
        """The active alerts, and the newest of the past."""
        desk, look, now_s = desk_of(), Look(sources_of()), time.time()
        view = now_panel.active(desk, look, now_s)
        newest = history_panel.history(desk, Filter(), now_s, rows=history_panel.NEWEST)
        context: dict[str, Any] = {"history": newest, "spans": now_panel.SPANS, "by": NOBODY, "at_s": now_s}
        return _live("alerts/active.html", look, view=view, **context)

    @alerts.get(f"/{ID}")
    def story(id: int) -> Response:
        """One alert: the address that notices link to."""
        return _story(id)

    def _story(id: int, status: int = 200, **wrong: Any) -> Response:
        desk, look, now_s = desk_of(), Look(sources_of()), time.time()
        view = story_panel.story(desk, look, id, now_s)
        context = {"view": view, "spans": now_panel.SPANS, "by": NOBODY, "at_s": now_s, **wrong}
        return _live("alerts/story.html", look, status, is_exact=False, **context)

    @alerts.post(f"/{ID}/<act>")
    def act(id: int, act: str) -> AnyResponse:
        """Acknowledge an alert, take that back, silence or resolve it; then go back to where it was asked."""
        desk, form, now_s = desk_of(), request.form, time.time()
        by, note = form.get("by", "").strip() or NOBODY, form.get("note", "").strip()
        try:
            if act == "acknowledge":
                desk.alerts.acknowledge(id, by, note)
            elif act == "take-back":
                desk.alerts.take_back(id)
            elif act == "resolve":
                desk.alerts.resolve(id, by, note)
            elif act == "silence":
                fields = {"hours": form.get("hours", ""), "reason": note, "by": by}
                desk.silences.make(silence_like(desk.alerts.story(id).alert, fields, now_s))
            else:
                raise BadRequestError(f"there is no way to {act[:40]!r} an alert")
        except BadRequestError as error:
            return _story(id, 400, wrong=str(error), wrong_act=act, typed={"by": by, "note": note})
        is_there = form.get("back") == "story"
        return redirect(url_for("alerts.story", id=id) if is_there else url_for("alerts.active"), 303)

    @alerts.get("/history")
    def history() -> Response:
        """All alerts, a page at a time, as they are asked for."""
        desk, look, now_s = desk_of(), Look(sources_of()), time.time()
        wanted = wanted_alerts()
        view = history_panel.history(desk, wanted, now_s, after=cursor("after"), before=cursor("before"))
        query = {name: value for name in FILTERS if (value := getattr(wanted, name))}
        return _live("alerts/history.html", look, view=view, query=query, at_s=now_s)

    @alerts.get("/history.csv")
    def history_csv() -> Response:
        """The same as a file for spreadsheets."""
        return csv_of(desk_of(), wanted_alerts())

    rule_pages.add(alerts, sources_of, desk_of)
    silence_pages.add(alerts, sources_of, desk_of)
    channel_pages.add(alerts, sources_of, desk_of)
    alerts.add_app_template_filter(formats.duration, "duration")
    return alerts


def _live(
    template: str, sources: Sources, status: int = 200, *, is_exact: bool = True, **context: Any
) -> Response:
    """A page, or for htmx its live part: the template's block of that name."""
    surroundings = shell("Alerts", sources.alerts(), is_exact=is_exact)
    if request.headers.get("HX-Request"):
        return html(render_template(template.replace(".html", "_live.html"), shell=surroundings, **context))
    return page(template, status, shell=surroundings, **context)
