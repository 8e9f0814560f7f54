"""Each way in which a receiver may fail: it is told in words, in time, and holds up nothing else."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from app.courier import Courier, Message, Outcome
from app.errors import BadRequestError

from . import receivers
from .receivers import http_receiver, mail_server, talker

NOTICE = Message("0123abcd", "Error: ping, Low success rate: 0.0%", "ping: Low success rate\nNotice", "error")
WITHIN_S = 3.0
COURIER = Courier(b"k" * 32, allow_private=True, within_s=WITHIN_S)


def sent(url: str, message: Message = NOTICE) -> Outcome:
    """Send it, and see that the time was kept and nothing is left running."""
    others = psutil.Process().children()  # a browser, or a service of other tests
    begun_s = time.monotonic()
    outcome = COURIER.send(url, message)
    assert time.monotonic() - begun_s < WITHIN_S + 2
    assert psutil.Process().children() == others
    return outcome


def failed(url: str) -> str:
    """Why it failed."""
    outcome = sent(url)
    assert not outcome.delivered
    return outcome.detail


def test_a_webhook_is_told_with_the_notices_id() -> None:
    with http_receiver() as hook:
        assert sent(hook.url).detail == "delivered"
        assert sent(COURIER.seal(hook.url).sealed).delivered
    assert hook.ids == ["0123abcd"] * 2
    assert [(one["title"], one["message"], one["type"]) for one in hook.bodies] == [
        (NOTICE.title, NOTICE.body, "failure")
    ] * 2


def test_mail_is_plain_text_with_the_notices_id() -> None:
    with mail_server() as mail:
        message = Message(
            "0123abcd", "Error: caf\u00e9\r\nBcc: all@example.org", "\u2581\u2588 <b>\n2 & 3", "critical"
        )
        assert sent(mail.url, message).delivered
    [found] = mail.messages
    assert found["Subject"] == "Error: caf\u00e9 Bcc: all@example.org"
    assert (found["To"], found["From"], found["Bcc"]) == ("ops@example.org", "laptime@example.org", None)
    assert found["X-Laptime-Notice"] == "0123abcd"
    assert found.get_content_type() == "text/plain"
    assert found.get_content().splitlines() == ["\u2581\u2588 <b>", "2 & 3"]


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (500, "the server answered 500"),
        (404, "the server answered 404"),
        (302, "the answer was a redirect (302), which is not followed"),
        ("endless", "the server answered 500"),
        ("closes", "the server closed the connection"),
        ("hangs", "it took longer than 3 s"),
    ],
)
def test_a_webhook_that_fails(answer: int | str, detail: str) -> None:
    with http_receiver(answer, Location="http://127.0.0.1:9/") as hook:
        assert failed(hook.url) == detail
    assert len(hook.ids) == 1


def test_a_dripping_answer_is_not_waited_for() -> None:
    with http_receiver("drips") as hook:
        assert failed(hook.url) in ("the server answered 500", "it took longer than 3 s")


def test_a_webhook_that_is_asked_too_often_says_when_to_come_back() -> None:
    with http_receiver(429, Retry_After="77") as hook:
        outcome = sent(hook.url)
    assert (outcome.detail, outcome.retry_after_s) == ("the server answered 429", 77.0)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert failed(f"json://127.0.0.1:{port}") == "the connection was refused"
    assert (
        failed(f"mailto://127.0.0.1:{port}?from=a@example.org&to=b@example.org")
        == "the connection was refused"
    )


def test_a_name_that_is_not_known() -> None:
    public = Courier(b"k" * 32, allow_private=False, within_s=WITHIN_S)
    assert public.send("json://nowhere.invalid/x", NOTICE).detail == "the name of the server is not known"


def test_a_tls_server_that_is_none() -> None:
    with talker(receivers.busy) as port:
        assert failed(f"jsons://127.0.0.1:{port}").startswith("no secure connection")


@pytest.mark.parametrize(
    ("step", "answer", "detail"),
    [
        ("rcpt", "550 no such user", "the mail server refused a receiver: 550 no such user"),
        ("rcpt", "451 try again later", "the mail server refused a receiver: 451 try again later"),
        ("data", "554 looks like spam", "the mail server refused: 554 looks like spam"),
    ],
)
def test_a_mail_server_that_refuses(step: str, answer: str, detail: str) -> None:
    with mail_server() as mail:
        mail.refusing = lambda at, _: answer if at == step else None
        assert failed(mail.url) == detail
    assert mail.messages == []


@pytest.mark.parametrize(
    ("say", "detail"),
    [
        (receivers.hangs, "it took longer than 3 s"),
        (receivers.drips, "it took longer than 3 s"),
        (receivers.busy, "the mail server refused: 421 too busy, come back later"),
        (receivers.closes, "the mail server closed the connection"),
    ],
)
def test_a_mail_server_that_misbehaves(say: Callable[[socket.socket], None], detail: str) -> None:
    with talker(say) as port:
        assert (
            failed(f"mailto://127.0.0.1:{port}?from=a@example.org&to=b@example.org&mode=insecure") == detail
        )


def test_one_of_two_receivers_is_refused_and_it_counts_as_not_delivered() -> None:
    with mail_server() as mail:
        mail.refusing = lambda step, text: "550 gone" if step == "rcpt" and text.startswith("old") else None
        url = mail.url.replace("to=ops@example.org", "to=ops@example.org,old@example.org")
        assert failed(url) == "the mail server refused a receiver: 550 gone"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "10.1.2.3", "169.254.169.254", "100.64.1.1", "[::1]"]
)
def test_a_webhook_to_a_private_address_is_not_called(host: str) -> None:
    public = Courier(b"k" * 32, allow_private=False, within_s=WITHIN_S)
    with http_receiver() as hook:
        outcome = public.send(f"json://{host}:{hook.port}/x", NOTICE)
    assert not outcome.delivered
    assert "private address" in outcome.detail
    assert hook.ids == []


def test_mail_goes_to_a_private_address_too() -> None:
    public = Courier(b"k" * 32, allow_private=False, within_s=WITHIN_S)
    with mail_server() as mail:
        assert public.send(mail.url, NOTICE).delivered


def test_no_secret_of_the_address_is_told() -> None:
    url = "json://someone:s3cret%2Dword@nowhere.invalid/T0KEN-in-path/?key=0therSecret"
    target = COURIER.seal(url)
    said = f"{target.service} {target.shown} {COURIER.send(target.sealed, NOTICE).detail}"
    for secret in ("someone", "s3cret", "T0KEN", "0therSecret"):
        assert secret not in said
        assert secret not in target.sealed


def test_an_address_sealed_with_another_key_is_not_opened() -> None:
    sealed = Courier(b"other" * 7, allow_private=True).seal("json://example.org/x").sealed
    assert failed(sealed) == "the channel's address was encrypted with another key; enter it again"
    assert failed("") == "the channel's address is not in the environment any more"


@pytest.mark.parametrize(
    ("url", "service", "shown"),
    [
        ("mailto://me:pass@mail.example.org?to=ops@example.org", "E-mail",
         "ops@example.org by mail.example.org"),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#alerts", "Slack", "slack://…"),
        ("discord://123456789012345678/abcdefghijklmnopqrstuvwxyzABCDEFGH", "Discord", "discord://…"),
        ("tgram://123456789:abcdefg_hijklmnop/12315544/", "Telegram", "tgram://…"),
        ("jsons://u:p@hooks.example.com:8443/a/b", "JSON", "jsons://hooks.example.com:8443/…"),
        ("pagerduty://A1BRTD4JDTIiajkdnlazkcOXrIdevi7F@R1BRTD4JDTIiajkdnlazkcOXrIdevi7F", "Pager Duty", "pagerduty://…"),
    ],
)  # fmt: skip
def test_an_address_is_shown_without_its_secrets(url: str, service: str, shown: str) -> None:
    target = COURIER.seal(url)
    assert (target.service, target.shown) == (service, shown)
    assert target.is_mail == (service == "E-mail")


@pytest.mark.parametrize(
    "url", ["", "ops@example.org", "file:///etc/passwd", "dbus://", "x" * 3000, "json://a\nb"]
)
def test_what_is_no_address_of_a_service_is_refused(url: str) -> None:
    with pytest.raises(BadRequestError, match=r"allowed|looks like"):
        COURIER.seal(url)


def test_many_deliveries_leave_nothing_behind() -> None:
    with http_receiver() as hook:
        sent(hook.url)
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(10):
            sent(hook.url)
        assert len(list(Path("/proc/self/fd").iterdir())) <= before
