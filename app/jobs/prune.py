"""Remove what is past its retention, a bounded number of rows at a time; one instance does it for all."""

from __future__ import annotations

from collections.abc import Mapping

from ..capture.samples import SampleRing
from ..fleet import GONE_S
from ..store import (
    Connection,
    Engine,
    alerts,
    claims,
    history,
    longer,
    notices,
    retention,
    silences,
    writing,
)

# More than 1,000 busy tools write between two turns: 6 rows of 10 s each, and some longer ones.
ROWS_A_TURN = 30_000
_INSTANCES_A_TURN = 20
# A clock is believed once this host's samples have filled so much of the time behind it: by one that is set
# ahead for a while all that is recent would be pruned.
SETTLED_S = 1800.0
CLAIM = "prune"


class Prune:
    """Prunes rows that are older than `keep_s` tells by period, runs and resolved alerts.

    Only the elected worker of `instance` may, and only by a clock that the samples in `ring`, one in
    `sample_s`, agree with. What instances left unbuilt that are no more is built before that: who reads goes
    by the one that is furthest behind.
    """

    def __init__(
        self, engine: Engine, instance: str, keep_s: Mapping[int, float], ring: SampleRing, sample_s: float
    ) -> None:
        self._engine = engine
        self._ring = ring
        self._sample_s = sample_s
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
        if not self._is_settled(now_s):
            return
        with writing(self._engine) as connection:
            if self._is_mine(connection, now_s):
                retention.prune(connection, now_s, ROWS_A_TURN, self._keep_s)
                alerts.prune_resolved(connection, now_s - retention.ALERTS_KEPT_S, ROWS_A_TURN)
                silences.prune(connection, now_s - retention.ALERTS_KEPT_S, ROWS_A_TURN)
                notices.prune(connection, now_s - retention.NOTICES_KEPT_S, ROWS_A_TURN)

    def _is_settled(self, now_s: float) -> bool:
        """Whether there are at least half of the samples that belong to the last SETTLED_S seconds."""
        taken = sum(one.at_s <= now_s for one in self._ring.since(now_s - SETTLED_S))
        return taken >= SETTLED_S / self._sample_s / 2

    def _is_mine(self, connection: Connection, now_s: float) -> bool:
        shared_s = claims.shared_now_s(connection, now_s)
        return claims.take(connection, CLAIM, self._instance, shared_s) is not None
