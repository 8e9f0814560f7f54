"""What goes over the wire compressed, what does not, and that nobody can tell the difference otherwise."""

from __future__ import annotations

import gzip
import re

import pytest
from werkzeug.test import TestResponse

from app.web.compression import LEAST_BYTES, TYPES
from app.web.static_files import STATIC
from tests.front_door import KEY, Front

GZIP = {"Accept-Encoding": "gzip, deflate, br, zstd"}
PAGES = (
    "/dashboard",
    "/dashboard/alerts",
    "/dashboard/settings",
    "/dashboard/nowhere",
    "/performance/metrics",
)
FILES = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.*"))


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Front:
    front = Front(tmp_path_factory.mktemp("compression"))
    for _ in range(3):
        front.call("read_file", {"file_path": "notes.txt"})
    return front


def get(front: Front, path: str, **headers: str) -> TestResponse:
    """GET as a browser asks; underscores in the headers' names are hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    asked = {"X-API-Key": KEY, "Accept": "text/html", **GZIP, **named}
    return front.browser().get(path, headers=asked)


def address(front: Front, filename: str) -> str:
    """A static file's address as pages name it."""
    found = re.search(r"/dashboard/static/[0-9a-f]{12}/", front.get("/dashboard/signin").text)
    assert found
    return found[0] + filename


@pytest.mark.parametrize("path", PAGES)
def test_pages_and_json_are_compressed_for_who_takes_it(front: Front, path: str) -> None:
    packed, whole = get(front, path), get(front, path, Accept_Encoding="")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in whole.headers
    for response in (packed, whole):
        assert "Accept-Encoding" in response.headers["Vary"]
        assert int(response.headers["Content-Length"]) == len(response.data)
        assert response.headers["Cache-Control"] == "no-store"
    assert packed.status_code == whole.status_code
    assert len(packed.data) < len(whole.data) * 0.6
    assert gzip.decompress(packed.data)[:20] == whole.data[:20]


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip;q=0, *", "*;q=0"])
def test_who_takes_no_gzip_gets_none(front: Front, accepted: str) -> None:
    for path in ("/dashboard", address(front, "app.css")):
        assert "Content-Encoding" not in get(front, path, Accept_Encoding=accepted).headers


@pytest.mark.parametrize("accepted", ["gzip", "gzip;q=0.1", "*", "br;q=1, gzip;q=0.5"])
def test_who_takes_gzip_among_others_gets_it(front: Front, accepted: str) -> None:
    for path in ("/dashboard", address(front, "app.css")):
        assert get(front, path, Accept_Encoding=accepted).headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_site_asked_for_tells_nothing_by_its_length(front: Front, site: str) -> None:
    assert "Content-Encoding" not in get(front, "/dashboard?q=guess", Sec_Fetch_Site=site).headers
    for own in ("none", "same-origin"):
        assert get(front, "/dashboard", Sec_Fetch_Site=own).headers["Content-Encoding"] == "gzip"


def test_small_answers_and_what_the_host_answers_stay_as_they_are(front: Front) -> None:
    for path in ("/health", "/dashboard/panels/nowhere?q=", "/tools/list"):
        response = get(front, path, Accept="application/json")
        assert "Content-Encoding" not in response.headers
    assert len(get(front, "/tools/list").data) > LEAST_BYTES
    redirected = front.browser().get("/dashboard", headers=GZIP)
    assert (redirected.status_code, redirected.headers.get("Content-Encoding")) == (303, None)


def test_head_says_what_get_would_send(front: Front) -> None:
    path = address(front, "app.css")
    headers = [front.browser().open(path, method=method, headers=GZIP).headers for method in ("GET", "HEAD")]
    for name in ("Content-Encoding", "Content-Length", "ETag", "Vary"):
        assert headers[0][name] == headers[1][name]


@pytest.mark.parametrize("filename", FILES)
def test_a_static_file_is_the_same_in_both_encodings(front: Front, filename: str) -> None:
    source = (STATIC / filename).read_bytes()
    packed = get(front, address(front, filename))
    whole = get(front, address(front, filename), Accept_Encoding="identity")
    is_packed = packed.mimetype in TYPES and len(source) >= LEAST_BYTES
    assert packed.headers.get("Content-Encoding") == ("gzip" if is_packed else None)
    assert (gzip.decompress(packed.data) if is_packed else packed.data) == whole.data == source
    assert packed.mimetype == whole.mimetype
    for response in (packed, whole):
        assert "Accept-Encoding" in response.headers["Vary"]
        assert "immutable" in response.headers["Cache-Control"]
    assert (packed.headers["ETag"] != whole.headers["ETag"]) is is_packed


def test_a_file_that_is_known_is_not_sent_again(front: Front) -> None:
    path = address(front, "vendor/htmx.min.js")
    tags = {one: get(front, path, Accept_Encoding=one).headers["ETag"] for one in ("gzip", "identity")}
    for encoding, tag in tags.items():
        known = get(front, path, Accept_Encoding=encoding, If_None_Match=tag)
        assert (known.status_code, known.data) == (304, b"")
        assert known.headers["ETag"] == tag
        assert "Accept-Encoding" in known.headers["Vary"]
        assert "immutable" in known.headers["Cache-Control"]
    crossed = get(front, path, Accept_Encoding="gzip", If_None_Match=tags["identity"])
    assert (crossed.status_code, crossed.headers["Content-Encoding"]) == (200, "gzip")


def test_a_range_is_one_of_the_plain_file(front: Front) -> None:
    part = get(front, address(front, "app.css"), Range="bytes=10-19")
    assert (part.status_code, part.headers.get("Content-Encoding")) == (206, None)
    assert part.data == (STATIC / "app.css").read_bytes()[10:20]


@pytest.mark.parametrize("filename", ["../web/auth.py", "%2e%2e/web/auth.py", "vendor", "nowhere.css", ""])
def test_nothing_else_is_sent(front: Front, filename: str) -> None:
    assert get(front, address(front, "") + filename).status_code == 404
