"""The three headers that tell a response's time and success, and what is remembered to make them fast."""

from __future__ import annotations

Pair = tuple[str, str]

OURS = frozenset({"x-response-time", "x-request-success", "server-timing"})
GOOD, BAD = ("X-Request-Success", "true"), ("X-Request-Success", "false")
# Codes by status line, and headers by hundredths of a millisecond: the most frequent are made once.
STATUSES: dict[str, int] = {}
TIMES: dict[int, tuple[Pair, Pair]] = {}
_KEPT = 1000


def status_of(status: str) -> int:
    """The code of a status line. Raises ValueError when it begins with none."""
    code = int(status[:3])
    if len(STATUSES) < _KEPT:
        STATUSES[status] = code
    return code


def times_of(hundredths: int) -> tuple[Pair, Pair]:
    """X-Response-Time and Server-Timing for hundredths of a millisecond; those under 10 ms are kept."""
    text = f"{hundredths // 100}.{hundredths % 100:02d}"
    pairs = ("X-Response-Time", f"{text}ms"), ("Server-Timing", f"app;dur={text}")
    if hundredths < _KEPT:
        TIMES[hundredths] = pairs
    return pairs


def without(headers: list[Pair], taken: frozenset[str]) -> list[Pair]:
    """`headers` but for those of ours, the last three, that the host has set itself."""
    return headers[:-3] + [pair for pair in headers[-3:] if pair[0].lower() not in taken]
