"""The time in a queue before the service, in the forms that proxies tell it."""

from __future__ import annotations

from pathlib import Path
from time import time

import pytest

from app.capture.queueing import queued_ns
from tests.capture.hosts import OWN_PATH, Measured, called, environ_of

BEGAN_NS = 1_764_000_000_250_000_000
MS = 1_000_000


@pytest.mark.parametrize(
    "told",
    [
        "1764000000.000",
        "t=1764000000.000",
        "1764000000000",
        "t=1764000000000",
        "1764000000000000",
        "t=1764000000000000",
        "1764000000000000000",
        " t=1764000000000 ",
        "1.764e12",
    ],
)
@pytest.mark.parametrize("header", ["HTTP_X_REQUEST_START", "HTTP_X_QUEUE_START"])
def test_every_usual_form_of_the_proxys_time_is_read(header: str, told: str) -> None:
    assert queued_ns({header: told}, BEGAN_NS) == pytest.approx(250 * MS, abs=1000)


@pytest.mark.parametrize(
    "told",
    [
        "", "now", "t=", "-1764000000", "nan", "inf", "0", "17640", "1764000000,5", "9" * 400,
        "1763990000", "1764000002.5", "\u0661\u0667", "\x00",
    ],
)  # fmt: skip
def test_nonsense_a_wrong_clock_and_no_header_are_not_measured(told: str) -> None:
    assert queued_ns({"HTTP_X_REQUEST_START": told}, BEGAN_NS) is None
    assert queued_ns({}, BEGAN_NS) is None


def test_a_proxy_whose_clock_is_a_little_ahead_tells_of_no_queue() -> None:
    assert queued_ns({"HTTP_X_REQUEST_START": "1764000000.700"}, BEGAN_NS) == 0


def test_queue_times_are_kept_by_tool_and_for_the_service_and_not_for_own_pages(tmp_path: Path) -> None:
    def app(_environ: object, start_response: object) -> list[bytes]:
        start_response("200 OK", [])  # type: ignore[operator]
        return [b"ok"]

    measured = Measured(tmp_path, app)
    called(measured.hook, environ_of("/a"))
    assert measured.reader.snapshot().queue.requests == 0
    assert measured.only.average_queue_ms is None
    for waited_s in (0.1, 0.3):
        told = {"HTTP_X_REQUEST_START": f"t={time() - waited_s:.6f}"}
        called(measured.hook, environ_of("/a", more=told))
        called(measured.hook, environ_of(OWN_PATH, more=told))
    called(measured.hook, environ_of("/a", more={"HTTP_X_REQUEST_START": "yesterday"}))
    one, queue = measured.only, measured.reader.snapshot().queue
    assert (one.requests, one.queued, queue.requests) == (4, 2, 2)
    assert one.average_queue_ms == queue.average_ms == pytest.approx(200, abs=50)
    assert queue.quantiles_ms((1.0,)) == pytest.approx([300], abs=50)
    assert list(measured.tools) == ["GET /a"]
