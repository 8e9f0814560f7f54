"""Every error that Laptime raises, each with an HTTP status and a stable code.

A caller outside gets them as `application/problem+json` (RFC 9457): `app.web.problems` turns
`status`, `code`, `title` and the message into the body. A message says what was wrong, which value
it was, and what is allowed; it never says anything about the inside of the service.
"""

from __future__ import annotations

from typing import ClassVar


class LaptimeError(Exception):
    """The base: `status` is the HTTP status, `code` a stable word for programs, `title` for people."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"

    @property
    def detail(self) -> str:
        """What was wrong with this one request, in a sentence."""
        return str(self)


class BadRequestError(LaptimeError):
    """The request itself is wrong: its syntax, a type, a range, a name."""

    status = 400
    code = "bad_request"
    title = "Bad request"


class ConflictError(BadRequestError):
    """It is right in itself and does not fit to what there is, such as a name that is taken."""

    status = 409
    code = "conflict"
    title = "Conflict"


class UnknownToolError(BadRequestError):
    """No tool has the name that the call asked for."""

    code = "unknown_tool"
    title = "Unknown tool"


class BadArgumentsError(BadRequestError):
    """A tool was called with arguments that it does not take."""

    code = "bad_arguments"
    title = "Wrong arguments"


class UnauthorizedError(LaptimeError):
    """No key, or one that is not known."""

    status = 401
    code = "unauthorized"
    title = "Key required"


class NotFoundError(LaptimeError):
    """What was asked for is not there."""

    status = 404
    code = "not_found"
    title = "Not found"


class UnsupportedMediaError(LaptimeError):
    """The body is of a type that is not read."""

    status = 415
    code = "unsupported_media_type"
    title = "Unsupported media type"


class TooLargeError(LaptimeError):
    """A body or a file is larger than what is read."""

    status = 413
    code = "too_large"
    title = "Too large"


class TooManyTriesError(LaptimeError):
    """Too many wrong keys came from one address; `retry_after_s` says when to try again."""

    status = 429
    code = "too_many_tries"
    title = "Too many tries"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnavailableError(LaptimeError):
    """A part that this answer needs is away for now (the store, shared memory)."""

    status = 503
    code = "unavailable"
    title = "Not available now"


class SettingError(LaptimeError):
    """A setting has a value that is not allowed; the start stops with this one line."""

    code = "wrong_setting"
    title = "Wrong setting"


class CellsError(LaptimeError):
    """A file of cells can't be made or read: no space, no permission, torn, foreign."""

    code = "cells_error"
    title = "Shared memory error"


class SupersededError(LaptimeError):
    """This worker stood still, and another one leads by now: what it had begun is not written."""

    code = "superseded"
    title = "Another worker leads"
