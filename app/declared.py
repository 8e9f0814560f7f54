"""How a setting is declared, read from the environment, and told about."""

from __future__ import annotations

import re
from dataclasses import Field, field
from pathlib import Path
from typing import Any

from .errors import SettingError

PREFIX = "LAPTIME_"
HEALTH = "/health"
_PATH = re.compile(r"(/[A-Za-z0-9_-]+)+")
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def setting(
    default: Any,
    help: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    also: str | None = None,
    shown: str | None = None,
    begins: tuple[str, ...] = (),
    is_prefix: bool = False,
    is_secret: bool = False,
) -> Any:
    """Declare one setting: `also` is a second variable that is read after the first, `begins` what a text
    may begin with, `is_prefix` says that it is the path of pages, `is_secret` that no page shows its value,
    and `shown` stands for the default in the table.
    """
    limits = {"at_least": at_least, "at_most": at_most, "begins": begins, "is_prefix": is_prefix}
    told = {"help": help, "also": also, "shown": shown, "is_secret": is_secret}
    return field(default=default, metadata=told | limits)


def variable(spec: Field[Any]) -> str:
    """The environment variable of a field: `slow_ms` is `LAPTIME_SLOW_MS`."""
    return PREFIX + spec.name.upper()


def parse(name: str, text: str, spec: Field[Any]) -> Any:
    kind = _kind(spec)
    if kind is bool:
        if text.lower() not in _TRUE | _FALSE:
            raise SettingError(f"{name} is {text!r}; allowed is {allowed(spec)}")
        return text.lower() in _TRUE
    if kind is int or kind is float:
        try:
            number = kind(text)
        except ValueError:
            raise SettingError(f"{name} is {text!r}; allowed is {allowed(spec)}") from None
        low, high = spec.metadata["at_least"], spec.metadata["at_most"]
        if not low <= number <= high:  # also refuses nan
            raise SettingError(f"{name} is {text!r}; allowed is {allowed(spec)}")
        return number
    if "\x00" in text:
        raise SettingError(f"{name} holds a NUL character; allowed is {allowed(spec)}")
    begins = spec.metadata["begins"]
    if begins and not text.startswith(begins):
        raise SettingError(f"{name} is {text!r}; allowed is {allowed(spec)}")
    if spec.metadata["is_prefix"] and (text == HEALTH or not _PATH.fullmatch(text)):
        raise SettingError(f"{name} is {text!r}; allowed is {allowed(spec)}")
    return kind(text)


def _kind(spec: Field[Any]) -> type[Any]:
    default: Any = spec.default
    return type(default)


def allowed(spec: Field[Any]) -> str:
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


def shown(spec: Field[Any]) -> str:
    if spec.metadata["shown"]:
        return str(spec.metadata["shown"])
    if isinstance(spec.default, bool):
        return "on" if spec.default else "off"
    return f"`{spec.default:g}`" if isinstance(spec.default, float) else f"`{spec.default}`"
