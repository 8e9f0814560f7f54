"""Which jobs there are and when they run.

Loaded by the elected worker alone: the others have no use for what jobs import.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ..capture.reader import Reader
from ..capture.recorder import Recorder
from ..capture.samples import SampleRing
from ..courier import Courier
from ..errors import UnavailableError
from ..live import Live
from ..model.windows import kept
from ..store import Engine
from .digest import SendDigests
from .environment import Environment
from .evaluate_alerts import EvaluateAlerts
from .leader import check
from .prune import Prune
from .roll_up import RollUp
from .sample_system import SampleSystem
from .schedule import Job, Schedule
from .send_notices import SendNotices

EVALUATE_EVERY_S, ROLL_UP_EVERY_S, PRUNE_EVERY_S, SEND_EVERY_S, DIGEST_EVERY_S = 5, 10, 60, 5, 60
_STORE = "store"


def timetable(
    recorder: Recorder,
    reader: Reader,
    ring: SampleRing,
    sources: Live,
    engine: Engine,
    courier: Courier,
    secret: bytes,
    leads: Callable[[], bool],
) -> Schedule:
    """The elected worker's timetable, not started yet; `leads` tells whether it still is the elected one."""
    settings = sources.settings
    sample = SampleSystem(ring, settings.state_dir, reader.snapshot)
    roll_up = RollUp(recorder, reader, ring, engine, settings, leads)
    judge = EvaluateAlerts(sources, engine, reader.instance, leads)
    environment = Environment(settings, secret, courier)
    send = SendNotices(sources, engine, reader.instance, courier, environment, leads)
    digest = SendDigests(sources, engine, reader.instance, leads)
    prune = Prune(engine, reader.instance, kept(settings), ring, settings.sample_interval_s)

    def stored(run: Callable[[float], None]) -> Callable[[], None]:
        def with_store() -> None:
            check(leads)
            sources.wait()
            run(time.time())

        return with_store

    def sampled() -> None:
        check(leads)
        sample.run(time.time())

    failing: dict[str, str] = {}
    sources.store.note.write("")  # what the elected worker before this one said

    def noted(name: str, run: Callable[[float], None]) -> Callable[[], None]:
        with_store = stored(run)

        def with_note() -> None:
            try:
                with_store()
            except UnavailableError as error:
                failing[name] = str(error)
                raise
            else:
                failing.pop(name, None)
            finally:
                sources.store.note.write(next(iter(failing.values()), ""))

        return with_note

    return Schedule(
        (
            Job("sample_system", settings.sample_interval_s, sampled),
            Job(
                "roll_up",
                ROLL_UP_EVERY_S,
                noted("roll_up", roll_up.run),
                on_boundary=True,
                thread=_STORE,
            ),
            Job(
                "evaluate_alerts",
                EVALUATE_EVERY_S,
                noted("evaluate_alerts", judge.run),
                thread=_STORE,
            ),
            Job("send_notices", SEND_EVERY_S, noted("send_notices", send.run), thread=_STORE),
            Job("send_digests", DIGEST_EVERY_S, stored(digest.run), thread=_STORE),
            Job("prune", PRUNE_EVERY_S, stored(prune.run), thread=_STORE),
        )
    )
