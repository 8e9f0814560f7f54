"""`/dashboard/alerts/channels`: who is told, a test of each, and the log of what went out."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..desk import Desk
from ..errors import BadRequestError, NotFoundError, UnavailableError
from ..panels.alerting import channels as panel
from ..panels.look import Look
from ..sources import Sources
from ..store.channels import StoredChannel
from .alert_forms import NEW_CHANNEL, channel_fields, channel_of, texts
from .rule_forms import Fields
from .shell import ID, MOST_ID, page, shell

# What an address looks like, by service; see Apprise's own list for the others.
EXAMPLES = (
    ("Mail", "mailtos://user:password@smtp.example.com?from=laptime@example.com&to=ops@example.com"),
    ("Slack", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#alerts"),
    ("Teams", "workflow://prod-08.westeurope.logic.azure.com/WorkflowID/Signature"),
    ("Discord", "discord://WebhookID/WebhookToken"),
    ("Telegram", "tgram://123456789:BotToken/ChatID"),
    ("Webhook", "jsons://hooks.example.com/laptime"),
)


def add(alerts: Blueprint, sources_of: Callable[[], Sources], desk_of: Callable[[], Desk]) -> None:
    """Add the pages of channels to those of alerts."""

    @alerts.get("/channels")
    def channels() -> Response:
        """All channels, the form for another, and the delivery log."""
        return _list(dict(NEW_CHANNEL))

    @alerts.post("/channels")
    def make_channel() -> AnyResponse:
        """Save a new channel."""
        fields = texts(request.form, NEW_CHANNEL)
        try:
            desk_of().channels.make(channel_of(fields), _url("the address is empty; examples stand below it"))
        except (BadRequestError, UnavailableError) as error:
            return _list(fields, error.status, str(error))
        return redirect(url_for("alerts.channels"), 303)

    @alerts.get(f"/channels/{ID}")
    def channel(id: int) -> Response:
        """The form of one channel."""
        stored = desk_of().channels.one(id)
        return _one(stored, channel_fields(stored.channel))

    @alerts.post(f"/channels/{ID}")
    def change_channel(id: int) -> AnyResponse:
        """Save a channel anew; where the address is left empty it stays."""
        desk, fields = desk_of(), texts(request.form, NEW_CHANNEL)
        stored = desk.channels.one(id)
        try:
            desk.channels.change(id, channel_of(fields), _url())
        except (BadRequestError, UnavailableError) as error:
            return _one(stored, fields, error.status, str(error))
        return redirect(url_for("alerts.channels"), 303)

    @alerts.post(f"/channels/{ID}/switch")
    def switch_channel(id: int) -> AnyResponse:
        """Turn a channel on or off."""
        desk = desk_of()
        known = desk.channels.one(id).channel
        enabled = request.form.get("enabled") == "1"
        desk.channels.change(id, msgspec.structs.replace(known, enabled=enabled))
        return redirect(url_for("alerts.channels"), 303)

    @alerts.post(f"/channels/{ID}/delete")
    def delete_channel(id: int) -> AnyResponse:
        """Delete a channel and its log."""
        desk = desk_of()
        try:
            desk.channels.remove(id)
        except BadRequestError as error:
            stored = desk.channels.one(id)
            return _one(stored, channel_fields(stored.channel), 400, str(error))
        return redirect(url_for("alerts.channels"), 303)

    @alerts.post(f"/channels/{ID}/test")
    def test_channel(id: int) -> AnyResponse:
        """Send a test; how it went appears on the page by itself."""
        notice = desk_of().channels.test(id)
        return redirect(url_for("alerts.channels", test=notice.key), 303)

    @alerts.get("/channels/tests/<key>")
    def test_outcome(key: str) -> Response:
        """How a test fares: a part that asks for itself until it is over."""
        now_s = time.time()
        entry = panel.entry(desk_of().channels.notice(key), now_s)
        if not request.headers.get("HX-Request"):
            return _list(dict(NEW_CHANNEL))
        return page("alerts/outcome.html", test=entry)

    def _list(fields: Fields, status: int = 200, wrong: str = "") -> Response:
        desk, look, now_s = desk_of(), Look(sources_of()), time.time()
        view = panel.channels(desk, now_s, before_id=_before(), state=_state())
        return page(
            "alerts/channels.html",
            status,
            shell=shell("Alerts", look.alerts(), is_exact=False),
            view=view,
            rules=_rules(desk),
            fields=fields,
            wrong=wrong,
            examples=EXAMPLES,
            test=_test(desk, now_s),
        )

    def _one(stored: StoredChannel, fields: Fields, status: int = 200, wrong: str = "") -> Response:
        look = Look(sources_of())
        return page(
            "alerts/channel.html",
            status,
            shell=shell("Alerts", look.alerts(), is_exact=False),
            stored=stored,
            rules=_rules(desk_of()),
            fields=fields,
            wrong=wrong,
            examples=EXAMPLES,
        )


def _url(missing: str = "") -> str:
    url = request.form.get("url", "").strip()
    if missing and not url:
        raise BadRequestError(missing)
    return url


def _rules(desk: Desk) -> list[tuple[str, str]]:
    return [(one.type, one.rule.name) for one in desk.rules.all()]


def _test(desk: Desk, now_s: float) -> panel.Entry | None:
    """The test that the address names, if it is there still."""
    key = request.args.get("test", "")
    try:
        return panel.entry(desk.channels.notice(key), now_s) if key else None
    except NotFoundError:
        return None


def _before() -> int | None:
    text = request.args.get("before", "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= MOST_ID):
        raise BadRequestError(f"before is {text[:40]!r}; allowed is the number of a notice")
    return int(text) if text else None


def _state() -> str:
    state = request.args.get("state", "")
    if state and state not in panel.STATES:
        raise BadRequestError(f"state is {state[:40]!r}; allowed is {', '.join(panel.STATES)}")
    return state
