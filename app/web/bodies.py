"""Bodies of JSON: read strictly, refused in words, answered in the house's shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from flask import Response, request

from ..errors import BadRequestError, UnsupportedMediaError

_Read = TypeVar("_Read")


def body() -> dict[str, Any]:
    """The request's body, which has to be an object of JSON; an empty one is an object without members.

    Raises BadRequestError, and UnsupportedMediaError for what does not say that it is JSON.
    """
    if not request.get_data():
        return {}
    if not request.is_json:
        raise UnsupportedMediaError(
            f"the body is {request.mimetype or 'of no type'}; allowed is application/json"
        )
    try:
        found = msgspec.json.decode(request.get_data())
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise BadRequestError("the body is no JSON") from None
    if not isinstance(found, dict):
        raise BadRequestError(f"the body is {_kind(found)}; allowed is an object")
    return found


def read(members: Mapping[str, Any], kind: type[_Read]) -> _Read:
    """The members as a `kind`. Raises BadRequestError that says which one is wrong, and how."""
    try:
        return msgspec.convert(members, kind)
    except (msgspec.ValidationError, ValueError, OverflowError) as error:
        raise BadRequestError(_words(str(error))) from None


def number(members: Mapping[str, Any], name: str) -> float | None:
    """A number that may be left out. Raises BadRequestError for anything else."""
    value = members.get(name)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise BadRequestError(f"{name} is {_kind(value)}; allowed is a number")


def text(members: Mapping[str, Any], name: str, default: str = "") -> str:
    """A text that may be left out. Raises BadRequestError for anything else."""
    value = members.get(name, default)
    if isinstance(value, str):
        return value.strip()
    raise BadRequestError(f"{name} is {_kind(value)}; allowed is a text")


def texts(members: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts that may be left out. Raises BadRequestError for anything else."""
    value = members.get(name) or []
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise BadRequestError(f"{name} is {_kind(value)}; allowed is a list of texts")


def only(members: Mapping[str, Any], *names: str) -> None:
    """Raises BadRequestError for a member that nobody reads."""
    for name in members:
        if name not in names:
            raise BadRequestError(f"there is no member {name[:40]!r}; allowed are {', '.join(names)}")


def answer(members: Mapping[str, Any], status: int = 200, **headers: str) -> Response:
    """The body of a success."""
    content = {"success": True, "timestamp": datetime.now(UTC).isoformat(), **members}
    response = Response(msgspec.json.encode(content), status, headers, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def _words(said: str) -> str:
    """What msgspec says, with the member first: "levels[0].threshold: Expected `float`, got `str`"."""
    found = re.fullmatch(r"(.*) - at `\$\.?(.*)`", said, re.DOTALL)
    return f"{found[2]}: {found[1]}" if found and found[2] else said.partition(" - at ")[0]


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
