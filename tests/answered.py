"""Series of requests that were answered, as tests of rules say them."""

from __future__ import annotations

from app.model.histogram import Histogram
from app.model.series import Series

MS = 1_000_000


def answered(ok: int, failed: int = 0, average_ms: float = 10.0) -> Series:
    """`ok` successes and `failed` failures that took `average_ms` each."""
    each_ns = int(average_ms * MS)
    return Series(
        ok=Histogram.of([each_ns] * ok),
        failed=Histogram.of([each_ns] * failed),
        server_errors=failed,
        total_ns=each_ns * (ok + failed),
        min_ns=each_ns,
        max_ns=each_ns,
    )
