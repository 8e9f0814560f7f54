"""The ring of the system's samples: one writes, all read, and it outlives its writers."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

from app.capture.samples import RING_FILE, ROWS, SampleRing
from app.errors import CellsError
from app.model.alerting import Source, SystemSample
from tests.capture.forks import Forks, shared_numbers, until

NOW_S = 1_754_589_600.0


def sample(number: int) -> SystemSample:
    percent = number % 100_001 / 1000
    sizes = number, number + 1, number + 2, number + 3
    rates = number, number + 1, number % 2 or None, None if number % 3 else 0
    source: Source = "container" if number % 2 else "host"
    load = percent if number % 5 else None
    service = number % 9, number % 4 or None, percent if number % 5 else None, None if number % 3 else percent
    restarts = number + 8, number + 9, number + 10, number + 11
    return SystemSample(
        NOW_S + number, percent, percent, percent, *sizes, load, *rates, source, percent, number, number + 7,
        *service, *restarts,
    )  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / RING_FILE


def test_before_the_first_sample_there_is_none(path: Path) -> None:
    assert list(SampleRing(path).since(0)) == []
    assert not path.exists()


def test_samples_come_back_oldest_first_and_as_they_were(path: Path) -> None:
    ring, reader = SampleRing(path), SampleRing(path)
    for number in range(20):
        ring.append(sample(number))
        assert list(reader.since(0)) == [sample(one) for one in range(number + 1)]
    assert list(reader.since(NOW_S + 15)) == [sample(number) for number in range(15, 20)]
    assert list(reader.since(NOW_S + 19.5)) == []


def test_the_time_of_a_sample_is_kept_to_the_microsecond(path: Path) -> None:
    ring = SampleRing(path)
    ring.append(SystemSample(NOW_S + 0.123457, 1.0, 1.0, 1.0))
    assert [one.at_s for one in ring.since(0)] == [pytest.approx(NOW_S + 0.123457, abs=1e-6)]


@pytest.mark.parametrize("percent", [0.0, 0.001, 33.333, 99.999, 100.0])
def test_percentages_keep_three_places(path: Path, percent: float) -> None:
    ring = SampleRing(path)
    ring.append(SystemSample(NOW_S, percent, 0.0, 100.0, 0, 2**63, 0, 2**63))
    [found] = ring.since(0)
    assert (found.cpu_percent, found.disk_percent, found.memory_total_bytes) == (percent, 100.0, 2**63)


def test_what_is_not_known_is_not_zero(path: Path) -> None:
    ring = SampleRing(path)
    unknown = SystemSample(NOW_S, 1.0, 1.0, 1.0)
    zero = unknown._replace(
        load_average=0.0,
        received_bytes_per_s=0,
        sent_bytes_per_s=0,
        read_bytes_per_s=0,
        written_bytes_per_s=0,
        in_flight=0.0,
        saturation_percent=0.0,
    )
    for one in (unknown, zero):
        ring.append(one)
    assert list(ring.since(0)) == [unknown, zero]


@pytest.mark.parametrize("name", ["system.cells", "samples.cells"])
def test_rings_of_other_rows_are_left_alone(tmp_path: Path, name: str) -> None:
    """Versions before this one kept theirs under other names, and may still run while a new one starts."""
    old = tmp_path / name
    SampleRing(old).append(sample(1))
    assert list(SampleRing(tmp_path / RING_FILE).since(0)) == []
    assert old.exists()


def test_the_ring_keeps_the_newest_and_does_not_grow(path: Path) -> None:
    ring = SampleRing(path)
    for number in range(ROWS):
        ring.append(sample(number))
    size = path.stat().st_size
    for number in range(ROWS, 2 * ROWS + 100):
        ring.append(sample(number))
    found = ring.since(0)
    assert list(found) == [sample(number) for number in range(ROWS + 101, 2 * ROWS + 100)]
    assert path.stat().st_size == size


def test_a_reader_in_another_process_never_sees_a_row_that_is_being_written(path: Path, forks: Forks) -> None:
    told = shared_numbers(1)

    def write() -> None:
        ring = SampleRing(path)
        for number in range(3 * ROWS):
            ring.append(sample(number))
            told[0] = number

    pid = forks.start(write)
    until(lambda: told[0] > 10)
    reader = SampleRing(path)
    while told[0] < 3 * ROWS - 1:
        found = reader.since(0)
        first = round(found[0].at_s - NOW_S) if found else 0  # a fast writer can come round to all of them
        assert list(found) == [sample(number) for number in range(first, first + len(found))]
    assert forks.join(pid) == 0
    assert list(reader.since(0)) == [sample(number) for number in range(2 * ROWS + 1, 3 * ROWS)]


def test_the_next_writer_goes_on_where_the_last_one_ended(path: Path, forks: Forks) -> None:
    def append(turn: int) -> None:
        ring = SampleRing(path)
        for number in range(10 * turn, 10 * turn + 10):
            ring.append(sample(number))

    reader = SampleRing(path)
    for turn in range(3):
        assert forks.run(partial(append, turn)) == 0
        assert list(reader.since(0)) == [sample(number) for number in range(10 * turn + 10)]


@pytest.mark.parametrize("damage", [b"", b"no cells", os.urandom(100_000)])
def test_a_file_that_can_not_be_used_is_made_anew(path: Path, damage: bytes) -> None:
    path.write_bytes(damage)
    assert list(SampleRing(path).since(0)) == []
    SampleRing(path).append(sample(1))
    assert list(SampleRing(path).since(0)) == [sample(1)]


def test_a_file_that_was_removed_is_made_anew_and_readers_follow(path: Path) -> None:
    ring, reader = SampleRing(path), SampleRing(path)
    ring.append(sample(1))
    assert list(reader.since(0)) == [sample(1)]
    path.unlink()
    ring.append(sample(2))
    assert list(reader.since(0)) == [sample(2)]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CellsError):
        SampleRing(tmp_path / "gone" / RING_FILE).append(sample(1))
