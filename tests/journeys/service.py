"""The service as people run it: real gunicorn, real workers, a state folder of its own, loopback only.

    with Service(tmp_path, workers=4, preload=True) as service:
        service.call_tool("ping", {})
        assert service.metrics()["overview"]["total_requests"] == 1

At the end the master gets SIGTERM, has to leave with status 0, and may have written no traceback.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from .loopback import Answer, ask, eventually, free_port

CHECKOUT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent
KEY = "journey-key-0123456789abcdef"
START_MOST_S = 60
STOP_MOST_S = 45
# What would set a service up, and what would have each of its processes compile Laptime anew.
_FOREIGN = (
    "LAPTIME_", "GUNICORN_", "PORT", "WEB_CONCURRENCY", "DATABASE_URL", "PYTHONDONTWRITEBYTECODE",
)  # fmt: skip


class Service:
    """A running service; a context manager.

    `key` is LAPTIME_API_KEY; with None the service makes its own and `self.key` reads it. `env` comes on
    top of a clean environment, `args` on top of the command line. `bare` leaves address and number of workers
    to what `env` says; `port` then tells where that is. The state in `folder` outlives a stop, so a second
    Service there is a restart. `tracebacks` says that this test makes the service write some. `app` is
    what gunicorn serves, for a comparison with a host that is not measured; `programs` has another
    environment's gunicorn, and `cwd` is where it starts.
    """

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 2,
        preload: bool = False,
        key: str | None = KEY,
        env: Mapping[str, str] | None = None,
        args: Sequence[str] = (),
        bare: bool = False,
        port: int | None = None,
        tracebacks: bool = False,
        app: str = "wsgi:app",
        programs: Path = PROGRAMS,
        cwd: Path = CHECKOUT,
    ) -> None:
        self.state = folder / "state"
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / f"gunicorn-{self.port}.log"
        self._tracebacks = tracebacks
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None
        self._env = environment({"LAPTIME_STATE_DIR": str(self.state)} | dict(env or {}))
        if key is not None:
            self._env["LAPTIME_API_KEY"] = key
        self._command = [*gunicorn(app, programs), *args]
        if not bare:
            self._command += [f"--bind=127.0.0.1:{self.port}", f"--workers={workers}"]
        if preload:
            self._command.append("--preload")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        except AssertionError:
            if error is None:  # the test's own failure says more
                raise
        if error is not None:
            error.add_note(f"The service wrote:\n{self.output()}")

    def start(self) -> Self:
        """Start gunicorn and wait until it answers /health. AssertionError with its output if it does not."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._cwd,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            eventually(self._is_up, "an answer of /health", within_s=START_MOST_S)
        except AssertionError as error:
            self._end()
            raise AssertionError(f"{error}\n{self.output()}") from None
        return self

    def stop(self) -> None:
        """SIGTERM, as a platform ends a service; AssertionError if it does not leave in good order."""
        process = self._process
        if process is None:
            return
        family = [process.pid, *self.workers()]
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(STOP_MOST_S)
        except subprocess.TimeoutExpired:
            status = None
        left = [pid for pid in family if psutil.pid_exists(pid)]
        self._end()
        output = self.output()
        assert status == 0, f"gunicorn left with {status} after SIGTERM\n{output}"
        assert not left, f"processes {left} outlived the master\n{output}"
        assert self._tracebacks or "Traceback" not in output, output

    def kill(self, pid: int | None = None) -> None:
        """SIGKILL for one worker; for all processes of the service at once without `pid`."""
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            eventually(lambda: pid not in self.workers(), f"the end of worker {pid}")
        else:
            self._end()

    def signal(self, number: signal.Signals) -> None:
        """Send the master a signal: HUP, USR2, TTIN."""
        assert self._process is not None
        self._process.send_signal(number)

    def workers(self) -> list[int]:
        """The pids of the workers, oldest first."""
        if self._process is None:
            return []
        try:
            children = psutil.Process(self._process.pid).children()
        except psutil.NoSuchProcess:
            return []
        return sorted(child.pid for child in children if child.status() != psutil.STATUS_ZOMBIE)

    def output(self) -> str:
        """All that this service has written to stdout and stderr, over restarts too."""
        return self._log.read_text(errors="replace")

    @property
    def key(self) -> str:
        """The key that opens this service."""
        return self._env.get("LAPTIME_API_KEY") or (self.state / "key").read_text().strip()

    def get(self, path: str, *, key: bool = True, headers: Mapping[str, str] | None = None) -> Answer:
        """GET, with the key unless told not to."""
        return self.request("GET", path, key=key, headers=headers)

    def post_json(
        self, path: str, body: object, *, key: bool = True, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """POST `body` as JSON, with the key unless told not to."""
        sent = {"Content-Type": "application/json"} | dict(headers or {})
        return self.request("POST", path, body=json.dumps(body).encode(), key=key, headers=sent)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        key: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own, its answer read to the end."""
        sent = ({"X-API-Key": self.key} if key else {}) | dict(headers or {})
        return ask(self.port, method, path, body=body, headers=sent)

    def call_tool(self, name: str, arguments: Mapping[str, object] | None = None) -> Answer:
        """Call a bundled tool."""
        return self.post_json("/api/v1/tools/call", {"name": name, "arguments": dict(arguments or {})})

    def metrics(self, query: str = "") -> Any:
        """The `metrics` member of GET /performance/metrics, which has to succeed."""
        answer = self.get(f"/performance/metrics{query}")
        assert answer.status == 200, answer.body
        return answer.json()["metrics"]

    def _is_up(self) -> bool:
        assert self._process is not None
        status = self._process.poll()
        assert status is None, f"gunicorn left with {status} instead of starting"
        try:
            return ask(self.port, "GET", "/health").status == 200
        except (OSError, HTTPException):
            return False

    def _end(self) -> None:
        """Kill what is left of the process group, which is ours alone, and reap the master."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):  # all gone already
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def gunicorn(app: str = "wsgi:app", programs: Path = PROGRAMS) -> list[str]:
    """The command that the README gives, from the environment that the tests run in unless told another."""
    return [str(programs / "gunicorn"), app]


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without what has no place in a service's, and `env` on top."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return clean | dict(env)
