"""What a page's address asks for: the span of time, what it is compared with, and the panels' options.

All that is seen is in the address, so a link shows another reader the same. Every address that the templates
link to is made here: it keeps what was asked, but for what it changes, and leaves out what is the default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from ..errors import BadRequestError
from ..model import comparing, formats
from ..model.windows import NAMED, Window, between, kept, named
from ..panels.registry import Page, Panel
from ..sources import Sources

DEFAULT_WINDOW, YOUNG_WINDOW = "1h", "15m"
_TIME = ("window", "from", "to")
ZONES = ("local", "utc")
_YOUNG_S = 900
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """What one address asks for. `time` is how it names the window, `zone` one of ZONES or empty."""

    page: Page
    window: Window
    now_s: float
    time: dict[str, str]
    zone: str
    compare: str

    @property
    def windows(self) -> tuple[str, ...]:
        return tuple(NAMED)

    @property
    def comparisons(self) -> dict[str, str]:
        """By value, what the window may be compared with, in words."""
        offered = {by: comparing.short(self.window, by) for by in comparing.BY}
        lengths = {"day": 86_400, "week": 604_800}
        same = [by for by, span_s in lengths.items() if self.window.end_s - self.window.start_s == span_s]
        return {by: words for by, words in offered.items() if by not in same or by == self.compare}

    @property
    def length(self) -> str:
        return formats.length(self.window.name)

    @property
    def fields(self) -> dict[str, str]:
        """What a form carries along so that its answer is of the same time, compared alike."""
        keep = {"compare": self.compare} if self.compare != comparing.BY[0] else {}
        return {**self._times({}), **keep}

    @property
    def others(self) -> dict[str, str]:
        """What else was asked of the page's panels."""
        query = self._query(self.page.panels, {})
        return {name: value for name, value in query.items() if name not in (*_TIME, "zone", "compare")}

    def link(self, anchor: str = "", **changes: str) -> str:
        """This page's address, but for `changes`; another window lets go of the one that was asked."""
        query = self._query(self.page.panels, changes)
        return url_for(f"pages.{self.page.slug}", _anchor=anchor or None, **query)

    def to(self, endpoint: str, **others: str) -> str:
        """Another page, or a file, for the same time."""
        query: dict[str, Any] = {**self.fields, **others}
        return url_for(endpoint, **query)

    def refresh(self, panel: Panel, **changes: str) -> str:
        """The address of a panel's fragment with all that was asked of it, but for `changes`."""
        return url_for("pages.panel", slug=panel.slug, **self._query((panel,), changes))

    def region(self, panel: Panel) -> str:
        """The same without what controls in the panel itself may change: they are sent along."""
        query = self._query((panel,), {})
        local = {name for name, option in panel.options.items() if not option.of_page}
        kept_ = {name: value for name, value in query.items() if name not in local}
        return url_for("pages.panel", slug=panel.slug, **kept_)

    def _times(self, changes: dict[str, str]) -> dict[str, str]:
        times = dict(self.time)
        if changes.keys() & set(_TIME):
            times = {}
        return times | ({"zone": self.zone} if self.zone else {})

    def _query(self, panels: Iterable[Panel], changes: dict[str, str]) -> dict[str, Any]:
        defaults = {name: option.default for panel in panels for name, option in panel.options.items()}
        asked = {name: request.args[name] for name in defaults if name in request.args}
        query = {**self._times(changes), **asked, **changes}
        return {name: value for name, value in query.items() if value != defaults.get(name, "")}


def asked(page: Page, sources: Sources, now_s: float) -> Asked:
    """Raises BadRequestError for what cannot be shown."""
    times = {name: request.args[name] for name in _TIME if name in request.args}
    if not times.get("to"):  # a form's empty field: until now
        times.pop("to", None)
    zone = request.args.get("zone", "")
    if zone and zone not in ZONES:
        raise BadRequestError(f"zone is {zone[:40]!r}; allowed is {', '.join(ZONES)}")
    compare = request.args.get("compare", comparing.BY[0])
    if compare not in comparing.BY:
        raise BadRequestError(f"compare is {compare[:40]!r}; allowed is {', '.join(comparing.BY)}")
    window = _window(times, sources, now_s)
    return Asked(page, window, now_s, times or {"window": window.name}, zone, compare)


def options(panel: Panel) -> dict[str, str]:
    """What the query asks of a panel. Raises BadRequestError."""
    return {name: one.check(request.args.get(name, one.default)) for name, one in panel.options.items()}


def _window(times: dict[str, str], sources: Sources, now_s: float) -> Window:
    """Without a name it is an hour; of one of which a young service fills but a sliver, the end."""
    keep_s = kept(sources.settings)
    if "from" in times:
        if "window" in times:
            raise BadRequestError("window and from/to exclude each other; send one of the two")
        start, end = (_instant(times.get(name, "")) for name in ("from", "to"))
        window = between(start, end, now_s, keep_s)
        if window.start_s >= now_s:
            raise BadRequestError(f"from ({start}) lies ahead")
        return window
    if "to" in times:
        raise BadRequestError("to needs a from")
    if "window" in times:
        return named(times["window"], now_s, keep_s)
    window = named(DEFAULT_WINDOW, now_s, keep_s)
    if now_s - sources.snapshot().started_s < _YOUNG_S:
        points = zip(window.starts(), sources.traffic(window).points, strict=True)
        if not any(point for start_s, point in points if start_s < now_s - _YOUNG_S):
            return named(YOUNG_WINDOW, now_s, keep_s)
    return window


def _instant(text: str) -> str:
    """An instant as a browser's form sends it: without an offset it is UTC."""
    if len(text) > _LONGEST:
        raise BadRequestError(f"an instant has {len(text)} characters; allowed are {_LONGEST}")
    return f"{text}+00:00" if re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?", text) else text
