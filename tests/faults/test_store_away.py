"""The store away: what asks it gives up in time, and asks again when it is back."""

from __future__ import annotations

import psutil
import pytest
from sqlalchemy import text

from app.errors import UnavailableError
from app.settings import Settings
from app.store import make_engine, reading
from tests import postgres


def test_a_server_that_hangs_is_given_up_and_asked_again_when_it_is_back() -> None:
    with postgres.server() as url:
        engine = make_engine(Settings(database_url=url))
        with reading(engine) as connection:
            connection.execute(text("SELECT 1"))
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        master = psutil.Process(pid).parent()
        assert master is not None
        hung = [master, *master.children(recursive=True)]
        for process in hung:
            process.suspend()
        try:
            with pytest.raises(UnavailableError), reading(engine) as connection:
                connection.execute(text("SELECT 1"))
        finally:
            for process in hung:
                process.resume()
        with reading(engine) as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
        engine.dispose()
