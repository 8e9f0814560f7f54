"""Figures as people read them: one fitting unit, thousands apart, and a change in words.

Pure text from numbers, for every panel. A missing number is an en dash, never a zero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import floor

NOTHING = "\N{EN DASH}"
STEADY_PERCENT = 5.0
STEADY_POINTS = 0.1
_UNITS = ("B", "kB", "MB", "GB", "TB")
_GB = 3
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_HASH = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_SPANS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_BEFORE = {
    "15m": "the 15 min before",
    "1h": "the hour before",
    "6h": "the 6 h before",
    "24h": "the day before",
    "7d": "the week before",
    "30d": "the 30 days before",
    "1y": "the year before",
}
_LENGTH = {
    "15m": "the last 15 min",
    "1h": "the last hour",
    "6h": "the last 6 h",
    "24h": "the last 24 h",
    "7d": "the last 7 days",
    "30d": "the last 30 days",
    "1y": "the last year",
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure and its unit apart, because they are set in different sizes; the unit may be empty."""

    text: str
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.unit}".strip()


@dataclass(frozen=True, slots=True)
class Delta:
    """A change in words: `tone` is worse, better or empty, `way` is up, fall or empty.

    `at_s` (Unix seconds) is an instant that ends the text, because only the reader's own clock can tell it.
    """

    text: str
    than: str = ""
    tone: str = ""
    way: str = ""
    at_s: float | None = None


def before(window: str) -> str:
    """The window before the named one, in words: "the hour before"."""
    return _BEFORE.get(window, "the time before")


def length(window: str) -> str:
    """The named window in words: "the last hour"."""
    return _LENGTH.get(window, "this window")


def count(number: int) -> str:
    """24006 is "24,006"."""
    return f"{number:,}"


def rate(per_minute: float) -> str:
    """Requests per minute: whole from 100 on, one decimal below, two below one."""
    if per_minute >= 100:
        return f"{per_minute:,.0f}"
    if per_minute >= 1:
        return f"{per_minute:.1f}"
    return f"{per_minute:.2f}" if per_minute else "0"


def percent(value: float | None) -> str:
    """Two decimals, cut and not rounded: 99.999 is not 100."""
    return NOTHING if value is None else f"{floor(value * 100) / 100:.2f}"


def milliseconds(value_ms: float | None) -> str:
    """Bare milliseconds for a column: longer numbers are slower tools. Below ten with a decimal."""
    if value_ms is None:
        return NOTHING
    return f"{value_ms:,.1f}" if value_ms < 10 else f"{value_ms:,.0f}"


def response_time(value_ms: float | None) -> Quantity:
    """684 ms, 2.91 s, 12.4 s, 3.2 ms, 0.62 ms."""
    if value_ms is None:
        return Quantity(NOTHING)
    if value_ms >= 999.5:
        seconds = value_ms / 1000
        return Quantity(f"{seconds:.2f}" if seconds < 10 else f"{seconds:,.1f}", "s")
    if value_ms >= 10:
        return Quantity(f"{value_ms:.0f}", "ms")
    return Quantity(f"{value_ms:.1f}" if value_ms >= 1 else f"{value_ms:.2f}", "ms")


def duration(span_s: float) -> str:
    """The largest unit and, from hours on, the next: "4 s", "12 min", "3 h 25 min", "3 d 4 h"."""
    left = max(0, int(span_s))
    for index, (size_s, unit) in enumerate(_SPANS):
        if left >= size_s:
            text = f"{left // size_s} {unit}"
            next_s, next_unit = _SPANS[min(index + 1, len(_SPANS) - 1)]
            rest = left % size_s // next_s
            return f"{text} {rest} {next_unit}" if rest and unit in ("d", "h") else text
    return "0 s"


def size(number: int) -> Quantity:
    """Bytes in the unit that fits, by powers of 1,024 as the machine counts them: 371 MB, 4.6 GB."""
    value, unit = float(number), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return Quantity(f"{value:.1f}" if value < 100 and unit >= _GB else f"{value:,.0f}", _UNITS[unit])


def fraction(used: int, total: int) -> tuple[str, str]:
    """Used and total in the total's unit: ("371", "512 MB"), ("4.6", "10.0 GB")."""
    whole = size(total)
    unit = _UNITS.index(whole.unit)
    return f"{used / 1024**unit:,.{1 if unit >= _GB else 0}f}", str(whole)


def plural(number: int, one: str, many: str = "") -> str:
    """1 tool, 2 tools, 1,200 tools."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def release(name: str) -> str:
    """A release's short name: of a commit's hash the usual seven digits."""
    return name[:7] if _HASH.fullmatch(name) else shorten(name, 16)


def shorten(name: str, longest: int = 48) -> str:
    """A name that stands in a sentence: cut where it is long, without characters that turn text around."""
    name = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in name)
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, "CSV Injection")."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def change(now: float, was: float, *, than: str, shown: str, words: tuple[str, str], judged: bool) -> Delta:
    """How `now` stands to `was` in percent: `words` are (more, less), e.g. ("slower", "faster").

    `shown` is the earlier figure as text. With `judged`, more is worse and less is better; without,
    a change has no colour. Changes within STEADY_PERCENT are noise and told as such.
    """
    if was <= 0:
        return Delta("As before", f"({shown})") if now <= 0 else Delta("New", f"none in {than}", way="up")
    percents = 100 * (now - was) / was
    if abs(percents) < STEADY_PERCENT:
        return Delta("As before", f"({shown})")
    more = percents > 0
    text = f"{abs(percents):,.0f} % {words[0] if more else words[1]}"
    tone = ("worse" if more else "better") if judged else ""
    return Delta(text, f"than {than} ({shown})", tone, "up" if more else "fall")


def points(now: float, was: float, *, than: str, shown: str, judged: bool = True) -> Delta:
    """How a percentage stands to an earlier one, in percentage points: with `judged`, lower is worse."""
    difference = now - was
    if abs(difference) < STEADY_POINTS:
        return Delta("As before", f"({shown})")
    more = difference > 0
    text = f"{abs(difference):.{2 if judged else 1}f} points {'higher' if more else 'lower'}"
    tone = ("better" if more else "worse") if judged else ""
    return Delta(text, f"than {than} ({shown})", tone, "up" if more else "fall")
