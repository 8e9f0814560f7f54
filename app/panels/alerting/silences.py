"""The silences: those that stand, those that are planned, and those that are over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...desk import Desk
from ...model import formats
from ...model.silencing import Silence


@dataclass(frozen=True, slots=True)
class Row:
    """A silence in words: `what` it covers, `state` is standing, planned or over; `holds` alerts now."""

    silence: Silence
    what: str
    up_to: str
    state: str
    span: str
    holds: int


@dataclass(frozen=True, slots=True)
class Silences:
    """`standing` has the planned ones too; `rules` are (type, name) to choose from."""

    standing: tuple[Row, ...]
    past: tuple[Row, ...]
    rules: tuple[tuple[str, str], ...]
    summary: str


def silences(desk: Desk, now_s: float) -> Silences:
    """All silences, those that end first first, and the newest of the past ones."""
    names = {one.type: one.rule.name for one in desk.rules.all() if one.rule.kind != "digest"}
    held = [one.silence.id for one in desk.alerts.active() if one.silence is not None]
    standing = tuple(_row(one, names, held, now_s) for one in desk.silences.standing())
    now = sum(row.state == "standing" for row in standing)
    planned = len(standing) - now
    summary = f"{formats.plural(now, 'silence')} now" if now else "Nothing is silenced now"
    summary += f", {planned} planned" if planned else ""
    return Silences(
        standing=standing,
        past=tuple(_row(one, names, held, now_s) for one in desk.silences.past()),
        rules=tuple((type, formats.shorten(name)) for type, name in names.items()),
        summary=f"{summary}.",
    )


def covers(silence: Silence, names: Mapping[str, str]) -> str:
    """What a silence covers: "High response time of run_query"."""
    rule = formats.shorten(names.get(silence.type, silence.type.replace("_", " ")))
    tools = ", ".join(formats.shorten(one, 60) for one in silence.tools[:3])
    tools += f" and {len(silence.tools) - 3} more" if len(silence.tools) > 3 else ""
    if silence.type and tools:
        return f"{rule} of {tools}"
    return rule if silence.type else (tools and f"All alerts of {tools}") or "All alerts"


def _row(silence: Silence, names: Mapping[str, str], held: list[int], now_s: float) -> Row:
    state, span_s = "over", silence.end_s - silence.start_s
    if silence.end_s > now_s:
        state = "standing" if silence.start_s <= now_s else "planned"
        span_s = silence.end_s - now_s if state == "standing" else silence.start_s - now_s
    return Row(
        silence=silence,
        what=covers(silence, names),
        up_to=f"up to {silence.severity}" if silence.severity else "",
        state=state,
        span=formats.duration(span_s),
        holds=held.count(silence.id),
    )
