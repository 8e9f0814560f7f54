"""Judge the default rules over the sliding window, and keep the alerts' life in the store."""

from __future__ import annotations

from ..model.alerting import evaluate, mean
from ..model.windows import sliding
from ..sources import Sources
from ..store import Engine, alerts, writing

SAMPLES = 3


class EvaluateAlerts:
    """Opens what holds, resolves what no longer does; only the elected worker may."""

    def __init__(self, sources: Sources, engine: Engine) -> None:
        self._sources = sources
        self._engine = engine

    def run(self, now_s: float) -> None:
        """One round of judging. Raises UnavailableError when the store is away."""
        settings = self._sources.settings
        traffic = self._sources.summary(sliding(settings.alert_window_s, now_s))
        lately = self._sources.samples(now_s - (SAMPLES + 0.5) * settings.sample_interval_s)[-SAMPLES:]
        # One busy moment, such as a start, is no alert: it takes the mean of some, and two at the least.
        system = mean(lately) if len(lately) > 1 else None
        conditions = evaluate(traffic.tools, system, settings)
        with writing(self._engine) as connection:
            alerts.sync(connection, conditions, now_s)
