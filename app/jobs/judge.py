"""One round of judging in one transaction: watches move on, alerts open and end, and people are told.

State, alert and outbox change together or not at all, so that a round which is cut off leaves no trace and
the next one finds what there was before.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..model.alerting import Alert, rank
from ..model.life import NO_DATA_S, Change, Watch, step
from ..model.readings import Material, Measured, Reading, Target, read
from ..model.rules import StoredRule, is_beyond
from ..model.silencing import covering
from ..model.telling import event_of
from ..model.wording import message
from ..store import Connection, alerts, channels, notices, releases, rules, silences
from ..store.rules import Key

# Of a longer pause between two rounds no more than this counts.
TURN_S = 15.0
_DEPLOY_S = 1800.0
_CHANGING = (
    "state", "severity", "message", "value", "threshold", "peak", "peak_severity", "requests", "failures",
    "resolved_s", "resolved_note", "acknowledged_s", "told_s", "told_severity",
)  # fmt: skip


class Round:
    """Judges `stored`, the rules that are on, by `material` at `now_s` (Unix seconds)."""

    def __init__(self, connection: Connection, now_s: float, material: Mapping[int, Material]) -> None:
        self._connection = connection
        self._now_s = now_s
        self._material = material
        self._open = {_key(alert): alert for alert in alerts.active(connection)}
        self._before = dict(self._open)
        self._silences = silences.standing(connection, now_s)
        self._channels = channels.read_channels(connection)
        self._rules: dict[str, StoredRule] = {}

    def run(self, stored: Sequence[StoredRule]) -> None:
        """Judge all rules and write what has changed."""
        self._rules = {one.type: one for one in stored}
        known = rules.read_watches(self._connection)
        changed: dict[Key, Watch] = {}
        ended = [key for key in known if key[0] not in self._rules]
        for one in stored:
            if one.rule.kind == "digest":
                continue
            readings = read(one.rule, self._material.__getitem__)
            several = len({target.instance for target in readings}) > 1
            mine = {key[1] for key in known if key[0] == one.type}
            for target in sorted({*readings, *mine}):
                key = one.type, target
                watch, change = step(one.rule, known.get(key), readings.get(target), self._now_s, TURN_S)
                self._follow(one, target, watch, change, readings.get(target), several=several)
                if watch.is_worth_keeping(self._now_s):
                    changed[key] = watch
                elif key in known:
                    ended.append(key)
        self._end_orphans({key for key, watch in changed.items() if watch.is_open})
        rules.write_watches(self._connection, changed, ended)
        self._write()

    def _follow(
        self,
        stored: StoredRule,
        target: Target,
        watch: Watch,
        change: Change,
        reading: Reading | None,
        *,
        several: bool,
    ) -> None:
        """Let the alert of a rule and target do what its watch did."""
        key = stored.type, target
        if change == "fired":
            # One that is open already is gone on with: its rule was changed, or its watch was lost.
            self._open[key] = self._open.get(key) or self._opened(stored, target)
        elif change == "flapping":
            newest = alerts.newest_of(self._connection, stored.type, *target)
            self._open[key] = (
                replace(newest, resolved_s=None, resolved_note="", acknowledged_s=None)
                if newest is not None
                else self._opened(stored, target)
            )
            self._before[key] = newest or self._open[key]
        alert = self._open.get(key)
        if alert is None:
            return
        level = reading.levels[watch.severity - 1] if reading is not None and watch.severity else None
        if level is not None and reading is not None:
            name = target.instance if several else ""
            alert = self._seen(alert, stored, watch, level, reading, name)
        if change == "resolved":
            note = "no data" if watch.silent_s >= NO_DATA_S else ""
            alert = replace(alert, state="resolved", resolved_s=self._now_s, resolved_note=note)
        elif watch.is_open:
            alert = replace(alert, state=watch.state)
        self._open[key] = self._tell(alert, stored.rule.channels, change)

    def _opened(self, stored: StoredRule, target: Target) -> Alert:
        level = stored.rule.levels[0]
        release = releases.newest(self._connection)
        alert = Alert(
            stored.type, target.tool, level.severity, "", 0.0, level.threshold, self._now_s,
            instance=target.instance,
        )  # fmt: skip
        if release is not None and 0 <= self._now_s - release.at_s < _DEPLOY_S:
            alert = replace(alert, release=release.release, release_s=release.at_s)
        values: dict[str, Any] = {
            name: getattr(alert, name)
            for name in ("type", "tool", "instance", "severity", "message", "value", "threshold")
        }
        values |= {"opened_s": self._now_s, "release": alert.release, "release_s": alert.release_s}
        return replace(alert, id=alerts.open_alert(self._connection, values))

    def _seen(
        self, alert: Alert, stored: StoredRule, watch: Watch, level: Measured, reading: Reading, name: str
    ) -> Alert:
        """The alert as it is now, with the worst of it so far."""
        severity = stored.rule.levels[watch.severity - 1].severity
        said = message(stored.rule, level, instance=name)
        is_worst = alert.peak is None or is_beyond(stored.rule, level.value, alert.peak)
        return replace(
            alert,
            severity=severity,
            message=said if is_beyond(stored.rule, *level) or not alert.message else alert.message,
            value=level.value,
            threshold=level.threshold,
            requests=reading.requests,
            failures=None if reading.requests is None else reading.failures,
            peak=level.value if is_worst else alert.peak,
            peak_severity=max(severity, alert.peak_severity, key=rank),
        )

    def _tell(self, alert: Alert, names: Sequence[str], change: Change) -> Alert:
        """Put into the outbox what people have to be told of the alert; `names` are its rule's channels."""
        silence = covering(self._silences, alert.type, alert.tool, alert.severity, self._now_s)
        event = event_of(alert, change, self._now_s, silenced=silence is not None)
        if event is None:
            return alert
        told = notices.told_channels(self._connection, alert.id) if event == "resolved" else set()
        is_told = False
        for channel in self._channels:
            if event == "resolved":
                is_meant = channel.id in told and channel.channel.enabled
            else:
                is_meant = channel.channel.takes(alert.type, alert.severity)
                is_meant = is_meant and (not names or channel.channel.name in names)
            if is_meant:
                key = secrets.token_hex(8)
                notices.enqueue(self._connection, channel, alert, event, self._now_s, key)
                is_told = True
        if event == "resolved" or not is_told:  # whoever comes later is told what is open then
            return alert
        return replace(alert, told_s=self._now_s, told_severity=alert.severity)

    def _end_orphans(self, watched: set[Key]) -> None:
        """End what is open and nobody judges any more: its rule is off, or was changed in the middle."""
        for key, alert in self._open.items():
            if key not in watched and alert.resolved_s is None:
                note = "judged anew" if alert.type in self._rules else "the rule was turned off"
                over = replace(alert, state="resolved", resolved_s=self._now_s, resolved_note=note)
                self._open[key] = self._tell(over, (), "resolved")

    def _write(self) -> None:
        changed = [alert for key, alert in self._open.items() if alert != self._before.get(key)]
        rows = [{"id": alert.id, **{name: getattr(alert, name) for name in _CHANGING}} for alert in changed]
        alerts.change(self._connection, rows)


def _key(alert: Alert) -> Key:
    return alert.type, Target(alert.tool, alert.instance)
