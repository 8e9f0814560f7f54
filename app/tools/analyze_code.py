"""What a source file is made of: sizes, functions, complexity, nesting, missing docstrings.

A Python file is read by its syntax tree, any other text by its lines. The file is data: nothing in it
is run or imported. A file that Python can't parse is a finding and no error.

Cyclomatic complexity (McCabe, "A Complexity Measure", IEEE TSE 1976) is 1 and the decisions of a
function's own body: if, elif, for, while, except, conditional expressions, `and` and `or`, the loops
and conditions of comprehensions, and every case but `case _`.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

PYTHON_SUFFIXES = frozenset({".py", ".pyi", ".pyw"})
# A syntax tree can take 600 times the memory of its source: a larger file is read by its lines only.
MAX_PARSED_BYTES = 262_144
TOP = 10
MAX_LISTED = 50

_MAX_SHOWN = 100  # characters of a name or a message
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Documented = _Function | ast.ClassDef | ast.Module
_Branch = ast.If | ast.For | ast.AsyncFor | ast.While
_Block = _Branch | ast.With | ast.AsyncWith | ast.Try | ast.TryStar | ast.Match
_Decision = _Branch | ast.ExceptHandler | ast.IfExp


@dataclass(slots=True)
class Function:
    """One function or method: dotted name, first line, number of lines, cyclomatic complexity."""

    name: str
    line: int
    lines: int
    complexity: int = 1


@dataclass(slots=True)
class Survey:
    """What a syntax tree shows. `nesting` is the most blocks within one another in one body.

    `undocumented` are public names (line, name) without a docstring; `string_lines` are the lines that
    begin inside a string, where a `#` begins no comment.
    """

    functions: list[Function] = field(default_factory=list)
    classes: int = 0
    imports: set[str] = field(default_factory=set)
    public: int = 0
    undocumented: list[tuple[int, str]] = field(default_factory=list)
    nesting: int = 0
    nesting_line: int = 0
    string_lines: set[int] = field(default_factory=set)


def analyze(path: str, text: str) -> str:
    """A report on `text`, the content of the file `path`; bounded whatever the file holds."""
    text = text.removeprefix("\ufeff")
    size_bytes = len(text.encode())
    # Lines end where Python ends them; str.splitlines would also split at a form feed.
    lines = [line.rstrip("\n") for line in io.StringIO(text, newline=None)]
    blank = sum(not line.strip() for line in lines)
    report = [f"{path}: {size_bytes:,} bytes"]
    if PurePosixPath(path).suffix.lower() not in PYTHON_SUFFIXES:
        longest = max(map(len, lines), default=0)
        report.append(f"lines: {len(lines):,} ({blank:,} blank), the longest has {longest:,} characters")
        return "\n".join(report)
    found = _parse(text, size_bytes)
    inside = found.string_lines if isinstance(found, Survey) else set()
    comment = sum(line.lstrip().startswith("#") and at not in inside for at, line in enumerate(lines, 1))
    report.append(f"lines: {len(lines):,} ({blank:,} blank, {comment:,} comment)")
    report += _describe(found) if isinstance(found, Survey) else [found]
    return "\n".join(report)


def survey(tree: ast.Module) -> Survey:
    """Look at every node once, without recursion: a tree can be deeper than the interpreter's stack."""
    result = Survey()
    _note_docstring(result, tree, 1, "(module)")
    # A node, the function and the dotted name that it is in, and the blocks around it.
    pending: list[tuple[ast.AST, Function | None, str, int]] = [(tree, None, "", 0)]
    while pending:
        node, function, scope, depth = pending.pop()
        if isinstance(node, _Function | ast.ClassDef):
            scope = f"{scope}.{node.name}" if scope else node.name
            depth = 0
            if function is None and not any(name.startswith("_") for name in scope.split(".")):
                _note_docstring(result, node, node.lineno, scope)
        if isinstance(node, _Function):
            function = Function(scope, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1)
            result.functions.append(function)
        elif function:
            function.complexity += _decisions(node)
        _note(result, node)
        if isinstance(node, _Block):
            depth += 1
            if depth > result.nesting:
                result.nesting, result.nesting_line = depth, node.lineno
        pending += [
            (child, function, scope, depth - 1 if _is_elif(node, child) else depth)
            for child in reversed(_children(node))
        ]
    return result


def _parse(text: str, size_bytes: int) -> Survey | str:
    """The survey, or a sentence that says why there is none."""
    if size_bytes > MAX_PARSED_BYTES:
        return f"not parsed: larger than {MAX_PARSED_BYTES:,} bytes"
    try:
        return survey(ast.parse(text))
    except SyntaxError as error:
        place = f" at line {error.lineno}, column {error.offset}" if error.lineno else ""
        return f"syntax error{place}: {_short(error.msg)}"
    except (RecursionError, MemoryError):
        return "not parsed: nested deeper than Python's parser goes"
    except ValueError as error:  # a NUL character, before CPython 3.11.4
        return f"not parsed: {_short(str(error))}"


def _children(node: ast.AST) -> Sequence[ast.AST]:
    """The nodes right below. The literal parts of an f-string are left out: they repeat its whole span."""
    if isinstance(node, ast.JoinedStr):
        return [part for part in node.values if not isinstance(part, ast.Constant)]
    return list(ast.iter_child_nodes(node))


def _is_elif(node: ast.AST, child: ast.AST) -> bool:
    """Whether `child` is the `elif` of the `if` that `node` is: the tree nests them, the source does not."""
    return (
        isinstance(node, ast.If)
        and isinstance(child, ast.If)
        and node.orelse == [child]
        and child.col_offset == node.col_offset
    )


def _decisions(node: ast.AST) -> int:
    if isinstance(node, _Decision):
        return 1
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    if isinstance(node, ast.match_case):
        wildcard = isinstance(node.pattern, ast.MatchAs) and node.pattern.pattern is None
        return 0 if wildcard and node.guard is None else 1
    return 0


def _note(result: Survey, node: ast.AST) -> None:
    if isinstance(node, ast.ClassDef):
        result.classes += 1
    elif isinstance(node, ast.Import):
        result.imports.update(alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        result.imports.add("." * node.level + (node.module or ""))
    elif isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        result.string_lines.update(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))


def _note_docstring(result: Survey, node: _Documented, line: int, name: str) -> None:
    result.public += 1
    if ast.get_docstring(node, clean=False) is None:
        result.undocumented.append((line, name))


def _describe(found: Survey) -> Iterator[str]:
    yield f"functions: {len(found.functions):,}, classes: {found.classes:,}"
    yield f"imports: {_listed(sorted(found.imports)) or 'none'}"
    at = f" (line {found.nesting_line:,})" if found.nesting else ""
    yield f"deepest nesting: {found.nesting} blocks{at}"
    yield from _ranked("longest functions, in lines", [(one.lines, one) for one in found.functions])
    yield from _ranked("cyclomatic complexity", [(one.complexity, one) for one in found.functions])
    yield f"without a docstring: {len(found.undocumented):,} of {found.public:,} public names"
    yield from (f"  {_short(name)}, line {line:,}" for line, name in sorted(found.undocumented)[:MAX_LISTED])


def _ranked(heading: str, figures: Iterable[tuple[int, Function]]) -> Iterator[str]:
    highest = sorted(figures, key=lambda figure: (-figure[0], figure[1].line))[:TOP]
    if highest:
        yield f"{heading}:"
    yield from (f"  {value:>5,}  {_short(one.name)}, line {one.line:,}" for value, one in highest)


def _listed(names: Sequence[str]) -> str:
    more = [f"and {len(names) - MAX_LISTED:,} more"] if len(names) > MAX_LISTED else []
    return ", ".join([*map(_short, names[:MAX_LISTED]), *more])


def _short(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"
