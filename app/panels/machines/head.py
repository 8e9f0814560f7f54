"""How the machines are: one sentence, with the facts that stand behind it."""

from __future__ import annotations

from collections.abc import Sequence

from ...fleet import GONE_S
from ...model import formats
from ...model.alerting import SEVERITIES, SYSTEM, SystemSample
from ...model.series import Snapshot
from ...model.vitals import RESTARTS
from ...model.windows import Window
from ...sources import Sources
from ..facts import Fact, worker_fact
from ..instances import DAY_S
from ..system import is_stale
from ..verdict import Verdict, sentence
from ..workers import needed_workers
from .stretches import stretches, together

_HOUR_S = 3600.0
_FORCED = ("killed", "out_of_memory", "timed_out")


def machine_head(window: Window, sources: Sources, now_s: float) -> Verdict:
    """The worst alert of the machine decides; without one, whether it is sampled at all."""
    samples = sources.samples(now_s - _HOUR_S)
    newest = samples[-1] if samples else None
    facts = (
        _instances(sources, now_s),
        _workers(sources.snapshot(), samples),
        _restarts(window, sources),
        _whose(newest),
        _samples(newest, sources, now_s),
    )
    active = [one for one in sources.alerts() if one.tool == SYSTEM]
    if active:
        rules = {one.type: one.rule for one in sources.rules()}
        worst = max((one.severity for one in active), key=SEVERITIES.index)
        since_s = min(one.since_s for one in active if one.severity == worst)
        detail = f"for {formats.duration(now_s - since_s)}. {_levels(newest)}"
        return Verdict(worst, sentence(active, rules), worst.capitalize(), detail, facts)
    if newest is None:
        detail = f"The first sample is taken within {formats.duration(sources.settings.sample_interval_s)}."
        return Verdict("unknown", "Nothing sampled yet", "", detail, facts)
    if is_stale(newest, sources.settings, now_s):
        silence = formats.duration(now_s - newest.at_s)
        detail = "Figures of the machine are from then; requests are still counted."
        return Verdict("unknown", f"Not sampled for {silence}", "", detail, facts)
    return Verdict("ok", "The machine has room", "", _levels(newest), facts)


def _levels(newest: SystemSample | None) -> str:
    if newest is None:
        return ""
    cpu, memory, disk = newest.cpu_percent, newest.memory_percent, newest.disk_percent
    return f"CPU {cpu:.0f} %, memory {memory:.0f} %, disk {disk:.0f} %."


def _instances(sources: Sources, now_s: float) -> Fact:
    known = sources.instances(now_s - DAY_S)
    gone = [one for one in known if now_s - one.rolled_up_s > GONE_S]
    note = "no other in a day"
    if gone:
        last = max(gone, key=lambda one: one.rolled_up_s)
        note = f"{formats.shorten(last.instance, 16)} gone since"
        return Fact("Instances", f"{len(known) - len(gone)} reporting", note, last.rolled_up_s)
    return Fact("Instances", f"{len(known)} reporting", note if len(known) < 2 else "none gone in a day")


def _workers(snapshot: Snapshot, samples: Sequence[SystemSample]) -> Fact:
    fact, needed = worker_fact(snapshot.workers), needed_workers(snapshot, samples)
    note = fact.note if needed is None else f"needed {formats.count(needed)}"
    return Fact("Workers", fact.value, note, dots=fact.dots)


def _restarts(window: Window, sources: Sources) -> Fact:
    told = together(part.told for part in stretches(window, sources))
    counts = {name: sum(one.counters.get(name, 0) for one in told.values()) for name in RESTARTS}
    forced = sum(counts[name] for name in _FORCED)
    note = f"{formats.count(forced)} by force" if forced else "none by force"
    return Fact("Ended workers", formats.count(sum(counts.values())), note, tone="worse" if forced else "")


def _whose(newest: SystemSample | None) -> Fact:
    if newest is None:
        return Fact("Told of", "not known", "no sample yet")
    of = {newest.cpu_source, newest.memory_source}
    if of == {"host"}:
        return Fact("Told of", "the host", "no limit below its own")
    if of == {"container"}:
        return Fact("Told of", "the container", "its limits, not the host's")
    whose = "CPU" if newest.cpu_source == "container" else "memory"
    return Fact("Told of", "host and container", f"{whose} of the container")


def _samples(newest: SystemSample | None, sources: Sources, now_s: float) -> Fact:
    every = f"every {formats.duration(sources.settings.sample_interval_s)}"
    if newest is None:
        return Fact("Samples", "none", every)
    return Fact("Samples", f"{formats.duration(now_s - newest.at_s)} old", every)
