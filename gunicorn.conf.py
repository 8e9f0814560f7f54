"""How gunicorn runs the service; GUNICORN_CMD_ARGS and command line options come before what is said here."""

import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
timeout = 30
graceful_timeout = 30
control_socket_disable = True  # its default path is one for each user, so two services would fight for it

_TRY = "from app import create_app; create_app()"


def on_starting(server: Any) -> None:
    """Compose the service once before there is a worker, so that a wrong setting is told once, not by each.

    It runs in a process of its own: what the master had imported, workers could not load anew at a reload.
    """
    if server.cfg.preload_app:  # the master has just composed it
        return
    tried = subprocess.run([sys.executable, "-c", _TRY], env=_trial_environment(), check=False)  # noqa: S603
    if tried.returncode:
        raise SystemExit(tried.returncode)


def post_worker_init(worker: Any) -> None:
    """Start this worker's part of the service now, without waiting for its first request."""
    start = getattr(worker.wsgi, "ensure_started", None)
    if start:
        start(_address(worker.sockets))


def _trial_environment() -> dict[str, str]:
    """This environment without the host application, whose import may do what is meant for a worker alone.

    A name that leads nowhere stays in: composing tells what is wrong with it, and imports nothing.
    """
    name = os.environ.get("LAPTIME_HOST_APP", "")
    package = name.partition(":")[0].partition(".")[0]
    is_there = package.isidentifier() and find_spec(package) is not None
    return dict(os.environ) | ({"LAPTIME_HOST_APP": ""} if is_there else {})


def _address(sockets: list[Any]) -> str | None:
    """Where a browser on this machine reaches the first TCP socket; None if all are others."""
    for address in map(str, sockets):
        if address.startswith("http"):
            return address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    return None
