"""Which alerts of the history an address asks for, page or JSON, and the history as a CSV file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from math import isfinite, nan
from typing import Any

from flask import Response, request

from ..desk import Desk
from ..errors import BadRequestError
from ..model.alerting import SEVERITIES
from ..model.windows import instant_s
from ..panels.alerting.history import cells
from ..store.alert_pages import STATES, Cursor, Filter
from .files import written
from .shell import MOST_ID

FILTERS = ("text", "severity", "state", "tool", "type")
_LONGEST = 1000
_ROWS = 500


def wanted_alerts() -> Filter:
    """The filter that the query names; `q` is `text` too. Raises BadRequestError for one that can't be."""
    asked: dict[str, Any] = {name: request.args.get(name, "").strip() for name in FILTERS}
    asked["text"] = asked["text"] or request.args.get("q", "").strip()
    for name, value in asked.items():
        if len(value) > _LONGEST:
            raise BadRequestError(f"{name} has {len(value)} characters; allowed are {_LONGEST}")
        if "\0" in value:  # no alert has it, and PostgreSQL takes none
            raise BadRequestError(f"{name} is {value[:40]!r}; allowed is text without NUL")
    for name, allowed in (("severity", SEVERITIES), ("state", STATES)):
        if asked[name] and asked[name] not in allowed:
            raise BadRequestError(f"{name} is {asked[name][:40]!r}; allowed is {', '.join(allowed)}")
    for name in ("from", "to"):
        if text := request.args.get(name, ""):
            asked[f"{name}_s"] = instant_s(name, text[:_LONGEST])
    found = Filter(**asked)
    if found.from_s is not None and found.to_s is not None and found.from_s >= found.to_s:
        raise BadRequestError(f"from ({request.args['from']}) is not before to ({request.args['to']})")
    return found


def cursor(name: str) -> Cursor | None:
    """Where a page ended, as the query's `name` has it. Raises BadRequestError."""
    text = request.args.get(name, "")
    if not text:
        return None
    opened, _, id = text.partition("_")
    try:
        found = Cursor(float(opened), int(id))
    except ValueError:
        found = Cursor(nan, 0)
    if not (isfinite(found.opened_s) and 0 <= found.id <= MOST_ID):
        raise BadRequestError(f"{name} is {text[:40]!r}, which is no end of a page")
    return found


def csv_of(desk: Desk, wanted: Filter) -> Response:
    """The alerts as a file for spreadsheets (RFC 4180), sent as it is read.

    The first rows are read before that: a store that is away is still told as a problem.
    """
    rows = cells(desk, wanted)
    first = list(islice(rows, _ROWS))
    response = Response(_written(first, rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="laptime-alerts.csv"'
    return response


def _written(first: list[list[str]], rest: Iterator[list[str]]) -> Iterator[str]:
    part = first
    while part:
        yield written(part)
        part = list(islice(rest, _ROWS))
