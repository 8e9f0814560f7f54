"""One look at the sources: within it every question is asked once, so all panels of a page agree."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

from ..model.alerting import Alert, SystemSample
from ..model.rules import StoredRule
from ..model.series import Series, Snapshot
from ..model.silencing import Silence
from ..model.vitals import Vitals
from ..model.windows import Window
from ..settings import Settings
from ..sources import Sources, Traffic
from ..store.history import Reported
from ..store.releases import Release


class Look:
    """`sources` with their answers remembered; made for one page and dropped with it."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._traffic: dict[Window, Traffic] = {}
        self._courses: dict[tuple[Window, frozenset[str]], Mapping[str, Sequence[Series | None]]] = {}
        self._vitals: dict[Window, Sequence[Mapping[str, Vitals]]] = {}
        self._samples: dict[float, Sequence[SystemSample]] = {}
        self._newest: dict[tuple[int, str], Sequence[Alert]] = {}

    @property
    def settings(self) -> Settings:
        return self._sources.settings

    def snapshot(self) -> Snapshot:
        return self._snapshot

    def traffic(self, window: Window) -> Traffic:
        if window not in self._traffic:
            self._traffic[window] = self._sources.traffic(window)
        return self._traffic[window]

    def courses(self, window: Window, tools: Collection[str]) -> Mapping[str, Sequence[Series | None]]:
        key = window, frozenset(tools)
        if key not in self._courses:
            self._courses[key] = self._sources.courses(window, tools)
        return self._courses[key]

    def vitals(self, window: Window) -> Sequence[Mapping[str, Vitals]]:
        if window not in self._vitals:
            self._vitals[window] = self._sources.vitals(window)
        return self._vitals[window]

    def instances(self, since_s: float) -> Sequence[Reported]:
        return self._sources.instances(since_s)

    def releases(self, window: Window) -> Sequence[Release]:
        return self._sources.releases(window)

    def samples(self, since_s: float) -> Sequence[SystemSample]:
        if since_s not in self._samples:
            self._samples[since_s] = self._sources.samples(since_s)
        return self._samples[since_s]

    def alerts(self) -> Sequence[Alert]:
        return self._alerts

    def newest_alerts(self, limit: int, tool: str = "") -> Sequence[Alert]:
        if (limit, tool) not in self._newest:
            self._newest[limit, tool] = self._sources.newest_alerts(limit, tool)
        return self._newest[limit, tool]

    def rules(self) -> Sequence[StoredRule]:
        return self._rules

    def silences(self) -> Sequence[Silence]:
        return self._silences

    def troubles(self) -> Sequence[str]:
        return self._sources.troubles()

    @cached_property
    def _snapshot(self) -> Snapshot:
        return self._sources.snapshot()

    @cached_property
    def _alerts(self) -> Sequence[Alert]:
        return self._sources.alerts()

    @cached_property
    def _rules(self) -> Sequence[StoredRule]:
        return self._sources.rules()

    @cached_property
    def _silences(self) -> Sequence[Silence]:
        return self._sources.silences()
