"""Judge all rules over their windows, and keep the alerts' life and the outbox in the store.

One instance judges for the whole fleet: the one that has claimed it.
"""

from __future__ import annotations

from collections.abc import Callable

from ..model.defaults import default_rules
from ..model.rules import StoredRule
from ..sources import Sources
from ..store import Connection, Engine, claims, reading, rules, writing
from .judge import Round
from .leader import check
from .material import Windows

CLAIM = claims.EVALUATE


class EvaluateAlerts:
    """Opens what holds, resolves what no longer does; only the elected worker of `instance` may, while it
    `leads`.
    """

    def __init__(
        self, sources: Sources, engine: Engine, instance: str, leads: Callable[[], bool] = lambda: True
    ) -> None:
        self._leads = leads
        self._sources = sources
        self._engine = engine
        self._instance = instance
        self._windows = Windows(sources)
        self._has_defaults = False

    def run(self, now_s: float) -> None:
        """One round of judging. Raises UnavailableError when the store is away.

        The claim is taken in the transaction that writes: one that can't read lets it expire, and one that
        was frozen meanwhile finds it another's and writes nothing.
        """
        if not self._round(now_s):
            self._round(now_s)  # the rules have just been made, or were changed meanwhile

    def _round(self, now_s: float) -> bool:
        """Judge once; False where the rules were others by the time that their windows had been read."""
        with reading(self._engine) as connection:
            shared_s = claims.shared_now_s(connection, now_s)
            if claims.is_anothers(connection, CLAIM, self._instance, shared_s):
                return True
            stored = _enabled(connection)
        material = self._windows.at(now_s, [one.rule for one in stored])
        with writing(self._engine) as connection:
            shared_s = claims.shared_now_s(connection, now_s)
            # before all that is written: here they wait for each other
            is_mine = claims.take(connection, CLAIM, self._instance, shared_s)
            check(self._leads)
            if not is_mine:
                return True
            if not self._has_defaults:
                rules.ensure_defaults(connection, default_rules(self._sources.settings))
            if _enabled(connection) != stored:
                return False
            Round(connection, now_s, material).run(stored)
        self._has_defaults = True
        return True


def _enabled(connection: Connection) -> list[StoredRule]:
    return [one for one in rules.read_rules(connection) if one.rule.enabled]
