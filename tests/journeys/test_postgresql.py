"""The same service with its history in PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from tests import postgres

from .load import mixed, send
from .loopback import eventually
from .service import KEY, Service


def test_history_alerts_and_pages_work_from_postgresql(tmp_path: Path, postgres_url: str) -> None:
    url = postgres.new_database(postgres_url)
    env = {"DATABASE_URL": url.replace("postgresql://", "postgres://", 1)}  # as platforms hand it out
    with Service(tmp_path, workers=3, env=env) as service:
        answered = send(service.url, KEY, mixed(300)).total
        assert service.metrics("?window=1h")["overview"]["total_requests"] == answered
    assert not list(service.state.glob("*.sqlite3"))
    with Service(tmp_path, workers=3, env=env) as service:
        eventually(
            lambda: service.metrics("?window=24h")["overview"]["total_requests"] == answered == 300,
            "the former run in the window",
            within_s=25,
        )
        assert service.get("/performance/health").status == 200
        page = service.get("/dashboard/").body.decode()
        assert "analyze_code" in page
