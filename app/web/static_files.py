"""Styles and scripts: each lies below the version of them all, so it may be kept for a year.

The version is in the path and not behind a question mark, because a module that another one imports is asked
for beside it: what is imported has the version too.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import Blueprint, Response, send_from_directory, url_for

STATIC = Path(__file__).parents[1] / "static"
_YEAR_S = 31_536_000
_DIGITS = 12


def add(pages: Blueprint) -> None:
    """Add the files' addresses to the dashboard's pages."""
    pages.add_app_template_global(static_url, "static_url")

    @pages.get("/static/<version>/<path:filename>")
    def static(version: str, filename: str) -> Response:
        """A static file; another version's address is answered with this one's, and not kept."""
        response = send_from_directory(STATIC, filename)
        if version == _version():
            response.cache_control.public, response.cache_control.no_cache = True, None
            response.cache_control.max_age, response.cache_control.immutable = _YEAR_S, True
        return response


def static_url(filename: str) -> str:
    """The address of a static file, which changes with the content of any of them."""
    return url_for("pages.static", version=_version(), filename=filename)


@cache
def _version() -> str:
    """The start of a SHA-256 over the names and contents of all static files."""
    digest = sha256()
    for path in sorted(STATIC.rglob("*.*")):
        digest.update(path.relative_to(STATIC).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:_DIGITS]
