"""No key, no answer: every route of both applications, walked from their URL maps."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import getclosurevars
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, request
from werkzeug.test import TestResponse

from app.web import performance_api
from app.web.auth import SAFE
from app.web.tries import TRIES
from tests.front_door import KEY, Front, problem

OPEN = {"health.health", "auth.sign_in", "auth.sign_in_page", "pages.static"}
SIGN_IN = "/dashboard/signin"
WRONG = "a-wrong-key-that-is-long-enough"


@dataclass(frozen=True, slots=True)
class Route:
    """One method at one address."""

    method: str
    path: str
    is_page: bool


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Front:
    return Front(tmp_path_factory.mktemp("front"))


def tool_server(front: Front) -> Flask:
    """The bundled application behind the pages."""
    assert front.app.pipeline is not None
    server = getclosurevars(front.app.pipeline).nonlocals["application"]
    assert isinstance(server, Flask)
    return server


def routes(front: Front) -> list[Route]:
    """Every method of every rule that is not declared open."""
    found: list[Route] = []
    for app in (front.app, tool_server(front)):
        adapter = app.url_map.bind("localhost")
        for rule in app.url_map.iter_rules():
            path = adapter.build(rule.endpoint, dict.fromkeys(rule.arguments, "1"), force_external=False)
            is_page = app is front.app and not rule.endpoint.startswith("performance.")
            if rule.endpoint not in OPEN:
                found += [Route(method, path, is_page) for method in sorted(rule.methods or ())]
    return found


def ask(front: Front, route: Route, **environ: Any) -> TestResponse:
    return front.browser().open(route.path, method=route.method, environ_overrides=environ)


def test_the_open_routes_are_the_declared_ones_and_no_others(front: Front) -> None:
    endpoints = {rule.endpoint for rule in front.app.url_map.iter_rules()}
    assert endpoints >= OPEN
    assert {rule.endpoint for rule in tool_server(front).url_map.iter_rules()}.isdisjoint(OPEN)
    assert len(routes(front)) >= 20


def test_no_route_answers_without_a_key(front: Front) -> None:
    for route in routes(front):
        response = ask(front, route)
        if route.is_page and response.status_code == 303:  # people are led to the sign-in page
            assert urlsplit(response.location).path == SIGN_IN, route
            assert urlsplit(response.location).netloc == "", route
            assert "ping" not in response.text
        else:
            assert response.status_code == 401, route
            assert response.headers["WWW-Authenticate"] == "Bearer", route


def test_each_change_by_json_asks_for_the_scope(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(performance_api, "need_admin", lambda: asked.append((request.method, request.path)))
    there = [route for route in routes(front) if route.path.startswith("/performance/")]
    for route in there:
        ask(front, route, HTTP_X_API_KEY=KEY)
    changes = [(route.method, route.path) for route in there if route.method not in SAFE]
    changes.remove(("POST", "/performance/rules/preview"))
    assert len(changes) >= 15
    assert asked == changes


def test_programs_are_told_as_a_problem(front: Front) -> None:
    for route in routes(front):
        if not route.is_page and route.method != "HEAD":
            detail = problem(ask(front, route), 401, "unauthorized")
            assert "X-API-Key" in detail


@pytest.mark.parametrize(
    "environ",
    [
        {"HTTP_X_API_KEY": WRONG},
        {"HTTP_AUTHORIZATION": f"Bearer {WRONG}"},
        {"HTTP_AUTHORIZATION": f"Basic {WRONG}"},
        {"HTTP_X_API_KEY": KEY[:-1]},
        {"HTTP_X_API_KEY": KEY + "x"},
        {"HTTP_X_API_KEY": KEY.upper()},
        {"HTTP_COOKIE": f"laptime={KEY}"},
        {"QUERY_STRING": f"key={KEY}&api_key={KEY}"},
    ],
)
def test_no_route_answers_with_a_wrong_key(front: Front, environ: dict[str, str]) -> None:
    for number, route in enumerate(routes(front)):
        address = f"10.{abs(hash(str(environ))) % 200}.1.{number}"
        response = ask(front, route, REMOTE_ADDR=address, **environ)
        led = route.is_page and response.status_code == 303
        assert led or response.status_code == 401, (route, response.text)


@pytest.mark.parametrize(
    "environ",
    [
        {"HTTP_X_API_KEY": KEY},
        {"HTTP_AUTHORIZATION": f"Bearer {KEY}"},
        {"HTTP_AUTHORIZATION": f"bearer  {KEY} "},
    ],
)
def test_every_route_answers_with_the_key(front: Front, environ: dict[str, str]) -> None:
    for route in routes(front):
        response = ask(front, route, **environ)
        assert response.status_code not in (401, 403, 429, 500), route
        assert not response.headers.get("Location", "").startswith(f"{SIGN_IN}?next"), route


@pytest.mark.parametrize(
    "path",
    [
        "/performance",
        "/performance/",
        "/performance/none",
        "/dashboard/none",
        "/dashboard/static",
        "/nowhere",
        "/tools",
        "/tools/list/",
        "/health/",
        "//performance/metrics",
        "/performance//metrics",
        "/Performance/metrics",
        "/./performance/metrics",
        "/dashboard/signin/",
    ],
)
def test_what_is_no_route_needs_a_key_too(front: Front, path: str) -> None:
    assert front.get(path, key=None).status_code == 401
    assert front.get(path).status_code in (404, 405, 308)


@pytest.mark.parametrize("path", ["/health", SIGN_IN, "/dashboard/static/0/favicon.svg"])
def test_the_open_routes_answer_without_a_key(front: Front, path: str) -> None:
    assert front.get(path, key=None).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "BREW"])
def test_an_open_route_is_open_for_its_own_methods_only(front: Front, method: str) -> None:
    assert front.browser().open("/health", method=method).status_code == 401


@pytest.mark.parametrize(
    "path",
    ["../settings.py", "..%2fsettings.py", "%2e%2e/settings.py", "/etc/passwd", "\x00", "vendor/..", ""],
)
def test_nothing_outside_the_folder_of_static_files_is_open(front: Front, path: str) -> None:
    response = front.get(f"/dashboard/static/0/{path}", key=None)
    assert response.status_code in (401, 404)
    assert "LAPTIME" not in response.text


ODD = [
    "",
    " ",
    "\x00",
    "\xff\xfe",
    "\xed\xa0\x80",
    "\ud800\udfff",
    "ключ",
    "🔑",
    "x" * 1_000_000,
    KEY + "\x00",
    KEY + ", " + KEY,
    "%s%n{0}",
]


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("path", ["/performance/metrics", "/tools/list"])
def test_odd_keys_are_refused_and_nothing_breaks(front: Front, path: str, value: str) -> None:
    for number, environ in enumerate(
        (
            {"HTTP_X_API_KEY": value},
            {"HTTP_AUTHORIZATION": f"Bearer {value}"},
            {"HTTP_AUTHORIZATION": value},
            {"HTTP_AUTHORIZATION": f"Basic {value}"},
        )
    ):
        route = Route("GET", path, is_page=False)
        address = f"2001:db8:{ODD.index(value):x}:{number + len(path)}::1"
        problem(ask(front, route, REMOTE_ADDR=address, **environ), 401)


@pytest.mark.parametrize(
    "value", ["", "=", "laptime", "laptime=", "laptime=\xff", "laptime=.", "laptime=a.b.c", "a=" * 9_999]
)
def test_odd_cookies_are_no_session(front: Front, value: str) -> None:
    response = ask(front, Route("GET", "/dashboard", is_page=True), HTTP_COOKIE=value)
    assert response.status_code == 303
    problem(ask(front, Route("GET", "/performance/health", is_page=False), HTTP_COOKIE=value), 401)


def test_ten_wrong_keys_are_told_and_then_it_is_too_many(tmp_path: Path) -> None:
    front = Front(tmp_path)
    route = Route("GET", "/performance/health", is_page=False)
    for _ in range(TRIES):
        problem(ask(front, route, HTTP_X_API_KEY=WRONG, REMOTE_ADDR="10.0.0.1"), 401)
    response = ask(front, route, HTTP_X_API_KEY=WRONG, REMOTE_ADDR="10.0.0.1")
    problem(response, 429, "too_many_tries")
    assert 1 <= int(response.headers["Retry-After"]) <= 300
    call = Route("POST", "/api/v1/tools/call", is_page=False)
    problem(ask(front, call, HTTP_AUTHORIZATION=f"Bearer {WRONG}", REMOTE_ADDR="10.0.0.1"), 429)
    assert ask(front, route, HTTP_X_API_KEY=KEY, REMOTE_ADDR="10.0.0.1").status_code == 200
    problem(ask(front, route, HTTP_X_API_KEY=WRONG, REMOTE_ADDR="10.0.0.2"), 401)
    problem(ask(front, route, REMOTE_ADDR="10.0.0.1"), 401)  # none at all is no guess


def test_a_forwarded_address_does_not_make_a_new_guesser(tmp_path: Path) -> None:
    front = Front(tmp_path)
    route = Route("GET", "/performance/health", is_page=False)
    statuses = [
        ask(front, route, HTTP_X_API_KEY=WRONG, HTTP_X_FORWARDED_FOR=f"10.1.1.{number}").status_code
        for number in range(TRIES + 1)
    ]
    assert statuses == [401] * TRIES + [429]


def test_the_way_to_the_sign_in_page_knows_where_to_come_back(front: Front) -> None:
    response = front.browser().get("/dashboard?window=15m")
    assert parse_qs(urlsplit(response.location).query) == {"next": ["/dashboard?window=15m"]}


def test_a_fragment_is_not_led_to_a_page(front: Front) -> None:
    response = front.browser().get("/dashboard/panels/tools", headers={"HX-Request": "true"})
    assert response.status_code == 401
