"""Which instances share the store, and which of them have stopped reporting."""

from __future__ import annotations

from ..fleet import GONE_S
from ..model import formats
from ..sources import Sources
from .answers import Instance, instant

DAY_S = 86_400.0
_HOUR_S = 3600.0


def instances_answer(sources: Sources, now_s: float) -> list[Instance]:
    """Those that have reported in the last day, by name."""
    return [
        Instance(
            name=one.instance,
            status="gone" if now_s - one.rolled_up_s > GONE_S else "reporting",
            start_time=instant(one.started_s),
            last_reported=instant(one.rolled_up_s),
        )
        for one in sources.instances(now_s - DAY_S)
    ]


def instances_sentence(sources: Sources, now_s: float) -> str:
    """The same of the last hour in words; empty where there is one alone and always was."""
    known = sources.instances(now_s - _HOUR_S)
    if len(known) < 2:
        return ""
    gone = [one for one in known if now_s - one.rolled_up_s > GONE_S]
    here = [formats.shorten(one.instance, _NAME) for one in known if one not in gone]
    said = f"{formats.plural(len(here), 'instance')} {'reports' if len(here) == 1 else 'report'}: "
    said += f"{_listed(here)}."
    for one in gone[:_NAMED]:
        ago = formats.duration(now_s - one.rolled_up_s)
        said += f" {formats.shorten(one.instance, _NAME)} is gone: it reported last {ago} ago."
    if len(gone) > _NAMED:
        said += f" {len(gone) - _NAMED} more are gone."
    return said


_NAME, _NAMED = 28, 5


def _listed(names: list[str]) -> str:
    if len(names) > _NAMED:
        return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    return ", ".join(names) or "none"
