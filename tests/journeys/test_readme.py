"""A newcomer copies the README's commands into a shell, as they are."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from .service import CHECKOUT, KEY, Service, environment

README = (CHECKOUT / "README.md").read_text()


def test_every_curl_line_of_the_readme_works(tmp_path: Path) -> None:
    _, _, section = README.partition("## The JSON API")
    commands = re.findall(r"^curl .*$", section.partition("## Your own application")[0], re.MULTILINE)
    assert len(commands) >= 9
    of_alerts = README.partition("\n## Alerts")[2].partition("\n## ")[0]
    commands += re.findall(r"^curl .*$", of_alerts, re.MULTILINE)
    assert len(commands) >= 19
    with Service(tmp_path) as service:
        for command in commands:
            done = subprocess.run(
                ["bash", "-c", command.replace("curl ", "curl --silent --show-error --fail ", 1)],
                env=environment({"KEY": KEY, "URL": service.url}),
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stderr}"
            assert done.stdout.startswith("{"), command
        assert service.metrics("?tool_name=list_files")["total_requests"] == 1


def test_a_wsgi_application_is_measured_as_the_readme_says(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "from flask import Flask\n"
        "application = Flask(__name__)\n"
        "@application.get('/users/<int:id>')\n"
        "def user(id): return f'user {id}'\n"
        "@application.get('/health')\n"
        "def health(): return 'the shop is well'\n"
        "@application.get('/fails')\n"
        "def fails(): raise RuntimeError('the host fails')\n"
    )
    env = {"LAPTIME_HOST_APP": "shop:application", "PYTHONPATH": str(tmp_path)}
    with Service(tmp_path, env=env, tracebacks=True) as service:
        for number in range(6):
            answer = service.get(f"/users/{number}", key=False)
            assert (answer.status, answer.body) == (200, f"user {number}".encode())
            assert answer.headers["X-Request-Success"] == "true"
        assert service.get("/health", key=False).body == b"the shop is well"
        assert service.get("/fails", key=False).status == 500
        assert service.get("/nowhere", key=False).status == 404
        tools = service.metrics()["tools"]
        assert tools.pop("GET /health")["success_rate"] == 100  # also asked while the service came up
        assert {name: tool["total_requests"] for name, tool in tools.items()} == {
            "GET /users/<int:id>": 6,
            "GET /fails": 1,
            "(unmatched)": 1,
        }
        assert tools["GET /fails"]["server_errors"] == 1
        assert service.get("/dashboard/", key=False).status == 303


def test_the_monitor_wraps_a_flask_application_in_code(tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from flask import Flask\n"
        "from app import Monitor\n"
        "shop = Flask('shop')\n"
        "@shop.get('/hello')\n"
        "def hello(): return 'hello'\n"
        "shop.wsgi_app = Monitor().wrap(shop.wsgi_app)\n"
        "client = shop.test_client()\n"
        "assert client.get('/hello', buffered=True).headers['X-Request-Success'] == 'true'\n"
        "found = client.get('/performance/metrics', headers={'X-API-Key': sys.argv[2]}).get_json()\n"
        "assert found['metrics']['tools']['GET /hello']['total_requests'] == 1, found\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(CHECKOUT), KEY],
        cwd=tmp_path,
        env=environment({"LAPTIME_API_KEY": KEY, "LAPTIME_STATE_DIR": str(tmp_path / "state")}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
