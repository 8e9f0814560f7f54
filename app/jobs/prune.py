"""Remove what is past its retention, a bounded number of rows at a time; one instance does it for all."""

from __future__ import annotations

from ..store import Engine, alerts, claims, retention, writing

# More than 1,000 busy tools write between two turns: 4 periods, 6 times a minute.
ROWS_A_TURN = 30_000
ALERTS_KEPT_S = 400 * 86_400
CLAIM = "prune"


class Prune:
    """Prunes rollups, runs and resolved alerts; only the elected worker of `instance` may."""

    def __init__(self, engine: Engine, instance: str) -> None:
        self._engine = engine
        self._instance = instance

    def run(self, now_s: float) -> None:
        """One bounded turn. Raises UnavailableError when the store is away."""
        with writing(self._engine) as connection:
            if claims.take(connection, CLAIM, self._instance, now_s) is not None:
                retention.prune(connection, now_s, ROWS_A_TURN)
                alerts.prune_resolved(connection, now_s - ALERTS_KEPT_S, ROWS_A_TURN)
