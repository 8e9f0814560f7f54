"""Every setting once: its name, type, default, range and help.

A setting is an environment variable, `LAPTIME_` and the field's name in capitals. The code reads the
frozen `Settings`, the README's table is printed from the same fields (`python -m app.settings`), and
a test holds the two together.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

from .declared import PREFIX, allowed, parse, setting, shown, variable
from .errors import SettingError

VERSION = "0.1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The service's settings. Numbers carry their unit in their name (`_s`, `_ms`, `_bytes`, `_percent`)."""

    api_key: str = setting(
        "",
        "Full-access key. Without one, a random key is made at the first start and kept in the state folder.",
        shown="random",
        is_secret=True,
    )
    state_dir: Path = setting(Path("instance"), "Folder for shared memory, the key and the SQLite store.")
    database_url: str = setting(
        "",
        "Where history is kept: `postgresql://…` (also `postgres://…`) or `sqlite:///…`.",
        also="DATABASE_URL",
        shown="SQLite in the state folder",
        is_secret=True,
    )
    instance: str = setting(
        "",
        "What this instance is called, where several share a PostgreSQL store; each needs another name.",
        also="RENDER_INSTANCE_ID",
        shown="the host's name",
    )
    host_app: str = setting(
        "", "The WSGI application to measure, as `module:callable`.", shown="the bundled tool server"
    )
    workspace: Path = setting(Path(), "The folder that the bundled tools may read; nothing outside it.")
    public_url: str = setting(
        "",
        "The address that people reach the service at; used in links.",
        also="RENDER_EXTERNAL_URL",
        shown="the address it listens on",
        begins=("http://", "https://"),
    )
    release: str = setting(
        "",
        "What this release is called: a commit or a version; charts mark when it changes.",
        also="RENDER_GIT_COMMIT",
        shown="none",
    )
    banner: str = setting(
        "", "A line on top of every page, such as the name of an environment.", shown="none"
    )
    dashboard_prefix: str = setting("/dashboard", "The path of the pages.", is_prefix=True)
    performance_prefix: str = setting("/performance", "The path of the JSON API.", is_prefix=True)
    response_headers: bool = setting(
        True, "Add `X-Response-Time`, `X-Request-Success` and `Server-Timing` to measured responses."
    )
    slow_ms: float = setting(
        1000.0, "A request slower than this is logged at WARNING.", at_least=1, at_most=3_600_000
    )
    sample_interval_s: float = setting(
        5.0, "How often CPU, memory and disk are sampled.", at_least=1, at_most=60
    )
    keep_10s_hours: float = setting(2.0, "Hours that rows of 10 seconds are kept.", at_least=1, at_most=336)
    keep_1min_hours: float = setting(26.0, "The same of a minute.", at_least=2, at_most=2160)
    keep_10min_days: float = setting(15.0, "Days that rows of 10 minutes are kept.", at_least=1, at_most=4000)
    keep_2h_days: float = setting(250.0, "The same of 2 hours.", at_least=7, at_most=4000)
    keep_26h_days: float = setting(400.0, "The same of 26 hours and 2 weeks.", at_least=31, at_most=4000)
    max_tools: int = setting(
        1000, "Distinct tool names that are kept; later ones count as `(other)`.", at_least=10, at_most=10_000
    )
    max_body_bytes: int = setting(
        1_048_576,
        "The largest request body that Laptime's own routes read.",
        at_least=1024,
        at_most=104_857_600,
    )
    max_file_bytes: int = setting(
        1_048_576, "The largest file that the bundled tools read.", at_least=1024, at_most=104_857_600
    )
    notify_urls: str = setting(
        "",
        "Where alerts are told beside the channels of the page: Apprise URLs, separated by blanks.",
        shown="none",
        is_secret=True,
    )
    notify_private: bool = setting(False, "Let webhooks reach private addresses.")
    alert_window_s: float = setting(
        300.0, "The sliding window that the tool rules judge.", at_least=30, at_most=86_400
    )
    alert_min_requests: int = setting(
        3, "Fewer requests than this in the window raise no tool alert.", at_least=1, at_most=1_000_000
    )
    alert_min_failures: int = setting(
        3,
        "`low_success_rate`: fewer failures than this beyond what the limit allows raise none.",
        at_least=1,
        at_most=1_000_000,
    )
    alert_response_time_ms: float = setting(
        2000.0, "`high_response_time`: a tool's average above this.", at_least=1, at_most=3_600_000
    )
    alert_success_rate_percent: float = setting(
        90.0, "`low_success_rate`: a tool's success rate below this.", at_least=0, at_most=100
    )
    alert_cpu_percent: float = setting(
        80.0, "`high_cpu_usage`, warning: CPU above this.", at_least=1, at_most=100
    )
    alert_memory_percent: float = setting(
        80.0, "`high_memory_usage`, warning: memory above this.", at_least=1, at_most=100
    )
    alert_disk_percent: float = setting(
        90.0, "`high_disk_usage`, warning: disk above this.", at_least=1, at_most=100
    )
    alert_critical_percent: float = setting(
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
                values[spec.name] = parse(name, text, spec)
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


def table() -> str:
    """The settings as a Markdown table: name, default, allowed, help; the README holds this text."""
    lines = ["| setting | default | allowed | what it does |", "| --- | --- | --- | --- |"]
    for spec in fields(Settings):
        also = spec.metadata["also"]
        name = f"`{variable(spec)}`" + (f" or `{also}`" if also else "")
        lines.append(f"| {name} | {shown(spec)} | {allowed(spec)} | {spec.metadata['help']} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
