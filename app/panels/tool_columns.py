"""The columns of the table of tools: what heads them, how they sort, and which of them a reader left out."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import BadRequestError


@dataclass(frozen=True, slots=True)
class Column:
    """`key` is what it sorts by, and its name in an address; `width` is the screen that it needs, if any.

    `ascends`: sorted by it, what is least stands first. A column that `is_drawn` sorts nothing.
    """

    key: str
    head: str
    width: str = ""
    ascends: bool = False
    is_drawn: bool = False

    @property
    def css(self) -> str:
        return f"num {self.width}".strip()


# After the name, which is always there.
COLUMNS = (
    Column("requests", "Requests", "narrow"),
    Column("rate", "Per minute", "wide"),
    Column("success", "Success %", ascends=True),
    Column("average", "Average ms", "middle"),
    Column("p50", "p50 ms", "middle"),
    Column("p95", "p95 ms"),
    Column("p99", "p99 ms", "middle"),
    Column("share", "Share of time %", "share-head"),
    Column("course", "p95 course", "middle", is_drawn=True),
    Column("trend", "p95 trend", "middle"),
)
_KEYS = tuple(column.key for column in COLUMNS)
ASCENDING = frozenset({"tool", *(column.key for column in COLUMNS if column.ascends)})


@dataclass(frozen=True, slots=True)
class Choice:
    """A column in the menu: whether it is shown, and what `hide` is once it is chosen."""

    column: Column
    is_shown: bool
    hide: str


def hidden_of(hide: str) -> frozenset[str]:
    """The keys in a list with commas between them. Raises BadRequestError for one that is no column."""
    found = frozenset(filter(None, hide.split(",")))
    if unknown := found.difference(_KEYS):
        raise BadRequestError(f"hide is {min(unknown)!r}; allowed is {', '.join(_KEYS)}")
    return found


def choices(hidden: frozenset[str]) -> tuple[Choice, ...]:
    """All columns, each with the list of hidden ones that there is once it is chosen."""
    return tuple(
        Choice(
            column, column.key not in hidden, ",".join(key for key in _KEYS if key in hidden ^ {column.key})
        )
        for column in COLUMNS
    )
