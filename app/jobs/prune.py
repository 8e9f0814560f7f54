"""Remove what is past its retention, a bounded number of rows at a time; one instance does it for all."""

from __future__ import annotations

from collections.abc import Mapping

from ..fleet import GONE_S
from ..store import Connection, Engine, alerts, claims, history, longer, retention, writing

# More than 1,000 busy tools write between two turns: 6 rows of 10 s each, and some longer ones.
ROWS_A_TURN = 30_000
_INSTANCES_A_TURN = 20
ALERTS_KEPT_S = 400 * 86_400
CLAIM = "prune"


class Prune:
    """Prunes rows that are older than `keep_s` tells by period, runs and resolved alerts.

    Only the elected worker of `instance` may. What instances left unbuilt that are no more is built first.
    """

    def __init__(self, engine: Engine, instance: str, keep_s: Mapping[int, float]) -> None:
        self._engine = engine
        self._instance = instance
        self._keep_s = keep_s

    def run(self, now_s: float) -> None:
        """One bounded turn. Raises UnavailableError when the store is away."""
        with writing(self._engine) as connection:
            if not self._is_mine(connection, now_s):
                return
            alive = history.read_instances(connection, now_s - GONE_S)
            left = [name for name in longer.behind(connection, now_s) if name not in alive]
        for name in left[:_INSTANCES_A_TURN]:
            with writing(self._engine) as connection:
                longer.build(connection, name, now_s)
        with writing(self._engine) as connection:
            if self._is_mine(connection, now_s):
                retention.prune(connection, now_s, ROWS_A_TURN, self._keep_s)
                alerts.prune_resolved(connection, now_s - ALERTS_KEPT_S, ROWS_A_TURN)

    def _is_mine(self, connection: Connection, now_s: float) -> bool:
        shared_s = claims.shared_now_s(connection, now_s)
        return claims.take(connection, CLAIM, self._instance, shared_s) is not None
