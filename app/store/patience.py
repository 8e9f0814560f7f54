"""A connection to PostgreSQL that gives up on a server that hangs.

A server that is stopped or swapped out answers no more, but its kernel still acknowledges each packet. So
neither its own time-outs nor those of TCP hold, and only this side's clock can.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

_Result = TypeVar("_Result")

USUAL_S = 2.5  # a page that waits longer had better say that the store is away


class PatientConnection(psycopg.Connection[Any]):
    """Waits `patience_s` seconds for each answer; then it is closed and raises OperationalError."""

    patience_s = USUAL_S

    def wait(self, gen: PQGen[_Result], *options: Any, **named: Any) -> _Result:
        """What psycopg waits in for the server."""
        return super().wait(self._within(gen), *options, **named)

    def _within(self, gen: PQGen[_Result]) -> Generator[Any, Any, _Result]:
        deadline_s = time.monotonic() + self.patience_s
        ready: Any = None
        while True:
            try:
                wanted = gen.send(ready)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            ready = yield wanted
            if not ready and time.monotonic() >= deadline_s:
                gen.close()
                self.pgconn.finish()
                raise psycopg.OperationalError(f"the server has not answered for {self.patience_s:g} s")


def connect(_dialect: object, _entry: object, arguments: list[Any], options: dict[str, Any]) -> Any:
    """For SQLAlchemy's event `do_connect`."""
    return PatientConnection.connect(*arguments, **options)
