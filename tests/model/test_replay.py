"""A replay tells what live judging of the same moments would have told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.model.histogram import RELATIVE_ERROR
from app.model.life import Watch, step
from app.model.readings import Material, Reading, Target, read
from app.model.replay import Firing, Moment, replay
from app.model.rules import Level, Rule
from app.model.series import Series, total
from app.model.vitals import Vitals
from tests.model.made import machine, of_times, series

SLOW_AND_FAST = (Level("warning"), Level("critical"))
LOW_SUCCESS = Rule(
    name="", metric="success_rate", condition="below", levels=(Level("error", 90.0),), window_s=120
)
RULES = {
    "average": Rule(name="", metric="average", window_s=180, levels=(Level("warning", 500.0),)),
    "longest": Rule(name="", metric="max", window_s=180, levels=(Level("warning", 5e6),)),
    "p95": Rule(name="", metric="p95", window_s=300, levels=(Level("warning", 5e6),)),
    "success": LOW_SUCCESS,
    "held": Rule(
        name="",
        metric="error_rate",
        hold_s=120,
        window_s=60,
        levels=(Level("warning", 5.0), Level("critical", 60.0)),
    ),
    "requests": Rule(
        name="", metric="requests", condition="below", tools=("pay", "search"), levels=(Level("error", 4.0),)
    ),
    "throughput": Rule(name="", metric="throughput", window_s=240, together=True),
    "absence": Rule(name="", metric="absence", window_s=240, levels=(Level("warning", 3.0),)),
    "slow": Rule(name="", metric="slower_than", slower_than_ms=500.0, levels=(Level("warning", 20.0),)),
    "cpu": Rule(name="", metric="cpu", window_s=180, levels=(Level("warning", 80.0),)),
    "gone": Rule(name="", metric="instance_gone", window_s=240, levels=(Level("critical", 3.0),)),
    "objective": Rule(name="", kind="objective", target_percent=99.0, levels=SLOW_AND_FAST),
    "latency": Rule(
        name="",
        kind="objective",
        target_percent=90.0,
        slower_than_ms=500.0,
        levels=SLOW_AND_FAST[1:],
        together=True,
        tools=("pay", "cart*"),
    ),
    "named": Rule(
        name="", kind="objective", target_percent=90.0, levels=SLOW_AND_FAST, tools=("search", "cart")
    ),
}


def moments(
    told: Sequence[dict[str, Series] | None], vitals: Sequence[dict[str, Vitals]] = (), length_s: float = 60.0
) -> list[Moment]:
    return [
        Moment(number * length_s, (number + 1) * length_s, tools, vitals[number] if vitals else {})
        for number, tools in enumerate(told)
    ]


def live(rule: Rule, past: Sequence[Moment]) -> list[tuple[float, Target, str, Reading | None]]:
    """Each change of judging at the end of each moment, with windows that are summed anew."""
    watches: dict[Target, Watch] = {}
    told: list[tuple[float, Target, str, Reading | None]] = []
    for number, moment in enumerate(past, 1):
        readings = read(rule, windows_after(past[:number]))
        for target in sorted({*readings, *watches}):
            turn_s = 1.5 * (moment.end_s - moment.start_s)
            reading = readings.get(target)
            watches[target], change = step(rule, watches.get(target), reading, moment.end_s, turn_s)
            told.append((moment.end_s, target, change, reading))
    return told


def windows_after(past: Sequence[Moment]) -> Callable[[int], Material]:
    now_s = past[-1].end_s

    def windows(length_s: int) -> Material:
        inside = [one for one in past if one.start_s >= now_s - length_s] or [past[-1]]
        day = [one for one in past if one.end_s > now_s - 86_400]
        machines: dict[str, Vitals] = {}
        for one in inside:
            for name, vitals in one.vitals.items():
                machines[name] = machines[name] + vitals if name in machines else vitals
        names = {name for one in inside for name, part in (one.tools or {}).items() if part.requests}
        return Material(
            {
                name: total((one.tools or {})[name] for one in inside if name in (one.tools or {}))
                for name in names
            },
            machines,
            now_s - inside[0].start_s,
            sum(one.end_s - one.start_s for one in inside if one.tools is not None),
            {name for one in day for name, part in (one.tools or {}).items() if part.requests},
            {name for one in day for name in one.vitals},
        )

    return windows


_series = st.builds(
    series,
    st.integers(0, 9),
    st.sampled_from([0, 0, 0, 1, 5]),
    st.sampled_from([1.0, 100.0, 400.0, 1000.0, 9000.0]),
)
_told = st.one_of(
    st.none(),
    st.dictionaries(st.sampled_from(["pay", "cart", "admin"]), _series, max_size=3),
)
_machines = st.dictionaries(
    st.sampled_from(["web-1", "web-2"]), st.sampled_from([10.0, 75.0, 90.0]).map(machine), max_size=2
)
_past = st.lists(st.tuples(_told, _machines, st.integers(1, 6)), min_size=1, max_size=8).map(
    lambda runs: [(told, machines) for told, machines, times in runs for _ in range(times)]
)


@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("name", RULES)
@given(past=_past, length_s=st.sampled_from([60.0, 600.0, 14_400.0]))
def test_a_replay_is_what_live_judging_of_the_same_moments_tells(
    name: str, past: list[tuple[dict[str, Series] | None, dict[str, Vitals]]], length_s: float
) -> None:
    rule = RULES[name]
    history = moments([told for told, _ in past], [machines for _, machines in past], length_s)
    found, told = replay(rule, history), live(rule, history)
    for at_s, target, _, reading in told:
        level = reading.levels[0] if reading else None
        value = found.courses[target][found.ends_s.index(at_s)]
        assert (value is None) == (level is None)
        if value is not None and level is not None:
            assert value == pytest.approx(level.value, rel=2.2 * RELATIVE_ERROR)
    opened = [(target, at_s) for at_s, target, change, _ in told if change == "fired"]
    assert sorted((one.target, one.start_s) for one in found.firings) == sorted(opened)
    for one in found.firings:
        later = [at_s for target, at_s in opened if target == one.target and at_s > one.start_s]
        ends = [
            (at_s, change)
            for at_s, target, change, _ in told
            if target == one.target
            and change in ("resolved", "flapping", "fired")
            and one.start_s <= at_s < min(later, default=float("inf"))
        ]
        assert one.end_s == (ends[-1][0] if ends[-1][1] == "resolved" else None)


def test_a_firing_has_its_start_end_and_peak() -> None:
    told = [series(10), series(5, 5), series(1, 9), series(10), series(10), series(10)]
    found = replay(LOW_SUCCESS, moments([{"pay": one} for one in told]))
    assert found.firings == (Firing(Target("pay"), 120, 360, "error", 30.0, 90.0),)
    assert found.courses == {Target("pay"): [100, 75, 30, 55, 100, 100]}
    assert found.ends_s == (60, 120, 180, 240, 300, 360)


def test_a_firing_is_as_severe_as_it_was_at_its_worst() -> None:
    levels = (Level("warning", 80.0), Level("critical", 95.0))
    rule = Rule(name="", metric="cpu", window_s=60, levels=levels)
    courses = [{"web-1": machine(cpu)} for cpu in (50, 85, 97, 85, 85, 85)]
    [one] = replay(rule, moments([{}] * 6, courses)).firings
    assert one == Firing(Target("system", "web-1"), 120, None, "critical", 97.0, 95.0)


def test_what_gets_worse_below_its_peak_is_more_severe_all_the_same() -> None:
    """The severe level's condition has held for long enough a moment after the peak."""
    levels = (Level("warning", 80.0), Level("critical", 95.0))
    rule = Rule(name="", metric="cpu", window_s=60, hold_s=60, levels=levels)
    courses = [{"web-1": machine(cpu)} for cpu in (85, 85, 98, 96, 85)]
    [one] = replay(rule, moments([{}] * 5, courses)).firings
    assert one == Firing(Target("system", "web-1"), 120, None, "critical", 98.0, 95.0)


def test_what_flaps_is_one_firing() -> None:
    good, bad = {"pay": series(10)}, {"pay": series(0, 10)}
    told = [good, bad, good, good, good, good, bad, *[good] * 40]
    [one] = replay(LOW_SUCCESS, moments(told)).firings
    assert one.start_s == 120
    assert one.end_s is not None
    assert one.end_s >= 7 * 60 + 1800


def test_what_comes_back_more_severe_is_more_severe() -> None:
    levels = (Level("warning", 80.0), Level("critical", 95.0))
    rule = Rule(name="", metric="cpu", window_s=60, levels=levels)
    courses = [{"web-1": machine(cpu)} for cpu in (85, 50, 50, 97, 85)]
    [one] = replay(rule, moments([{}] * 5, courses)).firings
    assert one == Firing(Target("system", "web-1"), 60, None, "critical", 97.0, 95.0)


def test_in_a_gap_nothing_is_known() -> None:
    told: list[dict[str, Series] | None] = [{"pay": series(0, 10)}, *[None] * 5, {"pay": series(0, 10)}]
    found = replay(LOW_SUCCESS, moments(told))
    assert found.courses[Target("pay")] == [0, 0, None, None, None, None, 0]
    [one] = found.firings
    assert one.end_s is None
    absence = Rule(name="", metric="absence", window_s=120, levels=(Level("warning", 1.0),))
    assert replay(absence, moments(told)).firings == ()


def test_without_data_for_half_an_hour_a_firing_ends() -> None:
    [one] = replay(LOW_SUCCESS, moments([{"pay": series(0, 10)}, *[None] * 40])).firings
    assert one.end_s == 60 + 60 + 1800


def test_a_window_shorter_than_a_moment_is_the_whole_moment() -> None:
    rule = Rule(name="", metric="average", window_s=60, levels=(Level("warning", 500.0),))
    found = replay(rule, moments([{"pay": series(5)}, {"pay": series(5, took_ms=900)}], length_s=600.0))
    assert found.courses[Target("pay")] == [100, 900]


def test_without_moments_there_is_nothing() -> None:
    found = replay(LOW_SUCCESS, [])
    assert (found.firings, found.courses, found.ends_s) == ((), {}, ())
    digest = replay(Rule(name="", kind="digest"), moments([{"pay": series(0, 10)}]))
    assert (digest.firings, digest.courses) == ((), {})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["average", "p95", "objective", "latency"])
def test_a_week_of_25_tools_is_replayed_in_seconds(name: str) -> None:
    """Six days in moments of ten minutes and one in minutes: 57,600 series; about a second each on a core."""
    pool = [of_times([30.0 * (1 + number % 7) * 1.3**step for step in range(16)]) for number in range(50)]
    history: list[Moment] = []
    at_s = 0.0
    for length_s, count in ((600.0, 864), (60.0, 1440)):
        for _ in range(count):
            tools = {
                f"tool-{number}": pool[(number * 7 + len(history)) % 50] + pool[number]
                for number in range(25)
            }
            history.append(Moment(at_s, at_s + length_s, tools, {}))
            at_s += length_s
    began_s = process_time()
    found = replay(RULES[name], history)
    assert process_time() - began_s < 6  # three times what it takes, as the machine may be busy
    assert len(found.courses) == (1 if RULES[name].together else 25)
