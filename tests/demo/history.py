"""The made-up year, written into a store as roll-ups would have written it: finest rows first, sums above."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from pathlib import Path

import click
from sqlalchemy import select

from app.model.histogram import Histogram
from app.model.series import EMPTY, Series, total
from app.model.vitals import Gauge, Vitals
from app.model.windows import KEEP_S, PERIODS_S
from app.settings import Settings
from app.store import Connection, make_engine, migrate, releases, writing
from app.store.rows import encoded, instance_id, tool_ids, upsert
from app.store.schema import ALL_TOOLS, built, rollups, vitals
from app.store.vitals import encode

from . import story
from .alerts import raise_alerts
from .story import DAY_S, TOOLS, Tool, duration_ns, is_down, mood

INSTANCE = "demo"
YEAR_S = 365 * DAY_S
_MADE_S = PERIODS_S[:4]  # the year is made of rows of two hours and finer ones
_Rows = dict[tuple[int, int], Series]  # by start and tool
_DRAWN = 24  # times drawn for one row; a busier one counts each several times


def fill(state: Path, now_s: float) -> None:
    """A store in `state` with the year before `now_s`; one that has history already is left as it is."""
    engine = make_engine(Settings(state_dir=state))
    migrate(engine)
    with writing(engine, wait_s=60) as connection:
        if connection.execute(select(rollups.c.start_s).limit(1)).first() is None:
            periods = _year(connection, now_s)
            for period_s, rows in periods.items():
                _write(connection, period_s, rows, now_s)
                _write_machine(connection, period_s, {start_s for start_s, _ in rows}, now_s)
            for at_s, release in story.releases(now_s):
                releases.note(connection, INSTANCE, release, at_s)
            _mark(connection, now_s)
            names = {id: name for name, id in tool_ids(connection, [tool.name for tool in TOOLS]).items()}
            raise_alerts(connection, periods, names, now_s)
    engine.dispose()


def _mark(connection: Connection, now_s: float) -> None:
    """Rows of all periods are there, that of the moment too, to which the next roll-up adds."""
    number = instance_id(connection, INSTANCE)
    rows = [
        {"instance_id": number, "period_s": one, "until_s": (int(now_s) // one + 1) * one}
        for one in PERIODS_S[1:]
    ]
    upsert(connection, built, rows)


def _year(connection: Connection, now_s: float) -> Mapping[int, _Rows]:
    """The rows of each period; a longer one's are sums of the shorter, as far as those go back."""
    draw = random.Random(7)
    ids = tool_ids(connection, [tool.name for tool in TOOLS])
    periods: dict[int, _Rows] = {period_s: {} for period_s in PERIODS_S}
    with click.progressbar(_steps(now_s), label="Making a year of history", file=sys.stderr) as steps:
        for start_s, period_s in steps:
            if is_down(start_s, now_s):
                continue
            found = {ids[tool.name]: _series(tool, start_s, period_s, now_s, draw) for tool in TOOLS}
            found[ALL_TOOLS] = total(found.values())
            for longer_s in PERIODS_S[PERIODS_S.index(period_s) :]:
                _add(periods[longer_s], start_s // longer_s * longer_s, found)
    return periods


def _steps(now_s: float) -> list[tuple[int, int]]:
    """(start, period) from a year ago to now, each stretch in the finest period that is kept of it."""
    until_s = int(now_s // PERIODS_S[0]) * PERIODS_S[0]
    steps: list[tuple[int, int]] = []
    for period_s, longer_s in zip(_MADE_S, (*_MADE_S[1:], _MADE_S[-1]), strict=True):
        kept_s = YEAR_S if period_s == _MADE_S[-1] else KEEP_S[period_s]
        begin_s = int((now_s - kept_s) // longer_s) * longer_s
        steps += [(start_s, period_s) for start_s in range(begin_s, until_s, period_s)]
        until_s = begin_s
    return sorted(steps)


def _series(tool: Tool, start_s: int, period_s: int, now_s: float, draw: random.Random) -> Series:
    one = mood(tool, start_s, now_s)
    expected = one.per_minute * period_s / 60
    requests = max(0, round(draw.gauss(expected, expected**0.5)))
    if not requests:
        return EMPTY
    each, rest = divmod(requests, min(requests, _DRAWN))
    times = [duration_ns(one, tool.spread, draw) for _ in range(min(requests, _DRAWN))]
    counted = [each + (place < rest) for place in range(len(times))]
    ok, failed, classes = _by_outcome(times, counted, one.client_errors, one.server_errors, draw)
    return Series(
        ok=ok,
        failed=failed,
        client_errors=classes[0],
        server_errors=classes[1],
        total_ns=sum(time * count for time, count in zip(times, counted, strict=True)),
        min_ns=min(times),
        max_ns=max(times),
        response_bytes=requests * 2400,
    )


def _by_outcome(
    times: list[int], counted: list[int], client: float, server: float, draw: random.Random
) -> tuple[Histogram, Histogram, tuple[int, int]]:
    ok, failed, classes = 0, 0, [0, 0]
    for time_ns, count in zip(times, counted, strict=True):
        lane = Histogram.of([time_ns]).packed
        errors = [min(count, _binomial(count, share, draw)) for share in (client, server)]
        lost = min(count, sum(errors))
        classes[0] += min(errors[0], lost)
        classes[1] += lost - min(errors[0], lost)
        ok += lane * (count - lost)
        failed += lane * lost
    return Histogram(ok), Histogram(failed), (classes[0], classes[1])


def _binomial(count: int, share: float, draw: random.Random) -> int:
    expected = count * share
    return int(expected) + (draw.random() < expected % 1)


def _add(rows: _Rows, start_s: int, found: Mapping[int, Series]) -> None:
    for tool_id, series in found.items():
        before = rows.get((start_s, tool_id))
        rows[start_s, tool_id] = series if before is None else before + series


def _write(connection: Connection, period_s: int, rows: _Rows, now_s: float) -> None:
    number = instance_id(connection, INSTANCE)
    values = [
        {
            "period_s": period_s,
            "start_s": start_s,
            "tool_id": tool_id,
            "instance_id": number,
            "data": encoded(one),
        }
        for (start_s, tool_id), one in rows.items()
        if start_s >= now_s - KEEP_S[period_s] and (one.requests or tool_id == ALL_TOOLS)
    ]
    for place in range(0, len(values), 5000):
        upsert(connection, rollups, values[place : place + 5000])


def _write_machine(connection: Connection, period_s: int, starts: set[int], now_s: float) -> None:
    number, samples = instance_id(connection, INSTANCE), max(1, period_s // 5)
    rows = []
    for start_s in sorted(starts):
        if start_s >= now_s - KEEP_S[period_s]:
            usual = story.machine(start_s + period_s / 2, now_s)
            gauges = {name: Gauge(samples, value * samples, value * 1.2) for name, value in usual.items()}
            key = {"period_s": period_s, "start_s": start_s, "instance_id": number}
            ended = story.ended(start_s, start_s + period_s, now_s)
            rows.append({**key, "data": encode(Vitals(gauges, ended))})
    upsert(connection, vitals, rows)
