"""Tables as files: the tools of a window as CSV (RFC 4180) or JSON."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterable
from io import StringIO

import msgspec
from flask import Blueprint, Response, request

from ..errors import NotFoundError
from ..model.formats import safe_cell
from ..panels.look import Look
from ..panels.registry import OVERVIEW, TABLE
from ..panels.tool_figures import ToolFigures, tool_figures
from ..sources import Sources
from .asked import asked


def add(pages: Blueprint, sources_of: Callable[[], Sources]) -> None:
    """Add the files' addresses to the dashboard's pages."""

    @pages.get("/tools.<kind>")
    def tools_file(kind: str) -> Response:
        """The tools whose name contains `q`, in the window that is asked for."""
        if kind not in ("csv", "json"):
            raise NotFoundError(f"there is no file of tools as {kind[:20]!r}; there are csv and json")
        look = Look(sources_of())
        ask = asked(OVERVIEW, look, time.time())
        found = tool_figures(ask.window, look, TABLE["q"].check(request.args.get("q", "")))
        if kind == "csv":
            rows = ([getattr(tool, name) for name in ToolFigures.__struct_fields__] for tool in found.tools)
            body: str | bytes = written([ToolFigures.__struct_fields__, *rows])
        else:
            body = msgspec.json.encode(found)
        response = Response(body, mimetype="text/csv" if kind == "csv" else "application/json")
        response.headers["Content-Disposition"] = f'attachment; filename="laptime-tools.{kind}"'
        return response


def written(rows: Iterable[Iterable[object]]) -> str:
    """Rows as CSV, without a cell that a spreadsheet would take for a formula."""
    file = StringIO(newline="")
    csv.writer(file).writerows([safe_cell(str(cell)) for cell in row] for row in rows)
    return file.getvalue()
