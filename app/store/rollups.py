"""Counters into history: what came since the last roll-up is added to rows of time.

    snapshot - watermark = what is new -> one row to each period, tool and instance

The rows and the new watermark are written in the caller's one transaction, so a crash at any point
neither loses a request nor counts it twice. Reading the rows back is `history`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, delete, func, select

from ..model.series import EMPTY, Series, total
from ..model.windows import PERIODS_S
from .history import Watermark, read_watermark
from .rows import counters, series_of, tool_ids, upsert, values_of
from .schema import ALL_TOOLS, rollups, runs, watermarks

_LOCK_SEED = 0x6C617074696D65  # "laptime": keeps our advisory locks apart from the host's


def roll_up(
    connection: Connection,
    *,
    instance: str,
    run: str,
    started_s: float,
    now_s: float,
    tools: Mapping[str, Series],
    may_shrink: bool = True,
) -> bool:
    """Add what `tools`, the run's counters since its start, gained since the run's last roll-up.

    The gain goes to the row of each period that holds the middle of the span since then; a first
    roll-up spans from `started_s`, at most two hours back. So call it on the boundaries of the shortest
    period: then every row is met once and none is skipped. The row of all tools together is written
    even when nothing came. Counters of a run only grow, and no tool's name is empty. The connection
    must be in a transaction of `writing`, which a failure has to roll back.

    Counters that shrank have lost a file. Unless they `may_shrink` nothing is written then and False is
    returned: a file that comes back would be counted a second time.
    """
    _take_turns(connection, instance)
    last = read_watermark(connection, instance, run)
    if last is None:
        last = Watermark(sequence=0, rolled_up_s=max(started_s, now_s - PERIODS_S[-1]), tools={})
    if not may_shrink and not all(tools.get(name, EMPTY).contains(one) for name, one in last.tools.items()):
        return False
    gone = last.tools.keys() - tools.keys()
    changed = {name: series for name, series in tools.items() if series != last.tools.get(name, EMPTY)}
    gained = {name: series.since(last.tools.get(name, EMPTY)) for name, series in changed.items()}
    middle_s, sequence = (last.rolled_up_s + now_s) / 2, last.sequence + 1
    del last  # of many tools it is large, and so is what follows
    ids = tool_ids(connection, changed)
    by_id = {ids[name]: gain for name, gain in gained.items()}
    by_id[ALL_TOOLS] = total(gained.values())
    _add(connection, instance, middle_s, by_id)

    key = {"instance": instance, "run": run}
    standing = {"started_s": started_s, "rolled_up_s": now_s, "sequence": sequence}
    upsert(connection, runs, [{**key, **standing}])
    if gone:
        of_run = watermarks.c.instance == instance, watermarks.c.run == run
        lost = tool_ids(connection, gone).values()
        connection.execute(delete(watermarks).where(*of_run, watermarks.c.tool_id.in_(list(lost))))
    marks = [{**key, "tool_id": ids[name], **values_of(series)} for name, series in changed.items()]
    upsert(connection, watermarks, marks)
    return True


def finish_run(connection: Connection, instance: str, run: str) -> None:
    """Forget where a run's roll-up stands, after its last one: its counters are gone for good.

    A later roll-up of the same run would count all of it again.
    """
    connection.execute(delete(runs).where(runs.c.instance == instance, runs.c.run == run))


def _take_turns(connection: Connection, instance: str) -> None:
    """Let one roll-up of an instance run at a time, because rows are read, added to and written back.

    On SQLite the transaction holds the only write lock already.
    """
    if connection.dialect.name == "postgresql":
        number = func.hashtextextended(instance, _LOCK_SEED)
        connection.execute(select(func.pg_advisory_xact_lock(number)))


def _add(connection: Connection, instance: str, at_s: float, gained: Mapping[int, Series]) -> None:
    """Add each tool's gain to its row of every period around `at_s`."""
    fresh = {tool_id: values_of(gain) for tool_id, gain in gained.items()}
    for period_s in PERIODS_S:
        start_s = int(at_s // period_s) * period_s
        key = {"period_s": period_s, "start_s": start_s, "instance": instance}
        values = fresh | dict(_held_on(connection, instance, period_s, start_s, gained))
        upsert(connection, rollups, [{**key, "tool_id": tool_id, **one} for tool_id, one in values.items()])


def _held_on(
    connection: Connection, instance: str, period_s: int, start_s: int, gained: Mapping[int, Series]
) -> Iterator[tuple[int, dict[str, int | bytes]]]:
    """The instance's rows of one period that are there already, by tool, with the gain added."""
    query = select(rollups.c.tool_id, *counters(rollups)).where(
        rollups.c.period_s == period_s,
        rollups.c.start_s == start_s,
        rollups.c.tool_id.in_(list(gained)),
        rollups.c.instance == instance,
    )
    for row in connection.execute(query):
        yield row.tool_id, values_of(series_of(row) + gained[row.tool_id])
