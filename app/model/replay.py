"""What a rule would have done: the evaluator that judges now, run over the moments that history has kept.

A window that is shorter than a moment is judged by the whole moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from .alerting import SEVERITIES
from .life import Watch, step
from .readings import Measured, Reading, Target
from .rules import Rule, is_beyond
from .sliding import Moment, reader

__all__ = ["Firing", "Moment", "Replay", "replay"]

_LATE = 1.5  # turns: how much of a pause counts


@dataclass(frozen=True, slots=True)
class Firing:
    """One alert that there would have been; `end_s` is None for one that would be open still."""

    target: Target
    start_s: float
    end_s: float | None
    severity: str
    peak: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Replay:
    """The firings, oldest first, and each target's value of the mildest level at the end of each moment."""

    firings: tuple[Firing, ...]
    courses: Mapping[Target, Sequence[float | None]]
    ends_s: tuple[float, ...]


def replay(rule: Rule, moments: Sequence[Moment]) -> Replay:
    """Judge the rule at the end of each moment, oldest first."""
    read = reader(rule)
    watches: dict[Target, Watch] = {}
    told = _Told(rule)
    courses: dict[Target, list[float | None]] = {}
    for number, moment in enumerate(moments):
        readings = read(moment)
        for target in {*readings, *watches}:
            reading = readings.get(target)
            turn_s = (moment.end_s - moment.start_s) * _LATE
            watches[target], change = step(rule, watches.get(target), reading, moment.end_s, turn_s)
            told.note(target, watches[target], change, reading, moment.end_s)
            course = courses.setdefault(target, [None] * number)
            course.append(_mildest(reading))
    return Replay(tuple(told.all()), courses, tuple(moment.end_s for moment in moments))


def _mildest(reading: Reading | None) -> float | None:
    level = reading.levels[0] if reading is not None else None
    return level.value if level is not None else None


@dataclass(slots=True)
class _Told:
    """Firings as they come about; what flaps is one of them."""

    rule: Rule
    over: list[Firing] = field(default_factory=list)
    still: dict[Target, Firing] = field(default_factory=dict)

    def note(self, target: Target, watch: Watch, change: str, reading: Reading | None, at_s: float) -> None:
        level = self._level(watch, reading)
        if change == "fired" and level is not None:
            severity = self.rule.levels[watch.severity - 1].severity
            self.still[target] = Firing(target, at_s, None, severity, level.value, level.threshold)
        elif change == "resolved":
            self.over.append(replace(self.still.pop(target), end_s=at_s))
        elif change == "flapping":
            again = [one for one in self.over if one.target == target][-1]
            self.over.remove(again)
            self.still[target] = replace(again, end_s=None)
        if target in self.still and level is not None:
            self.still[target] = self._at_its_worst(self.still[target], watch, level)

    def all(self) -> list[Firing]:
        return sorted((*self.over, *self.still.values()), key=lambda one: (one.start_s, one.target))

    def _level(self, watch: Watch, reading: Reading | None) -> Measured | None:
        return reading.levels[watch.severity - 1] if reading is not None and watch.severity else None

    def _at_its_worst(self, known: Firing, watch: Watch, level: Measured) -> Firing:
        severity = self.rule.levels[watch.severity - 1].severity
        if SEVERITIES.index(severity) > SEVERITIES.index(known.severity):
            known = replace(known, severity=severity, threshold=level.threshold)
        return replace(known, peak=level.value) if is_beyond(self.rule, level.value, known.peak) else known
