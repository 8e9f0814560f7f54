"""Signing in, staying and leaving, as a browser does it, and as a stranger tries to."""

from __future__ import annotations

import os
import re
import threading
import time
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import TestResponse

from app.settings import Settings
from app.web.keys import LINK_S, SESSION_IDLE_S, SESSION_MOST_S, Keys
from app.web.tries import SPAN_S, TRIES, Tries
from tests.front_door import KEY, Browser, Front

SIGN_IN, SIGN_OUT, HOME = "/dashboard/signin", "/dashboard/signout", "/dashboard"


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Front:
    return Front(tmp_path_factory.mktemp("front"))


def morsel(response: TestResponse) -> Morsel[str]:
    """The one cookie that the answer sets."""
    (header,) = response.headers.getlist("Set-Cookie")
    (cookie,) = SimpleCookie(header).values()
    return cookie


def sign_in(front: Front, address: str = "127.0.0.1", **form: str) -> tuple[Browser, TestResponse]:
    browser = front.browser()
    response = browser.post(SIGN_IN, data={"key": KEY} | form, environ_overrides={"REMOTE_ADDR": address})
    return browser, response


def with_session(front: Front, value: str) -> Browser:
    browser = front.browser()
    browser.set_cookie("laptime", value)
    return browser


def form_token(front: Front, value: str) -> str:
    session = front.app.service.keys.session(value, time.time())
    assert session is not None
    return front.app.service.keys.form_token(session.id)


def is_in(browser: Browser) -> bool:
    return browser.get("/performance/health").status_code == 200


def link(front: Front) -> str:
    """The token of a new one-time link."""
    address = urlsplit(front.app.service.link())
    assert address.path == SIGN_IN
    return parse_qs(address.query)["link"][0]


def test_the_key_opens_the_dashboard(front: Front) -> None:
    browser, response = sign_in(front)
    assert response.status_code == 303
    assert response.location == HOME
    assert is_in(browser)
    assert browser.get(HOME).status_code == 200


def test_a_key_with_blanks_around_it_opens_too(front: Front) -> None:
    assert sign_in(front, key=f"  {KEY}\n")[1].status_code == 303


@pytest.mark.parametrize("key", ["", " ", "wrong", KEY[:-1], KEY + "x", "\x00", "ключ", "x" * 100_000])
def test_a_wrong_key_does_not(front: Front, key: str) -> None:
    browser, response = sign_in(front, f"10.0.{len(key) % 200}.{hash(key) % 200}", key=key)
    assert response.status_code == 401
    assert "Set-Cookie" not in response.headers
    assert not is_in(browser)


def test_a_wrong_key_is_not_shown_again(front: Front) -> None:
    response = sign_in(front, "10.9.0.1", key="<b>a-wrong-key</b>")[1]
    assert "a-wrong-key" not in response.text


@pytest.mark.parametrize(
    "content_type", [None, "multipart/form-data", "application/json", "text/plain", "nonsense"]
)
def test_a_form_of_another_kind_is_a_wrong_key(front: Front, content_type: str | None) -> None:
    response = front.browser().post(
        SIGN_IN,
        data=b"\xff{",
        content_type=content_type,
        environ_overrides={"REMOTE_ADDR": f"10.8.0.{len(content_type or '')}"},
    )
    assert response.status_code == 401


def test_a_form_that_is_too_large_is_refused(front: Front) -> None:
    assert sign_in(front, key="x" * 2_000_000)[1].status_code == 413


def test_after_ten_wrong_keys_it_is_too_many_and_the_right_one_still_opens(tmp_path: Path) -> None:
    front = Front(tmp_path)
    statuses = [sign_in(front, key="wrong")[1].status_code for _ in range(TRIES)]
    assert statuses == [401] * TRIES
    response = sign_in(front, key="wrong")[1]
    assert response.status_code == 429
    assert 1 <= int(response.headers["Retry-After"]) <= SPAN_S
    assert sign_in(front, "10.0.0.9", key="wrong")[1].status_code == 401
    assert sign_in(front)[1].status_code == 303


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(front: Front) -> None:
    cookie = morsel(sign_in(front)[1])
    assert cookie.key == "laptime"
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert cookie["domain"] == ""
    assert cookie["max-age"] == str(SESSION_MOST_S)
    assert not cookie["secure"]
    assert KEY not in cookie.value


def test_by_https_the_cookie_goes_by_https_only_and_is_bound_to_its_host(tmp_path: Path) -> None:
    front = Front(tmp_path, public_url="https://laptime.example")
    browser = front.browser()
    response = browser.post(SIGN_IN, data={"key": KEY}, base_url="https://laptime.example")
    cookie = morsel(response)
    assert cookie.key == "__Host-laptime"
    assert cookie["secure"] is True
    assert cookie["path"] == "/"
    assert cookie["domain"] == ""
    assert browser.get(HOME, base_url="https://laptime.example").status_code == 200
    token = form_token(front, cookie.value)
    left = browser.post(SIGN_OUT, data={"csrf_token": token}, base_url="https://laptime.example")
    assert morsel(left).key == "__Host-laptime"
    assert morsel(left)["secure"] is True


def test_a_link_is_looked_at_without_using_it_up_and_then_works_once(front: Front) -> None:
    token = link(front)
    for _ in range(3):
        browser = front.browser()
        page = browser.get(f"{SIGN_IN}?link={token}")
        assert page.status_code == 200
        assert token in page.text
        assert not is_in(browser)
    browser, response = sign_in(front, key="", link=token)
    assert response.status_code == 303
    assert is_in(browser)
    again, response = sign_in(front, key="", link=token)
    assert response.status_code == 401
    assert not is_in(again)
    assert token not in front.browser().get(f"{SIGN_IN}?link={token}").text


def test_of_two_who_use_a_link_at_once_one_gets_in(front: Front) -> None:
    for _ in range(10):
        token, barrier = link(front), threading.Barrier(2)
        statuses: list[int] = []

        def use(
            token: str = token, barrier: threading.Barrier = barrier, statuses: list[int] = statuses
        ) -> None:
            barrier.wait()
            statuses.append(sign_in(front, key="", link=token)[1].status_code)

        threads = [threading.Thread(target=use) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [303, 401]


def test_an_expired_link_does_not_work(front: Front) -> None:
    token = link(front)
    for path in (front.settings.state_dir / "links").iterdir():
        os.utime(path, (time.time() - LINK_S - 2,) * 2)
    assert token not in front.browser().get(f"{SIGN_IN}?link={token}").text
    assert sign_in(front, key="", link=token)[1].status_code == 401


def test_a_wrong_link_does_not_work_even_beside_the_key(front: Front) -> None:
    assert sign_in(front, key=KEY, link="x")[1].status_code == 401
    assert sign_in(front, key="", link=KEY)[1].status_code == 401


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "//evil.example/dashboard",
        "https://evil.example/dashboard",
        "\\\\evil.example",
        "/\\evil.example",
        "/dashboard\\..\\evil",
        "/dashboard/\\..\\evil",
        "/dashboard/\r\nSet-Cookie: x=1",
        "/dashboard?\n",
        "/dashboards",
        "/dashboard.evil.example",
        "/dashboard@evil.example",
        "javascript:alert(1)",
        "dashboard",
        "",
        " /dashboard",
        "/dashboard\x00",
    ],
)
def test_the_way_back_never_leaves_our_pages(front: Front, wanted: str) -> None:
    for response in (
        sign_in(front, next=wanted)[1],
        front.browser().post(SIGN_IN, query_string={"next": wanted}, data={"key": KEY}),
    ):
        assert response.status_code == 303
        assert response.location == HOME
        assert len(response.headers.getlist("Set-Cookie")) == 1
    page = front.browser().get(SIGN_IN, query_string={"next": wanted}).text
    assert "evil" not in page
    assert "javascript:" not in page


@pytest.mark.parametrize(
    "wanted", ["/dashboard", "/dashboard?window=15m", "/dashboard/panels/tools?sort=p95"]
)
def test_the_way_back_leads_to_the_page_that_was_asked_for(front: Front, wanted: str) -> None:
    assert sign_in(front, next=wanted)[1].location == wanted
    led = front.browser().get(wanted)
    assert led.status_code == 303
    assert parse_qs(urlsplit(led.location).query)["next"] == [wanted]


def test_the_bare_address_leads_to_the_sign_in_page(front: Front) -> None:
    response = front.browser().get("/")
    assert response.status_code == 303
    assert urlsplit(response.location).path == SIGN_IN


def test_what_the_address_says_is_escaped_in_the_page(front: Front) -> None:
    wanted = '/dashboard?"><script>alert(1)</script>'
    page = front.browser().get(SIGN_IN, query_string={"next": wanted, "link": wanted}).text
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://["},
        {"Origin": "localhost"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost@evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_form_that_another_site_sends_is_refused(front: Front, headers: dict[str, str]) -> None:
    signing_in = front.browser().post(SIGN_IN, data={"key": KEY}, headers=headers)
    assert signing_in.status_code == 400
    assert "Set-Cookie" not in signing_in.headers
    browser, response = sign_in(front)
    data = {"csrf_token": form_token(front, morsel(response).value)}
    assert browser.post(SIGN_OUT, data=data, headers=headers).status_code == 400
    assert is_in(browser)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}],
)
def test_our_own_form_is_accepted(front: Front, headers: dict[str, str]) -> None:
    browser = front.browser()
    response = browser.post(SIGN_IN, data={"key": KEY}, headers=headers)
    assert response.status_code == 303
    data = {"csrf_token": form_token(front, morsel(response).value)}
    assert browser.post(SIGN_OUT, data=data, headers=headers).status_code == 303


def test_behind_a_proxy_that_changes_the_host_the_public_address_is_ours(tmp_path: Path) -> None:
    front = Front(tmp_path, public_url="https://laptime.example/")
    for origin, status in (("https://laptime.example", 303), ("https://evil.example", 400)):
        response = front.browser().post(SIGN_IN, data={"key": KEY}, headers={"Origin": origin})
        assert response.status_code == status


@pytest.mark.parametrize("token", [None, "", "wrong", "\ud83d", "0" * 64, "0" * 128, "ключ"])
def test_a_form_without_its_token_changes_nothing(front: Front, token: str | None) -> None:
    browser = sign_in(front)[0]
    data = None if token is None else {"csrf_token": token.encode("utf-8", "surrogatepass")}
    assert browser.post(SIGN_OUT, data=data).status_code == 400
    assert is_in(browser)


def test_the_token_of_another_session_is_refused(front: Front) -> None:
    browser, other = sign_in(front)[0], morsel(sign_in(front)[1]).value
    assert browser.post(SIGN_OUT, data={"csrf_token": form_token(front, other)}).status_code == 400
    assert is_in(browser)


def test_signing_out_ends_the_session_of_this_browser(front: Front) -> None:
    browser, response = sign_in(front)
    left = browser.post(SIGN_OUT, data={"csrf_token": form_token(front, morsel(response).value)})
    assert left.status_code == 303
    assert urlsplit(left.location).path == SIGN_IN
    assert morsel(left).value == ""
    assert not is_in(browser)


def test_the_page_carries_the_token_that_its_forms_need(front: Front) -> None:
    browser = sign_in(front)[0]
    found = re.search(r'name="csrf_token"\s+value="([0-9a-f]{128})"', browser.get(HOME).text)
    assert found
    assert browser.post(SIGN_OUT, data={"csrf_token": found[1]}).status_code == 303


def test_a_session_in_use_is_renewed_and_the_forms_of_its_open_page_go_on(front: Front) -> None:
    value = front.app.service.keys.new_session(time.time() - 600)
    token = form_token(front, value)
    browser = with_session(front, value)
    renewed = morsel(browser.get("/performance/health"))
    assert renewed.value not in ("", value)
    assert renewed["httponly"] is True
    assert browser.get("/performance/health").headers.getlist("Set-Cookie") == []
    assert browser.post(SIGN_OUT, data={"csrf_token": token}).status_code == 303


def test_signing_out_with_a_session_that_is_due_for_renewal_leaves_none(front: Front) -> None:
    value = front.app.service.keys.new_session(time.time() - 600)
    browser = with_session(front, value)
    left = browser.post(SIGN_OUT, data={"csrf_token": form_token(front, value)})
    assert morsel(left).value == ""


def test_a_session_that_is_over_is_none(front: Front) -> None:
    keys, now_s = front.app.service.keys, time.time()
    idle = keys.new_session(now_s - SESSION_IDLE_S - 1)
    long_ago = keys.session(keys.new_session(now_s - SESSION_MOST_S - 1), now_s - SESSION_MOST_S)
    for value in (idle, keys.new_session(now_s - 1, long_ago)):
        browser = with_session(front, value)
        assert not is_in(browser)
        assert browser.get(HOME).status_code == 303


def test_a_session_of_another_key_or_forged_is_none(front: Front, tmp_path: Path) -> None:
    stranger = Keys.load("a-key-of-somebody-else", tmp_path).new_session(time.time())
    ours = front.app.service.keys.new_session(time.time())
    for value in (stranger, ours[:-1], ours + "A", ours.swapcase(), KEY):
        assert not is_in(with_session(front, value))
    assert is_in(with_session(front, ours))


def test_a_session_does_not_open_the_tool_server(front: Front) -> None:
    assert sign_in(front)[0].get("/tools/list").status_code == 401


def test_our_pages_are_locked_against_frames_scripts_and_caches(front: Front) -> None:
    browser = sign_in(front)[0]
    for path in (SIGN_IN, HOME, "/performance/health", "/dashboard/none"):
        headers = browser.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"


def tries(state: Path) -> Tries:
    return Tries(state, b"secret")


def test_wrong_keys_are_counted_over_all_workers(tmp_path: Path) -> None:
    one, other = tries(tmp_path), tries(tmp_path)
    for number in range(TRIES):
        (one, other)[number % 2].wrong("10.0.0.1", 1000.0)
    assert one.left("10.0.0.1", 1000.0) == other.left("10.0.0.1", 1000.0) == 0
    assert other.left("10.0.0.2", 1000.0) == TRIES
    assert other.left("10.0.0.1", 1000.0 + SPAN_S) == TRIES


def test_an_ipv6_network_is_one_guesser(tmp_path: Path) -> None:
    counted = tries(tmp_path)
    counted.wrong("2001:db8::1", 1000.0)
    assert counted.left("2001:db8::ffff", 1000.0) == TRIES - 1
    assert counted.left("2001:db8:0:1::1", 1000.0) == TRIES


@pytest.mark.parametrize("held", [b"", b"torn", bytes(100_000)])
def test_wrong_keys_are_counted_even_where_the_shared_table_cannot_be_used(
    tmp_path: Path, held: bytes
) -> None:
    (tmp_path / "tries.cells").write_bytes(held)
    counted = tries(tmp_path)
    counted.wrong("10.0.0.1", 1000.0)
    counted.wrong("10.0.0.1", 1000.0)
    assert counted.left("10.0.0.1", 1000.0) == TRIES - 2


def test_wrong_keys_are_counted_without_a_state_folder(tmp_path: Path) -> None:
    counted = Tries(Settings(state_dir=tmp_path / "absent").state_dir, b"secret")
    counted.wrong("10.0.0.1", 1000.0)
    assert counted.left("10.0.0.1", 1000.0) == TRIES - 1
