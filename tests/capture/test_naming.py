"""Names of tools: bounded, printable, and the route rather than the path."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Blueprint, Flask, Response

from app.capture.naming import folded, key_of, name_of, printable


def tool_of(environ: dict[str, Any], status: int) -> str:
    """The name under which a request counts."""
    return name_of(key_of(environ, status))


def test_what_the_host_says_comes_first() -> None:
    environ = {"laptime.tool": "list_files", "PATH_INFO": "/api/v1/tools/call", "REQUEST_METHOD": "POST"}
    assert tool_of(environ, 200) == tool_of(environ, 404) == "list_files"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/users/17", "/users/<int>"),
        ("/users/17/orders/99999999999999", "/users/<int>/orders/<int>"),
        ("/17", "/<int>"),
        ("/1/2/3/", "/<int>/<int>/<int>/"),
        ("/v2/items", "/v2/items"),
        ("/files/0b5c4a4e-8a3e-4f0e-9d33-0c2b1f2f7a11", "/files/<uuid>"),
        ("/files/0B5C4A4E-8A3E-4F0E-9D33-0C2B1F2F7A11/raw", "/files/<uuid>/raw"),
        ("/blobs/d41d8cd98f00b204e9800998ecf8427e", "/blobs/<hex>"),
        ("/blobs/deadbeef", "/blobs/deadbeef"),
        ("/1234567890123456", "/<int>"),
        ("", "/"),
        ("/", "/"),
        ("/a\r\nb\x00c\x1b[31m", "/a b c [31m"),
    ],
)
def test_variable_parts_of_a_path_are_folded(path: str, name: str) -> None:
    assert folded(path) == name


@pytest.mark.parametrize("mark", ["\u200e", "\u200f", "\u061c", "\u202e", "\u2066", "\u2029", "\x85", "\x7f"])
def test_marks_that_would_change_how_a_line_reads_are_gone(mark: str) -> None:
    assert printable(f"abc{mark}{mark}xyz{mark}") == "abc xyz"


def test_a_method_that_no_client_sends_is_folded() -> None:
    environ = {"PATH_INFO": "/a", "REQUEST_METHOD": "X" * 9000}
    assert tool_of(environ, 200) == "(other) /a"


def test_what_was_mounted_below_a_prefix_is_named_with_it() -> None:
    environ = {"SCRIPT_NAME": "/shop", "PATH_INFO": "/cart/7", "REQUEST_METHOD": "GET"}
    assert tool_of(environ, 200) == "GET /shop/cart/<int>"


def test_a_path_that_was_not_found_has_no_name() -> None:
    assert tool_of({"PATH_INFO": "/wp-login.php", "REQUEST_METHOD": "GET"}, 404) == "(unmatched)"


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/users/17", "GET /users/<int:number>"),
        ("GET", "/users/17?q=secret", "GET /users/<int:number>"),
        ("HEAD", "/users/17", "HEAD /users/<int:number>"),
        ("GET", "/users/nobody", "(unmatched)"),
        ("POST", "/users/17", "(unmatched)"),
        ("GET", "/inner/größe/deep/er", "GET /inner/größe/<path:rest>"),
        ("GET", "/gone/5", "GET /gone/<int:number>"),
    ],
)
def test_a_flask_route_is_named_by_its_rule(method: str, path: str, name: str) -> None:
    app, inner = Flask("shop"), Blueprint("inner", "inner")
    app.get("/users/<int:number>", endpoint="user")(lambda number: f"user {number}")
    app.get("/gone/<int:number>", endpoint="gone")(lambda number: Response(str(number), 404))
    inner.get("/größe/<path:rest>", endpoint="deep")(lambda rest: rest)
    app.register_blueprint(inner, url_prefix="/inner")
    names: list[str] = []

    def watched(environ: dict[str, Any], start_response: Any) -> Any:
        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            names.append(tool_of(environ, int(status[:3])))
            return start_response(status, headers, exc_info)

        return bare(environ, start)

    bare, app.wsgi_app = app.wsgi_app, watched  # type: ignore[method-assign]
    app.test_client().open(path, method=method).close()
    assert names == [name]


def test_a_framework_that_matched_nothing_is_believed() -> None:
    environ = {"werkzeug.request": SimpleNamespace(url_rule=None), "PATH_INFO": "/a", "REQUEST_METHOD": "GET"}
    assert tool_of(environ, 200) == "(unmatched)"


@pytest.mark.parametrize(
    ("script", "raw", "name"),
    [
        ("", "/gr\u00c3\u00b6\u00c3\u009fe/7", "GET /größe/<int>"),
        ("/caf\u00c3\u00a9", "/7", "GET /café/<int>"),
        ("", "/\xff", "GET /\ufffd"),
        ("", "/\u4e2d", "GET /?"),
    ],
)
def test_a_path_is_read_as_utf_8(script: str, raw: str, name: str) -> None:
    assert tool_of({"SCRIPT_NAME": script, "PATH_INFO": raw, "REQUEST_METHOD": "GET"}, 200) == name


def test_a_route_that_a_middleware_left_names_the_request() -> None:
    environ = {"SCRIPT_NAME": "/shop", "PATH_INFO": "/users/5/", "REQUEST_METHOD": "GET"}
    told = environ | {"laptime.route": "users/<int:id>/"}
    assert tool_of(told, 200) == tool_of(told, 404) == "GET /shop/users/<int:id>/"


def test_bottle_tells_its_route_and_that_there_is_none() -> None:
    environ = {"PATH_INFO": "/users/5", "REQUEST_METHOD": "GET", "bottle.app": object()}
    assert tool_of(environ, 405) == "(unmatched)"
    assert tool_of(environ | {"bottle.route": SimpleNamespace(rule="/users/<id>")}, 200) == "GET /users/<id>"
