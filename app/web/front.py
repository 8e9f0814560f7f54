"""The addresses at the root of the bundled server: the way to the dashboard, and the icon."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from .static_files import static_url

blueprint = Blueprint("front", __name__)


@blueprint.get("/")
def index() -> Response:
    """Whoever opens the bare address wants the dashboard."""
    return redirect(url_for("pages.overview"), 303)


@blueprint.get("/favicon.ico")
def icon() -> Response:
    """Browsers ask for it here when they show JSON."""
    return redirect(static_url("favicon.svg"), 302)
