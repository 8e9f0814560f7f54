"""Samples of the machine into rows of time, beside the tools' counters, and what of them a window holds.

An instance writes each sample once: what it has written up to is stored in the same transaction. Rows of
longer periods are built from shorter ones, as everywhere (`longer`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import msgspec
from sqlalchemy import Connection, select, update

from ..model.alerting import SystemSample
from ..model.series import EMPTY
from ..model.vitals import Gauge, Vitals, of_samples
from ..model.windows import PERIODS_S, Stretch
from .built import built_until
from .rows import decoded, encoded, instance_id, upsert
from .schema import instances, vitals


def encode(one: Vitals) -> bytes:
    """Vitals as `data`. Names are written out: what is kept later is then simply not in older rows."""
    queue = encoded(one.queue) if one.queue.requests else b""
    return msgspec.msgpack.encode((one.gauges, one.counters, queue))


def decode(data: bytes) -> Vitals:
    """The inverse of encode()."""
    gauges, counters, queue = _unpack(data)
    return Vitals(gauges, counters, decoded(queue) if queue else EMPTY)


_unpack = msgspec.msgpack.Decoder(tuple[dict[str, Gauge], dict[str, int], bytes]).decode


def fresh_since(connection: Connection, instance: str, now_s: float) -> float:
    """From when on samples of the instance are to be added; after a clock was set back, the newest alone."""
    until_s = sampled_until(connection, instance)
    return until_s if until_s <= now_s else now_s - PERIODS_S[0]


def sampled_until(connection: Connection, instance: str) -> float:
    """The time of the instance's newest sample in the store (Unix seconds); 0 before the first."""
    query = select(instances.c.sampled_s).where(instances.c.name == instance)
    found: float | None = connection.execute(query).scalar_one_or_none()
    return found or 0.0


def add_samples(
    connection: Connection, instance: str, samples: Sequence[SystemSample], until_s: float
) -> None:
    """Add the samples, oldest first, that came after `until_s` (`fresh_since`); older ones may be there."""
    number = instance_id(connection, instance)
    known = [one for one in samples if one.at_s <= until_s]
    fresh = [one for one in samples if one.at_s > until_s]
    if not fresh:
        return
    before, built_s = known[-1] if known else None, built_until(connection, number, fresh[0].at_s)
    for start_s, group in groupby(fresh, lambda one: int(one.at_s // PERIODS_S[0]) * PERIODS_S[0]):
        here = list(group)
        add(connection, number, start_s, of_samples(here, before), built_s)
        before = here[-1]
    newest = update(instances).where(instances.c.id == number).values(sampled_s=fresh[-1].at_s)
    connection.execute(newest)


def add(
    connection: Connection, instance: int, at_s: float, gained: Vitals, built_s: Mapping[int, int]
) -> None:
    """Add to the row of the shortest period around `at_s`, and to those of longer ones that are built."""
    for period_s in PERIODS_S:
        start_s = int(at_s // period_s) * period_s
        if period_s != PERIODS_S[0] and start_s >= built_s[period_s]:
            continue
        key = {"period_s": period_s, "start_s": start_s, "instance_id": instance}
        query = select(vitals.c.data).filter_by(**key)
        held = connection.execute(query).scalar_one_or_none()
        whole = decode(held) + gained if held is not None else gained
        upsert(connection, vitals, [{**key, "data": encode(whole)}])


def read_vitals(
    connection: Connection, stretches: Sequence[Stretch], starts: range
) -> list[dict[str, Vitals]]:
    """Each point's vitals by instance; an empty dict is a gap."""
    points: list[dict[str, Vitals]] = [{} for _ in starts]
    for period_s, first_s, end_s in stretches:
        query = (
            select(vitals.c.start_s, instances.c.name, vitals.c.data)
            .join_from(vitals, instances, vitals.c.instance_id == instances.c.id)
            .where(vitals.c.period_s == period_s, vitals.c.start_s >= first_s, vitals.c.start_s < end_s)
        )
        for start_s, name, data in connection.execute(query):
            point, one = points[(start_s - starts.start) // starts.step], decode(data)
            point[name] = point[name] + one if name in point else one
    return points
