"""All panels, declared once: from this table come the page, the fragments and the tests.

A new panel is a function in the room of its question, a template `panels/<slug>.html` and a row here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadRequestError, NotFoundError
from . import tools as tool_table
from .alerts import alerts
from .figures import figures
from .system import system
from .tools import tools
from .traffic import response_time, throughput
from .verdict import verdict
from .workers import workers


@dataclass(frozen=True, slots=True)
class Option:
    """What a reader may choose of a panel: one of `allowed`, by default the first; else any short text."""

    name: str
    allowed: tuple[str, ...] = ()
    longest: int = 100

    @property
    def default(self) -> str:
        return self.allowed[0] if self.allowed else ""

    def check(self, value: str) -> str:
        """`value` if it is allowed, else BadRequestError."""
        if self.allowed and value not in self.allowed:
            raise BadRequestError(f"{self.name} is {value!r}; allowed is {', '.join(self.allowed)}")
        if len(value) > self.longest:
            raise BadRequestError(f"{self.name} is {len(value)} characters long; allowed is {self.longest}")
        return value


@dataclass(frozen=True, slots=True)
class Panel:
    """`show(window, sources, now_s, **options)` answers a frozen dataclass: the template's whole context."""

    slug: str
    title: str
    show: Callable[..., Any]
    columns: int
    options: Mapping[str, Option] = field(default_factory=dict)

    @property
    def template(self) -> str:
        return f"panels/{self.slug}.html"


def _options(*options: Option) -> dict[str, Option]:
    return {option.name: option for option in options}


# In the order that the overview is read; `columns` of its twelve.
PANELS = (
    Panel("verdict", "Verdict", verdict, 12),
    Panel("figures", "Key figures", figures, 12),
    Panel("response_time", "Response time", response_time, 6),
    Panel("throughput", "Requests per minute", throughput, 6),
    Panel("alerts", "Needs attention", alerts, 12),
    Panel(
        "tools", "Tools", tools, 12,
        _options(Option("sort", tool_table.SORTS), Option("rows", tool_table.ROWS), Option("q")),
    ),
    Panel("system", "System", system, 6),
    Panel("workers", "Workers", workers, 6),
)  # fmt: skip
_BY_SLUG = {panel.slug: panel for panel in PANELS}


def by_slug(slug: str) -> Panel:
    """The panel of that slug. Raises NotFoundError."""
    if slug not in _BY_SLUG:
        raise NotFoundError(f"there is no panel {slug!r}; there are {', '.join(_BY_SLUG)}")
    return _BY_SLUG[slug]
