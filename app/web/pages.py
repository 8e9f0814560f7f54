"""`/dashboard`: the pages that people read. A page is a list of panels; a fragment is one of them.

A panel's dataclass becomes its template's context. What an address asks for, and the addresses that the
templates link to, are `asked`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
from flask import Blueprint, Response, render_template, request
from flask_htmx import HTMX  # type: ignore[import-untyped]
from markupsafe import Markup

from ..panels.look import Look
from ..panels.registry import PAGES, Page, Panel, page_of
from ..settings import VERSION
from ..sources import Sources
from . import files, finder, static_files
from .asked import Asked, asked, options
from .shelf import Shelf
from .shell import html, page, shell

# Just less than the shortest interval of refreshing, so that who looks alone always sees what is new.
_FRESH_S = 4.5


def blueprint(sources_of: Callable[[], Sources], banner: str, shelf: Shelf) -> Blueprint:
    """The pages made of panels, their fragments and their files; `sources_of` is called once a request.

    `banner` is a line on top of every page, empty for none.
    """
    pages = Blueprint("pages", __name__)
    htmx = HTMX()
    pages.record_once(lambda state: htmx.init_app(state.app))
    pages.app_context_processor(lambda: {"version": VERSION, "banner": banner})
    pages.add_app_template_filter(instant, "instant")
    pages.add_app_template_filter(clock, "clock")
    pages.add_app_template_filter(minute, "minute")
    pages.add_app_template_filter(to_json, "to_json")

    for one in PAGES:
        view = partial(_whole, one, sources_of, shelf)
        if one.path == "/":  # first, because addresses are made of the first that fits
            pages.add_url_rule("", one.slug, view)
        pages.add_url_rule(one.path, one.slug, view)

    finder.add(pages, sources_of)
    files.add(pages, sources_of)
    static_files.add(pages)

    @pages.get("/panels/<slug>")
    def panel(slug: str) -> Response:
        """One panel: its fragment for htmx, a page of its own for everybody else."""
        chosen, its_page = page_of(slug)
        if not htmx:
            return _page(its_page, (chosen,), sources_of(), shelf)
        now_s = time.time()
        lent = shelf.get(_key(chosen), now_s, _FRESH_S, lambda: _made(chosen, its_page, sources_of(), now_s))
        response = html(lent.text)
        response.headers["Age"] = str(max(0, round(now_s - lent.made_s)))
        return response

    return pages


def instant(at_s: float) -> str:
    """ISO 8601 in UTC for a `datetime` attribute, of Unix seconds; to the second."""
    return datetime.fromtimestamp(int(at_s), UTC).isoformat().replace("+00:00", "Z")


def clock(at_s: float, days: bool = False) -> str:
    """The time of day in UTC, with its day if asked; a script turns it into the reader's own."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%-d %b %H:%M" if days else "%H:%M")


def minute(at_s: float) -> str:
    """UTC to the minute, as a form's field for dates and times takes it."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M")


def to_json(value: object) -> str:
    """A dataclass as compact JSON; the template escapes it into its attribute."""
    return msgspec.json.encode(value).decode()


def _whole(of: Page, sources_of: Callable[[], Sources], shelf: Shelf) -> Response:
    return _page(of, of.panels, sources_of(), shelf)


def _page(of: Page, panels: tuple[Panel, ...], sources: Sources, shelf: Shelf) -> Response:
    """A whole page is always of now, and lends its panels to others."""
    look, now_s = Look(sources), time.time()
    ask = asked(of, look, now_s)
    shown = [(one, shelf.put(_key(one), now_s, fragment(one, ask, look))) for one in panels]
    return page(
        "page.html",
        shell=shell(of.within or of.title, look.alerts(), is_exact=not of.within and panels == of.panels),
        title=of.title if panels == of.panels else panels[0].title,
        panels=[(one, Markup(lent.text)) for one, lent in shown],  # noqa: S704 - rendered
        ask=ask,
        style=of.style,
    )


def _made(panel: Panel, of: Page, sources: Sources, now_s: float) -> str:
    look = Look(sources)
    return fragment(panel, asked(of, look, now_s), look)


def fragment(panel: Panel, ask: Asked, sources: Sources, choices: Mapping[str, str] | None = None) -> str:
    """A panel's HTML, with the options that the query names, or with these `choices` of those it has."""
    chosen = options(panel) if choices is None else {n: v for n, v in choices.items() if n in panel.options}
    view: Any = panel.show(ask.window, sources, ask.now_s, **chosen)
    context = {one.name: getattr(view, one.name) for one in fields(view)}
    return render_template(panel.template, panel=panel, ask=ask, at_s=ask.now_s, **context)


def _key(panel: Panel) -> str:
    """What tells one fragment from another: everything that was asked, and where its links lead."""
    query = sorted((name, value) for name, value in request.args.items())
    return repr((panel.slug, request.host_url, query))
