"""What leaves the service when something goes wrong: enough to act on, and nothing about the inside."""

from __future__ import annotations

import logging

import pytest
from flask import Flask, abort, request
from werkzeug.test import Client

from app.errors import BadRequestError, TooManyTriesError, UnauthorizedError, UnavailableError
from app.web import problems
from tests.front_door import problem


@pytest.fixture(scope="module")
def client() -> Client:
    app = Flask(__name__, static_folder=None)
    problems.register(app)

    @app.get("/raise/<kind>")
    def fail(kind: str) -> str:
        if kind == "unexpected":
            raise RuntimeError("password is hunter2")
        raise {
            "wrong": BadRequestError("window is '5m'; allowed is 15m"),
            "key": UnauthorizedError("this needs a key"),
            "tries": TooManyTriesError("wait", retry_after_s=17),
            "away": UnavailableError("the store does not answer"),
        }[kind]

    @app.get("/abort/<int:status>")
    def refuse(status: int) -> str:
        abort(status)

    @app.post("/form")
    def form() -> str:
        return str(request.form["absent"])

    @app.get("/folder/")
    def folder() -> str:
        return "here"

    return Client(app)


def test_an_error_of_ours_is_told_with_its_status_code_and_words(client: Client) -> None:
    detail = problem(client.get("/raise/wrong"), 400, "bad_request")
    assert detail == "window is '5m'; allowed is 15m"


def test_a_missing_key_is_told_with_the_scheme_to_use(client: Client) -> None:
    response = client.get("/raise/key")
    problem(response, 401, "unauthorized")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_too_many_tries_are_told_with_the_time_to_wait(client: Client) -> None:
    response = client.get("/raise/tries")
    problem(response, 429, "too_many_tries")
    assert response.headers["Retry-After"] == "17"


def test_what_nobody_expected_is_logged_and_not_told(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "laptime"):
        response = client.get("/raise/unexpected")
    problem(response, 500, "internal_error")
    assert "hunter2" not in response.text
    assert "RuntimeError" not in response.text
    (record,) = [record for record in caplog.records if record.name == "laptime"]
    assert record.exc_info
    assert "hunter2" in str(record.exc_info[1])


def test_a_part_that_is_away_is_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "laptime"):
        problem(client.get("/raise/away"), 503, "unavailable")
    assert "the store does not answer" in caplog.text


@pytest.mark.parametrize("status", [400, 403, 404, 405, 406, 408, 409, 413, 414, 415, 418, 422, 500, 503])
def test_an_error_of_http_is_a_problem_too(client: Client, status: int) -> None:
    problem(client.get(f"/abort/{status}"), status)


def test_a_method_that_is_not_taken_says_which_are(client: Client) -> None:
    response = client.delete("/raise/wrong")
    problem(response, 405, "method_not_allowed")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=", "a/b", ""])
def test_a_form_that_can_not_be_read_is_the_clients_error(client: Client, content_type: str) -> None:
    problem(client.post("/form", data=b"--x\r\n\xff", content_type=content_type), 400)


def test_a_redirect_stays_a_redirect(client: Client) -> None:
    assert client.get("/folder").status_code == 308


@pytest.fixture(scope="module")
def pages() -> Client:
    app = Flask("app", static_folder=None)
    problems.register(app, pages="/pages")
    app.jinja_env.globals.update(static_url=str, version="1", csrf_token=str)
    return Client(app)


@pytest.mark.parametrize("path", ["/elsewhere", "/pages"])
def test_programs_get_a_problem_below_the_pages_too(pages: Client, path: str) -> None:
    problem(pages.get(path, headers={"Accept": "application/json"}), 404, "not_found")
