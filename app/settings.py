"""Every setting once: its name, type, default, range and help.

A setting is an environment variable, `LAPTIME_` and the field's name in capitals. The code reads the
frozen `Settings`, the README's table is printed from the same fields (`python -m app.settings`), and
a test holds the two together.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from .errors import SettingError

VERSION = "0.1.0"
PREFIX = "LAPTIME_"
HEALTH = "/health"
_PATH = re.compile(r"(/[A-Za-z0-9_-]+)+")
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def _setting(
    default: Any,
    help: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    also: str | None = None,
    shown: str | None = None,
    begins: tuple[str, ...] = (),
    is_prefix: bool = False,
) -> Any:
    """Declare one setting: `also` is a second variable that is read after the first, `begins` what a text
    may begin with, `is_prefix` says that it is the path of pages, and `shown` stands for the default in the
    table.
    """
    limits = {"at_least": at_least, "at_most": at_most, "begins": begins, "is_prefix": is_prefix}
    return field(default=default, metadata={"help": help, "also": also, "shown": shown} | limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The service's settings. Numbers carry their unit in their name (`_s`, `_ms`, `_bytes`, `_percent`)."""

    api_key: str = _setting(
        "",
        "Full-access key. Without one, a random key is made at the first start and kept in the state folder.",
        shown="random",
    )
    state_dir: Path = _setting(Path("instance"), "Folder for shared memory, the key and the SQLite store.")
    database_url: str = _setting(
        "",
        "Where history is kept: `postgresql://…` (also `postgres://…`) or `sqlite:///…`.",
        also="DATABASE_URL",
        shown="SQLite in the state folder",
    )
    instance: str = _setting(
        "",
        "What this instance is called, where several share a PostgreSQL store; each needs another name.",
        also="RENDER_INSTANCE_ID",
        shown="the host's name",
    )
    host_app: str = _setting(
        "", "The WSGI application to measure, as `module:callable`.", shown="the bundled tool server"
    )
    workspace: Path = _setting(Path(), "The folder that the bundled tools may read; nothing outside it.")
    public_url: str = _setting(
        "",
        "The address that people reach the service at; used in links.",
        also="RENDER_EXTERNAL_URL",
        shown="the address it listens on",
        begins=("http://", "https://"),
    )
    release: str = _setting(
        "",
        "What this release is called: a commit or a version; charts mark when it changes.",
        also="RENDER_GIT_COMMIT",
        shown="none",
    )
    banner: str = _setting(
        "", "A line on top of every page, such as the name of an environment.", shown="none"
    )
    dashboard_prefix: str = _setting("/dashboard", "The path of the pages.", is_prefix=True)
    performance_prefix: str = _setting("/performance", "The path of the JSON API.", is_prefix=True)
    response_headers: bool = _setting(
        True, "Add `X-Response-Time`, `X-Request-Success` and `Server-Timing` to measured responses."
    )
    slow_ms: float = _setting(
        1000.0, "A request slower than this is logged at WARNING.", at_least=1, at_most=3_600_000
    )
    sample_interval_s: float = _setting(
        5.0, "How often CPU, memory and disk are sampled.", at_least=1, at_most=60
    )
    keep_10s_hours: float = _setting(2.0, "Hours that rows of 10 seconds are kept.", at_least=1, at_most=336)
    keep_1min_hours: float = _setting(26.0, "The same of a minute.", at_least=2, at_most=2160)
    keep_10min_days: float = _setting(
        15.0, "Days that rows of 10 minutes are kept.", at_least=1, at_most=4000
    )
    keep_2h_days: float = _setting(250.0, "The same of 2 hours.", at_least=7, at_most=4000)
    keep_26h_days: float = _setting(400.0, "The same of 26 hours and 2 weeks.", at_least=31, at_most=4000)
    max_tools: int = _setting(
        1000, "Distinct tool names that are kept; later ones count as `(other)`.", at_least=10, at_most=10_000
    )
    max_body_bytes: int = _setting(
        1_048_576,
        "The largest request body that Laptime's own routes read.",
        at_least=1024,
        at_most=104_857_600,
    )
    max_file_bytes: int = _setting(
        1_048_576, "The largest file that the bundled tools read.", at_least=1024, at_most=104_857_600
    )
    alert_window_s: float = _setting(
        300.0, "The sliding window that the tool rules judge.", at_least=30, at_most=86_400
    )
    alert_min_requests: int = _setting(
        1, "Fewer requests than this in the window raise no tool alert.", at_least=1, at_most=1_000_000
    )
    alert_response_time_ms: float = _setting(
        2000.0, "`high_response_time`: a tool's average above this.", at_least=1, at_most=3_600_000
    )
    alert_success_rate_percent: float = _setting(
        90.0, "`low_success_rate`: a tool's success rate below this.", at_least=0, at_most=100
    )
    alert_cpu_percent: float = _setting(
        80.0, "`high_cpu_usage`, warning: CPU above this.", at_least=1, at_most=100
    )
    alert_memory_percent: float = _setting(
        80.0, "`high_memory_usage`, warning: memory above this.", at_least=1, at_most=100
    )
    alert_disk_percent: float = _setting(
        90.0, "`high_disk_usage`, warning: disk above this.", at_least=1, at_most=100
    )
    alert_critical_percent: float = _setting(
        95.0, "CPU, memory or disk above this is critical.", at_least=1, at_most=100
    )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from `environ` (default: the process environment).

        Raises SettingError, in one line, for a value of the wrong type or outside its range.
        """
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for spec in fields(cls):
            name = variable(spec)
            also = cast("str | None", spec.metadata["also"])
            if not environ.get(name) and also and environ.get(also):
                name = also
            text = environ.get(name, "")
            if text:
                values[spec.name] = _parse(name, text, spec)
        settings = cls(**values)
        _check_apart(settings.dashboard_prefix, settings.performance_prefix)
        return settings


def _check_apart(dashboard: str, performance: str) -> None:
    """Raises SettingError where one prefix would hide the other."""
    if f"{dashboard}/".startswith(f"{performance}/") or f"{performance}/".startswith(f"{dashboard}/"):
        raise SettingError(
            f"LAPTIME_DASHBOARD_PREFIX is {dashboard!r} and LAPTIME_PERFORMANCE_PREFIX {performance!r}; "
            "allowed is neither below the other"
        )


def unknown(environ: Mapping[str, str]) -> list[str]:
    """Variables with our prefix that are no setting: most likely misspelt, so the start names them."""
    known = {variable(spec) for spec in fields(Settings)}
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)


def variable(spec: Field[Any]) -> str:
    """The environment variable of a field: `slow_ms` is `LAPTIME_SLOW_MS`."""
    return PREFIX + spec.name.upper()


def table() -> str:
    """The settings as a Markdown table: name, default, allowed, help; the README holds this text."""
    lines = ["| setting | default | allowed | what it does |", "| --- | --- | --- | --- |"]
    for spec in fields(Settings):
        also = spec.metadata["also"]
        name = f"`{variable(spec)}`" + (f" or `{also}`" if also else "")
        lines.append(f"| {name} | {_shown(spec)} | {_allowed(spec)} | {spec.metadata['help']} |")
    return "\n".join(lines)


def _parse(name: str, text: str, spec: Field[Any]) -> Any:
    kind = _kind(spec)
    if kind is bool:
        if text.lower() not in _TRUE | _FALSE:
            raise SettingError(f"{name} is {text!r}; allowed is {_allowed(spec)}")
        return text.lower() in _TRUE
    if kind is int or kind is float:
        try:
            number = kind(text)
        except ValueError:
            raise SettingError(f"{name} is {text!r}; allowed is {_allowed(spec)}") from None
        low, high = spec.metadata["at_least"], spec.metadata["at_most"]
        if not low <= number <= high:  # also refuses nan
            raise SettingError(f"{name} is {text!r}; allowed is {_allowed(spec)}")
        return number
    if "\x00" in text:
        raise SettingError(f"{name} holds a NUL character; allowed is {_allowed(spec)}")
    begins = spec.metadata["begins"]
    if begins and not text.startswith(begins):
        raise SettingError(f"{name} is {text!r}; allowed is {_allowed(spec)}")
    if spec.metadata["is_prefix"] and (text == HEALTH or not _PATH.fullmatch(text)):
        raise SettingError(f"{name} is {text!r}; allowed is {_allowed(spec)}")
    return kind(text)


def _kind(spec: Field[Any]) -> type[Any]:
    default: Any = spec.default
    return type(default)


def _allowed(spec: Field[Any]) -> str:
    kind = _kind(spec)
    if kind is bool:
        return "on, off"
    if kind is int or kind is float:
        noun = "whole number" if kind is int else "number"
        return f"{noun}, {spec.metadata['at_least']:,} to {spec.metadata['at_most']:,}"
    if spec.metadata["begins"]:
        return "address that begins with " + " or ".join(f"`{begin}`" for begin in spec.metadata["begins"])
    if spec.metadata["is_prefix"]:
        return f"path such as `/laptime`, of letters, digits, `-` and `_`; not `{HEALTH}`"
    return "path" if isinstance(spec.default, Path) else "text"


def _shown(spec: Field[Any]) -> str:
    if spec.metadata["shown"]:
        return str(spec.metadata["shown"])
    if isinstance(spec.default, bool):
        return "on" if spec.default else "off"
    return f"`{spec.default:g}`" if isinstance(spec.default, float) else f"`{spec.default}`"


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
