"""The answers to `Sources` in a running service: shared memory and the store, joined without a seam.

A window is the store's rows plus what memory counted since the newest roll-up. Rows are kept until the
next roll-up, so that the panels of a page, and many pages, read the store once; where nobody asks any
more they go.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from .capture.reader import Reader
from .capture.samples import SampleRing
from .errors import LaptimeError, UnavailableError
from .fleet import Fleet
from .joined import ToolPoints, continued, rest_of, rows_of
from .model.alerting import ActiveAlert, SystemSample
from .model.series import EMPTY, Snapshot, total
from .model.windows import Window
from .settings import Settings
from .sources import Traffic
from .store import Connection, Engine, alerts, history, let_go_of_removed, migrate, reading
from .store.history import Watermark, WindowRows

log = logging.getLogger("laptime")

_KEPT = 3  # a page's window and the one before it, and the one that alerts are judged by
_KEPT_S = 10.0
_FIRST_WAIT_S = 5.0
_RETRY_S = 2.0
_STALLED_S = 40.0  # roll-ups come every ten seconds

_Key = tuple[int, ...]


class Live:
    """One process's sources. `open()` prepares the store beside the requests; answers wait for it briefly."""

    def __init__(self, settings: Settings, reader: Reader, ring: SampleRing, engine: Engine) -> None:
        self._settings = settings
        self._reader = reader
        self._ring = ring
        self._engine = engine
        self._fleet = Fleet(self._reading)
        self._is_migrated = threading.Event()
        self._lock = threading.Lock()
        self._patience_until_s = time.monotonic() + _FIRST_WAIT_S
        self._is_away, self._away_since_s = False, 0.0
        self._refused = ""  # why the store can't be used, where that is known
        self._alerts: Sequence[ActiveAlert] = ()
        self._rolled_up_s: float | None = None
        self._kept: OrderedDict[_Key, WindowRows] = OrderedDict()
        self._watermark: Watermark | None = None
        self._asked_s = 0.0
        self._generation = (-1, -1)

    @property
    def settings(self) -> Settings:
        return self._settings

    def open(self) -> None:
        """Bring the store to this code's schema, in a thread of its own, until it succeeds."""
        threading.Thread(target=self._keep, name="laptime-store", daemon=True).start()

    def wait(self) -> None:
        """Wait for the store at the start of this process, a few seconds at most, and not at all later.

        Raises UnavailableError if it is not ready: a page must not hold a worker that the host needs.
        """
        if not self._is_migrated.wait(max(0.0, self._patience_until_s - time.monotonic())):
            raise UnavailableError("the store does not answer; the service's log says why")

    def snapshot(self) -> Snapshot:
        own = self._reader.snapshot()
        # A young worker has not opened the store yet, and other instances' counts are in there.
        if not self._is_migrated.wait(max(0.0, min(1.0, self._patience_until_s - time.monotonic()))):
            return own
        return self._fleet.added_to(own, self._reader.instance, time.time(), time.monotonic())

    def samples(self, since_s: float) -> Sequence[SystemSample]:
        return self._ring.since(since_s)

    def alerts(self) -> Sequence[ActiveAlert]:
        with suppress(UnavailableError), self._reading() as connection:  # `troubles` says that it is away
            self._alerts = alerts.active(connection)
            run, instance = self._reader.run_id, self._reader.instance
            self._rolled_up_s = history.read_rolled_up_s(connection, instance, run)
        return self._alerts

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A transaction on the store. Once one has failed all fail at once, until `_keep` finds it back.

        A server that hangs would else hold up one request after the other, and with them the host's.
        """
        if self._is_away and self._is_migrated.is_set():
            raise UnavailableError("the store does not answer; it is asked again in a few seconds")
        try:
            self.wait()
            with reading(self._engine) as connection:
                yield connection
        except UnavailableError:
            if not self._is_away:
                self._is_away, self._away_since_s = True, time.time()
            raise
        else:
            self._is_away = False

    def forget(self, now_s: float) -> None:
        """Let go of rows that nobody asked for lately (`now_s` is monotonic); called now and then."""
        if not self._lock.acquire(blocking=False):
            return  # somebody asks right now
        try:
            if now_s - self._asked_s > _KEPT_S:
                self._kept.clear()
                self._watermark, self._generation = None, (-1, -1)
        finally:
            self._lock.release()

    def troubles(self) -> Sequence[str]:
        found = [self._reader.trouble, self._store_trouble()]
        return [trouble for trouble in found if trouble]

    def _store_trouble(self) -> str:
        if not self._is_away:
            silent_s = time.time() - (self._rolled_up_s or time.time())
            return f"history was not written for {silent_s:.0f} s: the log says why" if silent_s > 30 else ""
        since = datetime.fromtimestamp(self._away_since_s, UTC)
        why = self._refused or f"the store does not answer since {since:%H:%M:%S} UTC"
        return f"{why}: history and alerts stand still; requests are counted in memory and stored later"

    def traffic(self, window: Window) -> Traffic:
        """The window's rows, and in its newest points what came since."""
        return self._traffic(window, by_tool=True)

    def summary(self, window: Window) -> Traffic:
        """The same without each tool's points."""
        return self._traffic(window, by_tool=False)

    def _traffic(self, window: Window, *, by_tool: bool) -> Traffic:
        try:
            rows, watermark = self._history(window, by_tool)
        except UnavailableError:
            return self._without_store(window)
        # After the rows: what is counted in between is then in this snapshot and not in the watermark.
        snapshot = self._reader.snapshot()
        since = watermark.rolled_up_s if watermark else snapshot.started_s
        if window.end_s < since:
            return Traffic(window, rows.tools, rows.points, rows.tool_points)
        now_s = time.time()
        is_within = window.start_s <= since and window.end_s >= now_s - _STALLED_S
        if now_s - since > _STALLED_S and not is_within:  # what came since is not all of this window
            return self._without_store(window)
        rest = rest_of(snapshot, watermark.tools if watermark else {})
        starts = window.starts()
        first_live = max(0, int(since - starts.start) // window.step_s)
        return Traffic(
            window=window,
            tools={**rows.tools, **{name: rows.tools.get(name, EMPTY) + one for name, one in rest.items()}},
            points=continued(rows.points, first_live, total(rest.values())),
            tool_points=ToolPoints(rows, first_live, rest) if by_tool else {},
        )

    def _without_store(self, window: Window) -> Traffic:
        """What memory alone knows of the window: what came since the newest roll-up that was read."""
        watermark, snapshot = self._watermark, self._reader.snapshot()
        since_s = watermark.rolled_up_s if watermark else snapshot.started_s
        is_within = window.start_s <= since_s < window.end_s
        rest = rest_of(snapshot, watermark.tools if watermark else {}) if is_within else {}
        gaps = [None] * len(window.starts())
        return Traffic(window, rest, gaps, dict.fromkeys(rest, gaps), is_whole=False)

    def _history(self, window: Window, by_tool: bool) -> tuple[WindowRows, Watermark | None]:
        """The window's rows and the run's watermark, of the same instant: of the same roll-up."""
        run, instance = self._reader.run_id, self._reader.instance
        starts = window.starts()
        key = (by_tool, *rows_of(window), window.step_s, starts.start, len(starts))
        with self._lock, self._reading() as connection:
            generation = history.read_generation(connection)
            if generation != self._generation:
                self._generation = generation
                self._kept.clear()
                self._watermark = history.read_watermark(connection, instance, run)
            if key not in self._kept:
                self._kept[key] = history.read_window(connection, window, by_tool=by_tool)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            self._asked_s = time.monotonic()
            return self._kept[key], self._watermark

    def _keep(self) -> None:
        """The thread that brings the store to this code's schema and, when it was away, finds it back."""
        while True:
            try:
                let_go_of_removed(self._engine)
                if self._is_away or not self._is_migrated.is_set():
                    migrate(self._engine)
                    self._refused, self._is_away = "", False
                    self._is_migrated.set()
            except Exception as error:
                expected = isinstance(error, LaptimeError)
                known = str(error) if expected else f"the store can't be used: {error!r}"
                if self._refused != known:
                    self._refused = known
                    log.error("history is not available: %s", known, exc_info=None if expected else error)
            time.sleep(_RETRY_S)
