"""What a window is compared with: the span before it, the same one a day or a week earlier, or nothing."""

from __future__ import annotations

from collections.abc import Mapping

from . import formats
from .windows import KEEP_S, PERIODS_S, Window

BY = ("before", "day", "week", "off")
_AROUND_S, _LEAST_S = 3600.0, 300.0
_SHIFT_S = {"day": 86_400.0, "week": 604_800.0}
_THAN = {"day": "a day before", "week": "a week before"}
_SHORT = {"day": "day before", "week": "week before", "off": "nothing"}


def compared(window: Window, by: str, now_s: float, keep_s: Mapping[int, float] = KEEP_S) -> Window | None:
    """The window that `window` is compared with, one of BY; None if with nothing.

    It is read from the finest period, from the window's own on, that is kept for that long (`keep_s`).
    """
    if by == "off":
        return None
    length_s = window.end_s - window.start_s
    shift_s = _SHIFT_S.get(by, length_s)
    start_s, end_s = window.start_s - shift_s, window.end_s - shift_s
    age_s = now_s - start_s
    usable = [one for one in PERIODS_S if one >= window.period_s and keep_s[one] >= age_s]
    period_s = usable[0] if usable else window.period_s
    return Window(window.name, start_s, end_s, period_s, max(window.step_s, period_s))


def around(at_s: float, now_s: float, keep_s: Mapping[int, float] = KEEP_S) -> tuple[Window, Window] | None:
    """As much time before as after an instant, an hour at most; None while it is too near or too far."""
    length_s = min(_AROUND_S, now_s - at_s)
    period_s = next((one for one in PERIODS_S if keep_s[one] >= now_s - at_s + length_s), PERIODS_S[-1])
    if length_s < max(_LEAST_S, 2 * period_s):
        return None
    # Whole rows only, and none that holds the instant itself.
    before_s, after_s = at_s // period_s * period_s, -(-at_s // period_s) * period_s
    return (
        Window("", before_s - length_s, before_s, period_s, period_s),
        Window("", after_s, after_s + length_s, period_s, period_s),
    )


def than(window: Window, by: str) -> str:
    """In words, for "slower than": "the hour before", "a day before"."""
    return _THAN.get(by) or formats.before(window.name)


def when(window: Window, by: str) -> str:
    """At the start of a sentence: "In the hour before", "A day before"."""
    words = than(window, by)
    return words.capitalize() if by in _THAN else f"In {words}"


def short(window: Window, by: str) -> str:
    """The same for a button: "hour before", "day before", "nothing"."""
    return _SHORT.get(by) or formats.before(window.name).removeprefix("the ")
