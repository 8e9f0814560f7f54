"""Which tool it is, what is wrong with it now, and what can be done about it; or that it was not called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...model import formats
from ...model.alerting import Alert
from ...model.series import Series
from ...model.silencing import covering
from ...model.windows import NAMED, Window, kept, named
from ...sources import Sources
from ..alerting import words
from ..alerting.stages import Stage, stage_of

_LONGEST = 160


@dataclass(frozen=True, slots=True)
class Trouble:
    """The worst active alert of the tool: what it says, and the silence or person that it waits for."""

    id: int
    severity: str
    stage: Stage
    what: str
    why: str
    since_s: float
    lasted: str
    others: int


@dataclass(frozen=True, slots=True)
class Head:
    """`name` is the tool as it is asked for, `shown` as a heading can show it.

    `state` is empty where it was called in the window; else "quiet" for one that was called before,
    "unseen" for one that never was, and "away" where nobody can tell. A quiet one was last called at
    `last_s` (about: that is the start of a day or two), which the window `longer` reaches ("" for none does).
    `is_nameable`: silences and rules can mean it by its name. `from_s` and `to_s` are the window's.
    """

    name: str
    shown: str
    trouble: Trouble | None
    state: str
    length: str
    last_s: float | None
    is_about: bool
    longer: str
    is_nameable: bool
    from_s: float
    to_s: float


def tool_head(window: Window, sources: Sources, now_s: float, *, tool: str) -> Head:
    """The heading of a tool's page."""
    traffic = sources.traffic(window)
    is_called = tool in traffic.tools and traffic.tools[tool].requests > 0
    last_s, is_about = (None, False) if is_called else _last(sources, tool, now_s)
    state = "" if is_called else "quiet" if last_s else "unseen" if traffic.is_whole else "away"
    return Head(
        name=tool,
        shown=formats.shorten(tool, _LONGEST),
        trouble=_trouble([one for one in sources.alerts() if one.tool == tool], sources, now_s),
        state=state,
        length=formats.length(window.name),
        last_s=last_s,
        is_about=is_about,
        longer=_reaching(last_s, now_s) if last_s else "",
        is_nameable=_is_nameable(tool),
        from_s=window.start_s,
        to_s=window.end_s,
    )


def _last(sources: Sources, tool: str, now_s: float) -> tuple[float | None, bool]:
    """When it was called last, and whether that is only about so."""
    known = sources.snapshot().tools.get(tool)
    if known is not None and known.recent:
        return known.recent[0].at_s, False
    year = named("1y", now_s, kept(sources.settings))
    points: Sequence[Series | None] = sources.courses(year, [tool])[tool]
    there = [
        at_s for at_s, one in zip(year.starts(), points, strict=True) if one is not None and one.requests
    ]
    return (float(there[-1]) if there else None), True


def _reaching(at_s: float, now_s: float) -> str:
    return next((name for name, (length_s, _, _) in NAMED.items() if now_s - length_s <= at_s), "")


def _trouble(active: Sequence[Alert], sources: Sources, now_s: float) -> Trouble | None:
    """The worst of those that ask for something, or of all if none does."""
    silences = sources.silences()
    staged = [
        (one, stage_of(one, covering(silences, one.type, one.tool, one.severity, now_s))) for one in active
    ]
    staged.sort(key=lambda pair: pair[1].is_quiet)
    if not staged:
        return None
    alert, stage = staged[0]
    rule = next((one.rule for one in sources.rules() if one.type == alert.type), None)
    title = words.title(alert, rule)
    return Trouble(
        id=alert.id,
        severity=alert.severity,
        stage=stage,
        what=words.raised(title.what),
        why=words.sentence(alert, rule),
        since_s=alert.since_s,
        lasted=formats.duration(now_s - alert.since_s),
        others=len(staged) - 1,
    )


def _is_nameable(tool: str) -> bool:
    """Whether a line of patterns can mean this tool alone: no blank around it, no `!` before it, no `*`."""
    is_line = tool.strip() == tool and len(tool.splitlines()) == 1
    return is_line and not tool.startswith("!") and not tool.endswith("*")
