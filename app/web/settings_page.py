"""`/dashboard/settings`: the numbers that decide, each beside what it decides about, on one page."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable

import msgspec
from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..desk import Desk
from ..errors import BadRequestError, UnavailableError
from ..model import formats
from ..model.checking import check_rule
from ..model.rules import Level, Rule, StoredRule
from ..panels import configuration
from ..panels.alerting import channels as channels_panel
from ..panels.configuration import field_of
from ..panels.look import Look
from ..panels.machines import fleet
from ..settings import VERSION
from ..sources import Sources
from .alert_forms import NOBODY
from .rule_forms import amount
from .shell import page, shell

SECTIONS = (
    ("thresholds", "Thresholds"),
    ("retention", "Retention"),
    ("keys", "Key and session"),
    ("channels", "Channels"),
    ("appearance", "Appearance"),
    ("cost", "Own cost"),
    ("version", "Version"),
    ("environment", "Environment"),
)


def blueprint(sources_of: Callable[[], Sources], desk_of: Callable[[], Desk]) -> Blueprint:
    """The page of settings; both are called once a request."""
    settings = Blueprint("settings", __name__)

    @settings.get("/")
    @settings.get("")
    def show() -> Response:
        """Everything that is set."""
        return _show({}, "")

    @settings.post("/thresholds")
    def save_thresholds() -> AnyResponse:
        """Change the limits of default rules: all that were sent, or none."""
        desk, by = desk_of(), request.form.get("by", "").strip() or NOBODY
        try:
            changed = [one for stored in desk.rules.all() if (one := _changed(stored))]
            for _, rule in changed:
                check_rule(rule)
            for stored, rule in changed:
                desk.rules.change(stored.id, rule, by)
        except BadRequestError as error:
            return _show(request.form.to_dict(), str(error), 400)
        return redirect(url_for("settings.show", saved=len(changed), _anchor="thresholds"), 303)

    def _show(typed: dict[str, str], wrong: str, status: int = 200) -> Response:
        look, now_s = Look(sources_of()), time.time()
        extent = look.extent()
        snapshot = look.snapshot()
        try:
            desk = desk_of()
            stored, channels = desk.rules.all(), channels_panel.channels(desk, now_s).rows
        except UnavailableError:  # the page says so where they would be
            stored, channels = [], ()
        return page(
            "settings.html",
            status,
            shell=shell("Settings", look.alerts()),
            sections=SECTIONS,
            thresholds=configuration.thresholds(stored, look, now_s),
            typed=typed,
            wrong=wrong,
            saved=request.args.get("saved", ""),
            by=NOBODY,
            retention=configuration.retention(look.settings, extent, now_s),
            extent=extent,
            size="" if extent is None else str(formats.size(extent.size_bytes)),
            channels=channels,
            cost=fleet.own_cost_of(snapshot, now_s),
            values=configuration.values(look.settings),
            settings=look.settings,
            troubles=look.troubles(),
            up=formats.duration(now_s - snapshot.started_s),
            laptime=VERSION,
            python=platform.python_version(),
            is_there=bool(stored),
        )

    return settings


def _changed(stored: StoredRule) -> tuple[StoredRule, Rule] | None:
    """A default rule with the limits that were sent; None if they are as they are."""
    if not stored.is_default:
        return None
    levels = tuple(
        Level(level.severity, amount(f"{stored.rule.name}, {level.severity}", request.form[name]))
        if (name := field_of(stored.type, level.severity)) in request.form
        else level
        for level in stored.rule.levels
    )
    if levels == stored.rule.levels:
        return None
    return stored, msgspec.structs.replace(stored.rule, levels=levels)
