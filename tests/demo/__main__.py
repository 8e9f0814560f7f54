"""`make demo`: fill the store if it is new, serve, and send traffic until the service ends."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from .history import INSTANCE, fill
from .story import TOOLS, growth, rhythm

STATE = Path(os.environ.get("LAPTIME_STATE_DIR", "instance-demo"))
CLIENTS = 4
MARK = "Demo: the history is made up, and so is the traffic"


def main() -> int:
    """Run until interrupted; gunicorn's exit status."""
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    fill(STATE, time.time())
    port = int(os.environ.get("PORT", "8000"))
    settings = {
        "LAPTIME_STATE_DIR": str(STATE),
        "LAPTIME_HOST_APP": "tests.demo.host:application",
        "LAPTIME_INSTANCE": INSTANCE,
        "LAPTIME_BANNER": os.environ.get("LAPTIME_BANNER", MARK),
        "WEB_CONCURRENCY": os.environ.get("WEB_CONCURRENCY", "2"),
    }
    command = [sys.executable, "-m", "gunicorn", "wsgi:app", f"--bind=127.0.0.1:{port}", "--threads=8"]
    server = subprocess.Popen(command, env=os.environ | settings)
    ended = threading.Event()
    for _ in range(CLIENTS):
        threading.Thread(target=_send, args=(port, ended), daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.terminate())
    status = server.wait()
    ended.set()
    return status


def _send(port: int, ended: threading.Event) -> None:
    """One client: calls that come at random, as many as the story has at this hour."""
    draw = random.Random()
    weights = [tool.per_minute for tool in TOOLS]
    while not ended.wait(draw.expovariate(sum(weights) * rhythm(time.time()) * growth(0) / 60 / CLIENTS)):
        [tool] = draw.choices(TOOLS, weights)
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        with suppress(OSError, HTTPException):  # it is not up yet, or not any more
            started = f"t={time.time():.6f}"
            connection.request("GET", f"/{tool.name}", headers={"X-Request-Start": started})
            connection.getresponse().read()
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
