"""`GET /health`: liveness for a platform's health check. No key, and never the database."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from flask import Blueprint, Response

from ..settings import VERSION

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> Response:
    """This worker answers; that is all it says."""
    body = {"status": "healthy", "version": VERSION, "timestamp": datetime.now(UTC).isoformat()}
    response = Response(msgspec.json.encode(body), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
