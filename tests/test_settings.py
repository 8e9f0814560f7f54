"""Every setting from its variable, every wrong one in a line, a start that stops at a wrong one."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from app.declared import PREFIX, variable
from app.errors import SettingError
from app.factory import create_app
from app.settings import Settings, table, unknown

CHECKOUT = Path(__file__).parents[1]
# One value to each setting that is allowed and not the default: as text, and as it is read.
GIVEN: dict[str, tuple[str, Any]] = {
    "api_key": ("a-key-of-my-own", "a-key-of-my-own"),
    "state_dir": ("/var/lib/laptime", Path("/var/lib/laptime")),
    "instance": ("web-2", "web-2"),
    "release": ("3f9c2ab", "3f9c2ab"),
    "banner": ("Staging", "Staging"),
    "database_url": ("postgresql://u:p@h/d", "postgresql://u:p@h/d"),
    "host_app": ("shop:app", "shop:app"),
    "workspace": ("src", Path("src")),
    "public_url": ("https://laptime.example", "https://laptime.example"),
    "dashboard_prefix": ("/pages", "/pages"),
    "performance_prefix": ("/api/performance", "/api/performance"),
    "response_headers": ("off", False),
    "slow_ms": ("250.5", 250.5),
    "sample_interval_s": ("10", 10.0),
    "keep_10s_hours": ("6", 6.0),
    "keep_1min_hours": ("48", 48.0),
    "keep_10min_days": ("30", 30.0),
    "keep_2h_days": ("62.5", 62.5),
    "keep_26h_days": ("800", 800.0),
    "max_tools": ("50", 50),
    "max_body_bytes": ("2048", 2048),
    "max_file_bytes": ("4096", 4096),
    "notify_urls": ("json://hooks.example.com", "json://hooks.example.com"),
    "notify_private": ("on", True),
    "alert_window_s": ("600", 600.0),
    "alert_min_requests": ("20", 20),
    "alert_min_failures": ("5", 5),
    "alert_response_time_ms": ("1500", 1500.0),
    "alert_success_rate_percent": ("99.5", 99.5),
    "alert_cpu_percent": ("70", 70.0),
    "alert_memory_percent": ("75", 75.0),
    "alert_disk_percent": ("85", 85.0),
    "alert_critical_percent": ("98", 98.0),
}
NUMBERS = [spec for spec in fields(Settings) if spec.metadata["at_least"] is not None]


def refused(name: str, value: str) -> str:
    """The line that refuses the value; it names the variable and what is allowed."""
    with pytest.raises(SettingError) as error:
        Settings.from_environ({name: value})
    line = str(error.value)
    assert line.startswith(f"{name} ")
    assert "; allowed is " in line
    assert "\n" not in line
    return line


def test_every_setting_has_a_value_to_test_it_with() -> None:
    assert set(GIVEN) == {spec.name for spec in fields(Settings)}


@pytest.mark.parametrize("name", GIVEN)
def test_a_setting_is_read_from_its_variable(name: str) -> None:
    text, value = GIVEN[name]
    settings = Settings.from_environ({f"LAPTIME_{name.upper()}": text})
    assert getattr(settings, name) == value
    assert type(getattr(settings, name)) is type(value) or isinstance(value, Path)
    assert getattr(Settings(), name) != value
    assert Settings.from_environ({f"LAPTIME_{name}": text, name: text}) == Settings()


@pytest.mark.parametrize("name", GIVEN)
def test_an_empty_variable_means_the_default(name: str) -> None:
    assert Settings.from_environ({f"LAPTIME_{name.upper()}": ""}) == Settings()


def test_without_variables_every_setting_has_its_default() -> None:
    assert Settings.from_environ({}) == Settings()


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("TRUE", True), ("yes", True), ("On", True), ("0", False), ("No", False)]
)
def test_a_switch_is_read_in_the_usual_words(text: str, value: bool) -> None:
    assert Settings.from_environ({"LAPTIME_RESPONSE_HEADERS": text}).response_headers is value


@pytest.mark.parametrize("text", ["maybe", "2", "enabled", " "])
def test_a_switch_in_other_words_is_refused(text: str) -> None:
    assert refused("LAPTIME_RESPONSE_HEADERS", text).endswith(f"is {text!r}; allowed is on, off")


@pytest.mark.parametrize("spec", NUMBERS, ids=variable)
def test_a_number_is_allowed_to_its_limits_and_not_beyond(spec: Any) -> None:
    low, high = spec.metadata["at_least"], spec.metadata["at_most"]
    for limit in (low, high):
        assert getattr(Settings.from_environ({variable(spec): str(limit)}), spec.name) == limit
    for beyond in (low - 1, high + 1):
        line = refused(variable(spec), str(beyond))
        assert f"'{beyond}'" in line
        assert f"{low:,} to {high:,}" in line
    assert low <= spec.default <= high


@pytest.mark.parametrize("spec", NUMBERS, ids=variable)
@pytest.mark.parametrize(
    "text", ["many", "nan", "inf", "-inf", "1,000", "0x10", "", " ", "1 0", "9" * 5000, "\n"]
)
def test_what_is_no_number_is_refused(spec: Any, text: str) -> None:
    if text:
        refused(variable(spec), text)


@pytest.mark.parametrize("text", ["2.5", "1e3", "100.0"])
def test_a_whole_number_has_no_fraction(text: str) -> None:
    assert "whole number" in refused("LAPTIME_MAX_TOOLS", text)


@pytest.mark.parametrize(
    "text", ["laptime.example", "ftp://x", "//x", "HTTPS://x", "javascript:x", " https://x"]
)
def test_a_public_address_that_is_none_is_refused(text: str) -> None:
    assert repr(text) in refused("LAPTIME_PUBLIC_URL", text)


@pytest.mark.parametrize("name", ["LAPTIME_DASHBOARD_PREFIX", "LAPTIME_PERFORMANCE_PREFIX"])
@pytest.mark.parametrize(
    "text", ["/", "pages", "/pages/", "//x", "/a//b", "/..", "/<x>", "/é", "/x?", "/health"]
)
def test_a_prefix_that_is_no_path_of_its_own_is_refused(name: str, text: str) -> None:
    assert repr(text) in refused(name, text)


@pytest.mark.parametrize(
    ("dashboard", "performance"),
    [("/performance", ""), ("", "/dashboard"), ("/x", "/x/api"), ("/performance/pages", "")],
)
def test_a_prefix_that_hides_the_other_is_refused(dashboard: str, performance: str) -> None:
    environ = {"LAPTIME_DASHBOARD_PREFIX": dashboard, "LAPTIME_PERFORMANCE_PREFIX": performance}
    with pytest.raises(SettingError, match=r"LAPTIME_DASHBOARD_PREFIX is .* LAPTIME_PERFORMANCE_PREFIX "):
        Settings.from_environ(environ)
    beside = {"LAPTIME_DASHBOARD_PREFIX": "/performance-pages"}
    assert Settings.from_environ(beside).dashboard_prefix == "/performance-pages"


@pytest.mark.parametrize("name", ["state_dir", "workspace", "host_app", "database_url", "api_key"])
def test_a_nul_character_is_refused(name: str) -> None:
    assert "\x00" not in refused(f"LAPTIME_{name.upper()}", "a\x00b")


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"DATABASE_URL": "sqlite:///a"}, "sqlite:///a"),
        ({"DATABASE_URL": "sqlite:///a", "LAPTIME_DATABASE_URL": "sqlite:///b"}, "sqlite:///b"),
        ({"DATABASE_URL": "sqlite:///a", "LAPTIME_DATABASE_URL": ""}, "sqlite:///a"),
        ({"DATABASE_URL": ""}, ""),
    ],
)
def test_the_platforms_database_is_used_unless_ours_is_named(environ: dict[str, str], url: str) -> None:
    assert Settings.from_environ(environ).database_url == url


def test_a_wrong_value_of_the_platforms_variable_is_told_by_that_name() -> None:
    refused("DATABASE_URL", "a\x00b")


def test_misspelt_variables_are_found() -> None:
    environ = {variable(spec): "" for spec in fields(Settings)}
    assert unknown(environ | {"PATH": "", "LAP_X": ""}) == []
    assert unknown({"LAPTIME_SLOWMS": "1", "LAPTIME_": "", "laptime_slow_ms": "1"}) == [
        "LAPTIME_",
        "LAPTIME_SLOWMS",
    ]


def test_the_table_names_every_setting_with_its_default_and_what_is_allowed() -> None:
    lines = table().splitlines()
    assert len(lines) == 2 + len(fields(Settings))
    assert all(line.startswith("| ") and line.endswith(" |") and line.count("|") == 5 for line in lines)
    text = table()
    assert "`LAPTIME_DATABASE_URL` or `DATABASE_URL`" in text
    assert "| `LAPTIME_MAX_TOOLS` | `1000` | whole number, 10 to 10,000 |" in text
    assert "| `LAPTIME_RESPONSE_HEADERS` | on | on, off |" in text


def start(state: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """What a server's master does first: import the application, in a process of its own."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environ |= {"LAPTIME_STATE_DIR": str(state), "PYTHONPATH": str(CHECKOUT)} | variables
    return subprocess.run(
        [sys.executable, "-c", "import wsgi"], env=environ, cwd=state.parent, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("LAPTIME_SLOW_MS", "soon", "'soon'; allowed is number, 1 to 3,600,000"),
        ("LAPTIME_API_KEY", "short", "5 characters long; allowed are 12 or more"),
        ("LAPTIME_WORKSPACE", "/no/such/folder", "/no/such/folder"),
        ("LAPTIME_STATE_DIR", "/dev/null/x", "'/dev/null/x'"),
        ("LAPTIME_DATABASE_URL", "mysql://u:secret@h/d", "allowed is postgresql://"),
        ("LAPTIME_HOST_APP", "no_such_module:app", "there is no module no_such_module; allowed is"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(
    tmp_path: Path, name: str, value: str, told: str
) -> None:
    ended = start(tmp_path / "state", **{name: value})
    assert ended.returncode == 3
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("laptime: ")
    assert name in line
    assert told in line
    assert "secret" not in line


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("shop", "allowed is module:callable"),
        (":app", "allowed is module:callable"),
        ("shop:", "allowed is module:callable"),
        (":", "allowed is module:callable"),
        (".shop:app", "allowed is module:callable"),
        ("..:app", "allowed is module:callable"),
        ("no such:app", "there is no module no such; allowed is"),
        ("os.absent:app", "there is no module os.absent; allowed is"),
        ("shop:absent", "shop has no such callable; allowed is"),
        ("shop:number", "shop has no such callable; allowed is"),
        ("shop:app.", "shop has no such callable; allowed is"),
        ("shop:app:app", "shop has no such callable; allowed is"),
    ],
)
def test_a_host_application_that_can_not_be_found_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str, told: str
) -> None:
    (tmp_path / "shop.py").write_text("number = 5\ndef app(environ, start_response): pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "shop", raising=False)
    with pytest.raises(SystemExit) as ended:
        create_app(Settings(state_dir=tmp_path / "state", host_app=value))
    assert ended.value.code == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"laptime: LAPTIME_HOST_APP is {value!r}")
    assert told in line


def test_a_fault_of_the_hosts_own_import_is_shown_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("import no_such_dependency\n")
    ended = start(tmp_path / "state", LAPTIME_HOST_APP="shop:app")
    assert ended.returncode == 1
    assert "ModuleNotFoundError: No module named 'no_such_dependency'" in ended.stderr


def test_right_settings_start_and_open_nothing_yet(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("def app(environ, start_response): pass\n")
    ended = start(tmp_path / "state", LAPTIME_HOST_APP="shop:app")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["key"]


def test_an_unknown_variable_does_not_stop_the_start_and_is_named(tmp_path: Path) -> None:
    script = "import wsgi; wsgi.app.ensure_started('http://127.0.0.1:9')"
    environ = dict(os.environ) | {"LAPTIME_STATE_DIR": str(tmp_path / "state"), "LAPTIME_SLOWMS": "5"}
    ended = subprocess.run(
        [sys.executable, "-c", script], env=environ, cwd=CHECKOUT, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0
    assert "LAPTIME_SLOWMS is no setting of Laptime" in ended.stderr
    key = (tmp_path / "state" / "key").read_text()
    assert f"curl -H 'X-API-Key: {key}' http://127.0.0.1:9/performance/metrics" in ended.stderr
    assert ended.stderr.count("http://127.0.0.1:9/dashboard/signin?link=") == 1


def test_a_chosen_key_is_not_printed(tmp_path: Path) -> None:
    script = "import wsgi; wsgi.app.ensure_started()"
    environ = dict(os.environ) | {"LAPTIME_STATE_DIR": str(tmp_path / "s"), "LAPTIME_API_KEY": "k" * 20}
    ended = subprocess.run(
        [sys.executable, "-c", script], env=environ, cwd=CHECKOUT, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0
    assert "sign in with LAPTIME_API_KEY" in ended.stderr
    assert "k" * 20 not in ended.stderr
