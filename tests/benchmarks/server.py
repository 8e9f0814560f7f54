"""gunicorn for the length of a `with`, on a free port, with nothing of this repository's own settings."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen


@contextmanager
def served(application: str, said: str, folder: Path, workers: int) -> Iterator[int]:
    """`module:callable()` served by so many sync workers, which find `said` in BENCH; the port.

    `folder` is made if it is not there, and the server's log lies in it.
    """
    folder.mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [
        sys.executable, "-m", "gunicorn", "--config=/dev/null", "--no-control-socket", f"--workers={workers}",
        f"--bind=127.0.0.1:{port}", application,
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=os.environ | {"BENCH": said}, stderr=log, start_new_session=True
        )
        try:
            _wait(port)
            yield port
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            urlopen(f"http://127.0.0.1:{port}/").close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
