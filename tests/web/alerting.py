"""A started service with alerts, channels and notices in its store, for the tests of the alerts' pages."""

from __future__ import annotations

import re
import secrets
import time
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from werkzeug.test import TestResponse

from app.model.channels import Channel
from app.store import alerts, channels, make_engine, notices, writing
from app.store.alerting_schema import notice_events
from tests.front_door import KEY, Browser, Front

HTMX = {"HX-Request": "true"}
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Desk:
    """The service, and a browser that is signed in."""

    def __init__(self, folder: Path) -> None:
        self.front = Front(folder)
        self.front.judge(time.time())  # makes the default rules
        self.desk = self.front.app.service.desk()
        self.browser: Browser = self.front.browser()
        assert self.browser.post("/dashboard/signin", data={"key": KEY}).status_code == 303
        self.engine = make_engine(self.front.settings)

    def get(self, path: str = "", status: int = 200, **headers: str) -> str:
        """A page below /dashboard/alerts as the signed-in browser gets it."""
        response = self.browser.get(f"/dashboard/alerts{path}", headers={"Accept": "text/html", **headers})
        assert response.status_code == status, response.text
        return response.text

    def part(self, path: str = "") -> str:
        """The live part of a page."""
        return self.browser.get(f"/dashboard/alerts{path}", headers=HTMX).text

    def token(self) -> str:
        """What a form of this session carries."""
        found = _TOKEN.search(self.get("/channels"))
        assert found
        return found[1]

    def post(self, path: str, status: int = 303, **fields: Any) -> TestResponse:
        """Send a form."""
        response = self.browser.post(
            f"/dashboard/alerts{path}",
            data={"csrf_token": self.token(), **fields},
            headers={"Accept": "text/html"},
        )
        assert response.status_code == status, response.text
        return response

    def alert(self, **members: Any) -> int:
        """An alert as the judge would have opened it; its id."""
        defaults: dict[str, Any] = {
            "type": "low_success_rate", "tool": "run_query", "severity": "error", "value": 30.6,
            "message": "Low success rate: 30.6%", "threshold": 90.0, "opened_s": time.time() - 720,
            "peak": 29.7, "peak_severity": "error", "requests": 380, "failures": 264,
        }  # fmt: skip
        with writing(self.engine) as connection:
            return alerts.open_alert(connection, defaults | members)

    def channel(self, name: str = "mail", **members: Any) -> int:
        """A channel; its id. `source` makes it one of the environment."""
        source = members.pop("source", "")
        address = {"service": "E-mail", "shown": "mailtos://smtp.example.com", "source": source}
        with writing(self.engine) as connection:
            return channels.add(connection, Channel(name=name, **members), address)

    def notice(self, channel_id: int, alert_id: int, state: str, detail: str = "") -> str:
        """A notice about an alert that has fared like that; its key."""
        now_s, key = time.time(), secrets.token_hex(8)
        with writing(self.engine) as connection:
            made = notices.add(connection, channel_id, notices.ALERTS, "error", now_s - 30, key)
            told = {"alert_id": alert_id, "event": "firing", "severity": "error", "value": 1.0}
            connection.execute(insert(notice_events).values(notice_id=made.id, at_s=now_s, **told))
            if state != notices.WAITING:
                begun = notices.begin(connection, made, now_s - 20, 10)
                assert begun is not None
                notices.finish(connection, made, begun, 0.2, detail, state=state, now_s=now_s)
        return key
