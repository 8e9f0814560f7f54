"""Alerts that were: a page of them as rows, and as cells of a CSV file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ...desk import Desk
from ...model import formats
from ...model.alerting import SEVERITIES, SYSTEM, Alert
from ...model.rules import TOGETHER, Rule, unit_of
from ...store.alert_pages import Cursor, Filter
from . import words

ROWS = 50
NEWEST = 8
_CSV_PAGE, _CSV_MOST = 500, 20_000
STATES = ("active", "acknowledged", "flapping", "no_data", "resolved")
COLUMNS = (
    "id", "began", "ended", "severity", "worst_severity", "type", "rule", "tool", "instance", "state",
    "message", "value", "limit", "worst", "requests", "failures", "acknowledged", "acknowledged_by",
    "acknowledged_note", "resolved_by", "resolved_note", "release",
)  # fmt: skip
_TOOLS = {SYSTEM: "the machine", TOGETHER: "all tools together"}
_ANY = ("", "any")


@dataclass(frozen=True, slots=True)
class Row:
    """One alert of the past or of now, as text."""

    id: int
    since_s: float
    severity: str
    tool: str
    what: str
    lasted: str
    worst: str
    seen: str
    seen_s: float | None
    state: str
    note: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class History:
    """A page of rows; `older` and `newer` are the cursors of the pages beside it, "" where there is none.

    `rules`, `severities` and `states` are what can be chosen.
    """

    rows: tuple[Row, ...]
    older: str
    newer: str
    wanted: Filter
    is_filtered: bool
    rules: tuple[tuple[str, str], ...]
    severities: tuple[tuple[str, str], ...] = (_ANY, *((one, one) for one in reversed(SEVERITIES)))
    states: tuple[tuple[str, str], ...] = (_ANY, *((one, one.replace("_", " ")) for one in STATES))


def history(
    desk: Desk,
    wanted: Filter,
    now_s: float,
    *,
    after: Cursor | None = None,
    before: Cursor | None = None,
    rows: int = ROWS,
) -> History:
    """A page of the alerts that are wanted, newest first: those after a cursor, or just before one."""
    stored = desk.rules.all()
    rules = {one.type: one.rule for one in stored}
    page = desk.alerts.page(wanted, rows, after, before)
    newest = desk.alerts.page(wanted, 1).alerts if after or before else page.alerts
    is_first = not page.alerts or page.alerts[:1] == newest[:1]
    return History(
        rows=tuple(row_of(one, rules.get(one.type), now_s) for one in page.alerts),
        older="" if page.following is None else cursor_text(page.following),
        newer="" if is_first else cursor_text(Cursor(page.alerts[0].since_s, page.alerts[0].id)),
        wanted=wanted,
        is_filtered=wanted != Filter(),
        rules=(
            _ANY,
            *((one.type, formats.shorten(one.rule.name)) for one in stored if one.rule.kind != "digest"),
        ),
    )


def cursor_text(cursor: Cursor) -> str:
    """A cursor as it stands in an address."""
    return f"{cursor.opened_s!r}_{cursor.id}"


def cells(desk: Desk, wanted: Filter) -> Iterator[list[str]]:
    """The lines of a CSV file: a head, then the alerts, newest first, at most 20,000."""
    rules = {one.type: one.rule for one in desk.rules.all()}
    yield list(COLUMNS)
    after: Cursor | None = None
    written = 0
    while written < _CSV_MOST:
        page = desk.alerts.page(wanted, _CSV_PAGE, after)
        for alert in page.alerts:
            yield list(_cells(alert, rules))
        written += len(page.alerts)
        after = page.following
        if after is None:
            return


def _cells(alert: Alert, rules: Mapping[str, Rule]) -> Sequence[str]:
    rule = rules.get(alert.type)
    values = (
        alert.id, _instant(alert.since_s), _instant(alert.resolved_s), alert.severity, alert.peak_severity,
        alert.type, rule.name if rule else "", alert.tool, alert.instance, alert.stage, alert.message,
        alert.value, alert.threshold, alert.peak, alert.requests, alert.failures,
        _instant(alert.acknowledged_s), alert.acknowledged_by, alert.acknowledged_note,
        alert.resolved_by, alert.resolved_note, alert.release,
    )  # fmt: skip
    return ["" if value is None else str(value) for value in values]


def _instant(at_s: float | None) -> str:
    return "" if at_s is None else datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds")


def row_of(alert: Alert, rule: Rule | None, now_s: float) -> Row:
    """An alert as a row."""
    unit = unit_of(rule) if rule is not None and rule.kind != "digest" else ""
    worst = alert.value if alert.peak is None else alert.peak
    is_active = alert.resolved_s is None
    return Row(
        id=alert.id,
        since_s=alert.since_s,
        severity=alert.peak_severity or alert.severity,
        tool=_TOOLS.get(alert.tool) or formats.shorten(alert.tool, 80),
        what=_what(alert, rule),
        lasted=formats.duration((alert.resolved_s or now_s) - alert.since_s),
        worst=words.compared(unit, worst, alert.threshold)[0] if unit else words.number(worst, 2),
        seen=alert.acknowledged_by if alert.acknowledged_s is not None else "",
        seen_s=alert.acknowledged_s,
        state=_state(alert),
        note=_note(alert),
        is_active=is_active,
    )


def _what(alert: Alert, rule: Rule | None) -> str:
    return formats.shorten(rule.name if rule is not None else alert.type.replace("_", " "), 100)


def _state(alert: Alert) -> str:
    return {"firing": "active", "no_data": "no data"}.get(alert.stage, alert.stage)


def _note(alert: Alert) -> str:
    by = f"by {alert.resolved_by}" if alert.resolved_by else ""
    return ": ".join(part for part in (by, alert.resolved_note) if part)
