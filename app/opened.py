"""The store as one process has it: opened beside the requests, found away, found back, and why.

Once it has failed to answer, all questions fail at once until the thread that keeps it finds it back: a
server that hangs would else hold up one request after the other, and with them the host's.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from .errors import LaptimeError, UnavailableError
from .note import Note
from .store import Connection, Engine, migrate, put_aside_lately, reading, tend

log = logging.getLogger("laptime")

_FIRST_WAIT_S = 5.0
_RETRY_S = 2.0
_SILENT_S = 30.0  # roll-ups come every ten seconds
_LATER = "requests are counted in memory and stored later"


class Opened:
    """The store of `engine`; `note` is what the elected worker has to say about it."""

    def __init__(self, engine: Engine, note: Note) -> None:
        self.note = note
        self._engine = engine
        self._is_migrated = threading.Event()
        self._patience_until_s = time.monotonic() + _FIRST_WAIT_S
        self._is_away, self._away_since_s = False, 0.0
        self._why = ""  # it is away
        self._put_aside = ""  # which damaged store gave way to this one

    def open(self) -> None:
        """Bring the store to this code's schema, in a thread of its own, until it succeeds."""
        threading.Thread(target=self._keep, name="laptime-store", daemon=True).start()

    def is_ready(self, within_s: float) -> bool:
        """Whether the store is open, waited for at the start of this process and not at all later."""
        return self._is_migrated.wait(max(0.0, min(within_s, self._patience_until_s - time.monotonic())))

    def wait(self) -> None:
        """Wait for the store at the start of this process, a few seconds at most.

        Raises UnavailableError if it is not ready: a page must not hold a worker that the host needs.
        """
        if not self.is_ready(_FIRST_WAIT_S):
            raise UnavailableError(self._why or "the store does not answer yet")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that reads. Raises UnavailableError at once while the store is away."""
        if self._is_away and self._is_migrated.is_set():
            raise UnavailableError("the store does not answer; it is asked again in a few seconds")
        try:
            self.wait()
            with reading(self._engine) as connection:
                yield connection
        except UnavailableError as error:
            self._miss(str(error))
            raise
        else:
            self._is_away = False

    def troubles(self, rolled_up_s: float | None) -> Iterator[str]:
        """What is wrong with the store, a sentence each; `rolled_up_s` is when history was written last."""
        if self._is_away:
            since = datetime.fromtimestamp(self._away_since_s, UTC)
            yield f"{self._why} (since {since:%H:%M:%S} UTC): history and alerts stand still; {_LATER}"
        elif told := self.note.read():
            yield f"{told}: nothing can be written; {_LATER}"
        elif rolled_up_s is not None and (silent_s := time.time() - rolled_up_s) > _SILENT_S:
            yield f"history was not written for {silent_s:.0f} s: the log says why"
        if self._put_aside:
            yield self._put_aside

    def _miss(self, why: str) -> None:
        if not self._is_away:
            self._is_away, self._away_since_s = True, time.time()
        self._why = why

    def _keep(self) -> None:
        """The thread that brings the store to this code's schema and, when it was away, finds it back."""
        said = ""
        while True:
            try:
                now_s = time.time()
                is_new = tend(self._engine, now_s)
                self._put_aside = put_aside_lately(self._engine, now_s)
                if is_new or self._is_away or not self._is_migrated.is_set():
                    migrate(self._engine)
                    self._is_away, said = False, ""
                    self._is_migrated.set()
            except Exception as error:
                expected = isinstance(error, LaptimeError)
                known = str(error) if expected else f"the store can't be used: {error!r}"
                self._miss(known)
                if said != known:
                    said = known
                    log.error("history is not available: %s", known, exc_info=None if expected else error)
            time.sleep(_RETRY_S)
