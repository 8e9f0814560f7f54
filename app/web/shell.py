"""What stands around every page: where one can go, and how many alerts are active."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, render_template

from ..model.alerting import Alert

# What stands for a row in an address: no more than the store's numbers go up to.
MOST_ID = 2**31 - 1
ID = f"<int(max={MOST_ID}):id>"


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation: its name, its endpoint, its glyph, and the key that goes there after "g".

    `has_time`: it shows a window of time, so the one that was chosen goes along.
    """

    name: str
    endpoint: str
    glyph: str
    key: str
    has_time: bool = False


# In the order that they stand; a page is one row here.
PLACES = (
    Place("Overview", "pages.overview", "grid", "o", has_time=True),
    Place("System", "pages.system", "server", "s", has_time=True),
    Place("Alerts", "alerts.active", "bell", "a"),
    Place("Settings", "settings.page", "gear", "e"),
)


@dataclass(frozen=True, slots=True)
class Shell:
    """The navigation of a page that is `here`; `is_exact`: it is that page, and not one below it."""

    here: str
    active: int
    is_exact: bool = True
    places: tuple[Place, ...] = PLACES


def shell(here: str, alerts: Sequence[Alert], *, is_exact: bool = True) -> Shell:
    """What stands around a page."""
    return Shell(here, len(alerts), is_exact)


def html(text: str, status: int = 200) -> Response:
    """A page or a fragment: never kept, and not the same for htmx as for everybody else."""
    response = Response(text, status, mimetype="text/html")
    response.cache_control.no_store = True
    response.vary.add("HX-Request")
    return response


def page(template: str, status: int = 200, **context: object) -> Response:
    """A rendered template."""
    return html(render_template(template, **context), status)
