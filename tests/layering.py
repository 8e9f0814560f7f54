"""Reads the imports of a source tree and says which of them go through a wall; `test_layering` asks it.

A room is a folder or a module directly in the tree. Rooms import strictly downwards; rooms at one level never
import each other. A fence says which modules alone may import a library, because what is imported in one
place only can be exchanged there. All imports count, those for type checkers too, and those that
`import_module` makes of a name that stands there.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOMS = (
    ("errors", "heap"),
    ("declared",),
    ("settings",),
    ("model",),
    ("capture", "store", "note"),
    ("sources", "fleet", "joined", "opened", "courier"),
    ("live", "desk"),
    ("panels", "jobs"),
    ("tools",),
    ("web",),
    ("service",),
    ("factory",),
    ("monitor", "middleware"),
    ("__init__",),
)
FENCES = {
    "flask": ("web", "factory"),
    "flask_htmx": ("web", "factory"),
    "werkzeug": ("web", "factory"),
    "sqlalchemy": ("store",),
    "alembic": ("store",),
    "apscheduler": ("jobs/schedule",),
    "psutil": ("jobs/sample_system", "tools"),
    # A process of their own, so that no worker carries what they bring along.
    "apprise": ("courier/deliver",),
    "cryptography": ("courier/deliver",),
    "requests": ("courier/wire",),
    "mmap": ("capture/cells",),
    # A name that is made while the program runs would pass every other rule.
    "importlib": ("__init__", "factory", "service", "store/migrations", "store/rows", "store/engine"),
}
IMPURE = frozenset(
    {
        *("asyncio", "multiprocessing", "signal", "subprocess", "threading", "time"),
        *("io", "logging", "os", "pathlib", "select", "shutil", "socket", "tempfile", "urllib"),
        *("random", "secrets", "uuid"),
    }
)
LINES_AT_MOST = 250

_LEVELS = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
_TYPES_ONLY = "_typeshed"


@dataclass(frozen=True, slots=True)
class Import:
    """One import: `module` is the place in the tree ("store/engine") if `inside`, else the dotted name."""

    module: str
    line: int
    inside: bool
    in_function: bool

    @property
    def top(self) -> str:
        """The room, or the library."""
        return self.module.split("/" if self.inside else ".")[0]


def violations(tree: Path) -> list[str]:
    """What breaks a rule below `tree`, each as `file:line: what`, in the files' order."""
    found = []
    for path in sorted(tree.rglob("*.py")):
        place = path.relative_to(tree).with_suffix("").as_posix()
        source = path.read_text()
        complaints = [*_size(source), *_room(place)]
        if place.split("/")[0] in _LEVELS:
            for item in _imports(tree, path, source):
                complaints += ((item.line, text) for text in _judge(place, item))
        found += [f"{place}.py:{line}: {text}" for line, text in complaints]
    return found


def _size(source: str) -> Iterator[tuple[int, str]]:
    lines = source.count("\n")
    if lines > LINES_AT_MOST:
        yield lines, f"has {lines} lines, over {LINES_AT_MOST}: two rooms"


def _room(place: str) -> Iterator[tuple[int, str]]:
    room = place.split("/", maxsplit=1)[0]
    if room not in _LEVELS:
        yield 1, f"{room} is no room of the house"


def _judge(place: str, item: Import) -> Iterator[str]:
    room = place.split("/", maxsplit=1)[0]
    if item.in_function:
        yield f"imports {item.module} inside a function"
    if item.inside:
        if item.top != room and _LEVELS.get(item.top, len(ROOMS)) >= _LEVELS[room]:
            yield f"{room} imports {item.module}, which is not below it"
        return
    if item.top in ("app", "laptime"):
        yield f"imports {item.module} by its full name, which breaks under another"
    allowed = FENCES.get(item.top)
    if allowed and not any(f"{place}/".startswith(f"{prefix}/") for prefix in allowed):
        yield f"imports {item.top}, which is for {' and '.join(allowed)} alone"
    if room == "capture" and item.top not in sys.stdlib_module_names | {_TYPES_ONLY}:
        yield f"imports {item.top}: capture is standard library only"
    if room == "model" and item.top in IMPURE:
        yield f"imports {item.top}: model is pure, without clock, files or threads"


def _imports(tree: Path, path: Path, source: str) -> Iterator[Import]:
    parsed = ast.parse(source, str(path))
    functions = [
        node for node in ast.walk(parsed) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    within = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(parsed):
        in_function = id(node) in within
        if isinstance(node, ast.Import):
            for name in node.names:
                yield Import(name.name, node.lineno, False, in_function)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield Import(node.module or "", node.lineno, False, in_function)
        elif isinstance(node, ast.ImportFrom):
            for module in _relative(tree, path, node):
                yield Import(module, node.lineno, True, in_function)
        elif isinstance(node, ast.Call) and _is_late_import(node):
            yield _late(tree, path, ast.literal_eval(node.args[0]), node.lineno)


def _is_late_import(node: ast.Call) -> bool:
    called = ast.unparse(node.func) in ("import_module", "importlib.import_module")
    return called and isinstance(node.args[0], ast.Constant)


def _late(tree: Path, path: Path, name: str, line: int) -> Import:
    """What `import_module(name, __package__)` imports; late on purpose, so in a function too."""
    module = name.lstrip(".")
    level = len(name) - len(module)
    if not level:
        return Import(module, line, False, False)
    place = path.parents[level - 1] / module.replace(".", "/")
    return Import(place.relative_to(tree).as_posix(), line, True, False)


def _relative(tree: Path, path: Path, node: ast.ImportFrom) -> Iterator[str]:
    """The places that `from ..a import b` names: a/b where that is a module of the tree, else a."""
    base = path.parents[node.level - 1] / (node.module or "").replace(".", "/")
    for name in node.names:
        module = base / name.name
        if not (module.is_dir() or module.with_suffix(".py").is_file()):
            module = base / "__init__" if base == tree else base
        yield module.relative_to(tree).as_posix()
