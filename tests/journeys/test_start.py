"""A newcomer starts the service: one command, one link, one curl line, one line when a setting is wrong."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from pathlib import Path

import pytest

from .loopback import ask, eventually, free_port
from .service import CHECKOUT, KEY, Service, environment, gunicorn

LINK = re.compile(r"^ {2}dashboard {2}(http://\S+/dashboard/signin\?link=[\w-]+) ", re.MULTILINE)
CURL = re.compile(r"^ {2}try it {5}(curl .*)$", re.MULTILINE)


def greeting(service: Service) -> str:
    """The service's output, once the worker that greets has done so."""
    eventually(lambda: CURL.search(service.output()), "the curl line")
    return service.output()


def start_and_fail(folder: Path, env: dict[str, str], *args: str) -> tuple[int, str]:
    """Start gunicorn with a wrong setting; its exit status and everything it wrote."""
    settings = {"LAPTIME_STATE_DIR": str(folder / "state")} | env
    done = subprocess.run(
        [*gunicorn(), f"--bind=127.0.0.1:{free_port()}", *args],
        cwd=CHECKOUT,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("preload", [False, True], ids=["plain", "preload"])
def test_the_first_start_prints_one_link_and_one_curl_line_that_work_as_they_are(
    tmp_path: Path, preload: bool
) -> None:
    with Service(tmp_path, key=None, workers=3, preload=preload) as service:
        output = greeting(service)
        (link,), (curl,) = LINK.findall(output), CURL.findall(output)
        assert link.startswith(f"{service.url}/")
        assert ask(service.port, "GET", link.removeprefix(service.url)).status == 200
        done = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["success"] is True


def test_the_key_that_is_made_is_kept_for_the_owner_only_and_stays_over_a_restart(tmp_path: Path) -> None:
    with Service(tmp_path, key=None) as service:
        first = service.key
        assert first in greeting(service)
        assert stat.S_IMODE((service.state / "key").stat().st_mode) == 0o600
    with Service(tmp_path, key=None) as service:
        assert service.get("/performance/health", headers={"X-API-Key": first}).status == 200


def test_a_key_that_was_chosen_is_not_printed(tmp_path: Path) -> None:
    with Service(tmp_path) as service:
        (curl,) = CURL.findall(greeting(service))
        assert KEY not in service.output()
        done = subprocess.run(
            ["bash", "-c", curl],
            env=environment({"LAPTIME_API_KEY": KEY}),
            capture_output=True,
            text=True,
            check=True,
        )
    assert json.loads(done.stdout)["success"] is True


def test_gunicorn_alone_runs_two_workers_on_the_port_that_the_platform_names(tmp_path: Path) -> None:
    port = free_port()
    with Service(tmp_path, bare=True, env={"PORT": str(port)}, port=port) as service:
        eventually(lambda: len(service.workers()) == 2, "two workers")
        assert service.get("/performance/metrics").status == 200


def test_the_service_runs_as_render_starts_it(tmp_path: Path) -> None:
    port = free_port()
    env = {
        "GUNICORN_CMD_ARGS": f"--preload --access-logfile - --bind=0.0.0.0:{port}",
        "WEB_CONCURRENCY": "3",
        "PORT": "10000",
    }
    with Service(tmp_path, bare=True, env=env, port=port) as service:
        eventually(lambda: len(service.workers()) == 3, "three workers")
        assert service.call_tool("ping").status == 200
        assert service.metrics()["overview"]["total_requests"] == 1
        assert '"POST /api/v1/tools/call HTTP/1.1" 200' in service.output()


@pytest.mark.parametrize(
    ("name", "value", "args"),
    [
        ("LAPTIME_SLOW_MS", "quick", ()),
        ("LAPTIME_SLOW_MS", "quick", ("--preload",)),
        ("LAPTIME_SLOW_MS", "quick", ("--workers=4",)),
        ("LAPTIME_SAMPLE_INTERVAL_S", "0", ()),
        ("LAPTIME_RESPONSE_HEADERS", "perhaps", ()),
        ("LAPTIME_API_KEY", "short", ()),
        ("LAPTIME_DATABASE_URL", "mysql://127.0.0.1/laptime", ()),
        ("LAPTIME_WORKSPACE", "/no/such/folder", ()),
        ("LAPTIME_HOST_APP", "no_such_module:app", ()),
        ("LAPTIME_HOST_APP", "no_such_module", ("--preload",)),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line_that_names_it(
    tmp_path: Path, name: str, value: str, args: tuple[str, ...]
) -> None:
    status, output = start_and_fail(tmp_path, {name: value}, *args)
    assert status != 0
    (line,) = [line for line in output.splitlines() if name in line]
    assert line.startswith(f"laptime: {name} ")
    assert "allowed" in line
    assert "Traceback" not in output


@pytest.mark.parametrize("value", ["json", "json:no_such_name", "json:__doc__", "json.no_such_module:app"])
def test_a_host_application_that_its_module_does_not_have_stops_the_start(tmp_path: Path, value: str) -> None:
    status, output = start_and_fail(tmp_path, {"LAPTIME_HOST_APP": value}, "--workers=1")
    assert status != 0
    (line,) = [line for line in output.splitlines() if "LAPTIME_HOST_APP" in line]
    assert value in line
    assert "Traceback" not in output


def test_a_setting_that_does_not_exist_is_named_and_does_not_stop_the_start(tmp_path: Path) -> None:
    with Service(tmp_path, env={"LAPTIME_SLOW_MILLIS": "5"}) as service:
        assert service.get("/health", key=False).status == 200
        greeting(service)
        assert service.output().count("LAPTIME_SLOW_MILLIS is no setting") == 1
