"""The bundled tools as one declared table, and the toolbox that calls them by name.

The next tool is one row in TOOLS: its description, the struct of its arguments and the function that
turns them into text. Its JSON schema, its check and its place in `/tools/list` follow from the row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

import msgspec

from ..errors import BadArgumentsError, UnknownToolError
from ..settings import Settings
from .analyze_code import analyze
from .system_status import SystemStatus
from .workspace import Entry, Workspace

_MAX_SHOWN = 200  # characters of what was wrong


class NoArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool takes no argument."""


class FileArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool takes one file."""

    file_path: Annotated[str, msgspec.Meta(description="Path of a file, relative to the workspace")]


class DirectoryArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool takes one directory."""

    directory: Annotated[
        str, msgspec.Meta(description="Path of a directory, relative to the workspace; `.` is the workspace")
    ]


@dataclass(frozen=True, slots=True)
class Tool:
    """A row of the table: `run` takes the toolbox and an instance of `arguments`, and returns text."""

    description: str
    arguments: type[msgspec.Struct]
    run: Callable[[Toolbox, Any], str]


class Toolbox:
    """The tools over one workspace. Any number of threads may call them at the same time."""

    def __init__(self, settings: Settings) -> None:
        """Raises SettingError when the workspace is no directory that can be read."""
        self.workspace = Workspace(settings)
        self.system_status = SystemStatus(self.workspace.root)

    def names(self) -> list[str]:
        """The names of all tools, in the table's order."""
        return list(TOOLS)

    def describe(self) -> list[dict[str, Any]]:
        """For each tool `name`, `description` and `inputSchema` (JSON Schema 2020-12 of its arguments)."""
        return [
            {"name": name, "description": tool.description, "inputSchema": _schema(tool.arguments)}
            for name, tool in TOOLS.items()
        ]

    def call(self, name: str, arguments: object) -> str:
        """Run a tool and return its text.

        Raises UnknownToolError, BadArgumentsError when `arguments` is not what the tool takes, and what
        the workspace raises: NotFoundError, TooLargeError, UnavailableError.
        """
        tool = TOOLS.get(name)
        if tool is None:
            raise UnknownToolError(f"there is no tool {name[:_MAX_SHOWN]!r}; allowed is {', '.join(TOOLS)}")
        try:
            checked = msgspec.convert(arguments, tool.arguments, strict=True)
        except (msgspec.ValidationError, UnicodeEncodeError) as error:
            allowed = ", ".join(tool.arguments.__struct_fields__) or "no argument"
            wrong = str(error)[:_MAX_SHOWN]
            raise BadArgumentsError(f"wrong arguments for {name}: {wrong}; allowed is {allowed}") from None
        return tool.run(self, checked)


def _ping(_toolbox: Toolbox, _arguments: NoArguments) -> str:
    return "pong"


def _read_file(toolbox: Toolbox, arguments: FileArguments) -> str:
    return toolbox.workspace.read_text(arguments.file_path)


def _list_files(toolbox: Toolbox, arguments: DirectoryArguments) -> str:
    listing = toolbox.workspace.list_directory(arguments.directory)
    total = len(listing.entries) + listing.more
    lines = [f"{'' if listing.complete else 'more than '}{total:,} entries in {arguments.directory}"]
    lines += map(_line, listing.entries)
    if listing.more:
        lines.append(f"and {listing.more:,} more")
    return "\n".join(lines)


def _line(entry: Entry) -> str:
    """Type, bytes and name. A name may hold line ends or bytes that are no text: then it is escaped."""
    size = "-" if entry.size_bytes is None else f"{entry.size_bytes:,}"
    name = entry.name if entry.name.isprintable() else entry.name.encode("unicode_escape").decode("ascii")
    return f"{entry.kind:<9}  {size:>15}  {name}{'/' if entry.kind == 'directory' else ''}"


def _get_system_status(toolbox: Toolbox, _arguments: NoArguments) -> str:
    return toolbox.system_status.report()


def _analyze_code(toolbox: Toolbox, arguments: FileArguments) -> str:
    return analyze(arguments.file_path, toolbox.workspace.read_text(arguments.file_path))


TOOLS: Mapping[str, Tool] = MappingProxyType(
    {
        "ping": Tool("Answers `pong`: shows that the server is there.", NoArguments, _ping),
        "read_file": Tool("The text of a file in UTF-8.", FileArguments, _read_file),
        "list_files": Tool(
            "The entries of a directory with type and size in bytes, by name.",
            DirectoryArguments,
            _list_files,
        ),
        "get_system_status": Tool(
            "CPU, load, memory, disk and uptime of the machine.", NoArguments, _get_system_status
        ),
        "analyze_code": Tool(
            "Lines, functions, classes, imports, complexity, nesting and missing docstrings of a Python "
            "file; lines and bytes of any other text.",
            FileArguments,
            _analyze_code,
        ),
    }
)


def _schema(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components([arguments])
    schema: dict[str, Any] = components[arguments.__name__]
    return schema
