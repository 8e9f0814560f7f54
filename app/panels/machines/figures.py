"""What changed of the machines: CPU, memory, disk and network in four tiles with limits and courses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...model import comparing, formats
from ...model.alerting import SystemSample
from ...model.formats import Delta, Quantity
from ...model.metrics import OF_THE_MACHINE
from ...model.windows import Window, kept
from ...sources import Sources
from ..figures import Figures, Tile
from ..sparks import Spark, spark
from .stretches import Stretch, Value, course, spark_points, whole

_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """The window's stretches and those that it is compared with, and the newest sample."""

    now: list[Stretch]
    was: list[Stretch]
    than: str
    newest: SystemSample | None

    def mean(self, metric: str) -> tuple[Value, Value]:
        of = OF_THE_MACHINE[metric].of
        return whole(self.now, of), whole(self.was, of)

    def last(self, metric: str) -> tuple[Value, Value]:
        """The level at the end of each."""
        return _last(course(self.now, metric)), _last(course(self.was, metric))

    def spark(self, metric: str, high: float | None = None, limit: float | None = None) -> Spark:
        thin = sum(bool(part.told) for part in self.now) < 2
        was = course(self.was, metric)
        return spark(course(self.now, metric), was, high=high, limit=limit, thin=thin)


def machine_figures(window: Window, sources: Sources, now_s: float, *, compare: str = "before") -> Figures:
    """CPU and network are means of the window, memory and disk are levels: those at its end."""
    settings = sources.settings
    earlier = comparing.compared(window, compare, now_s, kept(settings))
    asked = _Asked(
        now=spark_points(window, sources),
        was=spark_points(earlier, sources) if earlier else [],
        than=comparing.than(window, compare),
        newest=next(reversed(sources.samples(now_s - _HOUR_S)), None),
    )
    return Figures(
        (
            _cpu(asked, settings.alert_cpu_percent),
            _level(asked, "Memory", "memory", settings.alert_memory_percent, _memory),
            _level(asked, "Disk", "disk", settings.alert_disk_percent, _disk),
            _network(asked),
        )
    )


def _cpu(asked: _Asked, limit: float) -> Tile:
    percent, was = asked.mean("cpu")
    cores = asked.newest.cpu_limit_cores if asked.newest else 0.0
    of = f"% of {cores:.4g} {'core' if cores == 1 else 'cores'}" if cores else "%"
    figure = Quantity(formats.NOTHING) if percent is None else Quantity(f"{percent:.1f}", of)
    exact = "the mean of the window's samples"
    return Tile("CPU", figure, exact, _points(percent, was, asked.than), asked.spark("cpu", 100.0, limit))


def _level(asked: _Asked, label: str, metric: str, limit: float, size: Callable[[SystemSample], int]) -> Tile:
    percent, was = asked.last(metric)
    figure, exact = Quantity(formats.NOTHING), ""
    if percent is not None:
        figure, exact = Quantity(f"{percent:.1f}", "%"), f"{percent:.2f} % at the end of the window"
        if asked.newest and (total := size(asked.newest)):
            text, of = formats.fraction(round(total * percent / 100), total)
            figure = Quantity(text, f"of {of}")
    line = asked.spark(metric, 100.0, limit)
    return Tile(label, figure, exact, _points(percent, was, asked.than), line)


def _network(asked: _Asked) -> Tile:
    sent, was = asked.mean("network_sent")
    received, _ = asked.mean("network_received")
    figure = Quantity(formats.NOTHING)
    delta = Delta("", "not known on this machine" if asked.newest else "not sampled in this window")
    if sent is not None:
        told = formats.size(round(sent))
        figure, delta = Quantity(told.text, f"{told.unit}/s"), Delta("No data before")
        if was:
            delta = formats.change(
                sent, was, than=asked.than, shown=f"{formats.size(round(was))}/s",
                words=("more", "less"), judged=False,
            )  # fmt: skip
    exact = "" if received is None else f"{formats.size(round(received))}/s came in"
    return Tile("Network out", figure, exact, delta, asked.spark("network_sent"))


def _points(now: Value, was: Value, than: str) -> Delta:
    if now is None:
        return Delta("", "not sampled in this window")
    if was is None:
        return Delta("No data before")
    return formats.points(now, was, than=than, shown=f"{was:.1f}", judged=False)


def _last(values: Sequence[Value]) -> Value:
    return next((value for value in reversed(values) if value is not None), None)


def _memory(sample: SystemSample) -> int:
    return sample.memory_total_bytes


def _disk(sample: SystemSample) -> int:
    return sample.disk_total_bytes
