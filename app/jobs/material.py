"""The windows that rules read, from the sources: short ones anew at each turn, long ones once a minute."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ..errors import UnavailableError
from ..model.readings import Material, windows_of
from ..model.rules import ABSENCE, INSTANCE_GONE, THROUGHPUT, Rule, is_of_tools
from ..model.vitals import Vitals
from ..model.windows import kept, sliding
from ..sources import Sources

_LONG_S, _LONG_EVERY_S = 3600, 60.0
_DAY_S = 86_400.0
# A start is busy: one or two samples are no condition of a machine.
_LEAST_SAMPLES = 3
_WAITING = frozenset({ABSENCE, THROUGHPUT})


class Windows:
    """What `model.readings.read` asks for, of one service; kept from turn to turn."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._long: dict[int, tuple[float, Material]] = {}
        self._known: tuple[float, Collection[str], Collection[str]] | None = None

    def at(self, now_s: float, rules: Iterable[Rule]) -> dict[int, Material]:
        """The material of all windows of these rules at an instant, by length in seconds.

        Raises UnavailableError while the store is away: of half a window nothing follows.
        """
        of_tools: set[int] = set()
        of_machine: set[int] = set()
        asks_known = False
        for rule in rules:
            (of_tools if is_of_tools(rule) else of_machine).update(windows_of(rule))
            asks_known = asks_known or rule.metric in _WAITING or rule.metric == INSTANCE_GONE
        tools, instances = self._within_a_day(now_s) if asks_known else ((), ())
        return {
            length_s: self._material(
                length_s, now_s, length_s in of_tools, length_s in of_machine, tools, instances
            )
            for length_s in of_tools | of_machine
        }

    def _material(
        self,
        length_s: int,
        now_s: float,
        of_tools: bool,
        of_machine: bool,
        known: Collection[str],
        instances: Collection[str],
    ) -> Material:
        read_s, held = self._long.get(length_s, (0.0, None))
        if held is not None and 0 <= now_s - read_s < _LONG_EVERY_S:
            return held
        settings = self._sources.settings
        vitals: dict[str, Vitals] = {}
        points: Sequence[object] = ()
        if of_machine:
            span_s = max(float(length_s), (_LEAST_SAMPLES + 0.5) * settings.sample_interval_s)
            machines = self._sources.vitals(sliding(span_s, now_s, kept(settings)))
            points = [point or None for point in machines]
            for point in machines:
                for name, one in point.items():
                    vitals[name] = vitals[name] + one if name in vitals else one
        window = sliding(length_s, now_s, kept(settings))
        traffic = self._sources.traffic(window) if of_tools else None
        if traffic is not None and not traffic.is_whole:
            raise UnavailableError("the store does not answer, so nothing can be judged")
        if traffic is not None:
            points = traffic.points
        made = Material(
            tools=traffic.tools if traffic is not None else {},
            vitals={name: one for name, one in vitals.items() if _is_enough(one)},
            span_s=float(length_s),
            measured_s=length_s * sum(one is not None for one in points) / max(1, len(points)),
            known=known,
            instances=instances,
        )
        if length_s >= _LONG_S:
            self._long[length_s] = now_s, made
        return made

    def _within_a_day(self, now_s: float) -> tuple[Collection[str], Collection[str]]:
        """The tools that were called and the instances that reported within a day."""
        if self._known is None or not 0 <= now_s - self._known[0] < _LONG_EVERY_S:
            traffic = self._sources.traffic(sliding(_DAY_S, now_s, kept(self._sources.settings)))
            if not traffic.is_whole:
                raise UnavailableError("the store does not answer, so nothing can be judged")
            tools = [name for name, one in traffic.tools.items() if one.requests]
            instances = [one.instance for one in self._sources.instances(now_s - _DAY_S)]
            self._known = now_s, tools, instances
        return self._known[1], self._known[2]


def _is_enough(vitals: Vitals) -> bool:
    cpu = vitals.gauges.get("cpu_percent")
    return cpu is not None and cpu.samples >= _LEAST_SAMPLES
