"""All panels and the pages made of them, declared once: from here come pages, fragments and tests.

A new panel is a function in the room of its question, a template `panels/<slug>.html` and a row here; a new
page is a row of panels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadRequestError, NotFoundError
from ..model import comparing
from . import tools as tool_table
from .alerts import alerts
from .figures import figures
from .machines import charts as machine_charts
from .machines import fleet
from .machines.endings import endings
from .machines.figures import machine_figures
from .machines.head import machine_head
from .machines.sizing import sizing
from .recent import recent
from .system import system
from .tool.figures import tool_figures
from .tool.head import tool_head
from .tool.heat import heatmap
from .tool.outcomes import outcomes, weights
from .tool.requests import newest, slowest
from .tool.spread import spread
from .tool.watch import tool_watch
from .tools import tools
from .traffic import response_time, throughput
from .verdict import verdict
from .workers import workers


@dataclass(frozen=True, slots=True)
class Option:
    """What a reader may choose of a panel: one of `allowed`, by default the first; else any short text.

    A `needed` one has no default and is not empty. `of_page`: it is the same for all panels of a page,
    and no control of the panel's own changes it.
    """

    name: str
    allowed: tuple[str, ...] = ()
    longest: int = 100
    of_page: bool = False
    needed: bool = False

    @property
    def default(self) -> str:
        return self.allowed[0] if self.allowed else ""

    def check(self, value: str) -> str:
        """`value` if it is allowed, else BadRequestError."""
        if self.needed and not value:
            raise BadRequestError(f"{self.name} is missing")
        if "\0" in value:  # no tool has it, and PostgreSQL takes none
            raise BadRequestError(f"{self.name} is {value[:40]!r}; allowed is text without NUL")
        if self.allowed and value not in self.allowed:
            raise BadRequestError(f"{self.name} is {value!r}; allowed is {', '.join(self.allowed)}")
        if len(value) > self.longest:
            raise BadRequestError(f"{self.name} is {len(value)} characters long; allowed is {self.longest}")
        return value


@dataclass(frozen=True, slots=True)
class Panel:
    """`show(window, sources, now_s, **options)` answers a frozen dataclass: the template's whole context.

    `drawn_as` is the slug of another one whose template is its too. `is_heading`: it brings the page's
    first heading.
    """

    slug: str
    title: str
    show: Callable[..., Any]
    columns: int
    options: Mapping[str, Option] = field(default_factory=dict)
    drawn_as: str = ""
    is_heading: bool = False

    @property
    def template(self) -> str:
        return f"panels/{self.drawn_as or self.slug}.html"

    @property
    def has_controls(self) -> bool:
        """Whether a reader changes options in the panel itself."""
        return not all(option.of_page for option in self.options.values())


@dataclass(frozen=True, slots=True)
class Page:
    """A page is a list of panels, in the order that they are read.

    It stands at `path` below the dashboard's prefix. `style` is a style sheet of its own, below
    `static/`, and `within` the page whose entry in the navigation stands for it, if it has none itself.
    """

    slug: str
    title: str
    path: str
    panels: tuple[Panel, ...]
    style: str = ""
    within: str = ""


def _options(*options: Option) -> dict[str, Option]:
    return {option.name: option for option in options}


_COMPARE = Option("compare", comparing.BY, of_page=True)

TABLE = _options(
    _COMPARE,
    Option("sort", tool_table.SORTS),
    Option("order", tool_table.ORDERS),
    Option("rows", tool_table.ROWS),
    Option("hide"),
    Option("q"),
)

# `columns` of its twelve.
OVERVIEW = Page(
    "overview",
    "Overview",
    "/",
    (
        Panel("verdict", "Verdict", verdict, 12, is_heading=True),
        Panel("figures", "Key figures", figures, 12, _options(_COMPARE)),
        Panel("response_time", "Response time", response_time, 6),
        Panel("throughput", "Requests per minute", throughput, 6),
        Panel("alerts", "Needs attention", alerts, 12, _options(_COMPARE)),
        Panel("tools", "Tools", tools, 12, TABLE),
        Panel("system", "System", system, 4),
        Panel("workers", "Workers", workers, 4),
        Panel("recent", "Recent alerts", recent, 4),
    ),
)  # fmt: skip
_TOOL = Option("tool", longest=1000, of_page=True, needed=True)
_OF_TOOL, _COMPARED = _options(_TOOL), _options(_TOOL, _COMPARE)
TOOL = Page(
    "tool",
    "Tool",
    "/tool",
    (
        Panel("tool_head", "Tool", tool_head, 12, _OF_TOOL, is_heading=True),
        Panel("tool_figures", "Key figures", tool_figures, 12, _COMPARED, "figures"),
        Panel("heatmap", "Latency heatmap", heatmap, 12, _OF_TOOL),
        Panel("tool_response_time", "Response time", response_time, 6, _OF_TOOL, "response_time"),
        Panel("spread", "Spread", spread, 6, _COMPARED),
        Panel("tool_throughput", "Requests per minute", throughput, 6, _OF_TOOL, "throughput"),
        Panel("outcomes", "Outcomes", outcomes, 6, _COMPARED),
        Panel("tool_watch", "Rules and alerts", tool_watch, 6, _OF_TOOL),
        Panel("weights", "Time and size", weights, 6, _OF_TOOL),
        Panel("slowest", "Slowest requests", slowest, 6, _OF_TOOL),
        Panel("newest", "Newest requests", newest, 6, _OF_TOOL),
    ),
    style="tool.css",
    within="Overview",
)
SYSTEM = Page(
    "system",
    "System",
    "/system",
    (
        Panel("machine_head", "The machine", machine_head, 12, drawn_as="verdict", is_heading=True),
        Panel("machine_figures", "Key figures", machine_figures, 12, _options(_COMPARE), "figures"),
        Panel("memory", "Memory", machine_charts.memory, 6, _options(_COMPARE), "course"),
        Panel("cpu", "CPU", machine_charts.cpu, 6, _options(_COMPARE), "course"),
        Panel("sizing", "Workers needed", sizing, 4),
        Panel("at_work", "Requests at work", machine_charts.at_work, 4, drawn_as="course"),
        Panel("queue", "Queue time", machine_charts.queue, 4, drawn_as="course"),
        Panel("all_workers", "Workers", fleet.all_workers, 12),
        Panel("endings", "Ended workers", endings, 7),
        Panel("truth", "Whose limits count", fleet.truth, 5),
        Panel("instances", "Instances", fleet.instances, 12),
        Panel("network", "Network", machine_charts.network, 6, drawn_as="course"),
        Panel("disks", "Disks", machine_charts.disks, 6, drawn_as="course"),
        Panel("own_cost", "What Laptime itself costs", fleet.own_cost, 12),
    ),
    style="system.css",
)
PAGES = (OVERVIEW, TOOL, SYSTEM)
PANELS = tuple(panel for page in PAGES for panel in page.panels)
_BY_SLUG = {panel.slug: (panel, page) for page in PAGES for panel in page.panels}


def page_of(slug: str) -> tuple[Panel, Page]:
    """The panel of that slug and the page that it is on. Raises NotFoundError."""
    if slug not in _BY_SLUG:
        raise NotFoundError(f"there is no panel {slug!r}; there are {', '.join(_BY_SLUG)}")
    return _BY_SLUG[slug]
