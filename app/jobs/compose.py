"""What a notice says: subject and text, the same for mail, chat and webhook.

Everything that came from outside (tools' names, messages) stands in one line and is cut where it is long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ..model import formats
from ..model.alerting import SYSTEM, Alert, rank
from ..model.rules import Rule, is_beyond
from ..model.series import Series
from ..model.text_chart import text_chart
from ..model.wording import amount
from ..settings import Settings
from ..sources import Sources
from ..store.notice_log import Told
from . import evidence

_SHOWN, _CHARTED = 20, 3
_NAME = 60
_WORDS = {
    "firing": "fires",
    "worse": "got worse",
    "flapping": "is back, and goes on and off: it stays open until it was well for 30 min",
    "repeat": "still fires",
    "resolved": "is over",
}


class Composer:
    """Writes notices of one service, whose pages are at `settings.public_url`."""

    def __init__(self, settings: Settings, sources: Sources) -> None:
        self._settings = settings
        self._sources = sources

    def alerts(
        self, told: Sequence[Told], alerts: Mapping[int, Alert], rules: Mapping[str, Rule], now_s: float
    ) -> tuple[str, str]:
        """Title and text of what happened to alerts, the worst first; of each its newest event counts."""
        newest = {one.alert_id: one.event for one in told if one.alert_id in alerts}
        pairs = [(alerts[id], event) for id, event in newest.items()]
        pairs.sort(key=lambda pair: (pair[1] == "resolved", -rank(pair[0].severity), pair[0].since_s))
        parts = [
            self._alert(alert, event, rules.get(alert.type), now_s, charted=number < _CHARTED)
            for number, (alert, event) in enumerate(pairs[:_SHOWN])
        ]
        if len(pairs) > _SHOWN:
            parts.append(f"And {formats.count(len(pairs) - _SHOWN)} more: {self._link()}")
        if any(event != "resolved" for _, event in pairs):
            parts.append(self._worst(now_s))
        return _title(pairs), "\n\n".join(part for part in parts if part)

    def test(self, channel: str) -> tuple[str, str]:
        """Title and text of a test."""
        return (
            "Test from Laptime",
            f"This is a test of the channel {formats.shorten(channel, _NAME)}. Alerts come the same way.\n"
            f"{self._link()}",
        )

    def _alert(self, alert: Alert, event: str, rule: Rule | None, now_s: float, *, charted: bool) -> str:
        lines = [f"{_subject(alert)}: {_line(alert.message)}", f"  {_since(alert, event, now_s)}"]
        evidence_ = _evidence(alert, rule)
        if evidence_:
            lines.append(f"  {evidence_}")
        if alert.release and alert.release_s is not None:
            after = formats.duration(alert.since_s - alert.release_s)
            lines.append(f"  Began {after} after release {formats.shorten(alert.release, _NAME)}.")
        if alert.acknowledged_s is not None:
            lines.append(
                f"  Acknowledged by {_line(alert.acknowledged_by)} at {_clock(alert.acknowledged_s)}."
            )
        if charted and rule is not None:
            lines += self._chart(rule, alert, now_s)
        lines.append(f"  {self._link(alert.id)}")
        return "\n".join(lines)

    def _chart(self, rule: Rule, alert: Alert, now_s: float) -> list[str]:
        values = evidence.course(rule, alert, now_s, self._sources)
        known = [one for one in values if one is not None]
        if not known:
            return []
        low, high = amount(rule, min(known)), amount(rule, max(known))
        return [
            f"  Last hour {text_chart(values, max if rule.condition == 'above' else min)} {low} to {high}"
        ]

    def _worst(self, now_s: float) -> str:
        found = evidence.worst_tools(now_s, self._sources)
        if not found:
            return ""
        return "\n".join(["Worst tools of the last hour", *(_tool(name, series) for name, series in found)])

    def _link(self, alert_id: int | None = None) -> str:
        base = self._settings.public_url.rstrip("/")
        path = f"{self._settings.dashboard_prefix}/alerts"
        place = path if alert_id is None else f"{path}/{alert_id}"
        return f"{base}{place}" if base else f"{place} (set LAPTIME_PUBLIC_URL for whole links)"


def _title(pairs: Sequence[tuple[Alert, str]]) -> str:
    firing = [alert for alert, event in pairs if event != "resolved"]
    if len(pairs) == 1:
        alert, event = pairs[0]
        word = "Resolved" if event == "resolved" else alert.severity.capitalize()
        return f"{word}: {_subject(alert)}, {_line(alert.message)}"
    if not firing:
        return f"Resolved: {formats.plural(len(pairs), 'alert')}, {_subject(pairs[0][0])} and others"
    worst = firing[0]
    over = len(pairs) - len(firing)
    text = f"{worst.severity.capitalize()}: {formats.plural(len(firing), 'alert')}, {_subject(worst)}"
    text += " and others" if len(firing) > 1 else ""
    return text + (f"; {over} resolved" if over else "")


def _subject(alert: Alert) -> str:
    if alert.tool == SYSTEM and alert.instance:
        return f"system ({formats.shorten(alert.instance, _NAME)})"
    return formats.shorten(alert.tool, _NAME)


def _since(alert: Alert, event: str, now_s: float) -> str:
    """When it began, for how long, and what is new about it."""
    began = f"{alert.severity.capitalize()} since {_clock(alert.since_s, day=True)}"
    end_s = alert.resolved_s if alert.resolved_s is not None else now_s
    lasted = formats.duration(end_s - alert.since_s)
    if alert.resolved_s is not None:
        why = f" ({_line(alert.resolved_note)})" if alert.resolved_note else ""
        by = f" by {_line(alert.resolved_by)}" if alert.resolved_by else ""
        return f"{began}, over{by} at {_clock(alert.resolved_s)} after {lasted}{why}."
    return f"{began}, for {lasted}: {_WORDS[event]}."


def _evidence(alert: Alert, rule: Rule | None) -> str:
    """The value against its limit, the worst of it, and what it is made of."""
    parts = []
    if rule is not None:
        parts.append(f"Value {amount(rule, alert.value)}, limit {amount(rule, alert.threshold)}")
        if alert.peak is not None and is_beyond(rule, alert.peak, alert.value):
            parts.append(f"worst {amount(rule, alert.peak)}")
    if alert.requests:
        failed = f"{formats.count(alert.failures or 0)} of {formats.plural(alert.requests, 'request')} failed"
        span = (
            f" in {formats.duration(rule.window_s)}" if rule is not None and rule.kind == "threshold" else ""
        )
        parts.append(failed + span)
    return ", ".join(parts) + "." if parts else ""


def _tool(name: str, series: Series) -> str:
    p95 = series.quantiles_ms((0.95,))
    failed = formats.percent(100 - (series.success_percent or 0.0))
    asked = formats.plural(series.requests, "request")
    usual = formats.response_time(series.average_ms)
    return (
        f"  {formats.shorten(name, _NAME)}: {failed} % of {asked} failed, "
        f"average {usual}, p95 {formats.response_time(p95[0] if p95 else None)}"
    )


def _clock(at_s: float, *, day: bool = False) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%-d %b %H:%M UTC" if day else "%H:%M UTC")


def _line(text: str) -> str:
    return formats.shorten(text, 200)
