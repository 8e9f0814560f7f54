"""What each process of a service is, by where it was forked."""

from __future__ import annotations

from pathlib import Path

from app.capture import cells as layout
from app.service import Service
from app.settings import Settings
from tests.capture.forks import Forks, forks, shared_numbers


def test_a_worker_counts_its_end_and_a_process_that_it_forks_does_not(tmp_path: Path) -> None:
    service, told = Service(Settings(state_dir=tmp_path, api_key="an-open-secret")), shared_numbers(2)
    told[1] = layout.UNTOLD

    def child() -> None:
        service.ensure_started()
        told[1] = service.recorder.header[layout.ENDING]

    def worker() -> None:
        service.ensure_started()
        told[0] = service.recorder.header[layout.ENDING]
        assert Forks().run(child) == 0

    with forks() as made:
        assert made.run(worker) == 0
    assert list(told) == [layout.UNTOLD, layout.NO_WORKER]
