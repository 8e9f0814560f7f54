"""`/dashboard`: the pages that people read. A page is a list of panels; a fragment is one of them.

The window and the panels' options come from the query, a panel's dataclass becomes its template's
context, and every address that the templates link to is made here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from flask import Blueprint, Response, render_template, request, send_from_directory, url_for
from flask_htmx import HTMX  # type: ignore[import-untyped]
from markupsafe import Markup

from ..model.windows import NAMED, Window, kept, named
from ..panels.look import Look
from ..panels.registry import PANELS, Panel, by_slug
from ..settings import VERSION
from ..sources import Sources
from .shell import html, page, shell

STATIC = Path(__file__).parents[1] / "static"
DEFAULT_WINDOW, YOUNG_WINDOW = "1h", "15m"
_YOUNG_S = 900
_YEAR_S = 31_536_000
_VERSION_DIGITS = 12


def blueprint(sources_of: Callable[[], Sources], banner: str) -> Blueprint:
    """The overview, the panels' fragments and the static files; `sources_of` is called once a request.

    `banner` is a line on top of every page, empty for none.
    """
    pages = Blueprint("pages", __name__)
    htmx = HTMX()
    pages.record_once(lambda state: htmx.init_app(state.app))
    pages.add_app_template_global(static_url, "static_url")
    pages.app_context_processor(lambda: {"version": VERSION, "banner": banner})
    pages.add_app_template_filter(instant, "instant")
    pages.add_app_template_filter(clock, "clock")
    pages.add_app_template_filter(to_json, "to_json")

    @pages.get("/")
    @pages.get("")
    def overview() -> Response:
        """All panels in the order that they are read."""
        return _page(PANELS, sources_of())

    @pages.get("/panels/<slug>")
    def panel(slug: str) -> Response:
        """One panel: its fragment for htmx, a page of its own for everybody else."""
        chosen = by_slug(slug)
        if not htmx:
            return _page((chosen,), sources_of())
        look, now_s = Look(sources_of()), time.time()
        return html(_fragment(chosen, _window(look, now_s), look, now_s))

    @pages.get("/static/<path:filename>")
    def static(filename: str) -> Response:
        """A static file; with the version of its content in the address it may be kept for a year."""
        response = send_from_directory(STATIC, filename)
        if request.args.get("v") == _versions().get(filename, ""):
            response.cache_control.public, response.cache_control.no_cache = True, None
            response.cache_control.max_age, response.cache_control.immutable = _YEAR_S, True
        return response

    return pages


def static_url(filename: str) -> str:
    """The address of a static file, which changes with its content."""
    return url_for("pages.static", filename=filename, v=_versions()[filename])


def instant(at_s: float) -> str:
    """ISO 8601 in UTC for a `datetime` attribute, of Unix seconds; to the second."""
    return datetime.fromtimestamp(int(at_s), UTC).isoformat().replace("+00:00", "Z")


def clock(at_s: float, days: bool = False) -> str:
    """The time of day in UTC, with its day if asked; a script turns it into the reader's own."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%-d %b %H:%M" if days else "%H:%M")


def to_json(value: object) -> str:
    """A dataclass as compact JSON; the template escapes it into its attribute."""
    return msgspec.json.encode(value).decode()


def _page(panels: Iterable[Panel], sources: Sources) -> Response:
    look, now_s = Look(sources), time.time()
    window = _window(look, now_s)
    shown = [(panel, Markup(_fragment(panel, window, look, now_s))) for panel in panels]  # noqa: S704 - rendered
    link = partial(_link, window=window.name)
    return page(
        "overview.html",
        shell=shell("Overview", look.alerts()),
        panels=shown,
        window=window.name,
        windows=tuple(NAMED),
        link=link,
    )


def _fragment(panel: Panel, window: Window, sources: Sources, now_s: float) -> str:
    options = {
        name: option.check(request.args.get(name, option.default)) for name, option in panel.options.items()
    }
    view: Any = panel.show(window, sources, now_s, **options)
    context = {one.name: getattr(view, one.name) for one in fields(view)}
    return render_template(
        panel.template,
        panel=panel,
        at_s=now_s,
        link=partial(_link, window=window.name),
        refresh=partial(_refresh, window=window.name),
        window_name=window.name,
        **context,
    )


def _window(sources: Sources, now_s: float) -> Window:
    """The window that the query names; without one, an hour, of which a young service would fill a sliver.

    Raises BadRequestError for an unknown one.
    """
    name = request.args.get("window")
    if name is None:
        is_young = now_s - sources.snapshot().started_s < _YOUNG_S
        name = YOUNG_WINDOW if is_young else DEFAULT_WINDOW
    return named(name, now_s, kept(sources.settings))


def _link(anchor: str = "", **changes: str) -> str:
    """The overview's address as it is now, but for `changes`; what is the default is left out."""
    return url_for("pages.overview", _anchor=anchor or None, **_query(PANELS, changes))


def _refresh(panel: Panel, **changes: str) -> str:
    """The address of a panel's fragment with the same window and options, but for `changes`."""
    return url_for("pages.panel", slug=panel.slug, **_query((panel,), changes))


def _query(panels: Iterable[Panel], changes: dict[str, str]) -> dict[str, Any]:
    defaults = {name: option.default for panel in panels for name, option in panel.options.items()}
    asked = {name: request.args[name] for name in defaults if name in request.args} | changes
    return {name: value for name, value in asked.items() if value != defaults.get(name)}


@cache
def _versions() -> dict[str, str]:
    """The start of each static file's SHA-256, by its name below STATIC."""
    return {
        path.relative_to(STATIC).as_posix(): sha256(path.read_bytes()).hexdigest()[:_VERSION_DIGITS]
        for path in sorted(STATIC.rglob("*"))
        if path.is_file()
    }
