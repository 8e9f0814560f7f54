"""`/performance/rules`, `/performance/channels` and `/performance/notices`: made, changed and tried."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from flask import Blueprint, Response, request, url_for

from ..desk import Desk
from ..desk.channels import ChannelDesk, Told
from ..desk.rules import RuleDesk
from ..errors import BadRequestError, ConflictError
from ..model.channels import Channel
from ..model.rules import Rule, StoredRule, unit_of
from ..panels.alert_lines import channel_answer, logged_answer, replay_answer, rule_answer, told_answer
from .alerts_api import NOBODY, limit
from .bodies import answer, changeable, members, read
from .shell import ID, MOST_ID

_PAGE, _MOST = 50, 200
_STATES = ("waiting", "delivered", "dead", "dropped")


class RuleBody(Rule, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule, and who makes or changes it."""

    by: str = NOBODY


class PreviewBody(RuleBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule, and how many days it is tried on."""

    days: int = 7


class ChannelBody(Channel, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A channel and its address, an Apprise URL; "" leaves the address that it has."""

    url: str = ""


_Form = TypeVar("_Form", bound=RuleBody)


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
        asked = _rule(members(), RuleBody)
        made = desk_of().rules.make(_plain(asked), asked.by)
        place = url_for("performance.rule", id=made.id)
        return answer({"rule": rule_answer(made)}, 201, Location=place)

    @api.post("/rules/preview")
    def preview() -> Response:
        """What a rule would have done in the last `days` (7); with `course=1` how its values went, too."""
        asked, course = _rule(members(), PreviewBody), request.args.get("course", "0")
        if course not in ("0", "1"):
            raise BadRequestError(f"course is {course[:40]!r}; allowed is 0, 1")
        found = desk_of().rules.attempt(_plain(asked), asked.days)
        unit = unit_of(asked) if asked.kind != "digest" else ""
        told = replay_answer(found, unit, asked.days, time.time(), with_course=course == "1")
        return answer({"preview": told})

    @api.get(f"/rules/{ID}")
    def rule(id: int) -> Response:
        """One rule."""
        return answer({"rule": rule_answer(desk_of().rules.one(id))})

    @api.put(f"/rules/{ID}")
    def put_rule(id: int) -> Response:
        """Change a rule: what is left out is as if it never was set."""
        desk = desk_of().rules
        return _change_rule(desk, desk.one(id), {})

    @api.patch(f"/rules/{ID}")
    def patch_rule(id: int) -> Response:
        """Change some members of a rule."""
        desk = desk_of().rules
        known = desk.one(id)
        return _change_rule(desk, known, msgspec.to_builtins(known.rule))

    @api.delete(f"/rules/{ID}")
    def delete_rule(id: int) -> Response:
        """Delete a rule that somebody made; the answer is the rule as it was."""
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
        asked = _channel(members())
        if not asked.url:
            raise BadRequestError("url is missing; it is the address that Apprise sends to")
        made = desk_of().channels.make(_plain_channel(asked), asked.url)
        place = url_for("performance.channel", id=made.id)
        return answer({"channel": channel_answer(made)}, 201, Location=place)

    @api.get(f"/channels/{ID}")
    def channel(id: int) -> Response:
        """One channel."""
        return answer({"channel": told_answer(desk_of().channels.told(id))})

    @api.put(f"/channels/{ID}")
    def put_channel(id: int) -> Response:
        """Change a channel; without `url` its address stays."""
        desk = desk_of().channels
        return _change_channel(desk, desk.told(id), {})

    @api.patch(f"/channels/{ID}")
    def patch_channel(id: int) -> Response:
        """Change some members of a channel."""
        desk = desk_of().channels
        known = desk.told(id)
        return _change_channel(desk, known, msgspec.to_builtins(known.stored.channel))

    @api.delete(f"/channels/{ID}")
    def delete_channel(id: int) -> Response:
        """Delete a channel and its log; the answer is the channel as it was."""
        desk = desk_of().channels
        gone = desk.told(id)
        desk.remove(id)
        return answer({"channel": told_answer(gone)})

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


def _change_rule(desk: RuleDesk, known: StoredRule, base: Mapping[str, Any]) -> Response:
    """Save a rule that is `base` but for the members given. What was read may be sent back as it is."""
    told, given = rule_answer(known), members()
    if given.get("changed_at", told["changed_at"]) != told["changed_at"]:
        raise ConflictError("the rule has been changed since you read it; read it again")
    fixed = {name: value for name, value in told.items() if name not in Rule.__struct_fields__}
    asked = _rule({**base, **changeable(given, fixed)}, RuleBody)
    return answer({"rule": rule_answer(desk.change(known.id, _plain(asked), asked.by))})


def _rule(given: Mapping[str, Any], form: type[_Form]) -> _Form:
    asked = read(form, given)
    if asked.kind == "digest":
        return asked
    if "levels" not in given:
        raise BadRequestError("levels is missing; it is an array of severities and their limits")
    for number, level in enumerate(given["levels"]):
        if asked.kind == "threshold" and "threshold" not in level:
            raise BadRequestError(f"levels[{number}].threshold is missing; it is a number")
    return asked


def _plain(asked: RuleBody) -> Rule:
    return Rule(**{name: getattr(asked, name) for name in Rule.__struct_fields__})


def _change_channel(desk: ChannelDesk, known: Told, base: Mapping[str, Any]) -> Response:
    """The same of a channel. How its newest notice went is told and goes on by itself."""
    told, given = told_answer(known), members()
    fixed = {name: value for name, value in told.items() if name not in Channel.__struct_fields__}
    given.pop("newest_notice", None)
    asked = _channel({**base, **changeable(given, fixed)})
    desk.change(known.stored.id, _plain_channel(asked), asked.url)
    return answer({"channel": told_answer(desk.told(known.stored.id))})


def _channel(given: Mapping[str, Any]) -> ChannelBody:
    return read(ChannelBody, given, secret=("url",))


def _plain_channel(asked: ChannelBody) -> Channel:
    return Channel(**{name: getattr(asked, name) for name in Channel.__struct_fields__})
