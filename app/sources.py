"""What a panel and a job may ask: one object that joins shared memory and the store.

It stands between the two: counters in memory answer "since the service started", exactly; the store
answers "in this window", and what memory holds beyond the newest rollup is added, so that nothing is
missing at the edge.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .model.alerting import Alert, SystemSample
from .model.rules import StoredRule
from .model.series import Series, Snapshot
from .model.silencing import Silence
from .model.vitals import Vitals
from .model.windows import Window
from .settings import Settings
from .store.history import Reported
from .store.releases import Release


@dataclass(frozen=True, slots=True)
class Traffic:
    """The service's requests in one window. Laptime's own requests are not in here.

    `tools` is each tool's sum over the window; `points` is all tools together, one entry to each of
    `window.starts()`, None where nothing was measured (a gap, not a zero). Where the store is
    away it `is_whole` no more: what came since the newest roll-up is in the sums, and all points are gaps.
    """

    window: Window
    tools: Mapping[str, Series]
    points: Sequence[Series | None]
    is_whole: bool = True


class Sources(Protocol):
    """The questions; `Live` answers them from shared memory and the store."""

    @property
    def settings(self) -> Settings:
        """The service's settings."""

    def snapshot(self) -> Snapshot:
        """All workers merged, since the service started; exact in the very next read."""

    def traffic(self, window: Window) -> Traffic:
        """The window's requests from the store plus what memory holds beyond it."""

    def courses(self, window: Window, tools: Collection[str]) -> Mapping[str, Sequence[Series | None]]:
        """The points of each of these tools, of unknown ones too; an empty Series where it was not called.

        While the store is away all of them are gaps.
        """

    def vitals(self, window: Window) -> Sequence[Mapping[str, Vitals]]:
        """The machines' condition at each of `window.starts()`, by instance; nothing in a gap."""

    def instances(self, since_s: float) -> Sequence[Reported]:
        """The instances that have reported since that instant; none while the store is away."""

    def releases(self, window: Window) -> Sequence[Release]:
        """The releases that began in the window, oldest first; none while the store is away."""

    def samples(self, since_s: float) -> Sequence[SystemSample]:
        """The system's samples since that instant, oldest first."""

    def alerts(self) -> Sequence[Alert]:
        """Active alerts, worst first, then oldest first; while the store is away, as they were last."""

    def newest_alerts(self, limit: int, tool: str = "") -> Sequence[Alert]:
        """The alerts that were opened last, of all or of one tool, newest first, those that are over too.

        None while the store is away.
        """

    def rules(self) -> Sequence[StoredRule]:
        """All rules; while the store is away, as they were last."""

    def silences(self) -> Sequence[Silence]:
        """The silences that stand or are planned; while the store is away, as they were last."""

    def troubles(self) -> Sequence[str]:
        """Why the measuring itself is degraded, a sentence each; empty when all is well."""
