"""Where the store's rows and memory meet: what came since the newest roll-up, in the newest points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .model.alerting import SystemSample
from .model.series import EMPTY, Series, Snapshot
from .model.vitals import Vitals, of_samples
from .model.windows import Window
from .store.history import Watermark


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the roll-up of this run stands, as it was read last."""

    watermark: Watermark | None

    @property
    def tools(self) -> Mapping[str, Series]:
        """What the store has got of each tool."""
        return self.watermark.tools if self.watermark else {}

    def since_s(self, snapshot: Snapshot) -> float:
        """From when on only memory knows of requests (Unix seconds)."""
        return self.watermark.rolled_up_s if self.watermark else snapshot.started_s


def rest_of(snapshot: Snapshot, watermark: Mapping[str, Series]) -> dict[str, Series]:
    """What each tool counted since the watermark, tools without anything new left out."""
    gained = {
        name: totals.series.since(watermark.get(name, EMPTY)) for name, totals in snapshot.tools.items()
    }
    return {name: series for name, series in gained.items() if series.requests}


def continued(
    points: Sequence[Series | None], window: Window, since_s: float, rest: Series
) -> list[Series | None]:
    """The points with `rest` in the newest; since the newest roll-up there is no gap: we are running."""
    continued, starts = list(points), window.starts()
    for number in range(max(0, int(since_s - starts.start) // starts.step), len(continued)):
        continued[number] = continued[number] or EMPTY
    newest = continued[-1]
    continued[-1] = rest if newest is None else newest + rest
    return continued


def with_samples(
    points: Sequence[Mapping[str, Vitals]],
    starts: range,
    samples: Sequence[SystemSample],
    until_s: float,
    instance: str,
) -> list[Mapping[str, Vitals]]:
    """The points with an instance's samples that came after `until_s`, which the store has not got yet."""
    joined = list(points)
    groups: dict[int, list[SystemSample]] = {}
    before = None
    for sample in samples:
        number = int(sample.at_s - starts.start) // starts.step
        if sample.at_s <= until_s:
            before = sample
        elif 0 <= number < len(joined):
            groups.setdefault(number, []).append(sample)
    for number, here in groups.items():
        fresh = of_samples(here, before)
        known = joined[number].get(instance)
        joined[number] = {**joined[number], instance: known + fresh if known else fresh}
        before = here[-1]
    return joined
