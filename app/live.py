"""The answers to `Sources` in a running service: shared memory and the store, joined without a seam.

A window is the store's rows plus what memory counted since the newest roll-up. Rows are kept until the
next roll-up, so that the panels of a page, and many pages, read the store once; where nobody asks any
more they go.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from .capture.reader import Reader
from .capture.samples import SampleRing
from .errors import UnavailableError
from .fleet import Fleet
from .heap import give_back
from .joined import Stand, continued, rest_of, with_samples
from .model.alerting import Alert, SystemSample
from .model.rules import StoredRule
from .model.series import EMPTY, Series, Snapshot, total
from .model.silencing import Silence
from .model.vitals import Vitals
from .model.windows import PERIODS_S, Window
from .note import NOTE_FILE, Note
from .opened import Opened
from .settings import Settings
from .sources import Traffic
from .store import Connection, Engine, alert_pages, alerts, history, releases, rules, silences
from .store.alert_pages import Filter
from .store.history import Reported
from .store.releases import Release
from .store.vitals import sampled_until

# A page's window and the one before it, the tools' courses, the machine and the releases in it, and the
# window that alerts are judged by; and as many again.
_KEPT = 16
_KEPT_S = 10.0
_GIVEN_BACK_EVERY_S = 15.0
_STALLED_S = 40.0  # roll-ups come every ten seconds

_Key = tuple[int | str, ...]
_Found = TypeVar("_Found")


class Live:
    """One process's sources. `open()` prepares the store beside the requests; answers wait for it briefly."""

    def __init__(self, settings: Settings, reader: Reader, ring: SampleRing, engine: Engine) -> None:
        self._settings = settings
        self._reader = reader
        self._ring = ring
        self.store = Opened(engine, Note(settings.state_dir / NOTE_FILE))
        self._fleet = Fleet(self.store.reading)
        self._lock = threading.Lock()
        self._alerts: Sequence[Alert] = ()
        self._rules: Sequence[StoredRule] = ()
        self._silences: Sequence[Silence] = ()
        self._rolled_up_s: float | None = None
        self._kept: OrderedDict[_Key, Any] = OrderedDict()
        self._stand = Stand(None)
        self._asked_s = self._given_back_s = 0.0
        self._generation: history.Generation = ()

    @property
    def settings(self) -> Settings:
        return self._settings

    def open(self) -> None:
        """Open the store, in a thread of its own."""
        self.store.open()

    def wait(self) -> None:
        """Wait for the store at the start. Raises UnavailableError if it is not ready."""
        self.store.wait()

    def snapshot(self) -> Snapshot:
        own = self._reader.snapshot()
        # A young worker has not opened the store yet, and other instances' counts are in there.
        if not self.store.is_ready(within_s=1.0):
            return own
        return self._fleet.added_to(own, self._reader.instance, time.time(), time.monotonic())

    def samples(self, since_s: float) -> Sequence[SystemSample]:
        return self._ring.since(since_s)

    def alerts(self) -> Sequence[Alert]:
        with (
            suppress(UnavailableError),
            self.store.reading() as connection,
        ):  # `troubles` says so
            self._alerts = alerts.active(connection)
            run, instance = self._reader.run_id, self._reader.instance
            self._rolled_up_s = history.read_rolled_up_s(connection, instance, run)
        return self._alerts

    def newest_alerts(self, limit: int, tool: str = "") -> Sequence[Alert]:
        try:
            with self.store.reading() as connection:
                return alert_pages.page(connection, Filter(tool=tool), limit).alerts
        except UnavailableError:  # `troubles` says so
            return ()

    def rules(self) -> Sequence[StoredRule]:
        with suppress(UnavailableError), self.store.reading() as connection:
            self._rules = rules.read_rules(connection)
        return self._rules

    def silences(self) -> Sequence[Silence]:
        with suppress(UnavailableError), self.store.reading() as connection:
            self._silences = silences.standing(connection, time.time())
        return self._silences

    def forget(self, now_s: float) -> None:
        """Let go of rows that nobody asked for lately (`now_s` is monotonic); called now and then."""
        if not self._lock.acquire(blocking=False):
            return  # somebody asks right now
        try:
            if now_s - self._asked_s > _KEPT_S:
                self._kept.clear()
                self._stand, self._generation = Stand(None), ()
            if self._asked_s > self._given_back_s and now_s - self._given_back_s > _GIVEN_BACK_EVERY_S:
                self._given_back_s = now_s
                give_back()
        finally:
            self._lock.release()

    def troubles(self) -> Sequence[str]:
        found = [self._reader.trouble, *self.store.troubles(self._rolled_up_s)]
        return [trouble for trouble in found if trouble]

    def traffic(self, window: Window) -> Traffic:
        """The window's rows, and in its newest points what came since."""
        try:
            rows, stand = self._read(
                ("traffic", *_rows_of(window)), lambda it: history.read_window(it, window)
            )
        except UnavailableError:
            return self._without_store(window)
        # After the rows: what is counted in between is then in this snapshot and not in the watermark.
        snapshot = self._reader.snapshot()
        since_s = stand.since_s(snapshot)
        known = rows.tools
        if window.end_s < since_s:
            return Traffic(window, known, rows.points)
        now_s = time.time()
        is_within = window.start_s <= since_s and window.end_s >= now_s - _STALLED_S
        if now_s - since_s > _STALLED_S and not is_within:  # what came since is not all of this window
            return self._without_store(window)
        rest = rest_of(snapshot, stand.tools)
        tools = {**known} | {name: known.get(name, EMPTY) + one for name, one in rest.items()}
        return Traffic(window, tools, continued(rows.points, window, since_s, total(rest.values())))

    def courses(self, window: Window, tools: Collection[str]) -> Mapping[str, Sequence[Series | None]]:
        """The same of single tools."""
        names = sorted(set(tools))
        key: _Key = ("courses", *_rows_of(window), *names)
        try:
            rows, stand = self._read(key, lambda it: history.read_courses(it, window, names))
        except UnavailableError:
            return {name: [None] * len(window.starts()) for name in names}
        snapshot = self._reader.snapshot()
        since_s = stand.since_s(snapshot)
        points = {name: rows.points(name) for name in names}
        if window.end_s < since_s:
            return points
        rest = rest_of(snapshot, stand.tools)
        return {name: continued(points[name], window, since_s, rest.get(name, EMPTY)) for name in names}

    def vitals(self, window: Window) -> Sequence[Mapping[str, Vitals]]:
        """The machines' condition, of this one with the samples that the store has not got yet."""
        starts, instance = window.starts(), self._reader.instance

        def read(connection: Connection) -> tuple[Sequence[Mapping[str, Vitals]], float]:
            until_s = sampled_until(connection, instance)
            return history.read_vitals(connection, window), until_s

        try:
            (points, until_s), _ = self._read(("vitals", *_rows_of(window)), read)
        except UnavailableError:
            points, until_s = [{} for _ in starts], 0.0
        samples = self._ring.since(max(until_s - 60, starts.start))
        return with_samples(points, starts, samples, until_s, instance)

    def instances(self, since_s: float) -> Sequence[Reported]:
        """The instances of the fleet, this one among them once it has rolled up."""
        try:
            minute = int(since_s // 60)  # what was read is kept, and the same for all who ask
            key: _Key = ("instances", minute)
            return self._read(key, lambda it: history.read_reported(it, minute * 60))[0]
        except UnavailableError:
            return ()

    def releases(self, window: Window) -> Sequence[Release]:
        """The releases that began in the window."""
        start_s, end_s = window.start_s, window.end_s
        try:
            key: _Key = ("releases", *_rows_of(window))
            return self._read(key, lambda it: releases.read_releases(it, start_s, end_s))[0]
        except UnavailableError:
            return ()

    def _without_store(self, window: Window) -> Traffic:
        """What memory alone knows of the window: what came since the newest roll-up that was read."""
        stand, snapshot = self._stand, self._reader.snapshot()
        is_within = window.start_s <= stand.since_s(snapshot) < window.end_s
        rest = rest_of(snapshot, stand.tools) if is_within else {}
        return Traffic(window, rest, [None] * len(window.starts()), is_whole=False)

    def _read(self, key: _Key, read: Callable[[Connection], _Found]) -> tuple[_Found, Stand]:
        """What `read` finds, and where this run's roll-up stands at the same instant; kept until the next."""
        run, instance = self._reader.run_id, self._reader.instance
        with self._lock, self.store.reading() as connection:
            generation = history.read_generation(connection)
            if generation != self._generation:
                self._generation = generation
                self._kept.clear()
                self._stand = Stand(history.read_watermark(connection, instance, run))
            if key not in self._kept:
                self._kept[key] = read(connection)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            self._asked_s = time.monotonic()
            return self._kept[key], self._stand


def _rows_of(window: Window) -> tuple[int, ...]:
    """Which rows answer the window, and how its points lie: windows alike in that share what was read."""
    starts, period_s = window.starts(), window.period_s
    rows = int(window.start_s // period_s), int(window.end_s // PERIODS_S[0])
    return window.period_s, *rows, starts.start, len(starts), starts.step
