"""Digests: how the last day or week went, to those who want to know it without looking."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence

from ..model import formats
from ..model.digests import is_due
from ..model.life import Watch
from ..model.objectives import PERIOD_S, budget_left_percent
from ..model.readings import Target
from ..model.rules import Rule, StoredRule, matches
from ..model.series import Series, total
from ..model.windows import Window, kept, named, sliding
from ..sources import Sources
from ..store import Connection, Engine, alert_pages, channels, claims, notices, reading, rules, writing
from ..store.alert_pages import Filter
from ..store.channels import StoredChannel
from .leader import check
from .send_notices import CLAIM

_TOP = 5
_ALERTS = 10
_NAME = 60
_TARGET = Target("digest")
_MAIL = "E-mail"
_WORDS = {"day": ("24h", "Daily"), "week": ("7d", "Weekly")}


class SendDigests:
    """Puts digests into the outbox when they are due; what was sent last lies beside the rules' watches."""

    def __init__(
        self, sources: Sources, engine: Engine, instance: str, leads: Callable[[], bool] = lambda: True
    ) -> None:
        self._sources = sources
        self._engine = engine
        self._instance = instance
        self._leads = leads

    def run(self, now_s: float) -> None:
        """One look at what is due. Raises UnavailableError while the store is away."""
        with reading(self._engine) as connection:
            stored = [
                one for one in rules.read_rules(connection) if one.rule.enabled and one.rule.kind == "digest"
            ]
            if not stored:
                return
            sent = _sent_s(connection)
        for one in stored:
            if one.type not in sent or is_due(one.rule, sent[one.type], now_s):
                self._send(one, now_s, is_new=one.type not in sent)

    def _send(self, stored: StoredRule, now_s: float, *, is_new: bool) -> None:
        """Send one, and keep that it was; a rule that is new begins with its next turn."""
        text = None if is_new else self.text(stored.rule, now_s)
        with writing(self._engine) as connection:
            check(self._leads)
            shared_s = claims.shared_now_s(connection, now_s)
            if claims.take(connection, CLAIM, self._instance, shared_s) is None:
                return
            for to in _receivers(connection, stored.rule) if text else ():
                title, body = text or ("", "")
                key = secrets.token_hex(8)
                notices.add(connection, to.id, notices.DIGEST, "info", now_s, key, title=title, body=body)
            watch = Watch(now_s, opened_s=now_s)
            rules.write_watches(connection, {(stored.type, _TARGET): watch}, ())

    def text(self, rule: Rule, now_s: float) -> tuple[str, str]:
        """Title and text of the digest that ends now."""
        window_name, word = _WORDS[rule.every]
        window = named(window_name, now_s, kept(self._sources.settings))
        length_s = window.end_s - window.start_s
        before = Window("", window.start_s - length_s, window.start_s, window.period_s, window.step_s)
        now = _judged(self._sources.traffic(window).tools)
        whole, was = total(now.values()), total(_judged(self._sources.traffic(before).tools).values())
        success = formats.percent(whole.success_percent)
        title = f"{word} digest: {formats.plural(whole.requests, 'request')}, {success} % succeeded"
        parts = [
            _figures(whole, was, formats.before(window_name)),
            self._opened(window),
            _list("Failing tools", [one for one in _by(now, lambda series: series.errors) if one[1].errors]),
            _list("Slowest tools", _by(now, lambda series: series.average_ms or 0.0)),
            _list("Busiest tools", _by(now, lambda series: series.requests)),
            self._objectives(now_s),
            self._releases(window),
        ]
        return title, "\n\n".join(part for part in parts if part)

    def _opened(self, window: Window) -> str:
        with reading(self._engine) as connection:
            page = alert_pages.page(connection, Filter(from_s=window.start_s, to_s=window.end_s), _ALERTS)
        if not page.alerts:
            return "No alert was opened."
        lines = [
            f"  {alert.peak_severity or alert.severity} {formats.shorten(alert.tool, _NAME)}: "
            f"{formats.shorten(alert.message, 120)}, "
            + (f"for {formats.duration(alert.resolved_s - alert.since_s)}" if alert.resolved_s else "still")
            for alert in page.alerts
        ]
        return "\n".join(["Alerts, newest first", *lines, *(["  and more"] if page.following else [])])

    def _objectives(self, now_s: float) -> str:
        with reading(self._engine) as connection:
            stored = [one.rule for one in rules.read_rules(connection) if one.rule.kind == "objective"]
        if not stored:
            return ""
        tools = self._sources.traffic(sliding(PERIOD_S, now_s, kept(self._sources.settings))).tools
        lines = []
        for rule in stored:
            series = total(one for name, one in tools.items() if matches(rule.tools, name))
            left = budget_left_percent(rule, series)
            if left is not None:
                spent = f"the budget is spent {(100 - left) / 100:,.1f} times over"
                state = f"{left:.0f} % of the budget is left" if left >= 0 else spent
                lines.append(f"  {formats.shorten(rule.name, _NAME)}: {state}")
        return "\n".join(["Objectives over 30 days", *lines]) if lines else ""

    def _releases(self, window: Window) -> str:
        found = self._sources.releases(window)
        return f"Releases: {', '.join(formats.shorten(one.release, 20) for one in found)}" if found else ""


def _sent_s(connection: Connection) -> dict[str, float]:
    found = rules.read_watches(connection).items()
    return {type: watch.opened_s or 0.0 for (type, target), watch in found if target == _TARGET}


def _receivers(connection: Connection, rule: Rule) -> list[StoredChannel]:
    """The channels that the rule names, else all that are mail."""
    found = [one for one in channels.read_channels(connection) if one.channel.enabled]
    if rule.channels:
        return [one for one in found if one.channel.name in rule.channels]
    return [one for one in found if one.service == _MAIL]


def _judged(tools: Mapping[str, Series]) -> dict[str, Series]:
    return {name: one for name, one in tools.items() if one.requests and matches(("*",), name)}


def _by(tools: dict[str, Series], of: Callable[[Series], float]) -> list[tuple[str, Series]]:
    return sorted(tools.items(), key=lambda one: (-of(one[1]), one[0]))[:_TOP]


def _figures(now: Series, was: Series, before: str) -> str:
    p95, p95_was = _p95(now), _p95(was)
    lines = [
        f"Requests {formats.count(now.requests)} ({before} {formats.count(was.requests)})",
        f"Success {formats.percent(now.success_percent)} % ({formats.percent(was.success_percent)})",
        f"Average {formats.response_time(now.average_ms)} ({formats.response_time(was.average_ms)})",
        f"p95 {formats.response_time(p95)} ({formats.response_time(p95_was)})",
    ]
    return "\n".join(lines)


def _p95(series: Series) -> float | None:
    found = series.quantiles_ms((0.95,))
    return found[0] if found else None


def _list(title: str, tools: Sequence[tuple[str, Series]]) -> str:
    return "\n".join([title, *(_line(*one) for one in tools)]) if tools else ""


def _line(name: str, series: Series) -> str:
    asked = formats.plural(series.requests, "request")
    times = formats.response_time(series.average_ms), formats.response_time(_p95(series))
    success = formats.percent(series.success_percent)
    named = formats.shorten(name, _NAME)
    return f"  {named}: {asked}, {success} % succeeded, average {times[0]}, p95 {times[1]}"
