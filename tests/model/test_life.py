"""The life of an alert: each state and change by example, and what holds whatever comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from app.model.life import FLAPPING_S, NO_DATA_S, Watch, dismissed, step
from app.model.readings import Measured, Reading
from app.model.rules import Level, Rule, is_beyond, is_well

START_S = 1_754_589_600.0
MINUTE = 60.0
LEVELS = (Level("warning", 80.0), Level("critical", 95.0))


def rule(levels: tuple[Level, ...] = LEVELS, hold_s: int = 0, recovery_s: int = 60) -> Rule:
    return Rule(name="CPU", metric="cpu", levels=levels, hold_s=hold_s, recovery_s=recovery_s)


@dataclass
class Story:
    """An alert minute by minute: `told` is what it says of each value, None is no reading."""

    rule: Rule
    watch: Watch | None = None
    at_s: float = START_S
    told: list[str] = field(default_factory=list)

    def goes(self, *values: float | None) -> list[str]:
        """What each of these values changes."""
        for value in values:
            self.at_s += MINUTE
            reading = None
            if value is not None:
                reading = Reading(tuple(Measured(value, level.threshold) for level in self.rule.levels))
            self.watch, change = step(self.rule, self.watch, reading, self.at_s, MINUTE)
            self.told.append(change)
        return self.told[-len(values) :]

    @property
    def known(self) -> Watch:
        assert self.watch is not None
        return self.watch

    def is_dismissed(self) -> None:
        self.watch = dismissed(self.known, self.at_s)


def test_what_is_well_is_inactive() -> None:
    story = Story(rule())
    assert story.goes(10, 80) == ["", ""]
    assert (story.known.state, story.known.severity, story.known.is_open) == ("inactive", 0, False)
    assert not story.known.is_worth_keeping(story.at_s)


def test_without_a_hold_time_it_fires_at_once() -> None:
    story = Story(rule())
    assert story.goes(10, 81, 82) == ["", "fired", ""]
    assert (story.known.state, story.known.severity) == ("firing", 1)
    assert story.known.opened_s == story.known.since_s == START_S + 2 * MINUTE


def test_a_condition_is_pending_until_it_has_held() -> None:
    story = Story(rule(hold_s=120))
    assert story.goes(81, 81) == ["pending", ""]
    assert story.known.state == "pending"
    assert story.goes(81) == ["fired"]


def test_a_pending_condition_that_ends_was_nothing() -> None:
    story = Story(rule(hold_s=120))
    assert story.goes(81, 81, 80, 81, 81, 81) == ["pending", "", "calm", "pending", "", "fired"]


def test_what_has_held_waits_for_a_reading_that_is_missing() -> None:
    story = Story(rule(hold_s=120))
    assert story.goes(81, None, 81, None, None, 81) == ["pending", "", "", "", "", "fired"]


def test_what_has_held_is_forgotten_after_half_an_hour_without_data() -> None:
    story = Story(rule(hold_s=120))
    assert story.goes(81, 81, *[None] * 30)[-2:] == ["", "calm"]
    assert story.goes(81) == ["pending"]


def test_it_gets_worse_and_milder_with_its_levels() -> None:
    story = Story(rule())
    assert story.goes(85, 96, 93, 90, 90) == ["fired", "worse", "", "", "milder"]
    assert story.known.severity == 1
    assert story.goes(96) == ["worse"]


def test_it_is_over_once_it_was_well_for_the_recovery_time() -> None:
    story = Story(rule(recovery_s=120))
    assert story.goes(85, 76, 76, 77, 76, 76, 76) == ["fired", "", "", "", "", "", "resolved"]
    assert (story.known.state, story.known.severity) == ("inactive", 0)


def test_between_limit_and_recovery_point_nothing_changes() -> None:
    story = Story(rule())
    assert story.goes(*[79, 77] * 30) == [""] * 60
    assert story.goes(81, *[79, 77] * 60) == ["fired", *[""] * 120]


def test_without_data_it_is_open_and_says_so() -> None:
    story = Story(rule())
    assert story.goes(85, None, None, 85) == ["fired", "no_data", "", "data"]
    assert story.goes(None, 96) == ["no_data", "worse"]


def test_without_data_for_half_an_hour_it_is_over() -> None:
    story = Story(rule())
    told = story.goes(85, *[None] * 40)
    assert (told[:2], told.index("resolved")) == (["fired", "no_data"], 30)
    assert story.known.state == "inactive"


def test_being_well_waits_for_a_reading_that_is_missing() -> None:
    story = Story(rule(recovery_s=120))
    assert story.goes(85, 70, 70, None, None, 70) == ["fired", "", "", "no_data", "", "resolved"]


def test_what_comes_back_within_half_an_hour_is_the_same_alert() -> None:
    story = Story(rule())
    assert story.goes(85, 70, 70, 85) == ["fired", "", "resolved", "flapping"]
    assert (story.known.state, story.known.opened_s) == ("flapping", START_S + MINUTE)
    assert story.goes(*[70] * 31) == [*[""] * 30, "resolved"]


def test_what_comes_back_later_is_a_new_one() -> None:
    story = Story(rule())
    assert story.goes(85, 70, 70, *[70] * 27, 85)[-1] == "fired"
    assert story.known.opened_s == story.at_s


def test_dismissed_by_hand_it_keeps_quiet_until_it_was_well() -> None:
    story = Story(rule())
    story.goes(85)
    story.is_dismissed()
    assert (story.known.state, story.known.is_open) == ("inactive", False)
    assert story.known.is_worth_keeping(story.at_s + DAY_S)
    assert story.goes(85, 85, 70, 70) == ["", "", "", ""]
    assert not story.known.dismissed
    assert story.goes(*[70] * 30, 85)[-1] == "fired"


def test_dismissed_by_hand_it_speaks_again_when_it_gets_worse() -> None:
    story = Story(rule())
    story.goes(85)
    story.is_dismissed()
    assert story.goes(85, 96) == ["", "fired"]
    assert story.known.severity == 2


def test_on_time_that_nobody_measured_nothing_fires() -> None:
    story = Story(rule(hold_s=300))
    story.goes(81)
    story.at_s += 7200  # a restart
    assert story.goes(81) == [""]
    assert story.goes(81, 81, 81, 81) == ["", "", "", "fired"]


def test_a_clock_that_is_set_back_passes_no_time() -> None:
    story = Story(rule(hold_s=120))
    story.goes(81)
    story.at_s -= 3600
    assert story.goes(81, 81, 81) == ["", "", "fired"]


def test_a_rule_that_lost_a_level_goes_on_with_the_others() -> None:
    story = Story(rule())
    story.goes(96)
    story.rule = rule(LEVELS[:1])
    assert story.goes(96) == ["milder"]
    assert story.known.severity == 1


# Whatever comes

DAY_S = 86_400.0


class Event(NamedTuple):
    """A judgement: the value read (None: none), seconds since the one before, and what else happens."""

    value: float | None
    passed_s: float
    is_restarted: bool = False
    is_dismissed: bool = False


_values = st.one_of(st.none(), st.sampled_from([60.0, 75.0, 76.0, 78.0, 80.0, 85.0, 92.0, 96.0, 99.0]))
_passed = st.one_of(st.just(5.0), st.floats(0, 700), st.sampled_from([-3600.0, DAY_S, 1800.0]))
# A value lasts for some turns, as most do.
_events = st.lists(
    st.tuples(
        st.builds(Event, _values, _passed, st.booleans(), st.sampled_from([False] * 7 + [True])),
        st.integers(1, 12),
    ).map(lambda drawn: [drawn[0], *[drawn[0]._replace(is_dismissed=False)] * (drawn[1] - 1)]),
    min_size=1,
    max_size=15,
).map(lambda runs: [one for run in runs for one in run])
_rules = st.builds(
    rule,
    st.sampled_from([LEVELS, LEVELS[:1], LEVELS[1:]]),
    st.sampled_from([0, 60, 300]),
    st.sampled_from([0, 60, 600]),
)
TURN_S = 300.0
STATES = {
    "pending": {"pending"},
    "calm": {"inactive"},
    "fired": {"firing"},
    "flapping": {"flapping"},
    "worse": {"firing", "flapping"},
    "milder": {"firing", "flapping"},
    "data": {"firing", "flapping"},
    "no_data": {"no_data"},
    "resolved": {"inactive"},
}
OPEN = {"firing", "flapping", "no_data"}


@dataclass
class Step:
    """A step of a life, with what was known before it and what a plain account of time says."""

    was: Watch | None
    watch: Watch
    change: str
    event: Event
    passed_s: float
    at_s: float


def lived(rule: Rule, events: Sequence[Event]) -> list[Step]:
    steps, at_s, watch = [], START_S, None
    for event in events:
        if event.is_dismissed and watch is not None and watch.is_open:
            watch = dismissed(watch, at_s)
        if event.is_restarted and watch is not None:
            watch = msgspec.msgpack.decode(msgspec.msgpack.encode(watch), type=Watch)
            if not watch.is_worth_keeping(at_s):
                watch = None
        before_s, at_s = at_s, at_s + event.passed_s
        reading = None
        if event.value is not None:
            reading = Reading(tuple(Measured(event.value, level.threshold) for level in rule.levels))
        after, change = step(rule, watch, reading, at_s, TURN_S)
        passed_s = min(max(0.0, at_s - before_s), TURN_S)
        steps.append(Step(watch, after, change, event, passed_s, at_s))
        watch = after
    return steps


@settings(max_examples=300, deadline=None)
@given(_rules, _events)
def test_state_and_change_and_severity_agree(rule: Rule, events: list[Event]) -> None:
    for one in lived(rule, events):
        watch, was = one.watch, one.was
        assert watch.is_open == (watch.state in OPEN)
        assert watch.severity == max(
            (n for n, latch in enumerate(watch.latches, 1) if latch.closed), default=0
        )
        assert watch.dismissed <= len(rule.levels)
        assert watch.dismissed == 0 or watch.severity
        if one.change:
            assert watch.state in STATES[one.change]
        else:
            assert watch.state == (was.state if was else "inactive")
        if one.change == "worse":
            assert was is not None
            assert watch.severity > was.severity
        if one.change == "milder":
            assert was is not None
            assert 0 < watch.severity < was.severity
        assert (watch.since_s == one.at_s) or (was is not None and watch.since_s == was.since_s)


@settings(max_examples=300, deadline=None)
@given(_rules, _events)
def test_each_alert_is_opened_once_and_resolved_once(rule: Rule, events: list[Event]) -> None:
    is_open = False
    for one in lived(rule, events):
        if one.was is None or not one.was.is_open:
            is_open = False  # over, or dismissed by hand
        if one.change in ("fired", "flapping"):
            assert not is_open
            is_open = True
        elif one.change == "resolved":
            assert is_open
            is_open = False
        elif one.change in ("worse", "milder", "no_data", "data"):
            assert is_open
        assert one.watch.is_open == is_open


@settings(max_examples=300, deadline=None)
@given(_rules, _events)
def test_nothing_fires_before_its_condition_was_measured_for_the_hold_time(
    rule: Rule, events: list[Event]
) -> None:
    held_s: list[float | None] = [None] * len(rule.levels)
    for one in lived(rule, events):
        latches = one.was.latches if one.was and one.was.latches else ()
        for number, level in enumerate(rule.levels):
            value = one.event.value
            if value is not None and is_beyond(rule, value, level.threshold):
                was_s = held_s[number]
                held_s[number] = 0.0 if was_s is None else was_s + one.passed_s
            elif value is not None:
                held_s[number] = None
            was_closed = bool(latches) and latches[number].closed
            if one.watch.latches[number].closed and not was_closed:
                measured_s = held_s[number]
                assert measured_s is not None
                assert measured_s >= rule.hold_s


@settings(max_examples=300, deadline=None)
@given(_rules, _events)
def test_nothing_is_over_before_it_was_well_for_the_recovery_time(rule: Rule, events: list[Event]) -> None:
    well_s: list[float | None] = [None] * len(rule.levels)
    silent_s = 0.0
    for one in lived(rule, events):
        value = one.event.value
        silent_s = silent_s + one.passed_s if value is None else 0.0
        for number, level in enumerate(rule.levels):
            if value is not None:
                was_s = well_s[number]
                well_s[number] = (was_s or 0.0) + (one.passed_s if was_s is not None else 0.0)
                if not is_well(rule, value, level.threshold):
                    well_s[number] = None
            if one.was and one.was.latches and one.was.latches[number].closed:
                recovery_s = FLAPPING_S if one.was.is_flapping else rule.recovery_s
                if not one.watch.latches[number].closed:
                    known_s = well_s[number]
                    assert silent_s >= NO_DATA_S or (known_s is not None and known_s >= recovery_s)


@settings(max_examples=200, deadline=None)
@given(_rules, _events, st.sampled_from([60.0, None]))
def test_once_the_fault_has_stopped_it_ends(rule: Rule, events: list[Event], value: float | None) -> None:
    end = [Event(value, 60.0)] * (int(max(FLAPPING_S, NO_DATA_S)) // 60 + 2)
    last = lived(rule, [*events, *end])[-1].watch
    assert (last.state, last.severity, last.dismissed) == ("inactive", 0, 0)


@settings(max_examples=200, deadline=None)
@given(_rules, _events)
def test_forgetting_what_is_not_worth_keeping_changes_nothing(rule: Rule, events: list[Event]) -> None:
    events = [one._replace(passed_s=abs(one.passed_s)) for one in events]
    kept = lived(rule, [one._replace(is_restarted=False) for one in events])
    forgotten = lived(rule, [one._replace(is_restarted=True) for one in events])
    assert [one.change for one in kept] == [one.change for one in forgotten]
