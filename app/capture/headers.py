"""The three headers that tell a response's time and success, and what is remembered to make them fast."""

from __future__ import annotations

from .cells import CLIENT_ERROR, SERVER_ERROR, SUCCESS

Pair = tuple[str, str]

OURS = frozenset({"x-response-time", "x-request-success", "server-timing"})
# Codes by status line, and headers by hundredths of a millisecond: the most frequent are made once.
STATUSES: dict[str, tuple[int, int]] = {}
GOOD: dict[int, list[Pair]] = {}
BAD: dict[int, list[Pair]] = {}
_KEPT = 1000


def status_of(status: str) -> tuple[int, int]:
    """The code of a status line, and the outcome. Raises ValueError when it begins with no number."""
    code = int(status[:3])
    outcome = SUCCESS if 200 <= code < 400 else CLIENT_ERROR if 400 <= code < 500 else SERVER_ERROR
    if len(STATUSES) < _KEPT:
        STATUSES[status] = code, outcome
    return code, outcome


def ours(hundredths: int, known: dict[int, list[Pair]]) -> list[Pair]:
    """Our headers for hundredths of a millisecond; `known` is GOOD or BAD, and keeps those under 10 ms."""
    text = f"{hundredths // 100}.{hundredths % 100:02d}"
    success = "true" if known is GOOD else "false"
    pairs = [
        ("X-Response-Time", f"{text}ms"), ("X-Request-Success", success), ("Server-Timing", f"app;dur={text}")
    ]  # fmt: skip
    if hundredths < _KEPT:
        known[hundredths] = pairs
    return pairs


def told_length(headers: list[Pair]) -> int:
    """The Content-Length among headers; -1 for none, or for one past 100 TB, which is nonsense."""
    for name, value in headers:
        if len(name) == 14 and name.lower() == "content-length":
            text = str(value)  # a host may get its types wrong: that is between it and the server
            return int(text) if len(text) < 15 and text.isdecimal() else -1
    return -1


def without(added: list[Pair], headers: list[Pair]) -> list[Pair]:
    """The host's headers, and those that are `added` and that it has not set itself."""
    taken = {name.lower() for name, _ in headers}
    return [*headers, *(pair for pair in added if pair[0].lower() not in taken)]
