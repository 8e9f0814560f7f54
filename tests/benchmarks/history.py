"""How large history grows, and how long its windows take to read, on both databases.

The store holds 100 tools that are called once a second for 400 days. Nothing is kept between two readings but
what the databases and the system keep of their files.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from sqlalchemy import text

from app.model.windows import NAMED, Window, named
from app.settings import Settings
from app.store import Connection, Engine, make_engine, reading
from app.store.history import read_courses, read_vitals, read_window
from tests import postgres

from .filling import fill
from .report import spread, table

TURNS = 9
_MB = 1e6


def run(folder: Path, tools: int) -> str:
    """A row for each window and database, and each one's size, as Markdown."""
    rows, sizes = [], []
    with postgres.server() as url:
        databases = {"SQLite": "", "PostgreSQL": postgres.new_database(url)}
        for name, database_url in databases.items():
            engine = make_engine(Settings(state_dir=folder, database_url=database_url))
            now_s = int(time.time())
            names = fill(engine, tools, now_s)
            sizes.append([name, f"{_size(engine, folder) / _MB:,.0f} MB"])
            for window_name in NAMED:
                window = named(window_name, now_s)
                rows.append([name, window_name, *_times(engine, window, names[tools // 2])])
            engine.dispose()
    heads = ["database", "window", "all tools and the chart, ms", "one tool, ms", "the machine, ms"]
    return table(["database", f"{tools} tools, 400 days"], sizes) + "\n" + table(heads, rows)


def _size(engine: Engine, folder: Path) -> int:
    if engine.dialect.name == "sqlite":
        with reading(engine) as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
        return sum(path.stat().st_size for path in folder.glob("laptime.sqlite3"))
    with reading(engine) as connection:
        sizes = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r'"
        return int(connection.execute(text(f"{sizes} AND relname LIKE 'laptime%'")).scalar_one())


def _times(engine: Engine, window: Window, tool: str) -> list[str]:
    return [
        _timed(engine, lambda connection: read_window(connection, window)),
        _timed(engine, lambda connection: read_courses(connection, window, [tool])),
        _timed(engine, lambda connection: read_vitals(connection, window)),
    ]


def _timed(engine: Engine, read: Callable[[Connection], object]) -> str:
    found = []
    for _ in range(TURNS + 1):
        began = perf_counter()
        with reading(engine) as connection:
            read(connection)
        found.append((perf_counter() - began) * 1000)
    return spread(found[1:], 1)
