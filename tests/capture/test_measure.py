"""Functions and blocks outside requests count as tools, and keep their own behaviour."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.capture.measure import Measure
from app.errors import UnavailableError

from .forks import Forks
from .hosts import Measured, environ_of, served


@pytest.fixture
def measured(tmp_path: Path) -> Measured:
    return Measured(tmp_path, lambda _environ, _start: [])


def measure(measured: Measured, name: str = "job") -> Measure:
    return Measure(name, measured.recorder, measured.start)


def test_a_block_counts_as_a_tool_before_there_is_a_request(measured: Measured) -> None:
    with measure(measured, "nightly import"):
        assert measured.worker.in_flight == 1
    assert {name: series.requests for name, series in measured.tools.items()} == {"nightly import": 1}
    assert (measured.only.errors, measured.worker.in_flight) == (0, 0)


def test_an_exception_counts_as_a_server_error_and_goes_on(measured: Measured) -> None:
    error = ValueError("the host's own")
    with pytest.raises(ValueError, match="the host's own") as raised, measure(measured):
        raise error
    assert raised.value is error
    assert (measured.only.requests, measured.only.server_errors) == (1, 1)


def test_a_failure_is_reported_without_an_exception(measured: Measured) -> None:
    with measure(measured) as block:
        block.fail()
    assert (measured.only.requests, measured.only.errors, measured.only.server_errors) == (1, 1, 0)


def test_each_call_of_a_function_counts_over_threads_and_within_itself(measured: Measured) -> None:
    @measure(measured)
    def factorial(number: int) -> int:
        """The product."""
        return number * factorial(number - 1) if number else 1

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(factorial, [9] * 200)) == [362_880] * 200
    assert (factorial.__name__, factorial.__doc__) == ("factorial", "The product.")
    assert (measured.only.requests, measured.worker.in_flight) == (2000, 0)


def test_an_async_function_is_measured_until_it_is_over(measured: Measured) -> None:
    @measure(measured)
    async def job(fails: bool) -> str:
        await asyncio.sleep(0)
        assert measured.worker.in_flight == 2
        await asyncio.sleep(0)
        if fails:
            raise ValueError
        return "done"

    async def both() -> tuple[str | BaseException, str | BaseException]:
        return await asyncio.gather(job(False), job(True), return_exceptions=True)

    done, failed = asyncio.run(both())
    assert (done, type(failed)) == ("done", ValueError)
    assert (measured.only.requests, measured.only.server_errors) == (2, 1)


def test_a_generator_is_measured_until_it_is_over_or_left(measured: Measured) -> None:
    @measure(measured)
    def numbers() -> Iterator[int]:
        yield from (1, 2, 3)

    assert list(numbers()) == [1, 2, 3]
    left = numbers()
    assert (next(left), measured.worker.in_flight) == (1, 1)
    left.close()  # type: ignore[attr-defined]
    assert (measured.only.requests, measured.only.errors, measured.worker.in_flight) == (2, 0, 0)


def test_an_async_generator_is_measured_until_it_is_over(measured: Measured) -> None:
    @measure(measured)
    async def numbers(most: int) -> AsyncIterator[int]:
        """Counts."""
        for number in range(most):
            await asyncio.sleep(0)
            yield number

    async def reads() -> None:
        assert [number async for number in numbers(3)] == [0, 1, 2]
        assert (measured.only.requests, measured.worker.in_flight) == (1, 0)
        one, other = numbers(9), numbers(0)
        assert (await anext(one), measured.worker.in_flight) == (0, 1)
        assert await anext(other, "none") == "none"
        assert (measured.only.requests, measured.worker.in_flight) == (2, 1)
        assert [number async for number in one] == list(range(1, 9))

    asyncio.run(reads())
    assert inspect.isasyncgenfunction(numbers)
    assert (numbers.__name__, numbers.__doc__) == ("numbers", "Counts.")
    assert (measured.only.requests, measured.only.errors, measured.worker.in_flight) == (3, 0, 0)


class StepError(Exception):
    """What one side of a generator throws to the other."""


async def talks() -> AsyncGenerator[object, object]:
    """A generator that answers all that can be done to one."""
    heard: object = "begun"
    while heard != "return":
        try:
            heard = yield heard
        except StepError as error:
            heard = f"caught {error}"
        if heard == "raise":
            raise StepError("its own")
        if heard == "stop":
            raise StopAsyncIteration
        if heard == "nothing":
            await asyncio.sleep(0)


async def clings() -> AsyncGenerator[object, object]:
    """A generator that goes on when it is closed."""
    try:
        yield "begun"
    except GeneratorExit:
        yield "still here"


async def settles() -> AsyncGenerator[object, object]:
    """A generator that takes its close for the end, and works before it goes."""
    try:
        yield "begun"
    except GeneratorExit:
        await asyncio.sleep(0)


Talk = AsyncGenerator[object, object]
Done = Callable[[Talk], Awaitable[object]]


@pytest.mark.parametrize(
    ("function", "failed", "steps"),
    [
        (talks, False, [anext, lambda talk: talk.asend("heard"), anext, lambda talk: talk.asend("return")]),
        (talks, True, [anext, lambda talk: talk.asend("raise"), anext]),
        (talks, True, [anext, lambda talk: talk.asend("stop")]),
        (
            talks,
            False,
            [anext, lambda talk: talk.athrow(StepError("told")), lambda talk: talk.asend("return")],
        ),
        (talks, True, [anext, lambda talk: talk.asend("nothing"), lambda talk: talk.athrow(KeyError("x"))]),
        (talks, True, [anext, lambda talk: talk.athrow(StopAsyncIteration())]),
        (talks, False, [anext, lambda talk: talk.aclose(), anext, lambda talk: talk.aclose()]),
        (talks, False, [anext, lambda talk: talk.athrow(GeneratorExit())]),
        (talks, None, [lambda talk: talk.asend("too early"), lambda talk: talk.aclose(), anext]),
        (talks, None, [lambda talk: talk.athrow(StepError("too early")), anext]),
        (settles, False, [anext, lambda talk: talk.aclose(), anext]),
        (settles, False, [anext, lambda talk: talk.athrow(GeneratorExit())]),
        (clings, False, [anext, lambda talk: talk.aclose(), anext]),
        (clings, False, [anext, lambda talk: talk.athrow(GeneratorExit()), anext]),
    ],
)
def test_an_async_generator_answers_all_that_is_done_to_it_as_before(
    measured: Measured, function: Callable[[], Talk], failed: bool | None, steps: list[Done]
) -> None:
    async def outcomes(talk: Talk) -> list[tuple[type, str]]:
        found: list[object] = []
        for step in steps:
            try:
                found.append(await step(talk))
            except BaseException as error:  # noqa: BLE001 - GeneratorExit too
                found.append(error)
        return [(type(one), str(one)) for one in found]

    measured.start()
    assert asyncio.run(outcomes(measure(measured)(function)())) == asyncio.run(outcomes(function()))
    counted = [(series.requests, series.server_errors) for series in measured.tools.values()]
    assert counted == ([] if failed is None else [(1, failed)])


def test_an_async_generator_that_nobody_reads_on_is_closed_as_before(
    measured: Measured, caplog: pytest.LogCaptureFixture
) -> None:
    async def numbers(ended: list[str], name: str) -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            for _ in range(3):
                await asyncio.sleep(0)
            ended.append(name)

    def ended(function: Callable[[list[str], str], AsyncIterator[int]]) -> list[str]:
        names: list[str] = []
        kept = function(names, "by the end of the loop")

        async def reads() -> None:
            async for _ in function(names, "by the collector"):
                break
            await anext(kept)
            await asyncio.sleep(0.01)

        asyncio.run(reads())
        return names

    assert (
        ended(measure(measured)(numbers)) == ended(numbers) == ["by the collector", "by the end of the loop"]
    )
    assert (measured.only.requests, measured.only.errors, measured.worker.in_flight) == (2, 0, 0)
    assert not caplog.records


def test_a_block_that_forks_counts_once_in_each_process(measured: Measured) -> None:
    forks = Forks()
    with measure(measured):
        pass

    def child() -> None:
        with measure(measured):
            pass

    block = measure(measured)
    block.__enter__()
    ended_in_child = forks.start(lambda: block.__exit__(None, None, None))
    assert forks.join(ended_in_child) == forks.run(child) == 0
    block.__exit__(None, None, None)
    assert measured.only.requests == 4


def test_a_start_that_fails_leaves_the_block_alone(measured: Measured) -> None:
    def fails() -> None:
        raise UnavailableError("no start")

    done = []
    with Measure("job", measured.recorder, fails):
        done.append(1)
    assert done == [1]
    assert not measured.recorder.is_open


def test_functions_and_requests_count_side_by_side(measured: Measured) -> None:
    served(measured.hook, environ_of("/x"))
    with measure(measured):
        pass
    assert "job" in measured.tools
    assert len(measured.tools) == 2
