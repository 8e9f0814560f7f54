"""A service that is made up, and its alerts: months of it in a second.

Requests come at random, each tool at its own rate, take lognormal times and fail at random; turn by turn only
counts and sums are kept, of which any window is a difference. A turn is judged by `readings.read` and
`life.step`, as the job does it. Turns of a healthy tool that no rule could find wrong are passed over: they
change nothing (`test_turns_that_are_passed_over_change_nothing`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, count, takewhile
from math import erfc, exp, log, sqrt
from random import Random
from typing import NamedTuple

from app.model import objectives
from app.model.histogram import Histogram, bucket_of
from app.model.life import Change, Watch, step
from app.model.readings import Material, Reading, Target, read
from app.model.rules import Rule
from app.model.series import NS_PER_MS, Series
from app.model.vitals import Gauge, Vitals

SLOW_MS = 1000.0
DAY_S = 86_400
# Where the counts of fast requests and of slow ones are in a histogram.
_FAST, _SLOW = (64 * bucket_of(int(ms * NS_PER_MS)) for ms in (100, 2 * SLOW_MS))
# With more requests in a turn than this their sum is as good as normal.
_MANY = 15


@dataclass(frozen=True)
class Tool:
    """How a tool is: requests a minute, the share that fails, and the lognormal times of the others."""

    name: str
    per_minute: float
    failing: float = 0.0
    median_ms: float = 80.0
    sigma: float = 1.0

    @property
    def slow(self) -> float:
        """The share of requests that takes longer than SLOW_MS."""
        return erfc(log(SLOW_MS / self.median_ms) / self.sigma / sqrt(2)) / 2

    @property
    def mean_ms(self) -> float:
        return self.median_ms * exp(self.sigma**2 / 2)

    @property
    def deviation_ms(self) -> float:
        return self.mean_ms * sqrt(exp(self.sigma**2) - 1)


class Counts(NamedTuple):
    """What came in a turn."""

    requests: int
    failed: int
    slow: int
    took_ms: float


class Course:
    """A tool turn by turn."""

    def __init__(self, name: str, turn_s: int, counts: Iterable[Counts]) -> None:
        self.name, self.turn_s = name, turn_s
        columns = list(zip(*counts, strict=True))
        self.requests, self.failed, self.slow, self.took_ms = (
            list(accumulate(column, initial=0)) for column in columns
        )
        self.turns = len(columns[0])

    def window(self, end: int, length_s: int) -> Series:
        """What came in the window that ends with turn number `end`, counted from 1."""
        first = max(0, end - length_s // self.turn_s)
        requests = self.requests[end] - self.requests[first]
        failed = self.failed[end] - self.failed[first]
        slow = self.slow[end] - self.slow[first]
        return Series(
            ok=Histogram((requests - failed - slow << _FAST) + (slow << _SLOW)),
            failed=Histogram(failed << _FAST),
            server_errors=failed,
            total_ns=int((self.took_ms[end] - self.took_ms[first]) * NS_PER_MS),
        )

    def material(self, end: int, length_s: int) -> Material:
        span_s = min(end * self.turn_s, length_s)
        return Material(
            {self.name: self.window(end, length_s)}, span_s=span_s, measured_s=span_s, known=[self.name]
        )

    def suspects(self, rule: Rule) -> list[int]:
        """The turns after which the rule's condition may hold."""
        if rule.kind == "objective":
            bad = self.failed if rule.slower_than_ms is None else self.slow
            allowed = 1 - (rule.target_percent or 0) / 100
            found: set[int] = set()
            for pair in (*objectives.SLOW, *objectives.FAST)[-2 * len(rule.levels) :]:
                share = pair.factor * allowed
                long = self._over(bad, self.requests, pair.long_s, objectives.LEAST_FAILURES, share)
                if long:
                    found |= {*long} & {*self._over(bad, self.requests, pair.short_s, 0, share)}
            return sorted(found)
        limit = rule.levels[0].threshold
        if rule.metric == "average":
            return self._over(self.took_ms, self.requests, rule.window_s, 0, limit)
        assert rule.metric == "success_rate"
        return self._over(self.failed, self.requests, rule.window_s, rule.least_failures, 1 - limit / 100)

    def _over(
        self, part: Sequence[float], whole: Sequence[float], length_s: int, least: int, share: float
    ) -> list[int]:
        """The turns at whose end a part was over a share of the whole, and at least so much over it."""
        if part[-1] < least:
            return []
        turns = length_s // self.turn_s
        part_before, whole_before = ([0] * turns + list(column) for column in (part, whole))
        return [
            end
            for end, (now, before) in enumerate(zip(part, part_before, strict=False))
            if (came := now - before) > (limit := share * (whole[end] - whole_before[end]))
            and came >= least + int(limit - 1e-6)
        ]


class Request(NamedTuple):
    """A request at an instant from the start."""

    at_s: float
    failed: bool = False
    took_ms: float = 100.0


def course_of(name: str, turn_s: int, span_s: int, requests: Iterable[Request]) -> Course:
    """The turns of a span in which these requests came, in order."""
    turns = [Counts(0, 0, 0, 0.0)] * (span_s // turn_s)
    for at_s, failed, took_ms in requests:
        turn = int(at_s // turn_s)
        if turn < len(turns):
            was = turns[turn]
            slow = not failed and took_ms > SLOW_MS
            turns[turn] = Counts(
                was.requests + 1, was.failed + failed, was.slow + slow, was.took_ms + took_ms
            )
    return Course(name, turn_s, turns)


def arrivals(per_minute: float, span_s: float, *, phase: float = 0.0) -> Iterator[float]:
    """Instants as far apart as can be."""
    gap_s = 60 / per_minute
    return takewhile(lambda at_s: at_s < span_s, (gap_s * (number + phase) for number in count()))


def arrivals_at_random(per_minute: float, span_s: float, random: Random) -> Iterator[float]:
    """Instants of a Poisson process."""
    at_s = random.expovariate(per_minute / 60)
    while at_s < span_s:
        yield at_s
        at_s += random.expovariate(per_minute / 60)


class Gauges:
    """A percentage of a machine turn by turn, in windows of one turn."""

    def __init__(self, name: str, turn_s: int, percents: Sequence[float]) -> None:
        self.name, self.turn_s, self.percents, self.turns = name, turn_s, percents, len(percents)

    def material(self, end: int, length_s: int) -> Material:
        percent = self.percents[end - 1]
        gauges = {f"{self.name}_percent": Gauge(12, 12 * percent, percent)}
        return Material({}, {"web-1": Vitals(gauges)}, length_s, length_s, (), ("web-1",))

    def suspects(self, rule: Rule) -> list[int]:
        limit = rule.levels[0].threshold
        return [end for end, percent in enumerate(self.percents, 1) if percent > limit]


class Told(NamedTuple):
    """A change of an alert, at the end of a turn in seconds from the start."""

    at_s: float
    target: Target
    change: Change
    severity: str


@dataclass
class Judge:
    """A rule and what is known of its targets."""

    rule: Rule
    turn_s: float
    watches: dict[Target, Watch] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)

    def judge(self, windows: Callable[[int], Material], now_s: float) -> None:
        readings = read(self.rule, windows)
        for target in {*readings, *self.watches}:
            self.note(target, readings.get(target), now_s)

    def note(self, target: Target, reading: Reading | None, now_s: float) -> Change:
        was = self.watches.get(target)
        watch, change = step(self.rule, was, reading, now_s, 1.5 * self.turn_s)
        self.watches[target] = watch
        if change:
            level = watch.severity or (was.severity if was else 0)
            severity = self.rule.levels[level - 1].severity if level else ""
            self.told.append(Told(now_s, target, change, severity))
        return change

    @property
    def is_idle(self) -> bool:
        """Whether nothing but a condition that holds can change what is known."""
        return all(watch.state == "inactive" and not watch.severity for watch in self.watches.values())


def judge(rule: Rule, course: Course | Gauges, *, every_turn: bool = False) -> list[Told]:
    """What the rule tells of a tool or a machine, from its first turn to its last."""
    judge, end = Judge(rule, course.turn_s), 0
    suspects = iter(range(1, course.turns + 1) if every_turn else course.suspects(rule))
    while True:
        end = end + 1 if not judge.is_idle else next((one for one in suspects if one > end), course.turns + 1)
        if end > course.turns:
            return judge.told
        judge.judge(lambda length_s, end=end: course.material(end, length_s), end * course.turn_s)  # type: ignore[misc]


def poisson(random: Random, mean: float, turns: int) -> Iterator[int]:
    """How many events come in each turn, `mean` on average."""
    if mean > _MANY:
        for _ in range(turns):
            yield max(0, round(random.gauss(mean, sqrt(mean))))
        return
    at = random.expovariate(mean) if mean else float(turns)
    for turn in range(turns):
        events = 0
        while at < turn + 1:
            events += 1
            at += random.expovariate(mean)
        yield events


def healthy(tool: Tool, random: Random, span_s: int, turn_s: int) -> Course:
    """A tool as it is on all days."""
    mean, turns = tool.per_minute * turn_s / 60, span_s // turn_s
    good = poisson(random, mean * (1 - tool.failing), turns)
    failed = poisson(random, mean * tool.failing, turns)
    return Course(
        tool.name, turn_s, (_turn(tool, random, *counts) for counts in zip(good, failed, strict=True))
    )


def _turn(tool: Tool, random: Random, good: int, failed: int) -> Counts:
    requests = good + failed
    if good > _MANY:
        slow = min(good, next(poisson(random, good * tool.slow, 1)))
        took_ms = max(0.0, random.gauss(requests * tool.mean_ms, sqrt(requests) * tool.deviation_ms))
        return Counts(requests, failed, slow, took_ms)
    middle = log(tool.median_ms)
    times = [random.lognormvariate(middle, tool.sigma) for _ in range(requests)]
    return Counts(requests, failed, sum(one > SLOW_MS for one in times[:good]), sum(times))
