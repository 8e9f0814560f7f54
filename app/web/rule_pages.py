"""`/dashboard/alerts/rules`: all rules, and the editor with its answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..desk import Desk
from ..errors import BadRequestError, UnavailableError
from ..model.checking import check_rule
from ..model.rules import Rule, StoredRule
from ..panels.alerting import rules as rules_panel
from ..panels.alerting.attempt import Answer, attempt
from ..panels.alerting.words import span
from ..panels.look import Look
from ..sources import Sources
from . import rule_forms
from .alert_forms import NOBODY
from .rule_forms import Fields
from .shell import ID, page, shell


def add(alerts: Blueprint, sources_of: Callable[[], Sources], desk_of: Callable[[], Desk]) -> None:
    """Add the pages of rules to those of alerts."""

    @alerts.get("/rules")
    def rules() -> Response:
        """All rules."""
        return _list()

    @alerts.get("/rules/new")
    def new_rule() -> Response:
        """The editor for a new rule; the address may fill in fields, as of a tool that somebody looks at."""
        return _editor(rule_forms.asked(request.args), None)

    @alerts.post("/rules/new")
    def make_rule() -> AnyResponse:
        """Save a new rule, or only preview it."""
        return _save(None)

    @alerts.get(f"/rules/{ID}")
    def rule(id: int) -> Response:
        """The editor for a rule that there is."""
        stored = desk_of().rules.one(id)
        return _editor(rule_forms.fields_of(stored.rule), stored)

    @alerts.post(f"/rules/{ID}")
    def change_rule(id: int) -> AnyResponse:
        """Save a rule anew, or only preview it."""
        return _save(desk_of().rules.one(id))

    @alerts.post("/rules/preview")
    def preview_rule() -> Response:
        """The answer beside the editor, as what is typed would have it."""
        desk, look = desk_of(), Look(sources_of())
        answer, wrong, _ = _tried(desk, look, rule_forms.posted(request.form))
        return page("alerts/answer.html", answer=answer, wrong=wrong)

    @alerts.post(f"/rules/{ID}/switch")
    def switch_rule(id: int) -> AnyResponse:
        """Turn a rule on or off."""
        desk = desk_of()
        known = desk.rules.one(id).rule
        changed = msgspec.structs.replace(known, enabled=request.form.get("enabled") == "1")
        desk.rules.change(id, changed, request.form.get("by", "").strip() or NOBODY)
        return redirect(url_for("alerts.rules", _anchor=f"rule-{id}"), 303)

    @alerts.post(f"/rules/{ID}/delete")
    def delete_rule(id: int) -> AnyResponse:
        """Delete a rule that somebody made."""
        return _done(lambda desk: desk.rules.remove(id))

    @alerts.post(f"/rules/{ID}/reset")
    def reset_rule(id: int) -> AnyResponse:
        """Let a default rule follow the settings again."""
        return _done(lambda desk: desk.rules.reset(id))

    def _list(status: int = 200, wrong: str = "") -> Response:
        look = Look(sources_of())
        view = rules_panel.rules(desk_of())
        surroundings = shell("Alerts", look.alerts(), is_exact=False)
        return page("alerts/rules.html", status, shell=surroundings, view=view, wrong=wrong, by=NOBODY)

    def _done(change: Callable[[Desk], object]) -> AnyResponse:
        try:
            change(desk_of())
        except BadRequestError as error:
            return _list(400, str(error))
        return redirect(url_for("alerts.rules"), 303)

    def _save(stored: StoredRule | None) -> AnyResponse:
        fields = rule_forms.posted(request.form)
        if "preview" in request.form:
            return _editor(fields, stored, tries=True)
        desk, by = desk_of(), fields["by"] or NOBODY
        try:
            rule = _rule_of(desk, fields)
            saved = desk.rules.make(rule, by) if stored is None else desk.rules.change(stored.id, rule, by)
        except BadRequestError as error:
            return _editor(fields, stored, 400, wrong=str(error))
        return redirect(url_for("alerts.rules", _anchor=f"rule-{saved.id}"), 303)

    def _editor(
        fields: Fields,
        stored: StoredRule | None,
        status: int = 200,
        *,
        wrong: str = "",
        tries: bool = False,
    ) -> Response:
        desk, look, now_s = desk_of(), Look(sources_of()), time.time()
        # A replay takes a second or more: the page does not wait for it unless it was asked for.
        answer, found_wrong, rule = _tried(desk, look, fields) if tries else (None, "", _named(fields))
        return page(
            "alerts/rule.html",
            status,
            shell=shell("Alerts", look.alerts(), is_exact=False),
            fields=fields,
            stored=stored,
            choices=rules_panel.choices(desk, look, now_s),
            spans=_spans(fields),
            suggested=rules_panel.suggested_name(rule) if rule is not None else "",
            answer=answer,
            wrong=wrong or found_wrong,
            is_refused=bool(wrong),
            is_tried=tries,
        )


def _named(fields: Fields) -> Rule | None:
    """The rule of the fields, if they make one: what it would be called stands in the empty field."""
    try:
        return rule_forms.rule_of(fields)
    except BadRequestError:
        return None


def _rule_of(desk: Desk, fields: Fields) -> Rule:
    rule = rule_forms.rule_of(fields)
    known = [one.stored.channel.name for one in desk.channels.all()]
    if missing := rule_forms.unknown_channels(rule, known):
        raise BadRequestError(f"there is no channel {missing[0][:100]!r} any more")
    return rule


def _tried(desk: Desk, sources: Sources, fields: Fields) -> tuple[Answer | None, str, Rule | None]:
    """What the rule of the fields would have done, or why it can't be told."""
    try:
        rule = rule_forms.rule_of(fields)
        check_rule(rule)
        if rule.kind == "digest":
            return None, "", rule
        return attempt(desk, sources, rule, time.time()), "", rule
    except (BadRequestError, UnavailableError) as error:
        return None, str(error), None


def _spans(fields: Fields) -> list[tuple[str, str]]:
    """The spans to choose from, among them that of the rule."""
    known: dict[str, Any] = {str(one): one for one in rule_forms.WINDOWS}
    own = fields["window"]
    if own.isdigit() and own not in known and len(own) < 8:
        known[own] = int(own)
    return [(text, span(one)) for text, one in sorted(known.items(), key=lambda p: p[1])]
