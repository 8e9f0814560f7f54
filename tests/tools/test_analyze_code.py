"""The analysis of source files, asked as any caller asks: by the tool's name and a path."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings import Settings
from app.tools.analyze_code import MAX_PARSED_BYTES, analyze
from app.tools.builtin import Toolbox

Analyze = Callable[[str, str], str]

SOURCE = '''\
"""A module."""

import os
from . import near
from ..far import thing
# a comment
TEXT = """
# no comment
"""
NAME = f"""
# {os.name}
"""


class Shelf:
    """Holds books."""

    def add(self, book):
        # the only other comment
        if book and not book.lent or book.new:
            return [page for page in book if page if page.number]
        elif book is None:
            return 1 if TEXT else 2
        else:
            pass

    def _hidden(self):
        def inner():
            while True:
                pass
        return inner


async def walk(steps):
    """Walks."""
    async for step in steps:
        try:
            async with step:
                for foot in step:
                    pass
        except ValueError:
            pass
        except (KeyError, OSError):
            pass
    match steps:
        case []:
            pass
        case [one] if one:
            pass
        case _:
            pass
'''


@pytest.fixture
def analyzed(tmp_path: Path) -> Analyze:
    """Write a file and have it analyzed."""

    def analyzed(name: str, text: str) -> str:
        (tmp_path / name).write_text(text, newline="")
        return Toolbox(Settings(workspace=tmp_path)).call("analyze_code", {"file_path": name})

    return analyzed


def test_a_python_file_is_surveyed(analyzed: Analyze) -> None:
    assert analyzed("shelf.py", SOURCE).splitlines() == [
        f"shelf.py: {len(SOURCE)} bytes",
        "lines: 51 (7 blank, 2 comment)",
        "functions: 4, classes: 1",
        "imports: ., ..far, os",
        "deepest nesting: 4 blocks (line 39)",
        "longest functions, in lines:",
        "     18  walk, line 34",
        "      8  Shelf.add, line 18",
        "      5  Shelf._hidden, line 27",
        "      3  Shelf._hidden.inner, line 28",
        "cyclomatic complexity:",
        "      9  Shelf.add, line 18",
        "      7  walk, line 34",
        "      2  Shelf._hidden.inner, line 28",
        "      1  Shelf._hidden, line 27",
        "without a docstring: 1 of 4 public names",
        "  Shelf.add, line 18",
    ]


def test_a_chain_of_elif_is_one_block_deep_and_an_if_inside_else_is_two(analyzed: Analyze) -> None:
    assert "deepest nesting: 1 blocks" in analyzed(
        "a.py", "if a:\n  pass\nelif b:\n  pass\nelif c:\n  pass\n"
    )
    assert "deepest nesting: 2 blocks" in analyzed("a.py", "if a:\n  pass\nelse:\n  if b:\n    pass\n")


def test_other_text_is_counted_by_lines(analyzed: Analyze) -> None:
    assert analyzed("notes.md", "# Größe\n\nlonger line\n").splitlines() == [
        "notes.md: 23 bytes",
        "lines: 3 (1 blank), the longest has 11 characters",
    ]


@pytest.mark.parametrize(
    "text", ["a = 1\r\nb = 2\r\n", "a = 1\rb = 2\r", "\ufeffa = 1\nb = 2", "a = '\f\u2028'\nb\n"]
)
def test_lines_end_where_python_ends_them(analyzed: Analyze, text: str) -> None:
    report = analyzed("a.py", text)
    assert "lines: 2 (0 blank, 0 comment)" in report
    assert "functions: 0" in report


@pytest.mark.parametrize("name", ["empty.py", "empty.txt"])
def test_an_empty_file_has_no_lines(analyzed: Analyze, name: str) -> None:
    assert "lines: 0 (0 blank" in analyzed(name, "")


def test_a_syntax_error_is_a_finding_with_its_place(analyzed: Analyze) -> None:
    report = analyzed("broken.py", "# broken\nx = 1\ndef f(:\n")
    assert "lines: 3 (0 blank, 1 comment)" in report
    assert "syntax error at line 3, column 7: invalid syntax" in report


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "-" * 200_000 + "1",
        "not " * 50_000 + "1",
        "lambda:" * 30_000 + "1",
        "a" + ".b" * 100_000,
        "1" + "+1" * 100_000,
        "a" + "()" * 100_000,
        "1 if a else " * 20_000 + "1",
        "if a: pass\n" + "elif a: pass\n" * 19_000,
        "9" * 200_000,
        "a\0b",
        "\0",
        "f'{" * 1_000,
        "match a:\n case " + "[" * 5_000,
    ],
)
def test_source_that_python_cannot_parse_is_a_finding(analyzed: Analyze, text: str) -> None:
    last = analyzed("hostile.py", text).splitlines()[-1]
    assert last.startswith(("syntax error at line", "syntax error: ", "not parsed: "))
    assert "None" not in last
    assert len(last) < 200


def test_a_tree_deeper_than_the_interpreters_stack_is_surveyed(analyzed: Analyze) -> None:
    assert "functions: 1" in analyzed("deep.py", "def f():\n    return " + "a." * 1_500 + "b\n")


def test_source_beyond_the_limit_is_counted_by_lines_only(analyzed: Analyze) -> None:
    report = analyzed("large.py", "a = 1\n" * (MAX_PARSED_BYTES // 6 + 1))
    assert "lines: 43,691 (0 blank, 0 comment)" in report
    assert f"not parsed: larger than {MAX_PARSED_BYTES:,} bytes" in report


def test_a_report_stays_small_whatever_the_file_holds(analyzed: Analyze) -> None:
    name = "n" * 1_000
    functions = "".join(f"def {name}{number}(): pass\nimport {name}{number}\n" for number in range(100))
    report = analyzed("many.py", functions)
    assert "functions: 100," in report
    assert "and 50 more" in report
    assert "without a docstring: 101 of 101 public names" in report
    assert len(report) < 20_000


@given(text=st.text(), name=st.sampled_from(["a.py", "a.PYI", "a.txt", "a"]))
def test_any_text_gives_a_report(text: str, name: str) -> None:
    assert analyze(name, text).startswith(f"{name}: {len(text.removeprefix(chr(0xFEFF)).encode())}")
