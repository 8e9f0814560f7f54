"""`make parts`: a page with every part in every state on http://127.0.0.1:8001/dashboard/parts, or PORT.

It is made of the product's own templates, styles and scripts over the stand-ins that the panels' tests use,
so a macro that is changed shows here at once, and a new panel is here without being named. It serves
development only and is no part of what is installed.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from tempfile import mkdtemp
from typing import NoReturn

from flask import Flask, Response, abort, request
from jinja2 import ChoiceLoader, FileSystemLoader

import app
from app.desk import Desk
from app.errors import UnavailableError
from app.model.alerting import SEVERITIES
from app.model.formats import Delta
from app.panels.look import Look
from app.panels.registry import PAGES, Page, Panel
from app.panels.sparks import spark
from app.web import alert_pages, auth, pages, problems, settings_page
from app.web.asked import asked
from app.web.shelf import Shelf
from app.web.shell import page, shell
from tests.panels import fake

ROOT = Path(app.__file__).parent
HERE = Path(__file__).parent
_TOOL = "run_query"

DELTAS = (
    Delta("9 % more", "than the hour before (367)", way="up"),
    Delta("41 % slower", "than the hour before (484)", "worse", "up"),
    Delta("18 % faster", "than the hour before (606)", "better", "fall"),
    Delta("As before", "(99.70)"),
    Delta("No data before", at_s=fake.NOW_S),
    Delta("", "No request in the last hour"),
)
_COURSE = [30 + 9 * ((place * 7) % 5) for place in range(40)]
SPARKS = (
    ("a course", spark(_COURSE)),
    ("with the time before", spark(_COURSE, [value * 0.8 for value in _COURSE])),
    ("with its limit", spark(_COURSE, limit=60.0)),
    ("with a gap", spark([*_COURSE[:12], *[None] * 9, *_COURSE[21:]])),
    ("thin data", spark(_COURSE[:7], thin=True)),
    ("nothing", spark([])),
)


def create() -> Flask:
    """The pages over stand-ins, and the page of all parts."""
    web = Flask("laptime", root_path=str(ROOT), static_folder=None)
    web.jinja_env.loader = ChoiceLoader([FileSystemLoader(ROOT / "templates"), FileSystemLoader(HERE)])
    web.jinja_env.globals["csrf_token"] = str

    def sources() -> fake.FakeSources:
        return _variant(request.args.get("state", "troubled"))

    shelf = Shelf(Path(mkdtemp()))
    web.register_blueprint(
        pages.blueprint(sources, "Stand-ins: nothing is measured", shelf), url_prefix="/dashboard"
    )
    web.register_blueprint(alert_pages.blueprint(sources, _nobody), url_prefix="/dashboard/alerts")
    web.register_blueprint(settings_page.blueprint(sources, _nobody, {}), url_prefix="/dashboard/settings")
    web.register_blueprint(auth.blueprint, url_prefix="/dashboard")
    problems.register(web, pages="/dashboard")

    @web.get("/dashboard/parts")
    def parts() -> Response:
        """Marks and figures, then every panel in every state; `panel` names one of them alone."""
        chosen = request.args.get("panel", "")
        found = [(of, panel) for of in PAGES for panel in of.panels if chosen in ("", panel.slug)]
        if not found:
            abort(404)
        shown = [
            (panel, [(state, _fragment(panel, of, state)) for state in fake.VARIANTS]) for of, panel in found
        ]
        surroundings = shell("Overview", fake.ALERTS, is_exact=False)
        return page(
            "parts.html", shell=surroundings, shown=shown, severities=("ok", *SEVERITIES, "unknown"),
            deltas=DELTAS, sparks=SPARKS, at_s=fake.NOW_S, styles=[of.style for of in PAGES if of.style],
        )  # fmt: skip

    return web


def _fragment(panel: Panel, of: Page, state: str) -> str:
    look = Look(_variant(state))
    return pages.fragment(panel, asked(of, look, fake.NOW_S), look, {"tool": _TOOL})


def _variant(state: str) -> fake.FakeSources:
    if state not in fake.VARIANTS:
        abort(404)
    return fake.VARIANTS[state]()


def _nobody() -> Desk:
    raise UnavailableError("stand-ins have no desk")


def main() -> NoReturn:
    """Serve until interrupted; the time stands still, as the stand-ins' does."""
    time.time = lambda: fake.NOW_S
    create().run("127.0.0.1", int(os.environ.get("PORT", "8001")), threaded=True)
    raise SystemExit


if __name__ == "__main__":
    main()
