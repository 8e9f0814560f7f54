"""`make demo`: a service with a year behind it and live traffic, marked as made up."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .loopback import ask, eventually, free_port
from .service import CHECKOUT, KEY, environment


@pytest.mark.timeout(300)
def test_the_demo_has_a_year_of_history_and_live_traffic(tmp_path: Path) -> None:
    port = free_port()
    env = environment({"LAPTIME_STATE_DIR": str(tmp_path), "LAPTIME_API_KEY": KEY, "PORT": str(port)})

    def got(path: str) -> Any:
        return ask(port, "GET", path, headers={"X-API-Key": KEY})

    def is_up() -> bool:
        try:
            return bool(got("/performance/health").status == 200)
        except OSError:
            return False

    with subprocess.Popen([sys.executable, "-m", "tests.demo"], cwd=CHECKOUT, env=env) as demo:
        try:
            eventually(is_up, "the demo", within_s=200)
            points = got("/performance/history?metric=requests&window=1y").json()["history"]["points"]
            assert sum(point["value"] is not None for point in points) > 300
            eventually(
                lambda: got("/performance/metrics").json()["metrics"]["overview"]["total_requests"] > 5,
                "live traffic",
                within_s=60,
            )
            assert got("/performance/metrics").json()["metrics"]["queue_time"]["measured_requests"] > 0
            assert "the history is made up" in ask(port, "GET", "/dashboard/signin").body.decode()
        finally:
            demo.send_signal(signal.SIGTERM)
        assert demo.wait(60) == 0
