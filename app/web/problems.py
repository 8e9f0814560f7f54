"""What a wrong request is told: `application/problem+json` (RFC 9457) for programs, a page for people.

Nothing about the inside goes out: an error that is not ours is logged and answered as "internal error".
"""

from __future__ import annotations

import logging

import msgspec
from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from ..errors import LaptimeError, TooManyTriesError

log = logging.getLogger("laptime")


def register(app: Flask, *, pages: str | None = None) -> None:
    """Answer every error of `app` as a problem; below the path `pages`, as a page of HTML."""

    def answer(status: int, title: str, detail: str, code: str) -> Response:
        is_page = pages is not None and f"{request.path}/".startswith(f"{pages}/")
        if is_page and request.accept_mimetypes.accept_html:
            html = render_template("error.html", status=status, title=title, detail=detail)
            return Response(html, status, mimetype="text/html")
        return problem(status, title, detail, code)

    @app.errorhandler(LaptimeError)
    def of_ours(error: LaptimeError) -> Response:
        if error.status >= 500:
            log.error("%s: %s", error.code, error)
        response = answer(error.status, error.title, error.detail, error.code)
        if isinstance(error, TooManyTriesError):
            response.headers["Retry-After"] = str(error.retry_after_s)
        if error.status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response

    @app.errorhandler(HTTPException)
    def of_http(error: HTTPException) -> Response:
        status = error.code or 500
        detail = _HTTP_DETAILS.get(status) or error.description or error.name
        response = answer(status, error.name, detail, error.name.lower().replace(" ", "_"))
        for name, value in error.get_headers():
            if name.lower() == "allow":
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def of_nobody(error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.url_rule, exc_info=error)
        return answer(
            500, "Internal error", "The service failed to answer; its log says why.", "internal_error"
        )


_HTTP_DETAILS = {404: "There is nothing at this address.", 405: "This address does not take this method."}


def problem(status: int, title: str, detail: str, code: str) -> Response:
    """A problem+json response with the extra members `code` and `success`."""
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "success": False,
    }
    response = Response(msgspec.json.encode(body), status, mimetype="application/problem+json")
    response.headers["Cache-Control"] = "no-store"
    return response
