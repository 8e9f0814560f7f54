"""Is it healthy: one sentence made of the active alerts, with the facts that stand behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..model import formats
from ..model.alerting import SEVERITIES, SYSTEM, Alert
from ..model.rules import SLOWER_THAN, TOGETHER, Rule
from ..model.series import Snapshot
from ..model.windows import Window
from ..sources import Sources, Traffic
from .alerting import words
from .alerts import parted
from .facts import Fact, alert_fact, called_of, data_fact, memory_fact, release_fact, worker_fact
from .system import is_stale

_NAMED = 2
_GAUGES = {"cpu": "CPU is high", "memory": "Memory is high", "disk": "Disk is nearly full"}
# By metric and the side that is wrong.
_STATES = {
    ("success_rate", "below"): "is failing",
    ("success_rate", "above"): "is failing",  # an objective's
    **{(name, "above"): "is failing" for name in ("error_rate", "errors", "server_errors")},
    **{(name, "above"): "is slow" for name in ("average", "p50", "p95", "p99", "max", SLOWER_THAN)},
    ("throughput", "above"): "is called very often",
    ("throughput", "below"): "is hardly called",
    ("absence", "above"): "is not called",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`severity` is ok, info, warning, error, critical or unknown; `word` stands coloured before `detail`.

    `troubles` says why the measuring itself is degraded. `glyph` is a mark other than the severity's.
    """

    severity: str
    sentence: str
    word: str
    detail: str
    facts: tuple[Fact, ...]
    troubles: tuple[str, ...] = ()
    glyph: str = ""


def verdict(window: Window, sources: Sources, now_s: float) -> Verdict:
    """The worst active alert decides; without any, whether anything is measured at all."""
    found = _judged(window, sources, now_s)
    return replace(found, troubles=tuple(sources.troubles()))


def _judged(window: Window, sources: Sources, now_s: float) -> Verdict:
    active, snapshot, traffic = sources.alerts(), sources.snapshot(), sources.traffic(window)
    newest = next(reversed(sources.samples(now_s - 3600)), None)
    stale = newest is not None and is_stale(newest, sources.settings, now_s)
    facts = (
        alert_fact(active, traffic),
        worker_fact(snapshot.workers),
        memory_fact(newest, stale=stale),
        release_fact(sources, now_s),
        data_fact(window, traffic, snapshot, newest, now_s),
    )
    loud, quiet = parted(active, sources, now_s)
    rules = {one.type: one.rule for one in sources.rules()}
    if loud:
        return _troubled(loud, rules, traffic, now_s, facts)
    if stale and newest is not None:
        silence = formats.duration(now_s - newest.at_s)
        detail = "Requests are still counted, but alerts neither begin nor end until the jobs go on."
        return Verdict("unknown", f"The machine was not sampled for {silence}", "", detail, facts)
    if quiet:
        word, glyph = _seen(quiet)
        told = _troubled(quiet, rules, traffic, now_s, facts)
        return replace(told, severity="unknown", word=word, glyph=glyph)
    return _calm(snapshot, traffic, facts)


def sentence(active: Sequence[Alert], rules: Mapping[str, Rule]) -> str:
    """The worst alerts in a clause each: "run_query is failing, analyze_code is slow and 3 more"."""
    clauses = list(dict.fromkeys(_clause(alert, rules.get(alert.type)) for alert in active))
    rest = f" and {len(clauses) - _NAMED} more" if len(clauses) > _NAMED else ""
    return ", ".join(clauses[:_NAMED]) + rest


def _clause(alert: Alert, rule: Rule | None) -> str:
    """What is wrong in a few words: "run_query is failing", else what the rule is called."""
    if rule is None or rule.kind == "digest":
        return f"{formats.shorten(alert.tool)}: {alert.type.replace('_', ' ')}"
    if alert.tool == SYSTEM:
        gauge = _GAUGES.get(rule.metric) if rule.condition == "above" else None
        return f"{gauge}: {alert.value:.0f} %" if gauge else formats.shorten(rule.name)
    name = "the service" if alert.tool == TOGETHER else formats.shorten(alert.tool)
    is_bad_success = rule.kind == "objective" and rule.slower_than_ms is None
    metric = "success_rate" if is_bad_success else SLOWER_THAN if rule.kind == "objective" else rule.metric
    told = _STATES.get((metric, "above" if rule.kind == "objective" else rule.condition))
    return f"{name} {told}" if told else str(words.title(alert, rule))


def _seen(quiet: Sequence[Alert]) -> tuple[str, str]:
    """How alerts are told of that ask for nothing."""
    if all(alert.acknowledged_s is not None for alert in quiet):
        return "Acknowledged,", "ack"
    return "Silenced,", "mute"


def _troubled(
    active: Sequence[Alert],
    rules: Mapping[str, Rule],
    traffic: Traffic,
    now_s: float,
    facts: tuple[Fact, ...],
) -> Verdict:
    worst = max((alert.severity for alert in active), key=SEVERITIES.index)
    since_s = min(alert.since_s for alert in active if alert.severity == worst)
    quiet = len(called_of(traffic) - {alert.tool for alert in active})
    detail = f"for {formats.duration(now_s - since_s)}."
    first = next(alert for alert in active if alert.severity == worst)
    if first.requests and first.failures:
        detail += f" {formats.count(first.failures)} of {formats.plural(first.requests, 'request')} failed."
    if quiet:
        subject = "The other tool raises" if quiet == 1 else f"The other {formats.count(quiet)} tools raise"
        detail += f" {subject} no alert."
    return Verdict(worst, sentence(active, rules), worst.capitalize(), detail, facts)


def _calm(snapshot: Snapshot, traffic: Traffic, facts: tuple[Fact, ...]) -> Verdict:
    called = called_of(traffic)
    if not called:
        if any(one.series.requests for one in snapshot.tools.values()):
            detail = "No alert is active, and no request came in this window."
            return Verdict("ok", "Healthy: nothing to do", "", detail, facts)
        detail = "The service is up and waits for its first request."
        return Verdict("unknown", "Nothing measured yet", "", detail, facts)
    slowest = max(called, key=lambda name: (traffic.tools[name].quantiles_ms((0.95,)) or [0.0])[0])
    p95 = formats.response_time((traffic.tools[slowest].quantiles_ms((0.95,)) or [0.0])[0])
    many = f"all {formats.count(len(called))} tools are as they should be"
    subject = many if len(called) > 1 else "the one tool is as it should be"
    detail = f"No alert is active. Slowest: {formats.shorten(slowest)}, p95 {p95}."
    return Verdict("ok", f"Healthy: {subject}", "", detail, facts)
