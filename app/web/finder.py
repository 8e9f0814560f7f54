"""`/dashboard/find`: from a few letters to a tool: a list for the box on top, a page where no script runs."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import Blueprint, Response, render_template, request

from ..errors import BadRequestError
from ..panels.found import LONGEST, found
from ..panels.look import Look
from ..panels.registry import OVERVIEW
from ..sources import Sources
from .asked import asked
from .shell import html, page, shell


def add(pages: Blueprint, sources_of: Callable[[], Sources]) -> None:
    """Add the finder's address to the dashboard's pages."""

    @pages.get("/find")
    def find() -> Response:
        """The tools whose names hold `q`."""
        letters = request.args.get("q", "")
        if len(letters) > LONGEST:
            raise BadRequestError(f"q is {len(letters)} characters long; allowed is {LONGEST}")
        look = Look(sources_of())
        ask = asked(OVERVIEW, look, time.time())
        view = found(ask.window, look, letters)
        if request.headers.get("HX-Request"):
            return html(render_template("parts/found.html", found=view, ask=ask))
        surroundings = shell("Overview", look.alerts(), is_exact=False)
        return page("find.html", shell=surroundings, found=view, ask=ask)
