"""Alerts, rules, silences, channels and notices as the JSON API tells them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from ..desk.alerts import Telling
from ..desk.channels import Logged, Told
from ..model.alerting import Alert
from ..model.replay import Replay
from ..model.rules import StoredRule
from ..model.silencing import Silence
from ..store.channels import StoredChannel
from ..store.notices import Notice
from .answers import instant

Answer = dict[str, Any]


class AlertLine(Struct, frozen=True, gc=False):
    """An alert; `since` is `timestamp` under the name that it has elsewhere."""

    type: str
    tool: str
    severity: str
    message: str
    timestamp: str
    id: int
    state: str
    value: float
    threshold: float
    since: str
    peak: float | None
    peak_severity: str
    instance: str
    requests: int | None  # None: it is of no requests
    failures: int | None
    release: str | None  # that began shortly before it
    acknowledged_by: str | None
    acknowledged_at: str | None
    acknowledged_note: str | None
    resolved_at: str | None
    resolved_by: str | None
    resolved_note: str | None
    silenced_until: str | None


def alert_line(alert: Alert, silence: Silence | None = None) -> AlertLine:
    """One alert, and until when nobody is told of it."""
    return AlertLine(
        type=alert.type,
        tool=alert.tool,
        severity=alert.severity,
        message=alert.message,
        timestamp=instant(alert.since_s),
        id=alert.id,
        state=alert.stage,
        value=round(float(alert.value), 3),
        threshold=float(alert.threshold),
        since=instant(alert.since_s),
        peak=None if alert.peak is None else round(float(alert.peak), 3),
        peak_severity=alert.peak_severity or alert.severity,
        instance=alert.instance,
        requests=alert.requests,
        failures=alert.failures,
        release=alert.release or None,
        acknowledged_by=alert.acknowledged_by or None,
        acknowledged_at=_at(alert.acknowledged_s),
        acknowledged_note=alert.acknowledged_note or None,
        resolved_at=_at(alert.resolved_s),
        resolved_by=alert.resolved_by or None,
        resolved_note=alert.resolved_note or None,
        silenced_until=_at(silence.end_s if silence else None),
    )


def rule_answer(stored: StoredRule) -> Answer:
    """A rule with its members, as they are sent too, and what is known of it."""
    return {
        "id": stored.id,
        "type": stored.type,
        "is_default": stored.is_default,
        "changed_at": _at(stored.changed_s),
        "changed_by": stored.changed_by or None,
        **msgspec.to_builtins(stored.rule),
    }


def replay_answer(
    stored: Replay, rule_unit: str, days: int, now_s: float, *, with_course: bool = False
) -> Answer:
    """What a rule would have done; `with_course` adds how each target's value went."""
    firings = [
        {
            "tool": one.target.tool,
            "instance": one.target.instance,
            "from": instant(one.start_s),
            "to": _at(one.end_s),
            "seconds": round((one.end_s or now_s) - one.start_s),
            "severity": one.severity,
            "peak": round(one.peak, 3),
            "threshold": one.threshold,
        }
        for one in stored.firings
    ]
    seconds = sum(one["seconds"] for one in firings if isinstance(one["seconds"], int))
    course = _course(stored) if with_course else None
    whole = {"count": len(firings), "seconds": seconds, "firings": firings, "course": course}
    return {"days": days, "unit": rule_unit, **whole}


def _course(stored: Replay) -> Answer:
    """Each target's values at the instants `timestamps`, None where there was none."""
    targets = [
        {"tool": target.tool, "instance": target.instance, "values": list(values)}
        for target, values in sorted(stored.courses.items())
    ]
    return {"timestamps": [instant(at_s) for at_s in stored.ends_s], "targets": targets}


def silence_answer(silence: Silence, now_s: float) -> Answer:
    """A silence; `state` is planned, standing or over."""
    state = "over" if silence.end_s <= now_s else "planned" if now_s < silence.start_s else "standing"
    return {
        "id": silence.id,
        "state": state,
        "start": instant(silence.start_s),
        "end": instant(silence.end_s),
        "rule": silence.type or None,
        "tools": list(silence.tools),
        "severity": silence.severity or None,
        "reason": silence.reason,
        "author": silence.author,
    }


def channel_answer(stored: StoredChannel, newest: Notice | None = None) -> Answer:
    """A channel without its address; `source` is where that comes from."""
    return {
        "id": stored.id,
        **msgspec.to_builtins(stored.channel),
        "service": stored.service,
        "shown": stored.shown,
        "source": "environment" if stored.source else "store",
        "newest_notice": _notice(newest) if newest else None,
    }


def told_answer(told: Told) -> Answer:
    """A channel with the fate of its newest notice."""
    return channel_answer(told.stored, told.newest)


def logged_answer(logged: Logged) -> Answer:
    """A notice of the delivery log with its tries."""
    tries = [
        {"timestamp": instant(one.at_s), "seconds": one.took_s, "detail": one.detail} for one in logged.tries
    ]
    return {**_notice(logged.notice), "channel": logged.channel, "tries": tries}


def notices_of(told: Sequence[Telling]) -> list[Answer]:
    """The notices that told of an alert, to whom, and what each said of it."""
    return [{**_notice(one.notice), "channel": one.channel, "event": one.event} for one in told]


def _notice(notice: Notice) -> Answer:
    return {
        "id": notice.key,
        "kind": notice.kind,
        "state": notice.state,
        "severity": notice.severity,
        "created_at": instant(notice.created_s),
        "finished_at": _at(notice.finished_s),
        "due_at": instant(notice.due_s) if notice.state == "waiting" else None,
        "tries": notice.tries,
        "title": notice.title,
        "detail": notice.detail or None,
    }


def _at(at_s: float | None) -> str | None:
    return None if at_s is None else instant(at_s)
