"""A store with history in it, of as many always active tools and days as a part of the bench wants."""

from __future__ import annotations

import random
from collections.abc import Mapping

from app.model.histogram import Histogram, bucket_of
from app.model.series import Series
from app.model.vitals import Gauge, Vitals
from app.model.windows import KEEP_S, PERIODS_S
from app.store import Engine, migrate, writing
from app.store.rows import encoded, instance_id, tool_ids, upsert
from app.store.schema import ALL_TOOLS, built, rollups, vitals
from app.store.vitals import encode

INSTANCE = "before"
_KINDS, _DRAWN = 40, 20_000
_AT_ONCE = 20_000


def fill(
    engine: Engine, tools: int, now_s: int, per_second: float = 1.0, reach_s: Mapping[int, float] = KEEP_S
) -> list[str]:
    """Rows of every period, back to `reach_s` or as far as they are kept; the names of the tools."""
    migrate(engine)
    draw = random.Random(1)
    names = [f"GET /tool{number}" for number in range(tools)]
    with writing(engine, wait_s=60) as connection:
        ids = [ALL_TOOLS, *tool_ids(connection, names).values()]
        number = instance_id(connection, INSTANCE)
    for period_s in PERIODS_S:
        samples = [encoded(_series(draw, round(per_second * period_s))) for _ in range(_KINDS)]
        sampled = encode(_vitals(period_s))
        first_s = int((now_s - reach_s[period_s]) // period_s + 1) * period_s
        starts = range(first_s, now_s // period_s * period_s, period_s)
        at_once = max(1, _AT_ONCE // len(ids))
        for place in range(0, len(starts), at_once):
            keys = [
                {"period_s": period_s, "start_s": start_s, "instance_id": number}
                for start_s in starts[place : place + at_once]
            ]
            with writing(engine, wait_s=60) as connection:
                rows = [{**key, "tool_id": one, "data": draw.choice(samples)} for key in keys for one in ids]
                upsert(connection, rollups, rows)
                upsert(connection, vitals, [{**key, "data": sampled} for key in keys])
    with writing(engine) as connection:
        marks = [
            {"instance_id": number, "period_s": one, "until_s": now_s // one * one} for one in PERIODS_S[1:]
        ]
        upsert(connection, built, marks)
    return names


def _series(draw: random.Random, requests: int) -> Series:
    """So many requests of a tool whose times are spread as usual; of many requests few are drawn."""
    middle = draw.uniform(15, 20)  # 3 to 500 ms
    drawn = min(requests, _DRAWN)
    times = [int(draw.lognormvariate(middle, 0.6)) for _ in range(drawn)]
    counts: dict[int, int] = {}
    for time_ns in times:
        bucket = bucket_of(time_ns)
        counts[bucket] = counts.get(bucket, 0) + 1
    counts = {bucket: max(1, count * requests // drawn) for bucket, count in counts.items()}
    failed = {bucket: count // 100 for bucket, count in counts.items() if count >= 100}
    errors = sum(failed.values())
    return Series(
        Histogram.from_counts({bucket: count - failed.get(bucket, 0) for bucket, count in counts.items()}),
        Histogram.from_counts(failed),
        client_errors=errors,
        total_ns=sum(times) * requests // drawn,
        min_ns=min(times),
        max_ns=max(times),
        response_bytes=2400 * requests,
    )


def _vitals(period_s: int) -> Vitals:
    samples = max(1, period_s // 5)
    names = ("cpu_percent", "memory_percent", "disk_percent", "load_average", "sent_bytes_per_s")
    return Vitals({name: Gauge(samples, 12.3456 * samples, 98.7) for name in names})
