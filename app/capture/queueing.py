"""The time that a request waited before this service, as the proxy or router in front of it tells.

Proxies write down when they took a request: `X-Request-Start` (Heroku, Render, nginx's `t=${msec}`) or
`X-Queue-Start` (New Relic's name for the same), a Unix time in seconds, milliseconds, microseconds or
nanoseconds, with or without `t=`. Which unit it is, its size tells.
"""

from __future__ import annotations

from typing import Any

REQUEST_START, QUEUE_START = "HTTP_X_REQUEST_START", "HTTP_X_QUEUE_START"

_LONGEST_NS = 3_600_000_000_000  # past an hour it is a wrong clock, and no queue
_CLOCKS_APART_NS = 1_000_000_000  # two machines' clocks differ: a request from the near future has not waited
# A Unix time of our days lies between 1e9 and 1e10 seconds.
_UNITS = ((1e9, 1e10, 1e9), (1e12, 1e13, 1e6), (1e15, 1e16, 1e3), (1e18, 1e19, 1.0))


def queued_ns(environ: dict[str, Any], began_ns: int) -> int | None:
    """Nanoseconds from the proxy's time to `began_ns` (Unix time); None for no such time, or for nonsense."""
    text = environ.get(REQUEST_START) or environ.get(QUEUE_START) or ""
    try:
        told = float(text[:40].strip().removeprefix("t="))
    except ValueError:
        return None
    for low, high, unit_ns in _UNITS:
        if low <= told < high:
            waited_ns = began_ns - int(told * unit_ns)
            return max(0, waited_ns) if -_CLOCKS_APART_NS < waited_ns < _LONGEST_NS else None
    return None
