"""Rules as people make them: checked, tried against history, saved, turned off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from ..errors import BadRequestError, ConflictError, NotFoundError, UnavailableError
from ..model.checking import check_by, check_rule, type_of
from ..model.defaults import default_rules
from ..model.replay import Moment, Replay, replay
from ..model.rules import Rule, StoredRule, is_of_tools, matches, named
from ..model.windows import Window
from ..settings import Settings
from ..sources import Sources
from ..store import Connection, rules
from .door import Door

MOST_RULES = 200
# A replay takes the busiest of the tools that a rule is for.
TRIED_TOOLS = 25
_DAY_S, _FINE_S = 86_400, 25 * 3600
_COARSE_STEP_S, _FINE_STEP_S = 600, 60


class RuleDesk:
    """Raises BadRequestError for a rule that can't be, NotFoundError for one that there is not, and
    ConflictError for what does not fit to the others.
    """

    def __init__(self, settings: Settings, sources: Sources, door: Door) -> None:
        self._settings = settings
        self._sources = sources
        self._door = door

    def all(self) -> list[StoredRule]:
        """All rules, the default ones first."""
        with self._door.reading() as connection:
            return rules.read_rules(connection)

    def one(self, id: int) -> StoredRule:
        """The rule of that id."""
        with self._door.reading() as connection:
            return _there(connection, id)

    def attempt(self, rule: Rule, days: int = 7) -> Replay:
        """What the rule would have done in the last days: by ten minutes, of the last day by minutes.

        Raises UnavailableError while the store is away.
        """
        check_rule(rule)
        if not 1 <= days <= 7:
            raise BadRequestError(f"days is {days}; allowed is 1 to 7")
        now_s = self._door.now_s()
        fine_s = (now_s - _DAY_S) // _COARSE_STEP_S * _COARSE_STEP_S
        start_s = now_s - days * _DAY_S
        spans = [(start_s, fine_s, _COARSE_STEP_S)] if start_s < fine_s else []
        spans.append((max(start_s, fine_s), now_s, _FINE_STEP_S))
        windows = [Window("", start_s, end_s, step_s, step_s) for start_s, end_s, step_s in spans]
        chosen = self._busiest(rule, windows) if is_of_tools(rule) else []
        moments = [one for window in windows for one in self._moments(rule, window, chosen)]
        return replay(rule, moments)

    def make(self, rule: Rule, by: str) -> StoredRule:
        """Save a new rule; its type is made of its name."""
        check_by(by)
        check_rule(rule)
        with self._door.changing() as connection:
            known = rules.read_rules(connection)
            if len(known) >= MOST_RULES:
                raise ConflictError(f"there are {len(known)} rules; allowed are {MOST_RULES}")
            _check_new_name(rule.name, known)
            types, wanted = {one.type for one in known}, type_of(rule.name)
            type = next(
                one for one in (wanted, *(f"{wanted}_{n}" for n in range(2, MOST_RULES + 2)))
                if one not in types
            )  # fmt: skip
            return _there(connection, rules.add(connection, type, rule, self._door.now_s(), by))

    def change(self, id: int, rule: Rule, by: str) -> StoredRule:
        """Save a rule anew. What it has open is judged by the new one at the next round."""
        check_by(by)
        check_rule(rule)
        with self._door.changing() as connection:
            return self._changed(connection, id, rule, by)

    def change_all(self, changes: Mapping[StoredRule, Rule], by: str) -> None:
        """Save several rules anew, all or none.

        Raises ConflictError where one is no longer what it was when somebody decided.
        """
        check_by(by)
        for rule in changes.values():
            check_rule(rule)
        with self._door.changing() as connection:
            for known, rule in changes.items():
                if (now := _there(connection, known.id)) != known:
                    raise ConflictError(
                        f"{now.rule.name} was changed by {now.changed_by or 'a setting'} meanwhile"
                    )
                self._changed(connection, known.id, rule, by)

    def reset(self, id: int) -> StoredRule:
        """Let a default rule follow the settings again."""
        with self._door.changing() as connection:
            known = _there(connection, id)
            if not known.is_default:
                raise ConflictError(f"the rule {known.rule.name!r} is none that Laptime came with")
            rules.put(connection, id, default_rules(self._settings)[known.type], None, "")
            _forget(connection, known.type)
            return _there(connection, id)

    def remove(self, id: int) -> None:
        """Delete a rule that somebody made; a default one is turned off instead."""
        with self._door.changing() as connection:
            known = _there(connection, id)
            if known.is_default:
                raise ConflictError(
                    f"the rule {known.rule.name!r} came with Laptime; turn it off instead (enabled: false)"
                )
            rules.remove(connection, id)

    def _changed(self, connection: Connection, id: int, rule: Rule, by: str) -> StoredRule:
        known = _there(connection, id)
        others = [one for one in rules.read_rules(connection) if one.id != id]
        _check_new_name(rule.name, others)
        rules.put(connection, id, rule, self._door.now_s(), by)
        if _judges_otherwise(known.rule, rule):
            _forget(connection, known.type)
        return _there(connection, id)

    def _busiest(self, rule: Rule, windows: Sequence[Window]) -> list[str]:
        whole = Window("", windows[0].start_s, windows[-1].end_s, 600, 600)
        traffic = self._sources.traffic(whole)
        if not traffic.is_whole:
            raise UnavailableError("the store does not answer now, so nothing can be tried")
        meant = [name for name in traffic.tools if matches(rule.tools, name)]
        meant.sort(key=lambda name: -traffic.tools[name].requests)
        return [*named(rule.tools), *(name for name in meant if name not in named(rule.tools))][:TRIED_TOOLS]

    def _moments(self, rule: Rule, window: Window, tools: Sequence[str]) -> list[Moment]:
        starts = window.starts()
        is_known: Sequence[object]
        if is_of_tools(rule):
            is_known, courses = self._sources.traffic(window).points, self._sources.courses(window, tools)
            vitals: Sequence[Mapping[str, object]] = [{}] * len(starts)
        else:
            vitals, courses = self._sources.vitals(window), {}
            is_known = [one or None for one in vitals]
        return [
            Moment(
                float(start_s),
                min(float(start_s + window.step_s), max(window.end_s, start_s + 1.0)),
                None
                if is_known[number] is None
                else {name: one for name in courses if (one := courses[name][number]) is not None},
                vitals[number],  # type: ignore[arg-type]
            )
            for number, start_s in enumerate(starts)
        ]


def _there(connection: Connection, id: int) -> StoredRule:
    found = rules.one(connection, id)
    if found is None:
        raise NotFoundError(f"there is no rule {id}")
    return found


def _check_new_name(name: str, others: Sequence[StoredRule]) -> None:
    if any(one.rule.name.casefold() == name.casefold() for one in others):
        raise ConflictError(f"there is a rule {name!r} already; give this one another name")


def _judges_otherwise(one: Rule, other: Rule) -> bool:
    """Whether what is known by the one says nothing about the other."""
    same = {"name": "", "message": "", "channels": (), "enabled": True}
    return msgspec.structs.replace(one, **same) != msgspec.structs.replace(other, **same)


def _forget(connection: Connection, type: str) -> None:
    """Forget what is known of a rule's targets: its alerts end at the next round, and are opened anew."""
    known = rules.read_watches(connection)
    rules.write_watches(connection, {}, [key for key in known if key[0] == type])
