"""Forms of silences and channels, from what was typed to the model. Times of forms are UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from werkzeug.datastructures import MultiDict

from ..errors import BadRequestError
from ..model.alerting import SEVERITIES, Alert
from ..model.channels import Channel, Lowest
from ..model.silencing import Silence
from .rule_forms import Fields, amount, patterns

NOBODY = "dashboard"
NEW_SILENCE: Mapping[str, Any] = {
    "type": "", "tools": "", "severity": "", "start": "", "end": "", "hours": "", "reason": "", "by": NOBODY,
}  # fmt: skip
NEW_CHANNEL: Mapping[str, Any] = {
    "name": "", "least_severity": "warning", "types": (), "quiet_from": "", "quiet_to": "",
    "time_zone": "UTC", "enabled": "1",
}  # fmt: skip


def texts(form: MultiDict[str, str], known: Mapping[str, Any]) -> Fields:
    """The known fields as they were sent."""
    return {
        name: form.getlist(name) if isinstance(default, tuple) else form.get(name, "").strip()
        for name, default in known.items()
    }


def silence_of(fields: Mapping[str, Any], now_s: float) -> Silence:
    """The silence that the fields make: for so many hours, or from then to then. Raises BadRequestError."""
    start_s = _instant_s("from", fields["start"]) if fields["start"] else now_s
    if fields["hours"]:
        end_s = start_s + 3600 * amount("for", fields["hours"])
    elif fields["end"]:
        end_s = _instant_s("until", fields["end"])
    else:
        raise BadRequestError("a silence needs an end: choose for how long, or until when")
    return Silence(
        0, start_s, end_s, fields["type"], patterns(fields["tools"]), fields["severity"], fields["reason"],
        fields["by"],
    )  # fmt: skip


def silence_like(alert: Alert, fields: Mapping[str, Any], now_s: float) -> Silence:
    """A silence of one alert: its rule and its tool."""
    tools = "" if alert.tool.startswith("!") else alert.tool
    return silence_of({**NEW_SILENCE, **fields, "type": alert.type, "tools": tools}, now_s)


def channel_fields(channel: Channel) -> Fields:
    """The fields of a channel that is to be changed."""
    return {
        "name": channel.name,
        "least_severity": channel.least_severity,
        "types": list(channel.types),
        "quiet_from": channel.quiet_from,
        "quiet_to": channel.quiet_to,
        "time_zone": channel.time_zone,
        "enabled": "1" if channel.enabled else "",
    }


def channel_of(fields: Mapping[str, Any]) -> Channel:
    """The channel that the fields make. Raises BadRequestError."""
    least = fields["least_severity"]
    if least not in SEVERITIES:
        raise BadRequestError("the least severity is one of info, warning, error and critical")
    return Channel(
        name=fields["name"],
        enabled=bool(fields["enabled"]),
        least_severity=cast("Lowest", least),
        types=tuple(fields["types"]),
        quiet_from=fields["quiet_from"],
        quiet_to=fields["quiet_to"],
        time_zone=fields["time_zone"] or "UTC",
    )


def field_time(at_s: float) -> str:
    """An instant as a field of a form holds it, in UTC."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M")


def _instant_s(label: str, text: str) -> float:
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise BadRequestError(
            f"{label} is {text[:40]!r}; allowed is a time such as 2026-11-25 08:30"
        ) from None
