"""Bodies: JSON in, a struct out, and whatever is wrong with it told in words; and the answer to it.

A body is read strictly: the type of content has to be said, members that nobody knows are refused, and a
message names the member, what it was and what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from flask import Response, current_app, request
from msgspec import inspect
from werkzeug.exceptions import RequestEntityTooLarge

from ..errors import BadRequestError, TooLargeError, UnsupportedMediaError

JSON = "application/json"
_SHOWN = 100
_Form = TypeVar("_Form", bound=msgspec.Struct)


def raw(max_bytes: int) -> bytes:
    """The request's body. Raises TooLargeError beyond `max_bytes`, with or without a Content-Length."""
    # A body in chunks is cut at this limit without a word, so one byte more is asked for.
    request.max_content_length = max_bytes + 1
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        body = None
    if body is None or len(body) > max_bytes:
        raise TooLargeError(f"the body is too large; allowed is at most {max_bytes:,} bytes")
    return body


def members() -> dict[str, Any]:
    """The members of the request's JSON object; no body at all is an object without members.

    Raises UnsupportedMediaError, TooLargeError, or BadRequestError for what is no object.
    """
    body = raw(current_app.config["MAX_CONTENT_LENGTH"])
    if not body:
        return {}
    if request.mimetype != JSON:
        told = f"is {request.mimetype[:_SHOWN]!r}" if request.mimetype else "is missing"
        raise UnsupportedMediaError(f"Content-Type {told}; allowed is {JSON}")
    try:
        found = msgspec.json.decode(body)
    except RecursionError:
        reason = "it is nested too deeply"
    except UnicodeDecodeError as error:
        reason = f"it is not UTF-8 ({error.reason})"
    except msgspec.DecodeError as error:
        reason = str(error).partition(" - at ")[0]
    else:
        if isinstance(found, dict):
            return found
        raise BadRequestError(f"the body is {_kind(found)}; allowed is a JSON object")
    raise BadRequestError(f"the body is no JSON: {reason}")


def read(form: type[_Form], found: Mapping[str, Any], *, secret: Collection[str] = ()) -> _Form:
    """The struct that the members make. Raises BadRequestError; the values of `secret` are told to nobody."""
    try:
        return msgspec.convert(found, form)
    except msgspec.ValidationError as error:
        raise BadRequestError(_told(str(error), form, found, secret)) from None
    except RecursionError:
        raise BadRequestError("the body is nested too deeply") from None


def changeable(found: Mapping[str, Any], fixed: Mapping[str, object]) -> dict[str, Any]:
    """The members without those that an answer has and nobody changes, which may be sent back as they are.

    Raises BadRequestError for another value than the `fixed` one.
    """
    for name in found.keys() & fixed.keys():
        if found[name] != fixed[name]:
            raise BadRequestError(f"{name} is {_shown(found[name])}; it can't be changed, leave it out")
    return {name: value for name, value in found.items() if name not in fixed}


def answer(content: Mapping[str, Any], status: int = 200, **headers: str) -> Response:
    """The body of a success."""
    body = {"success": True, "timestamp": datetime.now(UTC).isoformat(), **content}
    response = Response(msgspec.json.encode(body), status, headers, mimetype=JSON)
    response.headers["Cache-Control"] = "no-store"
    return response


_ERROR = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d{1,9})\]")
_NAMED = re.compile(r"Object (contains unknown|missing required) field `(.*)`", re.DOTALL)


def _told(error: str, form: type[_Form], found: Mapping[str, Any], secret: Collection[str]) -> str:
    """What msgspec says, in our words: it tells what was wrong and where, and not the value."""
    match = _ERROR.fullmatch(error)
    what, path = (match["what"], match["path"] or "") if match else (error, "")
    steps = [name or int(number) for name, number in _STEP.findall(path)]
    value, type = _at(steps, found, inspect.type_info(form))
    place = path.lstrip(".")
    named = _NAMED.fullmatch(what)
    if named is None:
        was = _kind(value) if steps and steps[0] in secret else _shown(value)
        return f"{place} is {was}; allowed is {_word(type)}"
    prefix = f"{place}." if place else ""
    names = {one.encode_name: one.type for one in type.fields} if isinstance(type, inspect.StructType) else {}
    if named[1] == "missing required":
        return f"{prefix}{named[2]} is missing; it is {_word(names[named[2]])}"
    return f"there is no member {prefix}{named[2][:_SHOWN]!r}; allowed is {', '.join(names)}"


def _at(steps: list[str | int], value: Any, type: inspect.Type) -> tuple[Any, inspect.Type]:
    """The value at the end of a path, and the type that it should have; as far as the path leads."""
    for step in steps:
        if isinstance(type, inspect.StructType) and isinstance(value, dict) and step in value:
            type = next(one.type for one in type.fields if one.encode_name == step)
        elif isinstance(type, inspect.VarTupleType) and isinstance(value, list) and isinstance(step, int):
            type = type.item_type
        else:
            break
        value = value[step]
    return value, type


_WORDS: dict[type[inspect.Type], str] = {
    inspect.StrType: "text",
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.BoolType: "true or false",
    inspect.NoneType: "null",
    inspect.StructType: "an object",
}


def _word(wanted: inspect.Type) -> str:
    """A type as people say it."""
    if isinstance(wanted, inspect.LiteralType):
        return ", ".join(map(str, wanted.values))
    if isinstance(wanted, inspect.VarTupleType):
        return f"an array, each entry {_word(wanted.item_type)}"
    if isinstance(wanted, inspect.UnionType):
        return " or ".join(_word(one) for one in wanted.types)
    return _WORDS.get(type(wanted), "something else")


def _shown(value: object) -> str:
    """A value as JSON, shortened; of an array or an object only that it is one."""
    if isinstance(value, list | dict):
        return _kind(value)
    if isinstance(value, str):
        return repr(value[:_SHOWN])
    if isinstance(value, int) and abs(value) >= 1 << 64:
        return "a number out of range"
    return msgspec.json.encode(value).decode()


_KINDS: dict[type, str] = {dict: "an object", list: "an array", str: "text", bool: "true or false"}


def _kind(value: object) -> str:
    """What sort of JSON a value is."""
    return "null" if value is None else _KINDS.get(type(value), "a number")
