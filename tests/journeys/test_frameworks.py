"""The wheel, in an environment of its own, measures what people build with frameworks, and changes nothing.

Each shop of `hosts` is served by that environment's gunicorn from an empty folder, so that nothing of the
checkout takes part but the shop itself.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from .load import Call, send
from .loopback import Answer
from .service import CHECKOUT, KEY, Service

HOSTS = Path(__file__).parent / "hosts"
OURS = {"x-response-time", "x-request-success", "server-timing"}
TIMES = 3  # so often that both workers are asked
MANY = 200
DECLINED = "/declined"
UNMATCHED = "(unmatched)"
COUNTS = ("total_requests", "error_count", "client_errors", "server_errors")

# Installing takes a while where pip has nothing in its cache.
pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("frameworks")]


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the programs of a new environment: the wheel, what it asks for, and the frameworks."""
    folder = tmp_path_factory.mktemp("frameworks")
    pinned = (CHECKOUT / "requirements.txt").read_text()
    (folder / "pins.txt").write_text(re.sub(r"\[.*?\]", "", pinned))  # a constraint may not name extras
    env = folder / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", env], check=True)
    pip = [sys.executable, "-m", "pip", f"--python={env / 'bin' / 'python'}", "install", "--quiet"]
    pins = f"--constraint={folder / 'pins.txt'}"
    frameworks = f"--requirement={Path(__file__).with_name('frameworks.txt')}"
    done = subprocess.run(
        [*pip, "--disable-pip-version-check", "--no-input", pins, frameworks, "gunicorn", str(wheel)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return env / "bin"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a shop: the status that it answers, and the tool that it counts as."""

    method: str
    path: str
    status: int
    tool: str
    host: str = "shop.test"


def shop(user: str, sold: str, *, static: str, delete: tuple[int, str]) -> tuple[Asked, ...]:
    """What is asked of every shop; its routes are written, and a wrong method is told, in as many ways."""
    return (
        Asked("GET", "/", 200, "GET /"),
        Asked("GET", "/?page=2", 200, "GET /"),
        Asked("GET", "/users/7", 200, f"GET {user}"),
        Asked("GET", "/users/8", 200, f"GET {user}"),
        Asked("HEAD", "/users/7", 200, f"HEAD {user}"),
        Asked("GET", "/users/nobody", 404, UNMATCHED),
        Asked("GET", "/sold/5", 404, f"GET {sold}"),
        Asked("POST", "/orders", 201, "POST /orders"),
        Asked("DELETE", "/orders", *delete),
        Asked("GET", "/refused", 403, "GET /refused"),
        Asked("GET", "/fails", 500, "GET /fails"),
        Asked("GET", "/pay/card", 200, "pay by card"),
        Asked("GET", DECLINED, 200, "GET /declined"),
        Asked("GET", "/static/app.css", 200, f"GET {static}"),
        Asked("GET", "/wp-login.php", 404, UNMATCHED),
    )


SHOPS = {
    "flask": (
        *shop(
            "/users/<int:id>",
            "/sold/<int:id>",
            static="/static/<path:filename>",
            delete=(405, UNMATCHED),
        ),
        Asked("GET", "/users/bob/news", 308, UNMATCHED),
        Asked("GET", "/inner/", 200, "GET /inner/"),
        Asked("GET", "/inner/users/7", 200, "GET /inner/users/<int:id>"),
        Asked("GET", "/inner/fails", 500, "GET /inner/fails"),
        Asked("GET", "/inner/wp-login.php", 404, UNMATCHED),
    ),
    "django": (
        *shop(
            "/users/<int:id>",
            "/sold/<int:id>",
            static="/static/<path>",
            delete=(405, "DELETE /orders"),
        ),
        Asked("GET", "/users/bob/news", 301, UNMATCHED),
        Asked("GET", "/users/bob/news/", 200, "GET /users/<slug:name>/news/"),
        Asked("POST", "/guarded/5", 403, "POST /guarded/<int:id>"),
        Asked("GET", "/archive/2026/", 200, "GET /archive/<year>/"),
        Asked("GET", "/archive/2026/07/", 200, "GET /archive/<var>/<var>/"),
        Asked("GET", "/shops/3/archive/2026/", 200, "GET /shops/<int:shop>/archive/<year>/"),
        Asked("GET", "/users/eve", 400, UNMATCHED, host="scanned.test"),
    ),
    "bottle": (
        *shop(
            "/users/<id:int>",
            "/sold/<id:int>",
            static="/static/<name:path>",
            delete=(405, UNMATCHED),
        ),
        Asked("GET", "/inner/users/7", 200, "GET /inner/users/<id:int>"),
    ),
    "falcon": (
        *shop(
            "/users/{id:int}",
            "/sold/{id:int}",
            static="/static/app.css",
            delete=(405, "DELETE /orders"),
        ),
        Asked("GET", "/staff/bob", 401, UNMATCHED),
    ),
    "pyramid": (
        *shop(
            r"/users/{id:\d+}",
            "/sold/{id}",
            static="/static/*subpath",
            delete=(404, UNMATCHED),
        ),
        Asked("GET", "/users/bob/news", 307, UNMATCHED),
        Asked("GET", "/users/bob/news/", 200, "GET /users/{name}/news/"),
        Asked("GET", "/inner/users/7", 200, "GET /inner/users/{id}"),
        Asked("GET", "/books", 200, "GET /books"),
        Asked("GET", "/books/move", 303, "GET /books/move"),
    ),
}


def served(folder: Path, programs: Path, framework: str, kind: str) -> Service:
    """One shop, one kind of it, by two workers of the new environment that start in an empty folder."""
    empty = folder / kind
    empty.mkdir()
    app = f"{framework}_shop:create({kind!r})"
    env = {"PYTHONPATH": str(HOSTS), "PYTHONDONTWRITEBYTECODE": "1"}
    env["PYTHONHASHSEED"] = "0"  # Flask's Allow header has a set's order, another one in each process
    return Service(folder, app=app, programs=programs, cwd=empty, env=env, tracebacks=True)


def ask(service: Service, asked: Asked) -> Answer:
    """Ask as a client of the shop does, which has no key of Laptime's."""
    return service.request(asked.method, asked.path, key=False, headers={"Host": asked.host})


def kept(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    """What has to be equal, measured or not: all but the time of day and what Laptime adds."""
    headers = [(name, value) for name, value in answer.headers.items() if name.lower() not in {"date", *OURS}]
    return answer.status, sorted(headers), answer.body


def expected(calls: Iterable[Asked]) -> dict[str, dict[str, int]]:
    """What the API has to count for these calls, tool by tool."""
    counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for asked in calls:
        declined = asked.path == DECLINED
        counted[asked.tool] += Counter(
            total_requests=1,
            error_count=asked.status >= 400 or declined,
            client_errors=400 <= asked.status < 500,
            server_errors=asked.status >= 500,
        )
    return {tool: {name: counts[name] for name in COUNTS} for tool, counts in counted.items()}


def counted(service: Service) -> dict[str, dict[str, int]]:
    """What the API counts, without what was asked while the service came up."""
    tools: dict[str, Any] = service.metrics()["tools"]
    return {
        name: {count: tool[count] for count in COUNTS}
        for name, tool in tools.items()
        if not name.endswith("/health")
    }


@pytest.mark.parametrize("framework", SHOPS)
def test_a_shop_is_measured_by_its_routes_and_answers_as_before(
    framework: str, programs: Path, tmp_path: Path
) -> None:
    with served(tmp_path, programs, framework, "bare") as bare:
        before = [ask(bare, asked) for asked in SHOPS[framework]]
    many = Asked("GET", "/users/9", 200, SHOPS[framework][2].tool)
    with served(tmp_path, programs, framework, "measured") as service:
        for _ in range(TIMES):
            for asked, answer in zip(SHOPS[framework], before, strict=True):
                assert answer.status == asked.status, asked
                assert kept(ask(service, asked)) == kept(answer), asked
        sent = send(service.url, KEY, [Call(many.tool, many.method, many.path)] * MANY)
        assert sent.of_status(200) == MANY
        assert counted(service) == expected([*SHOPS[framework] * TIMES, *[many] * MANY])
        check_the_dashboard(service, many.tool)


def check_the_dashboard(service: Service, tool: str, prefix: str = "/dashboard") -> None:
    """Sign in as a browser does, read the page, and load all that it links to."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode({"key": KEY}).encode()
    signed_in = service.request("POST", f"{prefix}/signin", body=body, key=False, headers=form)
    assert signed_in.status == 303, signed_in.body
    cookie = {"Cookie": signed_in.headers["Set-Cookie"].partition(";")[0]}
    page = service.get(f"{prefix}/", key=False, headers=cookie)
    assert page.status == 200
    assert escape(tool) in page.body.decode()
    assets = re.findall(rf'(?:href|src)="({prefix}/static/[^"]+)"', page.body.decode())
    assert len(assets) > 5
    for asset in assets:
        answer = service.get(asset, key=False)
        assert (answer.status, b"the shop's own" in answer.body) == (200, False), asset
        assert answer.body


@pytest.mark.parametrize("framework", ["django", "falcon", "pyramid"])
def test_without_its_line_a_framework_counts_by_folded_path(
    framework: str, programs: Path, tmp_path: Path
) -> None:
    calls = [
        Asked("GET", "/users/7", 200, "GET /users/<int>"),
        Asked("GET", "/users/8", 200, "GET /users/<int>"),
        Asked("GET", "/pay/card", 200, "pay by card"),
        Asked("GET", "/fails", 500, "GET /fails"),
        Asked("GET", "/wp-login.php", 404, UNMATCHED),
    ]
    with served(tmp_path, programs, framework, "wrapped") as service:
        assert [ask(service, asked).status for asked in calls] == [asked.status for asked in calls]
        assert counted(service) == expected(calls)


def test_behind_other_middleware_djangos_line_names_what_they_refuse(programs: Path, tmp_path: Path) -> None:
    calls = [
        Asked("GET", "/users/7", 200, "GET /users/<int:id>"),
        Asked("POST", "/guarded/5", 403, "POST /guarded/<int:id>"),
    ]
    with served(tmp_path, programs, "django", "last") as service:
        assert [ask(service, asked).status for asked in calls] == [200, 403]
        assert counted(service) == expected(calls)


def test_an_application_mounted_below_another_is_measured_alone(programs: Path, tmp_path: Path) -> None:
    calls = [
        Asked("GET", "/inner/users/7", 200, "GET /inner/users/<int:id>"),
        Asked("GET", "/inner/wp-login.php", 404, UNMATCHED),
    ]
    with served(tmp_path, programs, "flask", "mounted") as service:
        assert ask(service, Asked("GET", "/users/7", 200, "")).status == 200
        assert [ask(service, asked).status for asked in calls] == [200, 404]
        found = service.get("/inner/performance/metrics").json()["metrics"]["tools"]
        assert {tool: found[tool]["total_requests"] for tool in found} == {asked.tool: 1 for asked in calls}
        check_the_dashboard(service, calls[0].tool, "/inner/dashboard")
