"""One worker's counters, its store and what joins the two, without HTTP: times are what a test says."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from time import perf_counter_ns

from app.capture.cells import NOWHERE, SUCCESS
from app.capture.reader import Reader
from app.capture.recorder import Recorder
from app.capture.samples import RING_FILE, SampleRing
from app.jobs.evaluate_alerts import EvaluateAlerts
from app.jobs.roll_up import RollUp
from app.live import Live
from app.model.series import Series
from app.settings import Settings
from app.store import make_engine

INSTANCE = "one"


class Counting:
    """The parts of a worker over the state folder `state`, started."""

    def __init__(self, state: Path, **changes: object) -> None:
        self.settings = Settings(state_dir=state, **changes)  # type: ignore[arg-type]
        self.recorder = Recorder(state, max_tools=100)
        self.recorder.open()
        self.engine = make_engine(self.settings)
        reader = Reader(self.recorder)
        self.ring = SampleRing(state / RING_FILE)
        self.live = Live(self.settings, reader, self.ring, self.engine)
        self.live.open()
        self.live.wait()
        self._roll_up = RollUp(self.recorder, reader, self.ring, self.engine, self.settings)
        self._judge = EvaluateAlerts(self.live, self.engine, reader.instance)
        self.started_s = self.live.snapshot().started_s

    def count(
        self, tool: str, times: int = 1, *, ms: float = 1.0, outcome: int = SUCCESS, own: bool = False
    ) -> None:
        """Count requests that took `ms` and end now."""
        for _ in range(times):
            self.recorder.tool(tool, own).count(NOWHERE, perf_counter_ns(), round(ms * 1e6), outcome, 10)

    def roll_up(self, now_s: float) -> None:
        """One turn of the roll-up."""
        self._roll_up.run(now_s)

    def judge(self, now_s: float) -> None:
        """One turn of the rules."""
        self._judge.run(now_s)


def requests(series: Iterable[Series | None]) -> int:
    """All requests of the series that are there."""
    return sum(one.requests for one in series if one is not None)
