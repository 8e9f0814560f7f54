"""The folder `app` also ships as the wheel `laptime`, whole and under that name alone."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement

CHECKOUT = Path(__file__).parents[1]


def test_the_wheel_holds_every_file_of_the_application(wheel: Path) -> None:
    expected = {
        f"laptime/{path.relative_to(CHECKOUT / 'app').as_posix()}"
        for path in (CHECKOUT / "app").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    with ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert shipped == expected


def test_the_wheel_composes_a_service_under_its_own_name(wheel: Path, tmp_path: Path) -> None:
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    program = (
        "import sys, laptime\n"
        "from laptime import Monitor, Settings, create_app\n"
        "app = create_app(Settings.from_environ({'LAPTIME_STATE_DIR': sys.argv[1]}))\n"
        "assert callable(app) and 'app' not in sys.modules\n"
        "print(laptime.__version__, laptime.__file__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "state"],
        cwd=tmp_path / "site",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    version, place = done.stdout.split()
    assert wheel.name.startswith(f"laptime-{version}-")
    assert Path(place).is_relative_to(tmp_path / "site")


def test_the_wheel_asks_for_ranges_that_hold_the_versions_tested() -> None:
    lines = (CHECKOUT / "requirements.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    pinned = {pin.name.lower(): str(pin.specifier).removeprefix("==") for pin in pins}
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    for asked in map(Requirement, project["dependencies"]):
        assert {part.operator for part in asked.specifier} == {">=", "<"}, asked
        assert pinned[asked.name.lower()] in asked.specifier, asked
