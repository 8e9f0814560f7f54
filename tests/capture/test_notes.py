"""Requests that are answered and not yet counted: workers die there, and readers wait for them there."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from app.capture import cells as layout
from app.capture import reader as reading
from app.capture.reader import Reader
from app.model.histogram import Histogram
from app.model.series import Series
from tests.capture.forks import Forks, shared_numbers, until
from tests.capture.hosts import OWN_PATH, App, Measured, called, environ_of, notes_in

PLACES = layout.NOTES_END - layout.NOTES
LENGTH = ("Content-Length", "6")
DIED = 77


def _stream() -> Iterator[bytes]:
    yield b"abc"
    yield b"def"


def answering(
    body: Callable[[], Iterable[bytes]],
    headers: Iterable[tuple[str, str]] = (),
    status: str = "200 OK",
    failure: object = None,
) -> App:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if failure is not None:
            environ["laptime.failure"] = failure
        start_response(status, list(headers))
        return body()

    return app


BODIES = {
    "list": answering(lambda: [b"abc", b"def"]),
    "list, length told": answering(lambda: [b"abc", b"def"], [LENGTH]),
    "tuple": answering(lambda: (b"abcdef",)),
    "empty list": answering(list),
    "generator": answering(_stream),
    "generator, length told": answering(_stream, [LENGTH]),
}


class Answered:
    """One request whose last byte was handed out, and that is not closed."""

    def __init__(self, measured: Measured, path: str = "/a", **more: object) -> None:
        self.headers: dict[str, str] = {}
        self.body: Any = measured.hook(environ_of(path, more=more), self._start)
        sent, length = 0, int(self.headers.get("Content-Length", -1))
        self._chunks = iter(self.body)
        while sent != length and (chunk := next(self._chunks, None)) is not None:
            sent += len(chunk)

    def _start(self, _: str, headers: list[tuple[str, str]], __: object = None) -> Callable[[bytes], None]:
        self.headers = dict(headers)
        return lambda _: None

    def close(self) -> None:
        self.body.close()


def _killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _left() -> None:
    os._exit(DIED)


def requests(measured: Measured) -> dict[str, int]:
    return {name: series.requests for name, series in measured.tools.items()}


def folding_changes_nothing(measured: Measured, retired: int) -> None:
    """What is read is the same for any reader, before the dead are folded and after it."""
    before = measured.tools, measured.own
    for folded in (retired, 0):
        assert measured.reader.retire() == folded
        assert (measured.tools, measured.own) == before
        again = Reader(measured.recorder).snapshot()
        assert {name: totals.series for name, totals in again.tools.items()} == before[0]
        assert {name: totals.series for name, totals in again.own.items()} == before[1]


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("die", [_killed, _left])
def test_a_worker_that_dies_between_the_last_byte_and_the_close_loses_nothing(
    tmp_path: Path, forks: Forks, kind: str, die: Callable[[], None]
) -> None:
    measured = Measured(tmp_path, BODIES[kind])
    called(measured.hook, environ_of("/a"))

    def work() -> None:
        called(measured.hook, environ_of("/a"))
        Answered(measured, "/a")
        Answered(measured, "/b")
        die()

    assert forks.run(work) == (-signal.SIGKILL if die is _killed else DIED)
    assert requests(measured) == {"GET /a": 3, "GET /b": 1}
    assert (measured.worker.requests, measured.worker.in_flight) == (1, 0)
    folding_changes_nothing(measured, retired=1)


@pytest.mark.parametrize("headers", [[LENGTH], []])
def test_a_worker_that_dies_before_the_last_byte_had_not_answered(
    tmp_path: Path, forks: Forks, headers: list[tuple[str, str]]
) -> None:
    measured = Measured(tmp_path, answering(_stream, headers))
    called(measured.hook, environ_of("/a"))

    def work() -> None:
        assert next(iter(measured.hook(environ_of("/a"), lambda *_: lambda _: None))) == b"abc"
        _killed()

    assert forks.run(work) == -signal.SIGKILL
    assert requests(measured) == {"GET /a": 1}
    folding_changes_nothing(measured, retired=1)


@pytest.mark.parametrize(
    ("status", "failure", "expected"),
    [
        ("200 OK", None, (1, 0, 0, 0)),
        ("302 Found", None, (1, 0, 0, 0)),
        ("404 Not Found", None, (0, 1, 1, 0)),
        ("503 Busy", None, (0, 1, 0, 1)),
        ("200 OK", "the model gave no answer", (0, 1, 0, 0)),
    ],
)
@pytest.mark.parametrize("body", [lambda: [b"abcdef"], _stream], ids=["list", "generator"])
def test_such_a_request_has_its_class_and_the_mean_time_of_its_tool(
    tmp_path: Path,
    forks: Forks,
    body: Callable[[], Iterable[bytes]],
    status: str,
    failure: str | None,
    expected: tuple[int, ...],
) -> None:
    measured = Measured(tmp_path, answering(body, [LENGTH], status, failure))
    measured.recorder.open()

    def work() -> None:
        measured.recorder.open()
        tool = measured.recorder.tool("analyze", own=False)
        for taken_ns in (3_000_000, 5_000_000):
            tool.count(layout.NOWHERE, time.perf_counter_ns(), taken_ns, layout.SUCCESS, 0)
        Answered(measured, **{"laptime.tool": "analyze"})
        _killed()

    assert forks.run(work) == -signal.SIGKILL
    assert list(measured.tools) == ["analyze"]
    one = measured.only
    counted = (one.ok.count - 2, one.errors, one.client_errors, one.server_errors)
    assert counted == expected
    assert one.total_ns == 12_000_000
    assert (one.min_ns, one.max_ns) == (3_000_000, 5_000_000)
    assert one.ok + one.failed == Histogram.of([3_000_000, 4_000_000, 5_000_000])
    folding_changes_nothing(measured, retired=1)


def test_own_pages_that_a_dead_worker_answered_stay_apart(tmp_path: Path, forks: Forks) -> None:
    measured = Measured(tmp_path, BODIES["list"])
    measured.recorder.open()

    def work() -> None:
        Answered(measured, OWN_PATH)
        Answered(measured, OWN_PATH)
        Answered(measured, "/same")
        _killed()

    assert forks.run(work) == -signal.SIGKILL
    assert requests(measured) == {"GET /same": 1}
    assert measured.own[f"GET {OWN_PATH}"].requests == 2
    folding_changes_nothing(measured, retired=1)


def test_a_second_death_is_folded_onto_the_first(tmp_path: Path, forks: Forks) -> None:
    measured = Measured(tmp_path, BODIES["list"])
    measured.recorder.open()

    def work() -> None:
        Answered(measured)
        _killed()

    for dead in range(1, 4):
        assert forks.run(work) == -signal.SIGKILL
        assert requests(measured) == {"GET /a": dead}
        folding_changes_nothing(measured, retired=1)


class Deadly:
    """A tool's cells, or the header's, that end the process just before the store that `left` counts to."""

    def __init__(self, cells: memoryview, left: list[int]) -> None:
        self._cells, self._left = cells, left

    def __getitem__(self, place: int) -> int:
        return int(self._cells[place])

    def __setitem__(self, place: int, value: int) -> None:
        if self._left[0] == 0:
            os._exit(DIED)
        self._left[0] -= 1
        self._cells[place] = value


@pytest.mark.parametrize("others", [0, 1, 3])
@pytest.mark.parametrize(
    ("status", "failure"),
    [("200 OK", None), ("403 Forbidden", None), ("503 Busy", None), ("200 OK", "no answer")],
)
def test_a_death_at_any_store_of_counting_counts_the_request_once(
    tmp_path: Path, forks: Forks, others: int, status: str, failure: str | None
) -> None:
    """`others` are requests of the same tool that were answered too, in other threads."""
    app = answering(lambda: [b"abcdef"], status=status, failure=failure)

    def died(step: int) -> bool:
        measured = Measured(tmp_path / f"{step}", app)
        measured.recorder.open()

        def work() -> None:
            called(measured.hook, environ_of("/a"))
            *_, last = [Answered(measured) for _ in range(others + 1)]
            tool, left = measured.recorder.tool("GET /a", False), [step]
            tool.cells = Deadly(tool.cells, left)  # type: ignore[assignment]
            deadly = Deadly(tool.header, left)
            measured.recorder.header = tool.header = deadly  # type: ignore[assignment]
            last.body.header = deadly
            last.close()

        ended = forks.run(work)
        assert (step, whole(measured.only)) == (step, expected)
        folding_changes_nothing(measured, retired=1)
        return ended == DIED

    def whole(series: Series) -> tuple[int, ...]:
        return (series.ok.count, series.errors, series.client_errors, series.server_errors)

    each = {"200": (1, 0, 0, 0), "403": (0, 1, 1, 0), "503": (0, 1, 0, 1)}[status[:3]]
    if failure is not None:
        each = (0, 1, 0, 0)
    expected = tuple((others + 2) * number for number in each)
    stores = next(step for step in count() if not died(step))
    assert stores > 5


@pytest.mark.parametrize("kind", BODIES)
def test_a_child_that_ends_a_request_of_its_parents_counts_it_in_its_own_file(
    tmp_path: Path, forks: Forks, kind: str
) -> None:
    measured = Measured(tmp_path, BODIES[kind])
    answered = Answered(measured, "/parent")

    def work() -> None:
        called(measured.hook, environ_of("/child"))
        answered.close()
        assert notes_in(measured.recorder.header) == 0
        _killed()

    assert forks.run(work) == -signal.SIGKILL
    assert notes_in(measured.recorder.header) == 1
    assert measured.worker.requests == 0
    assert requests(measured) == {"GET /child": 1, "GET /parent": 1}
    answered.close()
    assert requests(measured) == {"GET /child": 1, "GET /parent": 2}
    folding_changes_nothing(measured, retired=1)


def test_more_requests_at_once_than_there_is_room_for_notes_lose_nothing(tmp_path: Path) -> None:
    measured = Measured(tmp_path, BODIES["list"])
    for turn in (1, 2):  # the second one finds every place free again
        answered = [Answered(measured) for _ in range(PLACES + 40)]
        assert notes_in(measured.recorder.header) == PLACES
        assert measured.worker.in_flight == PLACES + 40
        for one in reversed(answered) if turn == 1 else answered:
            one.close()
        assert notes_in(measured.recorder.header) == 0
        assert measured.only.requests == turn * (PLACES + 40)
    assert measured.worker.in_flight == 0
    assert measured.recorder.header[layout.FAULTS] == 0


def test_a_worker_that_dies_with_all_places_taken_counts_each_of_them(tmp_path: Path, forks: Forks) -> None:
    measured = Measured(tmp_path, BODIES["list"])
    measured.recorder.open()

    def work() -> None:
        for number in range(PLACES + 40):
            Answered(measured, f"/{'abcdefgh'[number % 8]}")
        _killed()

    assert forks.run(work) == -signal.SIGKILL
    assert requests(measured) == {f"GET /{name}": PLACES // 8 for name in "abcdefgh"}
    folding_changes_nothing(measured, retired=1)


@pytest.mark.parametrize("kind", BODIES)
def test_a_note_is_taken_away_when_its_request_is_counted(tmp_path: Path, kind: str) -> None:
    measured = Measured(tmp_path, BODIES[kind])
    for number in range(PLACES + 10):
        answered = Answered(measured)
        assert notes_in(measured.recorder.header) == 1
        answered.close()
        answered.close()
        assert notes_in(measured.recorder.header) == 0
        assert requests(measured) == {"GET /a": number + 1}


def test_a_host_that_fails_after_its_last_byte_leaves_no_note_and_is_counted_as_failed(
    tmp_path: Path, forks: Forks
) -> None:
    class Body:
        def __iter__(self) -> Iterator[bytes]:
            return _stream()

        def close(self) -> None:
            raise ValueError("the host's")

    measured = Measured(tmp_path, answering(Body, [LENGTH]))
    measured.recorder.open()

    def work() -> None:
        with pytest.raises(ValueError, match="the host's"):
            Answered(measured).close()
        assert notes_in(measured.recorder.header) == 0
        _killed()

    assert forks.run(work) == -signal.SIGKILL
    assert (measured.only.requests, measured.only.server_errors) == (1, 1)
    folding_changes_nothing(measured, retired=1)


@pytest.mark.parametrize("kind", BODIES)
def test_a_reader_waits_for_a_live_workers_answered_request_and_counts_it_once(
    tmp_path: Path, forks: Forks, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(reading, "_SETTLE_S", 20.0)  # so that a busy machine can't fail this
    measured, told = Measured(tmp_path, BODIES[kind]), shared_numbers(1)
    measured.recorder.open()

    def work() -> None:
        answered = Answered(measured)
        told[0] = 1
        time.sleep(0.1)
        answered.close()
        signal.pause()

    pid = forks.start(work)
    until(lambda: told[0])
    for _ in range(3):
        assert requests(measured) == {"GET /a": 1}
    forks.kill(pid)
    assert requests(measured) == {"GET /a": 1}
    folding_changes_nothing(measured, retired=1)


def test_a_reader_that_waits_for_a_worker_that_dies_counts_its_request(
    tmp_path: Path, forks: Forks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_SETTLE_S", 20.0)
    measured, told = Measured(tmp_path, BODIES["list"]), shared_numbers(1)
    measured.recorder.open()

    def master() -> None:
        def work() -> None:
            Answered(measured)
            told[0] = 1
            time.sleep(0.1)
            _killed()

        assert Forks().run(work) == -signal.SIGKILL

    pid = forks.start(master)
    until(lambda: told[0])
    assert requests(measured) == {"GET /a": 1}
    assert forks.join(pid) == 0
    folding_changes_nothing(measured, retired=1)


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How a reader slept while it waited."""
    slept: list[float] = []
    sleep = time.sleep

    def nap(seconds: float) -> None:
        slept.append(seconds)
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", nap)
    return slept


def test_a_long_download_delays_a_reader_once_and_is_counted_when_it_ends(
    tmp_path: Path, naps: list[float]
) -> None:
    measured = Measured(tmp_path, BODIES["list"])
    long = Answered(measured, "/long")
    assert measured.tools == {}
    waited = len(naps)
    assert waited > 0
    for _ in range(50):
        assert (measured.worker.requests, measured.worker.in_flight) == (0, 1)
    called(measured.hook, environ_of("/a"))
    assert requests(measured) == {"GET /a": 1}
    assert len(naps) == waited
    long.close()
    assert requests(measured) == {"GET /a": 1, "GET /long": 1}
    assert len(naps) == waited
    assert (measured.worker.requests, measured.worker.in_flight) == (2, 0)


def test_a_long_download_does_not_keep_a_reader_from_waiting_for_another_request(
    tmp_path: Path, forks: Forks, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured, told = Measured(tmp_path, BODIES["list"]), shared_numbers(2)
    long = Answered(measured, "/long")

    def work() -> None:
        longer = Answered(measured, "/longer")
        told[0] = 1
        until(lambda: told[0] == 2)
        answered = Answered(measured)
        told[0] = 3
        time.sleep(0.1)
        answered.close()
        until(lambda: told[0] == 4)
        longer.close()
        told[0] = 5
        signal.pause()

    forks.start(work)
    until(lambda: told[0] == 1)
    assert measured.tools == {}  # from here on both downloads are known as long
    monkeypatch.setattr(reading, "_SETTLE_S", 20.0)
    told[0] = 2
    until(lambda: told[0] == 3)
    assert requests(measured) == {"GET /a": 1}
    told[0] = 4
    until(lambda: told[0] == 5)
    long.close()
    assert requests(measured) == {"GET /a": 1, "GET /long": 1, "GET /longer": 1}


def test_a_reader_that_has_read_before_sees_what_a_killed_worker_had_just_counted(
    tmp_path: Path, forks: Forks
) -> None:
    """The worker dies before its very last store, the one that tells readers of a change."""
    measured, told = Measured(tmp_path, BODIES["list"]), shared_numbers(1)
    measured.recorder.open()

    def work() -> None:
        called(measured.hook, environ_of("/a"))
        told[0] = 1
        until(lambda: told[0] == 2)
        last, tool = Answered(measured), measured.recorder.tool("GET /a", False)
        tool.cells = _WithoutItsLastStore(tool.cells)  # type: ignore[assignment]
        last.close()

    pid = forks.start(work)
    until(lambda: told[0])
    assert requests(measured) == {"GET /a": 1}
    told[0] = 2
    assert forks.join(pid) == DIED
    assert requests(measured) == {"GET /a": 2}
    folding_changes_nothing(measured, retired=1)


class _WithoutItsLastStore(Deadly):
    """A tool's cells that end the process instead of storing the number of requests."""

    def __init__(self, cells: memoryview) -> None:
        super().__init__(cells, [1 << 30])

    def __setitem__(self, place: int, value: int) -> None:
        if place == layout.REQUESTS:
            os._exit(DIED)
        super().__setitem__(place, value)


def test_the_only_request_of_a_tool_that_was_answered_and_not_counted_survives_folding(
    tmp_path: Path, forks: Forks
) -> None:
    measured = Measured(tmp_path, BODIES["list"])
    measured.recorder.open()

    def first() -> None:
        Answered(measured)
        _killed()

    def then() -> None:
        called(measured.hook, environ_of("/a"))
        Answered(measured)
        _killed()

    for dead, work in enumerate((first, then, first), 1):
        assert forks.run(work) == -signal.SIGKILL
        assert requests(measured) == {"GET /a": (0, 1, 3, 4)[dead]}
        folding_changes_nothing(measured, retired=1)


def test_a_long_download_does_not_keep_a_reader_from_waiting_for_the_same_tools_next_request(
    tmp_path: Path, forks: Forks, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured, told = Measured(tmp_path, BODIES["list"]), shared_numbers(1)
    measured.recorder.open()

    def work() -> None:
        called(measured.hook, environ_of("/a"))
        Answered(measured)
        told[0] = 1
        until(lambda: told[0] == 2)
        answered = Answered(measured)
        told[0] = 3
        time.sleep(0.1)
        answered.close()
        signal.pause()

    forks.start(work)
    until(lambda: told[0] == 1)
    assert requests(measured) == {"GET /a": 1}  # from here on the first one is known as long
    monkeypatch.setattr(reading, "_SETTLE_S", 20.0)
    told[0] = 2
    until(lambda: told[0] == 3)
    assert requests(measured) == {"GET /a": 2}
