"""The windows of a replay: they slide over the moments of history, and a rule reads what is in them."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from . import objectives
from .objectives import NOTHING, Counted
from .readings import Material, Reading, Target, burns, read
from .rules import Rule, is_of_tools, matches, named, together_name
from .series import EMPTY, Series
from .vitals import Vitals

_DAY_S = 86_400.0


class Moment(NamedTuple):
    """What was measured in [start_s, end_s), Unix seconds; `tools` is None in a gap."""

    start_s: float
    end_s: float
    tools: Mapping[str, Series] | None
    vitals: Mapping[str, Vitals]


def reader(rule: Rule) -> Callable[[Moment], dict[Target, Reading]]:
    """What tells of each moment, oldest first, what the rule reads at its end."""
    if rule.kind == "digest":
        return lambda moment: {}  # noqa: ARG005 - a digest reads nothing of any moment
    if rule.kind == "objective":
        return _Budget(rule).readings_after
    window = _Tools(rule.window_s) if is_of_tools(rule) else _Machines(rule.window_s)
    return lambda moment: read(rule, partial(_same, window.material_after(moment)))


def _same(material: Material, _length_s: int) -> Material:
    return material


class _Newest:
    """The newest moments, as far back as a window reaches: at least one."""

    def __init__(self, length_s: int) -> None:
        self._length_s = length_s
        self.moments: deque[Moment] = deque()
        self.measured_s = 0.0

    @property
    def span_s(self) -> float:
        return self.moments[-1].end_s - self.moments[0].start_s

    def add(self, moment: Moment) -> list[Moment]:
        """Take in a moment. Returns those that it pushes out of the window."""
        self.moments.append(moment)
        self.measured_s += _measured_s(moment)
        gone = []
        while len(self.moments) > 1 and self.moments[0].start_s < moment.end_s - self._length_s:
            gone.append(self.moments.popleft())
            self.measured_s -= _measured_s(gone[-1])
        return gone


def _measured_s(moment: Moment) -> float:
    return 0.0 if moment.tools is None else moment.end_s - moment.start_s


class _Tools:
    """Each tool's requests in the window, summed by adding what comes and taking away what leaves."""

    def __init__(self, length_s: int) -> None:
        self._newest = _Newest(length_s)
        self._sums: dict[str, Series] = {}
        self._seen_s: dict[str, float] = {}

    def material_after(self, moment: Moment) -> Material:
        gone = self._newest.add(moment)
        called = {name: one for name, one in (moment.tools or {}).items() if _has_requests(one)}
        self._seen_s |= dict.fromkeys(called, moment.end_s)
        if len(self._newest.moments) == 1:
            self._sums = called
        else:
            self._sum(called, gone)
        return Material(
            tools=self._sums,
            span_s=self._newest.span_s,
            measured_s=self._newest.measured_s,
            known=_of_a_day(self._seen_s, moment.end_s),
        )

    def _sum(self, called: Mapping[str, Series], gone: list[Moment]) -> None:
        sums = self._sums
        for name, one in called.items():
            sums[name] = sums.get(name, EMPTY) + one
        for moment in gone:
            for name, one in (moment.tools or {}).items():
                if _has_requests(one):
                    sums[name] = sums[name].minus(one)
                    if not _has_requests(sums[name]):
                        del sums[name]


class _Machines:
    """Each instance's machine in the window.

    Of a sum's maximum nobody can take a part away. So the older moments lie on a stack that holds the sum of
    each with all that are newer than it, and goes down as they leave; the newer ones are summed as they come
    and go onto the stack together once it is empty.
    """

    def __init__(self, length_s: int) -> None:
        self._newest = _Newest(length_s)
        self._older: list[Mapping[str, Vitals]] = []
        self._newer: list[Mapping[str, Vitals]] = []
        self._sum_of_newer: Mapping[str, Vitals] = {}
        self._reported_s: dict[str, float] = {}

    def material_after(self, moment: Moment) -> Material:
        gone = self._newest.add(moment)
        self._newer.append(moment.vitals)
        self._sum_of_newer = _together(self._sum_of_newer, moment.vitals)
        for _ in gone:
            self._take_away_oldest()
        self._reported_s |= dict.fromkeys(moment.vitals, moment.end_s)
        return Material(
            tools={},
            vitals=_together(self._older[-1], self._sum_of_newer) if self._older else self._sum_of_newer,
            span_s=self._newest.span_s,
            measured_s=self._newest.measured_s,
            instances=_of_a_day(self._reported_s, moment.end_s),
        )

    def _take_away_oldest(self) -> None:
        if not self._older:
            sum_of_all: Mapping[str, Vitals] = {}
            while self._newer:
                sum_of_all = _together(self._newer.pop(), sum_of_all)
                self._older.append(sum_of_all)
            self._sum_of_newer = {}
        self._older.pop()


class _Budget:
    """What an objective counts of each of its targets, in all its windows at once.

    Of each target the sum up to every moment is kept: a window's is the difference of two of them.
    """

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._is_meant: dict[str, bool] = {}
        self._starts_s: list[float] = []
        self._first = dict.fromkeys(objectives.WINDOWS_S, 0)
        self._awaited = {together_name(rule.tools)} if rule.together else set(named(rule.tools))
        self._sums = {name: [NOTHING] for name in self._awaited}

    def readings_after(self, moment: Moment) -> dict[Target, Reading]:
        self._add(moment)
        counted = {}
        for name, sums in self._sums.items():
            bad, requests = sums[-1]
            windows = {}
            for length_s, first in self._first.items():
                before = sums[first]
                windows[length_s] = Counted(bad - before.bad, requests - before.requests)
            if windows[objectives.WINDOWS_S[-1]].requests or name in self._awaited:
                counted[name] = windows
        return burns(self._rule, counted)

    def _add(self, moment: Moment) -> None:
        fresh: dict[str, Counted] = {}
        for tool, series in (moment.tools or {}).items():
            if tool not in self._is_meant:
                self._is_meant[tool] = tool in self._awaited or matches(self._rule.tools, tool)
            if self._is_meant[tool]:
                name = together_name(self._rule.tools) if self._rule.together else tool
                fresh[name] = _added(fresh.get(name, NOTHING), objectives.bad_and_all(self._rule, series))
        for name in fresh.keys() - self._sums.keys():
            self._sums[name] = [NOTHING] * (len(self._starts_s) + 1)
        for name, sums in self._sums.items():
            sums.append(_added(sums[-1], fresh.get(name, NOTHING)))
        self._starts_s.append(moment.start_s)
        for length_s, first in self._first.items():
            since_s = moment.end_s - length_s
            self._first[length_s] = min(bisect_left(self._starts_s, since_s, first), len(self._starts_s) - 1)


def _added(one: Counted, other: Counted) -> Counted:
    return Counted(one.bad + other.bad, one.requests + other.requests)


def _together(older: Mapping[str, Vitals], newer: Mapping[str, Vitals]) -> dict[str, Vitals]:
    both = dict(older)
    for name, vitals in newer.items():
        both[name] = both[name] + vitals if name in both else vitals
    return both


def _has_requests(series: Series) -> bool:
    return bool(series.ok.packed or series.failed.packed)


def _of_a_day(at_s: Mapping[str, float], now_s: float) -> list[str]:
    return [name for name, one_s in at_s.items() if one_s > now_s - _DAY_S]
