"""History on disk: SQLAlchemy Core on SQLite or PostgreSQL.

`engine` opens the store and its transactions, `schema` declares the tables, `migrations` bring a store
to that schema. `rollups` and `vitals` write counters and samples into rows of ten seconds, `longer` builds
longer rows of them, `history` reads windows, `retention` forgets in time. `alerts` keeps the life of each
alert, `releases` when another one began, `claims` who may do what for the fleet. `sqlite_file` looks after
the file, `why` says what is wrong. Functions take a Connection; whoever opened the transaction ends
it.
"""

from sqlalchemy import Connection, Engine

from .engine import database_url, make_engine, put_aside_lately, reading, tend, writing
from .migrations import migrate

__all__ = [
    "Connection",
    "Engine",
    "database_url",
    "make_engine",
    "migrate",
    "put_aside_lately",
    "reading",
    "tend",
    "writing",
]
