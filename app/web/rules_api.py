"""`/performance/rules`, `/performance/channels` and `/performance/notices`: made, changed and tried."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from flask import Blueprint, Response, request, url_for

from ..desk import Desk
from ..errors import BadRequestError
from ..model.channels import Channel
from ..model.rules import Rule, unit_of
from ..panels.alert_lines import channel_answer, logged_answer, replay_answer, rule_answer, told_answer
from .alerts_api import NOBODY, limit
from .bodies import answer, body, number, read, text
from .shell import ID, MOST_ID

# What is told of a rule or a channel and can't be sent: passed over, so that what was read may be sent back.
_TOLD = frozenset(
    {"id", "type", "is_default", "changed_at", "changed_by", "service", "shown", "source", "newest_notice"}
)
_PAGE, _MOST = 50, 200
_STATES = ("waiting", "delivered", "dead", "dropped")


def add(api: Blueprint, desk_of: Callable[[], Desk]) -> None:
    """Add the routes to those of the API."""
    _add_rules(api, desk_of)
    _add_channels(api, desk_of)
    _add_notices(api, desk_of)


def _add_rules(api: Blueprint, desk_of: Callable[[], Desk]) -> None:
    @api.get("/rules")
    def rules() -> Response:
        """All rules, the default ones first."""
        return answer({"rules": [rule_answer(one) for one in desk_of().rules.all()]})

    @api.post("/rules")
    def make_rule() -> Response:
        """Make a rule."""
        members = body()
        made = desk_of().rules.make(_rule(members), _by(members))
        place = url_for("performance.rule", id=made.id)
        return answer({"rule": rule_answer(made)}, 201, Location=place)

    @api.post("/rules/preview")
    def preview() -> Response:
        """What a rule would have done in the last `days` (7)."""
        members = body()
        days = number(members, "days")
        rule = _rule({name: value for name, value in members.items() if name != "days"})
        span = int(days) if days is not None else 7
        found = desk_of().rules.attempt(rule, span)
        unit = unit_of(rule) if rule.kind != "digest" else ""
        return answer({"preview": replay_answer(found, unit, span, time.time())})

    @api.get(f"/rules/{ID}")
    def rule(id: int) -> Response:
        """One rule."""
        return answer({"rule": rule_answer(desk_of().rules.one(id))})

    @api.put(f"/rules/{ID}")
    def put_rule(id: int) -> Response:
        """Change a rule: what is left out is as if it never was set."""
        members = body()
        return answer({"rule": rule_answer(desk_of().rules.change(id, _rule(members), _by(members)))})

    @api.patch(f"/rules/{ID}")
    def patch_rule(id: int) -> Response:
        """Change some members of a rule."""
        members, desk = body(), desk_of().rules
        whole = msgspec.to_builtins(desk.one(id).rule) | _sent(members)
        return answer({"rule": rule_answer(desk.change(id, _rule(whole), _by(members)))})

    @api.delete(f"/rules/{ID}")
    def delete_rule(id: int) -> Response:
        """Delete a rule that somebody made."""
        desk = desk_of().rules
        gone = desk.one(id)
        desk.remove(id)
        return answer({"rule": rule_answer(gone)})

    @api.post(f"/rules/{ID}/reset")
    def reset_rule(id: int) -> Response:
        """Let a default rule follow the settings again."""
        return answer({"rule": rule_answer(desk_of().rules.reset(id))})


def _add_channels(api: Blueprint, desk_of: Callable[[], Desk]) -> None:
    @api.get("/channels")
    def channels() -> Response:
        """All channels, each with the fate of its newest notice."""
        return answer({"channels": [told_answer(one) for one in desk_of().channels.all()]})

    @api.post("/channels")
    def make_channel() -> Response:
        """Make a channel; its `url` is never told again."""
        members = body()
        url = text(members, "url")
        if not url:
            raise BadRequestError("url is missing; it is the address that Apprise sends to")
        made = desk_of().channels.make(_channel(members), url)
        place = url_for("performance.channel", id=made.id)
        return answer({"channel": channel_answer(made)}, 201, Location=place)

    @api.get(f"/channels/{ID}")
    def channel(id: int) -> Response:
        """One channel."""
        return answer({"channel": told_answer(desk_of().channels.told(id))})

    @api.put(f"/channels/{ID}")
    def put_channel(id: int) -> Response:
        """Change a channel; without `url` its address stays."""
        members = body()
        changed = desk_of().channels.change(id, _channel(members), text(members, "url"))
        return answer({"channel": channel_answer(changed)})

    @api.patch(f"/channels/{ID}")
    def patch_channel(id: int) -> Response:
        """Change some members of a channel."""
        members, desk = body(), desk_of().channels
        whole = msgspec.to_builtins(desk.one(id).channel) | _sent(members)
        return answer({"channel": channel_answer(desk.change(id, _channel(whole), text(members, "url")))})

    @api.delete(f"/channels/{ID}")
    def delete_channel(id: int) -> Response:
        """Delete a channel and its log."""
        desk = desk_of().channels
        gone = desk.one(id)
        desk.remove(id)
        return answer({"channel": channel_answer(gone)})

    @api.post(f"/channels/{ID}/test")
    def test_channel(id: int) -> Response:
        """Send a test; it goes out within seconds, and its notice tells how that went."""
        key = desk_of().channels.test(id).key
        place = url_for("performance.notice", key=key)
        return answer({"notice": {"id": key, "href": place}}, 202, Location=place)


def _add_notices(api: Blueprint, desk_of: Callable[[], Desk]) -> None:
    @api.get("/notices")
    def notices() -> Response:
        """A page of the delivery log, newest first."""
        state, before = request.args.get("state", ""), request.args.get("before", "")
        if state and state not in _STATES:
            raise BadRequestError(f"state is {state[:40]!r}; allowed is {', '.join(_STATES)}")
        if before and not (
            before.isascii() and before.isdigit() and len(before) < 11 and int(before) <= MOST_ID
        ):
            raise BadRequestError(f"before is {before[:40]!r}, which is no end of a page")
        wanted = limit(_PAGE, _MOST)
        found = desk_of().channels.log(wanted, before_id=int(before) if before else None, state=state)
        following = str(found[-1].notice.id) if len(found) == wanted else None
        return answer({"notices": [logged_answer(one) for one in found], "next": following})

    @api.get("/notices/<key>")
    def notice(key: str) -> Response:
        """One notice and its tries."""
        return answer({"notice": logged_answer(desk_of().channels.notice(key[:100]))})


def _sent(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in _TOLD | {"by", "url"}}


def _rule(members: Mapping[str, Any]) -> Rule:
    return read(_sent(members), Rule)


def _channel(members: Mapping[str, Any]) -> Channel:
    return read(_sent(members), Channel)


def _by(members: Mapping[str, Any]) -> str:
    return text(members, "by") or NOBODY
