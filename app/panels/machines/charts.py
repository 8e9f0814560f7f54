"""How the machines went: CPU, memory, requests at work, queue, network and disks, drawn and as tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...model import comparing, formats
from ...model.metrics import OF_THE_MACHINE
from ...model.vitals import Vitals, mean_of, most_of
from ...model.windows import Window, kept
from ...sources import Sources
from ..alerting.drawing import amount_axis
from ..charts import Alarm, Axis, Chart, Limit, Line, alarms, log_axis, marks
from ..traffic import TABLE_ROWS, Row, days_of
from .stretches import Stretch, Value, course, gaps_of, stretches, whole

_BANDS = 100


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of the legend: the line's name, how it is `drawn` (line, thin or dash), label and figure."""

    name: str
    drawn: str
    label: str
    figure: str


@dataclass(frozen=True, slots=True)
class Course:
    """A chart of the machines; `keys` are its legend, `heads` and `rows` the same as a table.

    Without a chart `missing` says why there is none, and `how` what would make it be there. `note` is a
    sentence below it, empty for none.
    """

    keys: tuple[Key, ...]
    chart: Chart | None
    heads: tuple[str, ...]
    step: str
    rows: tuple[Row, ...]
    days: bool
    note: str = ""
    missing: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True)
class _Series:
    """One line: its name in the chart, its label, and what it is of the instances in a stretch."""

    name: str
    label: str
    of: Callable[[Sequence[Vitals]], Value]
    drawn: str = "line"

    def at(self, part: Stretch) -> Value:
        return self.of(part.instances) if part.told else None


def cpu(window: Window, sources: Sources, now_s: float, *, compare: str = "before") -> Course:
    """The share of all cores, or of the container's quota, beside that of the window before."""
    settings = sources.settings
    limits = _limits(settings.alert_cpu_percent, settings.alert_critical_percent)
    parts = stretches(window, sources)
    held = sum(one.counters.get("throttled_periods", 0) for part in parts for one in part.instances)
    note = f"The container was throttled in {formats.plural(held, 'period')}." if held else ""
    mean = _Series("value", "Mean", OF_THE_MACHINE["cpu"].of)
    most = _Series("most", "Most", _most("cpu_percent"), "thin")
    return _drawn(
        window, sources, parts, (mean, most), "percent", limits=limits, type_="high_cpu_usage",
        before=_before(window, sources, now_s, compare, "cpu", len(parts)), note=note,
    )  # fmt: skip


def memory(window: Window, sources: Sources, now_s: float, *, compare: str = "before") -> Course:
    """The share of the machine's memory, or of the container's limit, that is in use."""
    settings = sources.settings
    limits = _limits(settings.alert_memory_percent, settings.alert_critical_percent)
    parts = stretches(window, sources)
    kills = sum(one.counters.get("oom_kills", 0) for part in parts for one in part.instances)
    note = f"{formats.plural(kills, 'process', 'processes')} ended for want of memory." if kills else ""
    used = _Series("value", "Used", OF_THE_MACHINE["memory"].of)
    return _drawn(
        window, sources, parts, (used,), "percent", limits=limits, type_="high_memory_usage",
        before=_before(window, sources, now_s, compare, "memory", len(parts)), note=note,
    )  # fmt: skip


def at_work(window: Window, sources: Sources, now_s: float) -> Course:  # noqa: ARG001 - every panel is asked alike
    """Requests at work at once, on average and at most, against the slots that the workers have."""
    parts = stretches(window, sources)
    slots = next((value for value in map(_slots, reversed(parts)) if value), None)
    limit = (Limit(slots, f"{slots:,.0f} at once", "info"),) if slots else ()
    mean = _Series("value", "Mean", OF_THE_MACHINE["in_flight"].of)
    most = _Series("most", "Most", _most("in_flight"), "thin")
    how = "Workers tell it with the first sample." if sources.samples(0.0) else ""
    return _drawn(window, sources, parts, (mean, most), "at once", limits=limit, how=how)


def queue(window: Window, sources: Sources, now_s: float) -> Course:  # noqa: ARG001 - every panel is asked alike
    """How long requests waited before the service: percentiles of merged buckets."""
    parts = stretches(window, sources)
    names = ("p50", "p95", "p99")
    lines = tuple(
        _Series(name, name, OF_THE_MACHINE[f"queue_{name}"].of, "dash" if name == "p99" else "line")
        for name in names
    )
    return _drawn(
        window, sources, parts, lines, "milliseconds", kind="lines",
        missing="Queue time is not measured",
        how="No proxy tells when a request came: let it set the header X-Request-Start: t=<milliseconds>.",
    )  # fmt: skip


def network(window: Window, sources: Sources, now_s: float) -> Course:  # noqa: ARG001 - every panel is asked alike
    """Bytes a second in and out of the machine, or of the container's own network."""
    sent = _Series("value", "Out", OF_THE_MACHINE["network_sent"].of)
    received = _Series("other", "In", OF_THE_MACHINE["network_received"].of, "thin")
    return _drawn(window, sources, stretches(window, sources), (sent, received), "bytes per second")


def disks(window: Window, sources: Sources, now_s: float) -> Course:  # noqa: ARG001 - every panel is asked alike
    """Bytes a second read from and written to the machine's disks."""
    written = _Series("value", "Written", OF_THE_MACHINE["disk_written"].of)
    read = _Series("other", "Read", OF_THE_MACHINE["disk_read"].of, "thin")
    return _drawn(window, sources, stretches(window, sources), (written, read), "bytes per second")


def _slots(part: Stretch) -> float | None:
    return mean_of(part.instances, "slots")


def _most(gauge: str) -> Callable[[Sequence[Vitals]], Value]:
    return lambda instances: most_of(instances, gauge)


def _limits(warning: float, critical: float) -> tuple[Limit, ...]:
    return (
        Limit(warning, f"warning above {warning:g} %", "warning"),
        Limit(critical, f"critical above {critical:g} %", "critical"),
    )


def _before(
    window: Window, sources: Sources, now_s: float, compare: str, metric: str, number: int
) -> Line | None:
    """The window that is compared with, laid over this one; None if nothing is known of it."""
    earlier = comparing.compared(window, compare, now_s, kept(sources.settings))
    if earlier is None:
        return None
    values = course(stretches(earlier, sources, max(1, number - 1)), metric)
    if not any(value is not None for value in values):
        return None
    places = [round(place * (len(values) - 1) / max(1, number - 1)) for place in range(number)]
    return Line("before", tuple(_rounded(values[place]) for place in places))


def _drawn(
    window: Window,
    sources: Sources,
    parts: Sequence[Stretch],
    series: Sequence[_Series],
    unit: str,
    *,
    kind: str = "course",
    limits: tuple[Limit, ...] = (),
    before: Line | None = None,
    type_: str = "",
    note: str = "",
    missing: str = "No sample in this window",
    how: str = "",
) -> Course:
    values = [[one.at(part) for part in parts] for one in series]
    if not any(value is not None for line in values for value in line):
        return Course((), None, (), "", (), days_of(window), missing=missing, how=how)
    lines = tuple(
        Line(one.name, tuple(map(_rounded, line))) for one, line in zip(series, values, strict=True)
    )
    seen = [value for line in (*lines, *((before,) if before else ())) for value in line.values]
    chart = Chart(
        kind=kind,
        edges_s=(*(part.start_s for part in parts), parts[-1].end_s),
        axis=_axis(kind, unit, [*seen, *(limit.value for limit in limits)]),
        lines=(*lines, *((before,) if before else ())),
        gaps_s=tuple(gaps_of(parts)),
        alarms=_alarms(window, sources, type_),
        is_thin=sum(bool(part.told) for part in parts) < 2,
        releases=marks(sources.releases(window)),
        limits=limits,
        unit=unit,
    )
    few = stretches(window, sources, TABLE_ROWS - 1)
    keys = [Key(one.name, one.drawn, one.label, _said(unit, whole(parts, one.of))) for one in series]
    if before:
        keys.append(Key("before", "dash", "Before", ""))
    rows = tuple(Row(part.start_s, tuple(_said(unit, one.at(part)) for one in series)) for part in few)
    whole_step = few[1] if len(few) > 2 else few[0]
    step = formats.duration(round(whole_step.end_s - whole_step.start_s))
    heads = tuple(one.label for one in series)
    return Course(tuple(keys), chart, heads, step, rows, days_of(window), note)


def _axis(kind: str, unit: str, seen: Sequence[Value]) -> Axis:
    return log_axis(seen) if kind == "lines" else amount_axis(unit, seen)


def _said(unit: str, value: Value) -> str:
    if value is None:
        return formats.NOTHING
    if unit == "milliseconds":
        return str(formats.response_time(value))
    if unit == "bytes per second":
        return f"{formats.size(round(value))}/s"
    return f"{value:,.1f} %" if unit == "percent" else formats.rate(value)


def _alarms(window: Window, sources: Sources, type_: str) -> tuple[Alarm, ...]:
    if not type_:
        return ()
    return alarms(sources.alerts(), sources.newest_alerts(_BANDS), {type_}, "is high", window)


def _rounded(value: Value) -> Value:
    return None if value is None else round(value, 3)
