"""`/dashboard/settings`: how the service is set up, beside what that makes of it now.

One page. What the store decides can be changed here, what the environment decides is shown with its variable.
Without the store the page stands, and says what is not known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..desk import Desk
from ..errors import BadRequestError, UnavailableError
from ..model.rules import StoredRule
from ..panels.alerting import channels as channels_panel
from ..panels.configuration import about, retention
from ..panels.configuration import thresholds as thresholds_panel
from ..panels.look import Look
from ..sources import Sources
from ..store.sizes import Size
from . import threshold_forms
from .alert_forms import NOBODY
from .auth import Door, need_admin
from .keys import SESSION_IDLE_S, SESSION_MOST_S
from .shell import ID, page, shell
from .threshold_forms import Typed

# By the anchor, in the order that they stand.
SECTIONS = {
    "thresholds": "Thresholds",
    "retention": "Retention",
    "keys": "Keys",
    "channels": "Channels",
    "appearance": "Appearance",
    "cost": "Own cost",
    "version": "Version",
    "settings": "All settings",
}


def blueprint(
    sources_of: Callable[[], Sources], desk_of: Callable[[], Desk], software: Mapping[str, str]
) -> Blueprint:
    """The page and its forms; `software` names the libraries with their versions."""
    settings = Blueprint("settings", __name__)

    @settings.get("/")
    @settings.get("")
    def page() -> Response:
        """The whole page."""
        return _page(sources_of(), desk_of(), software)

    @settings.post("/")
    @settings.post("")
    def save_thresholds() -> AnyResponse:
        """Save the limits that somebody touched, all or none."""
        need_admin()
        desk = desk_of()
        rules = desk.rules.all()
        typed = threshold_forms.posted(request.form, rules)
        by = request.form.get("by", "").strip() or NOBODY
        if typed.wrong:
            return _page(sources_of(), desk, software, 400, typed=typed)
        try:
            desk.rules.change_all(typed.changes, by)
        except (BadRequestError, UnavailableError) as error:
            return _page(sources_of(), desk, software, error.status, typed=typed, told=str(error))
        return redirect(url_for("settings.page", _anchor="thresholds"), 303)

    @settings.post(f"/thresholds/{ID}/reset")
    def reset_threshold(id: int) -> AnyResponse:
        """Let a default rule follow the environment's settings again."""
        need_admin()
        desk_of().rules.reset(id)
        return redirect(url_for("settings.page", _anchor=f"rule-{id}"), 303)

    return settings


def _page(
    sources: Sources,
    desk: Desk,
    software: Mapping[str, str],
    status: int = 200,
    *,
    typed: Typed | None = None,
    told: str = "",
) -> Response:
    look, now_s = Look(sources), time.time()
    rules, rules_why = _asked(desk.rules.all)
    size, size_why = _asked(desk.storage.size)
    channels, _ = _asked(lambda: channels_panel.channels(desk, now_s))
    kept = retention.retention(look.settings, size, now_s)
    return page(
        "settings/page.html",
        status,
        shell=shell("Settings", look.alerts()),
        sections=SECTIONS,
        **_thresholds(rules, look, now_s, typed),
        told=told,
        by=NOBODY,
        why=rules_why or size_why,
        kept=kept,
        channels=channels,
        key=_key(),
        cost=about.cost(look.snapshot(), str(kept.total or ""), now_s),
        facts=about.version(look.settings, look.snapshot(), _running(software), _database(size), now_s),
        settings=about.all_settings(look.settings),
    )


def _thresholds(
    rules: list[StoredRule] | None, sources: Sources, now_s: float, typed: Typed | None
) -> dict[str, Any]:
    if rules is None:
        return {"thresholds": None, "fields": {}, "was": {}, "wrong": {}}
    was = threshold_forms.shown(rules)
    return {
        "thresholds": thresholds_panel.thresholds(rules, sources, now_s),
        "fields": typed.texts if typed else was,
        "was": was,
        "wrong": typed.wrong if typed else {},
    }


def _asked(ask: Callable[[], Any]) -> tuple[Any, str]:
    """What the store answers, or None and why it does not."""
    try:
        return ask(), ""
    except UnavailableError as error:
        return None, str(error)


def _key() -> dict[str, Any]:
    """Which key is in use, and who asks; never the key itself."""
    door: Door = current_app.extensions["laptime.door"]
    session = g.get("session")
    return {
        "is_generated": door.keys.is_generated,
        "signed_in_s": session.signed_in_s if session else None,
        "ends_s": session.signed_in_s + SESSION_MOST_S if session else None,
        "idle_h": SESSION_IDLE_S // 3600,
    }


def _running(software: Mapping[str, str]) -> Mapping[str, str]:
    """The server that answers this request, before the libraries."""
    name, _, version = request.environ.get("SERVER_SOFTWARE", "").partition("/")
    server = {"Server": f"{name} {version}".strip()} if name else {}
    return {**server, **software}


def _database(size: Size | None) -> str:
    return size.database if size else ""
