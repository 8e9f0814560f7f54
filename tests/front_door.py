"""The whole service in this process, asked as a client asks: `create_app`, real shared memory, a real store.

The jobs of its elected worker run only when a test runs them, with the time that the test gives: a
`Front` holds the election's lock itself, before the service asks for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from filelock import FileLock
from werkzeug.test import Client, TestResponse

from app.capture.reader import Reader
from app.capture.samples import RING_FILE, SampleRing
from app.errors import UnavailableError
from app.factory import create_app
from app.jobs.evaluate_alerts import EvaluateAlerts
from app.jobs.roll_up import RollUp
from app.settings import Settings
from app.store import make_engine
from tests.capture.forks import until

KEY = "an-open-secret-for-tests"
CALL = "/api/v1/tools/call"
TURN_S = 5.0
_HELD: list[FileLock] = []  # until this process ends: the services' candidates go on asking


class Browser(Client):
    """Cookies are kept from request to request, and an answer is read and closed as a server does it."""

    def open(self, *args: Any, **options: Any) -> TestResponse:
        return super().open(*args, **({"buffered": True} | options))


class Front:
    """A started service in `folder`, with a workspace in it; `waits` for its store."""

    def __init__(self, folder: Path, *, waits: bool = True, **changes: Any) -> None:
        workspace = folder / "workspace"
        workspace.mkdir(exist_ok=True)
        (workspace / "notes.txt").write_text("two\nlines\n")
        state = folder / "state"
        defaults: dict[str, Any] = {"api_key": KEY, "state_dir": state, "workspace": workspace}
        self.settings = Settings(**(defaults | changes))
        state.mkdir(mode=0o700, exist_ok=True)
        lock = FileLock(state / "leader.lock", mode=0o600)
        lock.acquire(blocking=False)
        _HELD.append(lock)
        self.app = create_app(self.settings)
        self.key = self.app.service.keys.key
        self.app.ensure_started()
        if waits:
            until(self._has_its_store)  # a busy machine takes longer than a page would wait

    def browser(self) -> Browser:
        """A client without a key."""
        return Browser(self.app)

    def get(self, path: str, *, key: str | None = KEY) -> TestResponse:
        """GET with the key, or with none."""
        return self.browser().get(path, headers=_headers(key))

    def json(self, path: str) -> Any:
        """The body of a GET that succeeds."""
        response = self.get(path)
        assert response.status_code == 200, response.text
        return response.json

    def send(self, method: str, path: str, body: object = None, *, key: str | None = KEY) -> TestResponse:
        """A request that changes something, with `body` as JSON if there is one."""
        return self.browser().open(path, method=method, json=body, headers=_headers(key))

    def changed(self, method: str, path: str, body: object = None, status: int = 200) -> Any:
        """The body of a change that succeeds."""
        response = self.send(method, path, body)
        assert response.status_code == status, response.text
        return response.json

    def call(self, name: object, arguments: object = None, *, key: str | None = KEY) -> TestResponse:
        """Call a bundled tool."""
        body = {"name": name, "arguments": arguments or {}}
        return self.browser().post(CALL, json=body, headers=_headers(key))

    def roll_up(self, now_s: float) -> None:
        """What the elected worker does every ten seconds."""
        recorder = self.app.service.recorder
        engine = make_engine(self.settings)
        ring = SampleRing(self.settings.state_dir / RING_FILE)
        RollUp(recorder, Reader(recorder), ring, engine, self.settings).run(now_s)
        engine.dispose()

    def judge(self, now_s: float, for_s: float = 0.0) -> None:
        """What the elected worker does every five seconds, from that instant on."""
        engine = make_engine(self.settings)
        job = EvaluateAlerts(self.app.service.sources(), engine, self.app.service.recorder.instance)
        for turn in range(int(for_s / TURN_S) + 1):
            job.run(now_s + turn * TURN_S)
        engine.dispose()

    def _has_its_store(self) -> bool:
        try:
            self.app.service.desk().rules.all()
        except UnavailableError:
            return False
        return True


def _headers(key: str | None) -> dict[str, str]:
    return {} if key is None else {"X-API-Key": key}


def problem(response: TestResponse, status: int, code: str | None = None) -> str:
    """Check that the answer is a problem (RFC 9457) with our extra members, and give its detail."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    body = response.json
    assert body is not None
    assert set(body) == {"type", "title", "status", "detail", "code", "success"}
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert body["success"] is False
    assert all(isinstance(body[member], str) and body[member] for member in ("title", "detail", "code"))
    assert code in (None, body["code"])
    return str(body["detail"])
