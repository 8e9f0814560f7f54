"""`/dashboard/alerts/silences`: what people are not told of for a while."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..desk import Desk
from ..errors import BadRequestError
from ..panels.alerting import silences as panel
from ..panels.alerting.active import SPANS
from ..panels.look import Look
from ..sources import Sources
from .alert_forms import NEW_SILENCE, NOBODY, field_time, silence_of, texts
from .rule_forms import Fields
from .shell import ID, page, shell


def add(alerts: Blueprint, sources_of: Callable[[], Sources], desk_of: Callable[[], Desk]) -> None:
    """Add the page of silences to those of alerts."""

    @alerts.get("/silences")
    def silences() -> Response:
        """All silences, and the form; the address may fill in what is to be silenced."""
        asked = {name: request.args[name] for name in NEW_SILENCE if name in request.args}
        return _page({**NEW_SILENCE, **asked})

    @alerts.post("/silences")
    def make_silence() -> AnyResponse:
        """Silence something, now or later."""
        fields = texts(request.form, NEW_SILENCE)
        fields["by"] = fields["by"] or NOBODY
        try:
            desk_of().silences.make(silence_of(fields, time.time()))
        except BadRequestError as error:
            return _page(fields, 400, str(error))
        return redirect(url_for("alerts.silences"), 303)

    @alerts.post(f"/silences/{ID}/end")
    def end_silence(id: int) -> AnyResponse:
        """End a silence now."""
        desk_of().silences.end(id)
        to = request.form.get("alert", "")
        if to.isdigit():
            return redirect(url_for("alerts.story", id=int(to)), 303)
        return redirect(url_for("alerts.silences"), 303)

    def _page(fields: Fields, status: int = 200, wrong: str = "") -> Response:
        look, now_s = Look(sources_of()), time.time()
        return page(
            "alerts/silences.html",
            status,
            shell=shell("Alerts", look.alerts(), is_exact=False),
            view=panel.silences(desk_of(), now_s),
            fields=fields,
            wrong=wrong,
            spans=SPANS,
            now=field_time(now_s),
        )
