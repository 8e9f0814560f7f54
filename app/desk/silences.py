"""Silences and maintenance windows as people make and end them."""

from __future__ import annotations

from dataclasses import replace

from ..errors import BadRequestError, ConflictError, NotFoundError
from ..model.checking import check_silence
from ..model.silencing import Silence
from ..store import silences
from .door import Door

MOST = 200
_PAST_SHOWN = 50
_AHEAD_S = 100 * 365 * 86_400


class SilenceDesk:
    """Raises BadRequestError for a silence that can't be, NotFoundError for one that there is not."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def standing(self) -> list[Silence]:
        """Those that silence something now or will, those that end first first."""
        with self._door.reading() as connection:
            return silences.standing(connection, self._door.now_s())

    def past(self) -> list[Silence]:
        """The newest of those that are over, newest first."""
        with self._door.reading() as connection:
            return silences.past(connection, self._door.now_s(), _PAST_SHOWN)

    def make(self, silence: Silence) -> Silence:
        """Make a silence, now or in advance; one that is over already is none."""
        check_silence(silence)
        now_s = self._door.now_s()
        if silence.end_s <= now_s:
            raise BadRequestError("the silence is over already; its end has to lie ahead")
        if silence.end_s > now_s + _AHEAD_S:  # the calendar has an end, too
            raise BadRequestError("the silence ends in more than 100 years; allowed is less")
        with self._door.changing() as connection:
            if len(silences.standing(connection, now_s)) >= MOST:
                raise ConflictError(f"there are {MOST} silences; end some first")
            return replace(silence, id=silences.add(connection, silence))

    def end(self, id: int) -> Silence:
        """End a silence now."""
        with self._door.changing() as connection:
            silences.end(connection, id, self._door.now_s())
            found = silences.one(connection, id)
            if found is None:
                raise NotFoundError(f"there is no silence {id}")
            return found
