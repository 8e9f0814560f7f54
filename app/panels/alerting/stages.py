"""What an alert is in beside firing, as people say it: seen, silenced, flapping, without data, over."""

from __future__ import annotations

from dataclasses import dataclass

from ...model.alerting import Alert
from ...model.silencing import Silence


@dataclass(frozen=True, slots=True)
class Stage:
    """What an alert is in besides firing: a glyph of grey and a word, empty where there is nothing to say."""

    glyph: str = ""
    word: str = ""

    @property
    def is_quiet(self) -> bool:
        """Whether it asks for nothing at present."""
        return self.glyph in ("ack", "mute")


def stage_of(alert: Alert, silence: Silence | None) -> Stage:
    """What is told of an alert beside its severity."""
    if alert.resolved_s is not None:
        return Stage("ok", "Resolved")
    if alert.acknowledged_s is not None:
        return Stage("ack", "Acknowledged")
    if silence is not None:
        return Stage("mute", "Silenced")
    words_of = {"flapping": Stage("wait", "Flapping"), "no_data": Stage("unknown", "No data")}
    return words_of.get(alert.state, Stage())
