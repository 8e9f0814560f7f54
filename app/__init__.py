"""Laptime: performance monitoring that lives inside a Python web service.

The way of the data, and the rooms that it goes through:

    a request -> capture (hook, recorder, cells, reader)     counted in memory that all workers share
              -> jobs (roll_up) -> store (rollups, longer)   history, in SQLite or PostgreSQL
    the machine -> jobs (sample_system) -> capture (samples) -> jobs (roll_up) -> store (vitals, longer)
              -> jobs (evaluate_alerts) -> store (alerts)    judgement
              -> sources -> panels -> web                    pages and JSON APIs

`model` is the arithmetic behind all of it, `tools` the bundled tool server, `service` the life of one
process, `factory` puts the parts together, `monitor` is what another application imports, and
`middleware` what some frameworks need beside it. Imports point strictly downwards: settings errors heap <
model < capture | store | note < sources | fleet | joined | opened < live < panels | jobs < tools < web <
service < factory < monitor | middleware.

The public names are loaded when they are first asked for, so that a single room can be imported alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .settings import VERSION, Settings

if TYPE_CHECKING:
    from .factory import create_app
    from .monitor import Monitor

__version__ = VERSION

__all__ = ["Monitor", "Settings", "__version__", "create_app"]

_LATE = {"Monitor": ".monitor", "create_app": ".factory"}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATE[name], __name__), name)
