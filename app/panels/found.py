"""Which tool is meant: the names that hold some letters, for the box that finds a tool."""

from __future__ import annotations

from dataclasses import dataclass

from ..model import formats
from ..model.windows import Window
from ..sources import Sources

MOST = 10
LONGEST = 100


@dataclass(frozen=True, slots=True)
class Hit:
    """A tool's name, and how often it was called in the window."""

    name: str
    requests: str


@dataclass(frozen=True, slots=True)
class Found:
    """The first hits of `count`, for what was `asked`; `length` is the window in words."""

    hits: tuple[Hit, ...]
    count: int
    asked: str
    length: str


def found(window: Window, sources: Sources, asked: str) -> Found:
    """Names that begin with it first, then busiest first; without letters, the busiest."""
    requests = dict.fromkeys(sources.snapshot().tools, 0)
    requests |= {name: series.requests for name, series in sources.traffic(window).tools.items()}
    part = asked.strip().lower()
    names = [name for name in requests if part in name.lower()]
    names.sort(key=lambda name: (not name.lower().startswith(part), -requests[name], name))
    hits = tuple(Hit(name, formats.count(requests[name])) for name in names[:MOST])
    return Found(hits, len(names), asked, formats.length(window.name))
