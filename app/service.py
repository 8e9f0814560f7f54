"""The life of a service within one process: what it opens, runs and closes, and who is let in.

Nothing starts at import, because servers import before they fork. `Service.ensure_started` opens this
process's files, threads and connections, at the first request or when the server says that a worker is
up; a forked child starts its own.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from .capture.process import supervisor
from .capture.reader import Reader
from .capture.recorder import Recorder
from .capture.samples import RING_FILE, SampleRing
from .capture.vitals import Vitals, server_worker, slots_of
from .courier import Courier
from .desk import Desk, Door
from .errors import UnavailableError
from .jobs.container import oom_kills
from .jobs.leader import Candidate
from .live import Live
from .settings import VERSION, Settings, unknown
from .sources import Sources
from .store import database_url, make_engine
from .web.keys import LINK_S, Keys

if TYPE_CHECKING:
    from .jobs.schedule import Schedule


class Service:
    """One service: its settings, its keys, its recorder, and what each process of it starts."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        database_url(settings)  # refused at the start, not at each request
        self.measured = settings.host_app or "the bundled tool server"
        self.keys = Keys.load(settings.api_key, settings.state_dir)
        self.recorder = Recorder(settings.state_dir, settings.max_tools, settings.instance)
        self.courier = Courier(self.keys.secret("channels"), allow_private=settings.notify_private)
        self._sources: Live | None = None
        self._desk: Desk | None = None
        self._is_forked_amid = False
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        # A process that a worker forks for work of its own is no worker.
        self._is_forked_amid = self._is_forked_amid or self._sources is not None
        self._sources = self._desk = None

    def sources(self) -> Sources:
        """What panels ask. Raises UnavailableError before the start."""
        if self._sources is None:
            raise UnavailableError("the service has not started in this process")
        return self._sources

    def desk(self) -> Desk:
        """What people change. Raises UnavailableError before the start."""
        if self._desk is None:
            raise UnavailableError("the service has not started in this process")
        return self._desk

    def ensure_started(self, address: str | None = None) -> None:
        """Open this process's file, connections and threads, once; `address` is where it listens."""
        with self._lock:
            if self._sources is not None:
                return
            settings = self.settings
            engine = make_engine(settings)
            reader = Reader(self.recorder)
            ring = SampleRing(settings.state_dir / RING_FILE)
            sources = Live(settings, reader, ring, engine)
            schedules: list[Schedule] = []  # one, if this worker is elected
            begun = self.recorder.open()
            server = server_worker()
            is_worker = server is not None or (not self._is_forked_amid and supervisor() is not None)
            vitals = Vitals(
                self.recorder, slots_of(server), lambda: oom_kills(Path("/")), is_worker=is_worker
            )
            self._sources = sources
            self._desk = Desk(settings, sources, Door(engine, sources.store.reading), self.courier)
            sources.open()
            vitals.beat(time.perf_counter_ns())
            atexit.register(vitals.exit)

            def lead() -> None:
                jobs = import_module(".jobs.timetable", __package__)
                schedules.append(
                    jobs.timetable(
                        self.recorder,
                        reader,
                        ring,
                        sources,
                        engine,
                        self.courier,
                        self.keys.secret("environment"),
                        candidate.leads,
                    )
                )
                schedules[0].start()

            def beat() -> None:
                self.recorder.set_clock()
                self.recorder.recover()
                vitals.beat(time.perf_counter_ns())
                sources.forget(time.monotonic())
                for schedule in schedules:
                    schedule.follow_clock(time.time(), time.monotonic())

            def resign() -> None:
                schedules.pop().stop()

            candidate = Candidate(settings.state_dir / "leader.lock", lead, beat, resign)
            candidate.start()
        if begun:
            self._announce(address)

    def link(self, address: str | None = None) -> str:
        """A one-time sign-in link."""
        return f"{self._dashboard(address)}/signin?link={self.keys.new_link(time.time())}"

    def address(self, listening: str | None = None) -> str:
        """Where people reach the service: as set, else where it listens."""
        chosen = self.settings.public_url.rstrip("/") or listening
        return chosen or f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"

    def _dashboard(self, listening: str | None) -> str:
        return self.address(listening) + self.settings.dashboard_prefix

    def _announce(self, listening: str | None) -> None:
        """Say once, at the start of a service, how to get in. A key that somebody chose is not printed."""
        address = self.address(listening)
        lines = [f"Laptime {VERSION} measures {self.measured}"]
        if self.keys.is_generated:
            minutes = LINK_S // 60
            lines.append(f"  dashboard  {self.link(listening)}   (works once, for {minutes} minutes)")
            key = f"'X-API-Key: {self.keys.key}'"
        else:
            lines.append(f"  dashboard  {self._dashboard(listening)}   (sign in with LAPTIME_API_KEY)")
            key = '"X-API-Key: $LAPTIME_API_KEY"'
        lines.append(f"  try it     curl -H {key} {address}{self.settings.performance_prefix}/metrics")
        lines += [f"  ignored    {name} is no setting of Laptime" for name in unknown(os.environ)]
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()
