"""Judge the default rules over the sliding window, and keep the alerts' life in the store.

Each instance judges its own machine. The tools are all instances' together, and judged by the one that
has claimed it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..errors import UnavailableError
from ..fleet import GONE_S
from ..model.alerting import Condition, evaluate, mean
from ..model.windows import kept, sliding
from ..sources import Sources
from ..store import Engine, alerts, claims, history, writing
from .leader import check

SAMPLES = 3
CLAIM = "evaluate_alerts"


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

    def run(self, now_s: float) -> None:
        """One round of judging. Raises UnavailableError when the store is away.

        The claim is taken in the transaction that writes: one that can't read lets it expire, and one that
        was frozen meanwhile finds it another's and writes nothing.
        """
        settings = self._sources.settings
        traffic = self._sources.traffic(sliding(settings.alert_window_s, now_s, kept(settings)))
        if not traffic.is_whole:
            raise UnavailableError("the store does not answer, so nothing can be judged")
        conditions, machine = evaluate(traffic.tools, None, settings), self._machine(now_s)
        with writing(self._engine) as connection:
            shared_s = claims.shared_now_s(connection, now_s)
            # before all that is written: here they wait for each other
            is_mine = claims.take(connection, CLAIM, self._instance, shared_s)
            check(self._leads)
            instances = history.read_instances(connection, now_s - GONE_S) | {self._instance}
            if machine is not None:
                where = f" on {self._instance}" if len(instances) > 1 else ""
                named = [replace(one, message=one.message + where) for one in machine]
                alerts.sync(connection, named, now_s, self._instance)
            if is_mine:
                alerts.sync(connection, conditions, now_s)
                alerts.resolve_gone(connection, instances, now_s, opened_before_s=now_s - GONE_S)

    def _machine(self, now_s: float) -> list[Condition] | None:
        """What holds of this machine; None where too little was sampled to know."""
        settings = self._sources.settings
        lately = self._sources.samples(now_s - (SAMPLES + 0.5) * settings.sample_interval_s)[-SAMPLES:]
        # One busy moment, such as a start, is no alert: it takes the mean of some, and two at the least.
        return evaluate({}, mean(lately), settings) if len(lately) > 1 else None
