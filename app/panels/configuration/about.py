"""What runs here, how it was set up, and what it takes of the service for itself."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any

from ...declared import shown, variable
from ...model import formats
from ...model.series import Snapshot
from ...settings import VERSION, Settings
from ..measuring import own_cost

# A password in an address: whatever stands between // and @.
_WITHIN = re.compile(r"//[^/@\s]*@")
_LONGEST = 160


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and its value; `at_s` (Unix seconds) is an instant that ends the value."""

    label: str
    value: str
    at_s: float | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting and its value as text, empty where it is a secret; `also` is its second variable."""

    name: str
    also: str
    value: str
    is_set: bool
    is_secret: bool
    help: str


def cost(snapshot: Snapshot, total: str, now_s: float) -> tuple[Fact, ...]:
    """What measuring and Laptime's own pages take; `total` is the size of the store, empty if not known."""
    found = own_cost(snapshot, now_s)
    per_request, share = found.microseconds_per_request, found.worker_time_percent
    timed = f"median of {formats.count(found.timed_requests)} that were timed"
    pages = f"{_share(found.page_worker_time_percent)} of the workers' time"
    if found.page_requests:
        average = formats.response_time(found.page_avg_response_time)
        pages += f", {formats.plural(found.page_requests, 'answer')} of {average} on average"
    return (
        Fact(
            "Measuring a request",
            "none timed yet, one in 1,024 is" if per_request is None else f"{per_request:.1f} µs, {timed}",
        ),
        Fact(
            "Measuring in all", "not known yet" if share is None else f"{_share(share)} of the workers' time"
        ),
        Fact("Own pages and APIs", pages),
        Fact("Store", total or "not known while it is away"),
    )


def version(
    settings: Settings, snapshot: Snapshot, software: Mapping[str, str], database: str, now_s: float
) -> tuple[Fact, ...]:
    """What runs: `software` is server and libraries, by name; `database` is empty while it is away."""
    place = "in the database that is set" if settings.database_url else "a file in the state folder"
    release = formats.release(settings.release) if settings.release else "not told (LAPTIME_RELEASE)"
    return (
        Fact("Laptime", VERSION),
        Fact("Release of the service", release),
        Fact("Measured", formats.shorten(settings.host_app, 80) or "the bundled tool server"),
        Fact("Up", f"{formats.duration(now_s - snapshot.started_s)}, since", snapshot.started_s),
        Fact("Workers", f"{formats.count(len(snapshot.workers))} alive"),
        Fact("Python", ".".join(map(str, sys.version_info[:3]))),
        *(Fact(name, formats.shorten(text, 60)) for name, text in software.items()),
        Fact("Store", f"{database}, {place}" if database else f"does not answer; {place}"),
        Fact("State folder", str(settings.state_dir.absolute())),
    )


def all_settings(settings: Settings) -> tuple[Setting, ...]:
    """Every setting with its value; one that is a secret only says whether it is set."""
    return tuple(_setting(spec, getattr(settings, spec.name)) for spec in fields(settings))


def _setting(spec: Field[Any], value: object) -> Setting:
    is_secret, is_set = bool(spec.metadata["is_secret"]), value != spec.default
    text = _text(value) if is_set else shown(spec).replace("`", "")
    return Setting(
        name=variable(spec),
        also=spec.metadata["also"] or "",
        value="" if is_secret and is_set else text,
        is_set=is_set,
        is_secret=is_secret,
        help=spec.metadata["help"].replace("`", ""),
    )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return str(value)
    text = str(value.absolute()) if isinstance(value, Path) else str(value)
    return formats.shorten(_WITHIN.sub("//…@", text), _LONGEST)


def _share(percent: float) -> str:
    return f"{percent:.2g} %" if percent >= 0.001 else "less than 0.001 %"
