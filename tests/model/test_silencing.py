"""Silences: when they begin and end, and what they cover."""

from __future__ import annotations

from typing import Any

import pytest

from app.model.silencing import Silence, covering

NOON_S = 1_754_568_000.0


def silence(id: int = 1, start_s: float = NOON_S, end_s: float = NOON_S + 3600, **what: Any) -> Silence:
    return Silence(id, start_s, end_s, **what)


@pytest.mark.parametrize(
    ("now_s", "is_covered"),
    [(NOON_S - 1, False), (NOON_S, True), (NOON_S + 3599, True), (NOON_S + 3600, False)],
)
def test_it_covers_from_its_start_up_to_its_end(now_s: float, is_covered: bool) -> None:
    assert silence().covers("high_cpu_usage", "system", "critical", now_s) is is_covered


@pytest.mark.parametrize(
    ("what", "is_covered"),
    [
        ({"type": "low_success_rate"}, True),
        ({"type": "high_response_time"}, False),
        ({"tools": ("pay*",)}, True),
        ({"tools": ("*", "!payout")}, False),
        ({"tools": ("cart",)}, False),
        ({"severity": "warning"}, False),
        ({"severity": "error"}, True),
        ({"severity": "critical"}, True),
        ({"type": "low_success_rate", "tools": ("cart",)}, False),
    ],
)
def test_it_covers_what_it_names(what: dict[str, Any], is_covered: bool) -> None:
    assert silence(**what).covers("low_success_rate", "payout", "error", NOON_S) is is_covered


def test_the_one_that_covers_for_longest_is_told() -> None:
    short, long = silence(1), silence(2, end_s=NOON_S + 7200)
    planned, other = silence(3, NOON_S + 60, NOON_S + 9999), silence(4, end_s=NOON_S + 9999, tools=("cart",))
    assert covering([short, long, planned, other], "x", "pay", "info", NOON_S) is long
    assert covering([planned, other], "x", "pay", "info", NOON_S) is None
