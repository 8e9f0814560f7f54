"""Which instances share the store and how each of them is, whose truth is told, and what Laptime takes."""

from __future__ import annotations

from dataclasses import dataclass

from ...fleet import GONE_S
from ...model import formats
from ...model.alerting import SystemSample, held_back
from ...model.series import Snapshot
from ...model.vitals import Vitals, mean_of
from ...model.windows import Window
from ...sources import Sources
from ..instances import DAY_S
from ..measuring import hook_percent, hook_us, pages_percent
from ..workers import WorkerRow, worker_rows
from .stretches import stretches, together

_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """An instance; figures are means of the window, an en dash where nothing is known."""

    name: str
    is_gone: bool
    heard_s: float
    heard: str
    since_s: float
    workers: str
    in_flight: str
    cpu: str
    memory: str


@dataclass(frozen=True, slots=True)
class Instances:
    """Those that have reported in the last day, by name; `gone` of them have stopped."""

    rows: tuple[InstanceRow, ...]
    gone: int


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is told of the machine: whose it is, and its value, "not known" written out."""

    name: str
    value: str
    whose: str


@dataclass(frozen=True, slots=True)
class Truth:
    """What is told of the container and what of the host."""

    rows: tuple[Fact, ...]
    say: str


@dataclass(frozen=True, slots=True)
class Cost:
    """One thing that Laptime takes: its figure and what it means."""

    label: str
    figure: str
    note: str


@dataclass(frozen=True, slots=True)
class OwnCost:
    """What measuring takes of the service."""

    rows: tuple[Cost, ...]


@dataclass(frozen=True, slots=True)
class AllWorkers:
    """All live workers of this instance, busiest first."""

    rows: tuple[WorkerRow, ...]
    up: str


def instances(window: Window, sources: Sources, now_s: float) -> Instances:
    """Who reports, and how each was over the window."""
    told = together(part.told for part in stretches(window, sources))
    rows = [
        _instance(one.instance, one.started_s, one.rolled_up_s, told.get(one.instance), now_s)
        for one in sources.instances(now_s - DAY_S)
    ]
    rows.sort(key=lambda row: (row.is_gone, row.name))
    return Instances(tuple(rows), sum(row.is_gone for row in rows))


def truth(window: Window, sources: Sources, now_s: float) -> Truth:  # noqa: ARG001 - every panel is asked alike
    """Of the newest sample; throttling and kills of the last hour."""
    samples = sources.samples(now_s - _HOUR_S)
    newest = samples[-1] if samples else None
    if newest is None:
        return Truth((), "No sample yet.")
    throttled, kills = held_back(samples)
    is_contained = "container" in (newest.cpu_source, newest.memory_source)
    load = None if newest.load_average is None else f"{newest.load_average:.2f}"
    rows: tuple[Fact, ...] = (
        Fact("CPU", f"{newest.cpu_percent:.1f} % of {_cores(newest)}", newest.cpu_source),
        Fact("Memory", _of(newest.memory_used_bytes, newest.memory_total_bytes), newest.memory_source),
        Fact("Disk", _of(newest.disk_used_bytes, newest.disk_total_bytes), "host"),
        Fact("Load, 1 min", load or "not known", "host"),
        Fact("Throttled, last hour", f"{formats.plural(throttled, 'period')}", "container"),
        Fact("Killed for memory, last hour", formats.plural(kills, "process", "processes"), "container"),
    )
    if not is_contained:
        rows = (*rows[:4], *(Fact(one.name, "no limit", "container") for one in rows[4:]))
    say = "A limit below the host's is what ends a worker, so it is what counts." if is_contained else (
        "No limit below the host's is set, so all is told of the host."
    )  # fmt: skip
    return Truth(rows, say)


def own_cost(window: Window, sources: Sources, now_s: float) -> OwnCost:  # noqa: ARG001 - every panel is asked alike
    """Since the start of the live workers."""
    snapshot = sources.snapshot()
    cost_us, percent = hook_us(snapshot), hook_percent(snapshot, now_s)
    timed = f"the median of {formats.count(snapshot.own_cost.requests)} that were timed, 1 in 1,024"
    pages = sum(one.series.requests for one in snapshot.own.values())
    rows = (
        Cost("Per request", formats.NOTHING if cost_us is None else f"{cost_us:.1f} \u00b5s", timed),
        Cost("Of the workers' time", _share(percent), "measuring every request"),
        Cost("Its own pages", _share(pages_percent(snapshot, now_s)), f"{formats.count(pages)} answers"),
        Cost("Workers' memory", _memory(snapshot), "all of it, with the application's"),
    )
    return OwnCost(rows)


def all_workers(window: Window, sources: Sources, now_s: float) -> AllWorkers:  # noqa: ARG001 - every panel is asked alike
    """Who answers requests now."""
    snapshot = sources.snapshot()
    return AllWorkers(worker_rows(snapshot, now_s), formats.duration(now_s - snapshot.started_s))


def _instance(name: str, started_s: float, heard_s: float, told: Vitals | None, now_s: float) -> InstanceRow:
    def mean(gauge: str, text: str) -> str:
        value = mean_of([told], gauge) if told else None
        return formats.NOTHING if value is None else text.format(value)

    return InstanceRow(
        name=name,
        is_gone=now_s - heard_s > GONE_S,
        heard_s=heard_s,
        heard=formats.duration(now_s - heard_s),
        since_s=started_s,
        workers=mean("workers", "{:.3g}"),
        in_flight=mean("in_flight", "{:.2f}"),
        cpu=mean("cpu_percent", "{:.1f}"),
        memory=mean("memory_percent", "{:.1f}"),
    )


def _cores(newest: SystemSample) -> str:
    if not newest.cpu_limit_cores:
        return "all cores"
    return f"{newest.cpu_limit_cores:.4g} {'core' if newest.cpu_limit_cores == 1 else 'cores'}"


def _of(used: int, total: int) -> str:
    if not total:
        return "not known"
    text, whole = formats.fraction(used, total)
    return f"{text} of {whole}"


def _share(percent: float | None) -> str:
    if percent is None:
        return formats.NOTHING
    return f"{percent:.2g} %" if percent >= 0.001 else "under 0.001 %"


def _memory(snapshot: Snapshot) -> str:
    known = [one.resident_bytes for one in snapshot.workers if one.resident_bytes is not None]
    return str(formats.size(sum(known))) if known else formats.NOTHING
