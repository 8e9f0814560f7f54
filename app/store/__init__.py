"""History on disk: SQLAlchemy Core on SQLite or PostgreSQL.

`engine` opens the store and its transactions, `schema` declares the tables, `migrations` bring a store
to that schema, `rollups` writes counters into rows of time, `windows` reads them back, `alerts` keeps the
life of each alert. Functions take a Connection; whoever opened the transaction ends it.
"""

from sqlalchemy import Connection, Engine

from .engine import database_url, let_go_of_removed, make_engine, reading, writing
from .migrations import migrate

__all__ = [
    "Connection",
    "Engine",
    "database_url",
    "let_go_of_removed",
    "make_engine",
    "migrate",
    "reading",
    "writing",
]
