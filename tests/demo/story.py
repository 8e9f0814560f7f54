"""What happened in the made-up year: tools with habits, days and weeks, a slow deploy, a burst of errors.

Everything is a function of the time, so that history and live traffic tell the same story.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool's habits on an ordinary weekday noon; times are milliseconds, shares are 0 to 1."""

    name: str
    per_minute: float
    median_ms: float
    spread: float
    client_errors: float = 0.0
    server_errors: float = 0.0


TOOLS = (
    Tool("list_files", 96, 14, 0.6),
    Tool("read_file", 80, 6, 0.7, client_errors=0.004),
    Tool("search_docs", 52, 105, 0.5),
    Tool("run_query", 30, 190, 0.8, server_errors=0.002),
    Tool("fetch_url", 22, 95, 0.9, client_errors=0.006, server_errors=0.003),
    Tool("analyze_code", 12, 620, 0.5, client_errors=0.005),
    Tool("embed_text", 10, 82, 0.3),
    Tool("render_diff", 5, 44, 0.5),
)


@dataclass(frozen=True, slots=True)
class Mood:
    """How a tool is at an instant: requests a minute, median time, and the shares of errors."""

    per_minute: float
    median_ms: float
    client_errors: float
    server_errors: float


def mood(tool: Tool, at_s: float, ends_s: float) -> Mood:
    """The tool at `at_s` (Unix seconds) of a story that ends at `ends_s`."""
    days_ago = (ends_s - at_s) / DAY_S
    median_ms, failing = tool.median_ms, tool.server_errors
    if tool.name == "analyze_code" and days_ago < 40:  # each release made it a little slower
        median_ms *= 1 + 0.02 * (40 - days_ago)
    if 12.0 < days_ago < 12.35:  # the slow deploy, rolled back in the evening
        median_ms *= 2.8
    if tool.name == "analyze_code" and days_ago < SLOW_S / DAY_S:  # what the newest release did
        median_ms *= 1.9
    if tool.name == "run_query" and 3.0 < days_ago < 3.03:  # the database was away
        failing = 0.6
    if tool.name == "run_query" and days_ago < 12 / 1440:
        failing = 0.14
    return Mood(tool.per_minute * rhythm(at_s) * growth(days_ago), median_ms, tool.client_errors, failing)


def rhythm(at_s: float) -> float:
    """How busy it is by the hour and the day of the week, 1 on a weekday's noon."""
    at = datetime.fromtimestamp(at_s, UTC)
    hour = at.hour + at.minute / 60
    daily = 0.12 + 0.88 * math.exp(-(((hour - 13.5) / 5.2) ** 2))
    return daily * (0.35 if at.weekday() >= 5 else 1.0)


def growth(days_ago: float) -> float:
    """More users over the year: a third of today's when it began."""
    return max(0.3, 1 - days_ago / 520)


RELEASES_EVERY_S = 7 * DAY_S
RELEASED_S, SLOW_S = 38 * 60.0, 34 * 60.0
WORKERS, SLOTS = 2, 16
FATES = (
    (4.2, "timed_out"),
    (2.7, "out_of_memory"),
    (0.4, "killed"),
    (20.0, "out_of_memory"),
    (0.02, "recycled"),
)


def releases(ends_s: float) -> list[tuple[float, str]]:
    """(when, which): one each Tuesday or so, the slow one, and the one before it once more."""
    found = []
    for number in range(1, 52):
        at_s = ends_s - 364 * DAY_S + number * RELEASES_EVERY_S + 5 * 3600 * math.sin(number)
        found.append((at_s, f"v4.{number}"))
    found += [(ends_s - 12.35 * DAY_S, "v5.0"), (ends_s - 12.0 * DAY_S, "v4.50")]
    return [*sorted(one for one in found if one[0] < ends_s - 3600), (ends_s - RELEASED_S, "v5.1")]


def machine(at_s: float, ends_s: float) -> dict[str, float]:
    """CPU follows the traffic; memory leaks a little from release to release, and more since the last one."""
    busy = rhythm(at_s) * growth((ends_s - at_s) / DAY_S)
    begun_s = max((one for one, _ in releases(ends_s) if one <= at_s), default=at_s)
    leaked = (at_s - begun_s) / DAY_S * 2.4
    days_ago = (ends_s - at_s) / DAY_S
    return {
        "cpu_percent": 4 + 46 * busy,
        "memory_percent": min(96.0, 31 + 9 * busy + leaked),
        "disk_percent": 44 + (365 - days_ago) * 0.06,
        "load_average": 0.1 + 1.1 * busy,
        "received_bytes_per_s": 9_000 + 60_000 * busy,
        "sent_bytes_per_s": 30_000 + 420_000 * busy,
        "read_bytes_per_s": 4_000 + 9_000 * busy,
        "written_bytes_per_s": 60_000 + 240_000 * busy,
        "workers": WORKERS,
        "slots": SLOTS,
        "in_flight": 0.04 + 0.9 * busy,
    }


def ended(from_s: float, to_s: float, ends_s: float) -> dict[str, int]:
    """How many workers ended from one instant to the other, by reason: each release starts all anew."""
    fates = [(at_s, "recycled", WORKERS) for at_s, _ in releases(ends_s)]
    fates += [(ends_s - days * DAY_S, reason, 1) for days, reason in FATES]
    counts: dict[str, int] = {}
    for at_s, reason, number in fates:
        if from_s <= at_s < to_s:
            counts[reason] = counts.get(reason, 0) + number
    return counts


def is_down(at_s: float, ends_s: float) -> bool:
    """Whether the service did not run: two outages, and a move in spring."""
    days_ago = (ends_s - at_s) / DAY_S
    return 41.0 < days_ago < 41.4 or 8.0 < days_ago < 8.02 or 200 < days_ago < 202


def duration_ns(one: Mood, spread: float, draw: random.Random) -> int:
    """One request's time."""
    return max(1000, int(one.median_ms * 1e6 * draw.lognormvariate(0, spread)))
