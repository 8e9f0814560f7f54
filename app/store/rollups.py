"""Counters into history: what came since the last roll-up is added to rows of time.

    snapshot - watermark = what is new -> one row of 10 s to each tool and instance

The rows and the new watermark are written in the caller's one transaction, so a crash at any point
neither loses a request nor counts it twice. Rows of longer periods are built from those (`longer`);
reading the rows back is `history`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, delete, func, select, update

from ..model.series import EMPTY, Series, total
from ..model.vitals import Vitals
from ..model.windows import PERIODS_S
from . import vitals
from .built import built_until
from .history import Watermark, read_watermark
from .rows import decoded, encoded, instance_id, tool_ids, upsert
from .schema import ALL_TOOLS, rollups, runs, watermarks

_LOCK_SEED = 0x6C617074696D65  # "laptime": keeps our advisory locks apart from the host's
_LOOKS_BACK_S = 7200


def roll_up(
    connection: Connection,
    *,
    instance: str,
    run: str,
    started_s: float,
    now_s: float,
    tools: Mapping[str, Series],
    queue: Series = EMPTY,
    may_shrink: bool = True,
    known: Watermark | None = None,
) -> Watermark | None:
    """Add what `tools` and `queue`, the run's counters since its start, gained since its last roll-up.

    The gain goes to the row that holds the middle of the span since then; a first
    roll-up spans from `started_s`, at most two hours back. So call it on the boundaries of the shortest
    period: then every row is met once and none is skipped. The row of all tools together is written
    even when nothing came. Counters of a run only grow, and no tool's name is empty. The connection
    must be in a transaction of `writing`, which a failure has to roll back.

    Returns where the roll-up stands now; who gives it back as `known` the next time spares the reading.

    Counters that shrank have lost a file. Unless they `may_shrink` nothing is written then and None is
    returned: a file that comes back would be counted a second time.
    """
    take_turns(connection, instance)
    last = read_watermark(connection, instance, run, known)
    if last is None:
        last = Watermark(sequence=0, rolled_up_s=max(started_s, now_s - _LOOKS_BACK_S), tools={})
    gone = last.tools.keys() - tools.keys()
    changed = {name: series for name, series in tools.items() if series != last.tools.get(name, EMPTY)}
    shrunk = {name for name, series in changed.items() if not series.contains(last.tools.get(name, EMPTY))}
    if (gone or shrunk) and not may_shrink:
        return None
    gained = {
        name: EMPTY if name in shrunk else series.minus(last.tools.get(name, EMPTY))
        for name, series in changed.items()
    }
    waited = queue.since(last.queue)
    # a clock that was set back must not date what came into the time ahead
    middle_s, sequence = min((last.rolled_up_s + now_s) / 2, now_s), last.sequence + 1
    del last  # of many tools it is large, and so is what follows
    ids = tool_ids(connection, changed)
    by_id = {ids[name]: gain for name, gain in gained.items()}
    by_id[ALL_TOOLS] = total(gained.values())
    number = instance_id(connection, instance)
    built_s = built_until(connection, number, middle_s)
    _add(connection, number, middle_s, by_id, built_s)
    if waited.requests:
        vitals.add(connection, number, middle_s, Vitals(queue=waited), built_s)

    key = {"instance": instance, "run": run}
    standing = {"started_s": started_s, "rolled_up_s": now_s, "sequence": sequence, "queue": encoded(queue)}
    upsert(connection, runs, [{**key, **standing}])
    if gone:
        of_run = watermarks.c.instance == instance, watermarks.c.run == run
        lost = tool_ids(connection, gone).values()
        connection.execute(delete(watermarks).where(*of_run, watermarks.c.tool_id.in_(list(lost))))
    marks = [{**key, "tool_id": ids[name], "data": encoded(series)} for name, series in changed.items()]
    upsert(connection, watermarks, marks)
    return Watermark(sequence, now_s, tools, queue)


def finish_run(connection: Connection, instance: str, run: str, heir: str) -> None:
    """Forget where a run's roll-up stands, after its last one: its counters are gone for good.

    A later roll-up of the same run would count all of it again. The `heir`, the instance that does this,
    takes its number over and one more: by the sum of all numbers readers tell whether rows are new, so it
    must not become what it was before.
    """
    take_turns(connection, heir)
    of_run = runs.c.instance == instance, runs.c.run == run
    left = connection.execute(select(runs.c.sequence).where(*of_run)).scalar() or 0
    connection.execute(delete(runs).where(*of_run))
    more = update(runs).where(runs.c.instance == heir).values(sequence=runs.c.sequence + left + 1)
    connection.execute(more)


def take_turns(connection: Connection, instance: str) -> None:
    """Let one roll-up of an instance run at a time, because rows are read, added to and written back.

    On SQLite the transaction holds the only write lock already.
    """
    if connection.dialect.name == "postgresql":
        number = func.hashtextextended(instance, _LOCK_SEED)
        connection.execute(select(func.pg_advisory_xact_lock(number)))


def _add(
    connection: Connection,
    instance: int,
    at_s: float,
    gained: Mapping[int, Series],
    built_s: Mapping[int, int],
) -> None:
    """Add each tool's gain to its row of 10 s around `at_s`, and to longer ones that are built already."""
    fresh = {tool_id: encoded(gain) for tool_id, gain in gained.items()}
    for period_s in PERIODS_S:
        start_s = int(at_s // period_s) * period_s
        if period_s != PERIODS_S[0] and start_s >= built_s[period_s]:
            continue
        key = {"period_s": period_s, "start_s": start_s, "instance_id": instance}
        values = fresh | dict(_held_on(connection, instance, period_s, start_s, gained))
        upsert(connection, rollups, [{**key, "tool_id": one, "data": data} for one, data in values.items()])


def _held_on(
    connection: Connection, instance: int, period_s: int, start_s: int, gained: Mapping[int, Series]
) -> Iterator[tuple[int, bytes]]:
    """The instance's rows of one period that are there already, by tool, with the gain added."""
    query = select(rollups.c.tool_id, rollups.c.data).where(
        rollups.c.period_s == period_s,
        rollups.c.start_s == start_s,
        rollups.c.tool_id.in_(list(gained)),
        rollups.c.instance_id == instance,
    )
    for tool_id, data in connection.execute(query):
        yield tool_id, encoded(decoded(data) + gained[tool_id])
