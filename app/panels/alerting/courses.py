"""How the metric of a rule went: the values of a target over a window, to be drawn with the limit.

The same formulas judge live (`model.readings`); here they are asked of each point of a window.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ...model import objectives
from ...model.metrics import OF_REQUESTS, OF_THE_MACHINE
from ...model.readings import Target
from ...model.rules import ABSENCE, INSTANCE_GONE, SLOWER_THAN, THROUGHPUT, Rule, is_of_tools, matches
from ...model.series import Series, total
from ...model.vitals import Vitals
from ...model.windows import Window
from ...sources import Sources
from ..points import Point, merged
from ..sparks import POINTS, Spark, spark

_MOST_TOGETHER = 25
Wanted = tuple[Rule, Target]


class Courses:
    """The courses of many targets in one window, read from the sources at once."""

    def __init__(
        self, window: Window, sources: Sources, wanted: Collection[Wanted], at_most: int = POINTS
    ) -> None:
        self._window = window
        self._at_most = at_most
        of_tools = [one for one in wanted if is_of_tools(one[0])]
        together = [rule for rule, _ in of_tools if rule.together]
        self._traffic = sources.traffic(window) if together else None
        self._members = {rule.tools: self._busiest(rule) for rule in together}
        names = {target.tool for rule, target in of_tools if not rule.together}
        names |= {name for members in self._members.values() for name in members}
        self._tools = sources.courses(window, names) if names else {}
        self._vitals: Sequence[Mapping[str, Vitals]] = (
            sources.vitals(window) if len(of_tools) < len(wanted) else ()
        )

    def values(self, rule: Rule, target: Target) -> list[float | None]:
        """The rule's value at each point; None in a gap."""
        if not is_of_tools(rule):
            return [self._of_machine(rule, target, one) for one in self._machine_points()]
        return [value_of(rule, point) for point in self.points(rule, target)]

    def points(self, rule: Rule, target: Target) -> list[Point]:
        """The points of a target of requests."""
        return merged(self._window, self._series(rule, target), 0.0, self._at_most)

    def edges(self) -> list[float]:
        """The starts of the machine's points, and the last one's end."""
        return [*map(float, self._starts()), max(self._window.end_s, self._starts()[-1] + 1.0)]

    def spark(self, rule: Rule, target: Target, threshold: float) -> Spark:
        """The course with its limit drawn."""
        values, limit = self.values(rule, target), drawn_limit(rule, threshold)
        if all(value is None for value in values):
            return Spark()
        low = 0.0
        if rule.kind == "threshold" and rule.condition == "below":
            seen = [value for value in (*values, limit) if value is not None]
            low = max(0.0, limit - 1.25 * (limit - min(seen)) - 0.1 * limit) if seen else 0.0
        return spark(values, limit=limit, low=low)

    def _series(self, rule: Rule, target: Target) -> Sequence[Series | None]:
        if not rule.together:
            return self._tools.get(target.tool) or [None] * len(self._window.starts())
        if rule.tools == ("*",) and self._traffic is not None:
            return self._traffic.points
        there = [self._tools[name] for name in self._members[rule.tools] if name in self._tools]
        return [
            total(one for one in at if one is not None) if any(one is not None for one in at) else None
            for at in zip(*there, strict=True)
        ] or [None] * len(self._window.starts())

    def _busiest(self, rule: Rule) -> list[str]:
        tools = self._traffic.tools if self._traffic is not None else {}
        meant = [name for name in tools if matches(rule.tools, name)]
        return sorted(meant, key=lambda name: -tools[name].requests)[:_MOST_TOGETHER]

    def _starts(self) -> range:
        return self._window.starts()

    def _machine_points(self) -> Sequence[Mapping[str, Vitals]]:
        return self._vitals or [{} for _ in self._starts()]

    def _of_machine(self, rule: Rule, target: Target, at: Mapping[str, Vitals]) -> float | None:
        if rule.metric == INSTANCE_GONE:
            return None
        one = at.get(target.instance)
        return OF_THE_MACHINE[rule.metric].of([one]) if one is not None else None


def value_of(rule: Rule, point: Point) -> float | None:
    """A rule's value of one point of requests; of an objective, the share of bad requests in percent."""
    series = point.series
    if series is None:
        return None
    if rule.kind == "objective":
        bad, requests = objectives.bad_and_all(rule, series)
        return 100 * bad / requests if requests else None
    if rule.metric in (ABSENCE, THROUGHPUT):
        return point.requests_per_minute
    if rule.metric == SLOWER_THAN:
        slow = objectives.slower_than(series, rule.slower_than_ms or 0.0)
        return 100 * slow / series.requests if series.requests else None
    return OF_REQUESTS[rule.metric].of(series)


def drawn_limit(rule: Rule, threshold: float) -> float:
    """The limit in the unit that is drawn: an objective's factor as a share of bad requests."""
    if rule.kind == "objective":
        return threshold * (100 - (rule.target_percent or 0.0))
    return 0.0 if rule.metric == ABSENCE else threshold
