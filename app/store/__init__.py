"""History on disk: SQLAlchemy Core on SQLite or PostgreSQL.

`engine` opens the store and its transactions, `sqlite_file` tends the file of SQLite, `why` says what is
wrong, `schema` declares the tables, `migrations` bring a store to that schema, `rollups` writes counters into
rows of time, `windows` reads them back, `alerts` keeps the life of each alert. Functions take a Connection;
whoever opened the transaction ends it.
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
