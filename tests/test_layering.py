"""The rooms keep their doors: every rule of `layering` holds in the code, and each catches what breaks it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .layering import FENCES, LINES_AT_MOST, ROOMS, violations

APP = Path(__file__).parents[1] / "app"


def build(tree: Path, files: dict[str, str]) -> Path:
    """Write `files` below `tree`."""
    for place, source in files.items():
        path = tree / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return tree


def test_the_code_keeps_every_rule() -> None:
    assert violations(APP) == []


def test_the_code_was_read() -> None:
    assert {path.name for path in APP.glob("*.py")} >= {"errors.py", "settings.py", "factory.py"}


def test_every_room_may_import_from_every_room_below_it(tmp_path: Path) -> None:
    rooms = [room for level in ROOMS for room in level]
    files = {f"{room}.py": "VALUE = 1\n" for room in rooms}
    for level, names in enumerate(ROOMS):
        lower = [room for level_below in ROOMS[:level] for room in level_below]
        imports = "".join(f"from .{room} import VALUE as {room}\n" for room in lower)
        files |= {f"{name}.py": imports + "VALUE = 1\n" for name in names}
    assert violations(build(tmp_path, files)) == []


@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        *(
            (upper, lower)
            for level, lowers in enumerate(ROOMS)
            for lower in lowers
            for upper in (room for level_above in ROOMS[level + 1 :] for room in level_above)
        ),
        *((names[0], names[1]) for names in ROOMS if len(names) == 2),
        *((names[1], names[0]) for names in ROOMS if len(names) == 2),
    ],
)
def test_no_room_imports_from_above_or_beside_it(tmp_path: Path, upper: str, lower: str) -> None:
    tree = build(tmp_path, {f"{upper}.py": "VALUE = 1\n", f"{lower}.py": f"from .{upper} import VALUE\n"})
    assert violations(tree) == [f"{lower}.py:1: {lower} imports {upper}, which is not below it"]


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("from ..web.auth import guard", "web/auth"),
        ("from ..web import auth", "web/auth"),
        ("from .. import web", "web"),
        ("from .. import create_app", "__init__"),
        ("if TYPE_CHECKING:\n    from ..web.auth import guard", "web/auth"),
        ("try:\n    from ..web.auth import guard\nexcept ImportError:\n    pass", "web/auth"),
        ("def late():\n    return import_module('..web.auth', __package__)", "web/auth"),
    ],
)
def test_no_spelling_of_an_import_hides_it(tmp_path: Path, statement: str, named: str) -> None:
    files = {"__init__.py": "", "web/__init__.py": "", "web/auth.py": "", "store/rows.py": statement}
    (found,) = violations(build(tmp_path, files))
    assert found.endswith(f"store imports {named}, which is not below it")


def test_modules_of_one_room_import_each_other(tmp_path: Path) -> None:
    files = {"store/rows.py": "from .engine import a\nfrom . import engine\n", "store/engine.py": "a = 1\n"}
    assert violations(build(tmp_path, files)) == []


@pytest.mark.parametrize("library", FENCES)
@pytest.mark.parametrize("statement", ["import {}", "import {}.part as part", "from {}.part import name"])
def test_a_fenced_library_is_imported_behind_its_fence_only(
    tmp_path: Path, library: str, statement: str
) -> None:
    source = statement.format(library) + "\n"
    allowed = FENCES[library]
    inside = build(tmp_path / "inside", {f"{place}.py": source for place in allowed})
    assert violations(inside) == []
    outside = build(tmp_path / "outside", {"panels/traffic.py": source, "jobs/scheduled.py": source})
    expected = f"imports {library}, which is for {' and '.join(allowed)} alone"
    assert violations(outside) == [f"jobs/scheduled.py:1: {expected}", f"panels/traffic.py:1: {expected}"]


@pytest.mark.parametrize("module", ["numpy", "msgspec", "filelock"])
def test_capture_imports_the_standard_library_only(tmp_path: Path, module: str) -> None:
    tree = build(tmp_path, {"capture/reader.py": f"import struct\nimport {module}\n"})
    assert violations(tree) == [f"capture/reader.py:2: imports {module}: capture is standard library only"]


@pytest.mark.parametrize(
    "statement", ["import time", "from time import time", "import os.path", "import socket"]
)
def test_the_model_has_no_clock_and_no_files(tmp_path: Path, statement: str) -> None:
    (found,) = violations(build(tmp_path, {"model/windows.py": f"{statement}\n"}))
    assert "model is pure" in found


@pytest.mark.parametrize("name", ["app", "app.store", "laptime.errors"])
def test_the_code_names_itself_relatively(tmp_path: Path, name: str) -> None:
    tree = build(tmp_path, {"web/auth.py": f"import {name}\n"})
    assert violations(tree) == [f"web/auth.py:1: imports {name} by its full name, which breaks under another"]


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    import json\n",
        "async def f():\n    import json\n",
        "class A:\n    def f(self):\n        if self:\n            import json\n",
    ],
)
def test_no_import_hides_in_a_function(tmp_path: Path, source: str) -> None:
    (found,) = violations(build(tmp_path, {"web/auth.py": source}))
    assert found.endswith("imports json inside a function")


def test_a_late_import_of_a_library_stays_behind_its_fence(tmp_path: Path) -> None:
    source = "from importlib import import_module\n\ndef late():\n    return import_module('flask.{}')\n"
    (found,) = violations(build(tmp_path, {"service.py": source}))
    assert found == "service.py:4: imports flask, which is for web and factory alone"


def test_a_module_is_no_longer_than_the_limit(tmp_path: Path) -> None:
    files = {"errors.py": "#\n" * LINES_AT_MOST, "settings.py": "#\n" * (LINES_AT_MOST + 1)}
    (found,) = violations(build(tmp_path, files))
    assert found.startswith(f"settings.py:{LINES_AT_MOST + 1}: has {LINES_AT_MOST + 1} lines")


@pytest.mark.parametrize("place", ["utils.py", "common/strings.py"])
def test_a_new_room_needs_a_place_in_the_house(tmp_path: Path, place: str) -> None:
    (found,) = violations(build(tmp_path, {place: "import sqlalchemy\n"}))
    assert "is no room of the house" in found
