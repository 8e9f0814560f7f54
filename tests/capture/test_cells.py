"""Files of cells: the layout, growth, and what becomes of full disks and damaged files."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from app.capture import cells as layout
from app.capture.cells import CellFile, name_of
from app.capture.process import Process
from app.errors import CellsError
from app.model.histogram import BUCKETS
from tests.capture.forks import Forks

ME = Process.current()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "worker-1-1.cells"


def test_no_two_things_share_a_cell_of_the_header() -> None:
    singles = [0, layout.BOOT, layout.PID, layout.START_TICKS, layout.MADE_NS, layout.TOOLS, layout.UNNOTED]
    singles += [layout.FAULTS, layout.SAMPLES, layout.EPOCH_NS, layout.SLOTS, layout.RESIDENT_BYTES]
    singles += [layout.OPEN_FILES, layout.THREADS, layout.OOM_KILLS, layout.ENDING, layout.BUSY_PAIRS]
    singles += [layout.BY_HAND_NS]
    assert sorted(singles) == list(range(len(singles)))
    assert max(singles) < layout.RESTARTS < layout.RESTARTS_END <= layout.FOLDED
    assert layout.FOLDED + 2 * layout.FOLDED_MOST <= layout.BUSY
    assert layout.BUSY + 2 * layout.BUSY_MOST <= layout.NOWHERE
    assert layout.NOWHERE < layout.NOTES < layout.NOTES_END <= layout.HEADER_CELLS


def test_no_two_things_share_a_cell_of_a_tool() -> None:
    spans = [
        (0, 1),
        (layout.NAME, -(-layout.NAME_BYTES // 8)),
        *[
            (cell, 1)
            for cell in (
                layout.TOTAL_NS, layout.MIN_NS, layout.MAX_NS, layout.CLIENT_ERRORS, layout.SERVER_ERRORS,
                layout.REPORTED_FAILURES, layout.RESPONSE_BYTES, layout.REQUESTS, layout.STREAMING_NS,
                layout.QUEUED, layout.QUEUE_NS,
            )
        ],
        (layout.ENDS, layout.RING_SIZE),
        (layout.TIMES, layout.RING_SIZE),
        (layout.OK, BUCKETS),
        (layout.FAILED, BUCKETS),
        (layout.TOOL_CELLS, 0),
    ]  # fmt: skip
    for (start, length), (following, _) in pairwise(sorted(spans)):
        assert start + length <= following


def test_each_class_of_failures_has_the_cell_that_its_outcome_leads_to() -> None:
    outcomes = (layout.SUCCESS, layout.CLIENT_ERROR, layout.SERVER_ERROR, layout.REPORTED)
    led_to = (layout.MAX_NS, layout.CLIENT_ERRORS, layout.SERVER_ERRORS, layout.REPORTED_FAILURES)
    assert tuple(layout.MAX_NS + outcome for outcome in outcomes) == led_to


def test_a_new_file_says_whose_it_is_and_is_for_its_owner_alone(path: Path) -> None:
    CellFile.create(path, ME)
    assert CellFile.open(path).owner == ME
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_one_writes_another_reads_over_many_segments(path: Path) -> None:
    written, read = CellFile.create(path, ME), CellFile.open(path)
    for number in range(3 * layout.SEGMENT_TOOLS + 1):
        tool = written.add_tool(f"tool {number}".encode(), number % 3)
        tool[layout.TOOL_CELLS - 1] = number + 1
    assert read.header[layout.TOOLS] == 49
    for number in reversed(range(49)):
        tool = read.tool(number)
        assert name_of(tool) == (f"tool {number}", number % 3)
        assert tool[layout.TOOL_CELLS - 1] == number + 1
        assert sum(tool[layout.OK :]) == number + 1  # nobody else's cells
    assert path.stat().st_size < 50 * layout.TOOL_CELLS * 8 + 16 * layout.TOOL_CELLS * 8


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 247, 248])
def test_a_name_of_any_length_comes_back(path: Path, length: int) -> None:
    tool = CellFile.create(path, ME).add_tool(b"\xc3\xa4" * (length // 2) + b"x" * (length % 2))
    assert name_of(tool) == ("ä" * (length // 2) + "x" * (length % 2), layout.SERVICE)


def test_a_file_that_is_there_already_is_not_taken_over(path: Path) -> None:
    CellFile.create(path, ME).header[layout.FAULTS] = 7
    with pytest.raises(CellsError, match="can't make"):
        CellFile.create(path, ME)
    assert CellFile.open(path).header[layout.FAULTS] == 7


def test_a_reader_can_not_write(path: Path) -> None:
    CellFile.create(path, ME)
    read = CellFile.open(path)
    with pytest.raises(TypeError):
        read.header[layout.FAULTS] = 1


def test_private_memory_has_the_same_layout_and_no_file(tmp_path: Path) -> None:
    cells = CellFile.create(None, ME)
    for number in range(20):
        cells.add_tool(f"{number}".encode())[layout.OK] = number
    assert [cells.tool(number)[layout.OK] for number in range(20)] == list(range(20))
    assert cells.is_current()
    assert list(tmp_path.iterdir()) == []


def _whole(path: Path) -> bytes:
    cells = CellFile.create(path.with_suffix(".whole"), ME)
    cells.add_tool(b"tool")
    return path.with_suffix(".whole").read_bytes()


@pytest.mark.parametrize("kept", [0, 1, 8, 4095, 12_287])
def test_a_file_shorter_than_its_header_is_torn(path: Path, kept: int) -> None:
    path.write_bytes(_whole(path)[:kept])
    with pytest.raises(CellsError, match="torn"):
        CellFile.open(path)


@pytest.mark.parametrize("content", [b"\0" * 16384, b"laptime2" + b"\0" * 16376, os.urandom(16384)])
def test_a_file_of_another_layout_is_foreign(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(CellsError, match="no file of cells"):
        CellFile.open(path)


def test_a_tool_behind_the_end_is_torn_and_no_signal(path: Path, forks: Forks) -> None:
    path.write_bytes(_whole(path)[:20_000])

    def work() -> None:
        with pytest.raises(CellsError, match="torn"):
            CellFile.open(path).tool(0)

    assert forks.run(work) == 0


def test_what_is_no_regular_file_is_refused_without_waiting(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(CellsError):
        CellFile.open(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(CellsError):
        CellFile.open(path)
    path.rmdir()
    path.with_suffix(".real").write_bytes(_whole(path))
    path.symlink_to(path.with_suffix(".real"))
    with pytest.raises(CellsError):
        CellFile.open(path)


def test_a_file_that_was_replaced_or_removed_is_no_longer_current(path: Path) -> None:
    first = CellFile.create(path, ME)
    assert first.is_current()
    CellFile.create(path.with_suffix(".new"), ME)
    path.with_suffix(".new").replace(path)
    assert not first.is_current()
    again = CellFile.open(path)
    assert again.is_current()
    path.unlink()
    assert not again.is_current()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for a header and one segment: a real small disk, or the limit of a file's size."""
    folder = tmp_path / "disk"
    folder.mkdir()
    size = 8 * layout.HEADER_CELLS + 16 * layout.TOOL_CELLS * 8 + 65_536
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0:
        yield folder
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
    else:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
        yield folder
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_ends_in_an_error_and_what_was_there_still_counts(small_disk: Path, forks: Forks) -> None:
    def work() -> None:
        cells = CellFile.create(small_disk / "a.cells", ME)
        for number in range(layout.SEGMENT_TOOLS):
            cells.add_tool(f"{number}".encode())[layout.FAILED] = 1
        for _ in range(3):
            with pytest.raises(CellsError, match="no room for more tools"):
                cells.add_tool(b"one too many")
        assert cells.header[layout.TOOLS] == layout.SEGMENT_TOOLS
        cells.tool(0)[layout.FAILED] += 1
        assert CellFile.open(small_disk / "a.cells").tool(0)[layout.FAILED] == 2

    assert forks.run(work) == 0


def test_a_file_that_finds_no_room_for_its_header_leaves_nothing(tmp_path: Path, forks: Forks) -> None:
    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        with pytest.raises(CellsError, match="no room for"):
            CellFile.create(tmp_path / "a.cells", ME)
        assert list(tmp_path.iterdir()) == []

    assert forks.run(work) == 0


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CellsError, match="can't make"):
        CellFile.create(tmp_path / "gone" / "a.cells", ME)
    with pytest.raises(CellsError, match="can't open"):
        CellFile.open(tmp_path / "a.cells")
