"""The bench runs, shortened: every variant is built and measured, and every table is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.model.windows import NAMED
from app.panels.registry import OVERVIEW, PAGES

from .memory import WORKERS
from .pages import WINDOWS
from .variants import BARE, OF_KIND, OURS

CHECKOUT = Path(__file__).parents[2]
pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("bench")]
SHORT = ("--rounds=3", "--turns=2", "--seconds=1", "--cases=10", "--history-tools=3", "--visits=1")


@pytest.fixture(scope="module")
def said() -> str:
    """What the whole bench prints."""
    command = [sys.executable, "-m", "tests.benchmarks", *SHORT]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(said: str, title: str) -> list[list[str]]:
    """The cells of the table below a title, its head left out."""
    after = said.split(f"{title}\n\n")[1].split("\n\n", maxsplit=1)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in after.splitlines()[2:]]


def has_number(cell: str) -> bool:
    """Whether a cell begins with a number."""
    return re.match(r"-?[\d,]+(\.\d+)?( |$)", cell) is not None


@pytest.mark.parametrize(
    ("kind", "title"), [("wsgi", "### a trivial WSGI callable"), ("flask", "### a Flask application")]
)
def test_each_variant_has_its_cost(said: str, kind: str, title: str) -> None:
    found = rows(said, title)
    assert [row[0] for row in found] == [name for name in OF_KIND[kind] if name != BARE]
    assert all(has_number(cell) for row in found for cell in row[1:])


def test_throughput_is_compared_under_a_real_server(said: str) -> None:
    found = rows(said, "## Throughput, gunicorn with 2 sync workers, wrk -t1 -c8")
    assert [row[:2] for row in found] == [[kind, name] for kind in OF_KIND for name in OURS]
    assert all(has_number(cell) for row in found for cell in row[2:])


def test_memory_and_reading_are_measured(said: str) -> None:
    for title in (f"## Memory, gunicorn with {WORKERS} sync workers", "## Reading /performance/metrics"):
        found = rows(said, title)
        assert found
        assert all(has_number(row[1]) for row in found)


def test_history_is_measured_on_both_databases(said: str) -> None:
    rolled = rows(said, "## Roll-up of 8 workers, time of the processor")
    assert {row[0] for row in rolled} == {"SQLite", "PostgreSQL"}
    assert all(has_number(cell) for row in rolled for cell in row[1:])
    sizes = rows(said, "## History of 400 days")
    assert [row[0] for row in sizes] == ["SQLite", "PostgreSQL"]
    assert all(has_number(row[1]) for row in sizes)
    read = rows(said, sizes_end(said))
    assert [row[1] for row in read] == [*NAMED, *NAMED]
    assert all(has_number(cell) for row in read for cell in row[2:])


def test_pages_are_measured_on_the_server_and_in_a_browser(said: str) -> None:
    part = said.split("## Pages with a year ")[1]
    for head, number in (
        ("| page | window |", len(PAGES) * len(WINDOWS)),
        ("| panel of the overview |", len(OVERVIEW.panels)),
        ("| page | on |", len(PAGES) * 2),
        ("| page, each refresh |", len(PAGES)),
    ):
        table = (head + part.split(head)[1]).split("\n\n")[0].splitlines()[2:]
        assert len(table) == number
        assert all(has_number(line.split(" | ")[2]) for line in table)


def sizes_end(said: str) -> str:
    """The last row of the sizes' table, which the windows' table follows."""
    table = said.split("## History of 400 days\n\n")[1].split("\n\n", maxsplit=1)[0]
    return table.splitlines()[-1]
