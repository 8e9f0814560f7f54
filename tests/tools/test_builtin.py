"""The toolbox: each tool by its name, on real files, and what a wrong call is told."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadArgumentsError, NotFoundError, UnknownToolError
from app.settings import Settings
from app.tools.builtin import Toolbox

NAMES = ["ping", "read_file", "list_files", "get_system_status", "analyze_code"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("workspace")
    (root / "app").mkdir()
    (root / "README.md").write_text("# Read me\n\nA line.\n")
    (root / "app" / "main.py").write_text('"""Main."""\n\n\ndef run():\n    return 1\n')
    return root


@pytest.fixture(scope="module")
def toolbox(root: Path) -> Toolbox:
    return Toolbox(Settings(workspace=root))


def test_the_promised_tools_are_there(toolbox: Toolbox) -> None:
    assert toolbox.names() == NAMES


def test_every_tool_describes_itself_and_its_arguments(toolbox: Toolbox) -> None:
    described = {tool["name"]: tool for tool in toolbox.describe()}
    assert list(described) == NAMES
    for tool in described.values():
        assert set(tool) == {"name", "description", "inputSchema"}
        assert len(tool["description"]) > 20
        assert tool["inputSchema"]["type"] == "object"
        assert tool["inputSchema"]["additionalProperties"] is False
    required = {name: tool["inputSchema"]["required"] for name, tool in described.items()}
    assert required == {
        "ping": [],
        "read_file": ["file_path"],
        "list_files": ["directory"],
        "get_system_status": [],
        "analyze_code": ["file_path"],
    }
    assert described["read_file"]["inputSchema"]["properties"]["file_path"]["type"] == "string"


def test_ping_answers_pong(toolbox: Toolbox) -> None:
    assert toolbox.call("ping", {}) == "pong"


def test_read_file_gives_the_text(toolbox: Toolbox) -> None:
    assert toolbox.call("read_file", {"file_path": "README.md"}) == "# Read me\n\nA line.\n"


def test_list_files_gives_kinds_sizes_and_names(toolbox: Toolbox) -> None:
    first, *lines = toolbox.call("list_files", {"directory": "."}).splitlines()
    assert first == "2 entries in ."
    assert [line.split() for line in lines] == [["file", "19", "README.md"], ["directory", "-", "app/"]]


def test_list_files_escapes_names_that_would_look_like_other_lines(toolbox: Toolbox, root: Path) -> None:
    odd = root / "odd"
    odd.mkdir()
    (odd / "a\nfile 1 b").touch()
    (odd / "r\u202etxt.exe").touch()
    Path(os.fsdecode(os.fsencode(odd) + b"/\xff")).touch()
    (odd / "Größe").touch()
    lines = toolbox.call("list_files", {"directory": "odd"}).splitlines()
    assert [line[28:] for line in lines[1:]] == ["Größe", r"a\nfile 1 b", r"r\u202etxt.exe", r"\udcff"]
    "\n".join(lines).encode()


def test_list_files_says_how_many_entries_it_left_out(toolbox: Toolbox, root: Path) -> None:
    many = root / "many"
    many.mkdir()
    for number in range(1_234):
        (many / f"{number:04}").touch()
    lines = toolbox.call("list_files", {"directory": "many"}).splitlines()
    assert lines[0] == "1,234 entries in many"
    assert lines[-1] == "and 234 more"
    assert len(lines) == 1_002


def test_get_system_status_tells_of_cpu_load_memory_disk_and_uptime(toolbox: Toolbox) -> None:
    text = toolbox.call("get_system_status", {})
    lines = dict(line.split(": ", 1) for line in text.splitlines())
    assert list(lines) == ["cpu", "load", "memory", "disk", "up"]
    for name in ("memory", "disk"):
        used_percent, total, free = map(float, re.findall(r"\d+\.\d", lines[name]))
        assert 0 <= used_percent <= 100
        assert 0 <= free <= total
    assert len(re.findall(r"\d+\.\d\d", lines["load"])) == 3


def test_analyze_code_reads_the_file(toolbox: Toolbox) -> None:
    text = toolbox.call("analyze_code", {"file_path": "app/main.py"})
    assert text.startswith("app/main.py: ")
    assert "functions: 1, classes: 0" in text


@pytest.mark.parametrize(
    "name", ["", "Ping", "ping ", "__init__", "call", "x" * 100_000, "\ud800", "(unmatched)"]
)
def test_an_unknown_tool_is_refused_with_the_known_ones(toolbox: Toolbox, name: str) -> None:
    with pytest.raises(UnknownToolError) as refusal:
        toolbox.call(name, {})
    message = str(refusal.value)
    assert message.endswith("allowed is ping, read_file, list_files, get_system_status, analyze_code")
    assert len(message) < 1_500
    msgspec.json.encode(message)


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("read_file", {}, "missing required field `file_path`"),
        ("read_file", {"file_path": 5}, "Expected `str`, got `int`"),
        ("read_file", {"file_path": None}, "Expected `str`, got `null`"),
        ("read_file", {"file_path": ["README.md"]}, "Expected `str`, got `array`"),
        ("read_file", {"file_path": "README.md", "mode": "w"}, "unknown field `mode`"),
        ("list_files", {"file_path": "."}, "allowed is directory"),
        ("list_files", {}, "missing required field `directory`"),
        ("ping", {"loud": True}, "allowed is no argument"),
        ("get_system_status", {"": ""}, "allowed is no argument"),
        ("analyze_code", [], "Expected `object`, got `array`"),
        ("analyze_code", None, "Expected `object`, got `null`"),
        ("analyze_code", "README.md", "Expected `object`, got `str`"),
        ("ping", {"x" * 100_000: 1}, "unknown field"),
        ("ping", {"\ud800": 1}, "wrong arguments for ping"),
    ],
)
def test_wrong_arguments_are_refused_with_what_was_wrong(
    toolbox: Toolbox, name: str, arguments: object, told: str
) -> None:
    with pytest.raises(BadArgumentsError) as refusal:
        toolbox.call(name, arguments)
    assert told in str(refusal.value)
    assert len(str(refusal.value)) < 500
    msgspec.json.encode(str(refusal.value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(categories=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(name=st.sampled_from(NAMES) | st.text(max_size=10), arguments=JSON)
def test_any_json_gives_a_text_or_a_clear_error(toolbox: Toolbox, name: str, arguments: object) -> None:
    try:
        assert isinstance(toolbox.call(name, arguments), str)
    except (UnknownToolError, BadArgumentsError, NotFoundError) as error:
        msgspec.json.encode(error.detail)


@given(path=st.text(st.characters(categories=None), max_size=40))
def test_an_error_about_any_path_can_be_written_as_json(toolbox: Toolbox, path: str) -> None:
    for name, member in (
        ("read_file", "file_path"),
        ("list_files", "directory"),
        ("analyze_code", "file_path"),
    ):
        try:
            msgspec.json.encode(toolbox.call(name, {member: path}))
        except (BadArgumentsError, NotFoundError) as error:
            msgspec.json.encode(error.detail)
