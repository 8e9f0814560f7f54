"""Styles and scripts: each lies below the version of them all, so it may be kept for a year.

The version is in the path and not behind a question mark, because a module that another one imports is asked
for beside it: what is imported has the version too. Each is compressed once in a process and kept so.
"""

from __future__ import annotations

import gzip
from functools import cache, lru_cache
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path
from typing import NamedTuple

from flask import Blueprint, Response, request, send_from_directory, url_for
from werkzeug.security import safe_join

from .compression import LEAST_BYTES, TYPES, takes_gzip

STATIC = Path(__file__).parents[1] / "static"
_YEAR_S = 31_536_000
_DIGITS = 12


class Packed(NamedTuple):
    """A compressed file, and the ETag of it in this encoding (RFC 9110, section 8.8.3.3)."""

    body: bytes
    etag: str


def add(pages: Blueprint) -> None:
    """Add the files' addresses to the dashboard's pages."""
    pages.add_app_template_global(static_url, "static_url")
    pages.add_app_template_global(static_modules, "static_modules")

    @pages.get("/static/<version>/<path:filename>")
    def static(version: str, filename: str) -> Response:
        """A static file; another version's address is answered with this one's, and not kept."""
        response = _packed_answer(filename) or send_from_directory(STATIC, filename)
        if response.mimetype in TYPES:
            response.vary.add("Accept-Encoding")
        if version == _version():
            response.cache_control.public, response.cache_control.no_cache = True, None
            response.cache_control.max_age, response.cache_control.immutable = _YEAR_S, True
        return response


def static_url(filename: str) -> str:
    """The address of a static file, which changes with the content of any of them."""
    return url_for("pages.static", version=_version(), filename=filename)


@cache
def static_modules(folder: str) -> tuple[str, ...]:
    """The scripts in a folder: named in the page, they are fetched at once and not one import later."""
    return tuple(path.relative_to(STATIC).as_posix() for path in sorted((STATIC / folder).glob("*.js")))


def _packed_answer(filename: str) -> Response | None:
    """The file as gzip; None if there is none, it is too small, or the client wants it plain or a range."""
    path, kind = safe_join(str(STATIC), filename), guess_type(filename)[0]
    if path is None or kind not in TYPES or not takes_gzip() or "Range" in request.headers:
        return None
    if not Path(path).is_file() or (packed := _packed(path, Path(path).stat().st_mtime_ns)) is None:
        return None
    response = Response(packed.body, mimetype=kind)
    response.content_encoding = "gzip"
    response.cache_control.no_cache = True
    response.set_etag(packed.etag)
    response.make_conditional(request)
    return response


@lru_cache(256)
def _packed(path: str, _changed_ns: int) -> Packed | None:
    plain = Path(path).read_bytes()
    if len(plain) < LEAST_BYTES:
        return None
    body = gzip.compress(plain, 9, mtime=0)
    return Packed(body, sha256(body).hexdigest()[: 2 * _DIGITS])


@cache
def _version() -> str:
    """The start of a SHA-256 over the names and contents of all static files."""
    digest = sha256()
    for path in sorted(STATIC.rglob("*.*")):
        digest.update(path.relative_to(STATIC).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:_DIGITS]
