"""The desk's way into the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from ..store import Connection, Engine, claims, writing

# A page must not hold a worker that the host needs.
_PATIENCE_S = 3


class Door:
    """Transactions on the store; `reading` opens one that reads."""

    def __init__(self, engine: Engine, reading: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._engine = engine
        self.reading = reading

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """A transaction that changes what is judged. Raises UnavailableError when the store is away."""
        with self.reading():
            pass  # a store that is known to be away is not waited for
        with writing(self._engine, wait_s=_PATIENCE_S) as connection:
            claims.wait_for(connection, claims.EVALUATE)
            yield connection

    def now_s(self) -> float:
        """Unix seconds."""
        return time.time()
