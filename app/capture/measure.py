"""Functions and jobs outside requests, measured as tools: a block of code, or each call of a function.

They enter through the same recorder and the same cells as requests, and count as such.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from functools import wraps
from time import perf_counter_ns
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from .cells import BY_HAND, REPORTED, SERVER_ERROR, SUCCESS
from .recorder import Recorder

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Measure:
    """One tool by hand. A context manager for one block, and a decorator for every call of a function.

    An exception counts as a server error and goes on; `fail()` reports a failure without one. A call of an
    async function or of a generator, async or not, lasts until it is over. `ensure_started` is called where
    this process has not begun to count. Nothing of Laptime's own is raised into the block.
    """

    def __init__(self, name: str, recorder: Recorder, ensure_started: Callable[[], None]) -> None:
        self.name = name
        self._recorder = recorder
        self._ensure_started = ensure_started
        self._is_reported = False

    def __enter__(self) -> Self:
        self._is_reported = False
        self._place: tuple[memoryview, int] | None = None
        try:
            self._place = self._enter()
        except Exception as error:  # noqa: BLE001 - the host comes first: no fault of ours reaches it
            self._recorder.fault(error)
        self._began_ns = perf_counter_ns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ended_ns = perf_counter_ns()
        # Whoever leaves a generator early has had enough of it, which is nobody's failure.
        failed = kind is not None and not issubclass(kind, GeneratorExit)
        outcome = SERVER_ERROR if failed else REPORTED if self._is_reported else SUCCESS
        try:
            if self._place is None:  # there was no start yet
                self._place = self._enter()
            elif self._place[0] is not self._recorder.header:  # a child that the block forked, say
                if not self._recorder.is_open:
                    self._ensure_started()
                self._place = self._recorder.enter_again(*self._place)
            taken_ns = ended_ns - self._began_ns
            tool = self._recorder.tool(self.name, own=False)
            tool.count(self._place[1], ended_ns, taken_ns, outcome, 0)
            tool.count_by_hand(taken_ns)
        except Exception as fault:  # noqa: BLE001 - as above
            self._recorder.fault(fault)
        finally:
            if self._place is not None:
                self._recorder.leave(*self._place)

    def fail(self) -> None:
        """Count this block as failed, though it raises nothing."""
        self._is_reported = True

    def __call__(self, function: _Function) -> _Function:
        """`function`, each call of it measured apart, threads and tasks too."""
        wrap = _sync
        if inspect.isasyncgenfunction(function):
            wrap = _async_generator
        elif inspect.iscoroutinefunction(function):
            wrap = _async
        elif inspect.isgeneratorfunction(function):
            wrap = _generator
        return cast("_Function", wraps(function)(wrap(self._again, function)))

    def _again(self) -> Measure:
        return Measure(self.name, self._recorder, self._ensure_started)

    def _enter(self) -> tuple[memoryview, int]:
        if not self._recorder.is_open:
            self._ensure_started()
        place = header, note = self._recorder.enter()
        header[note] = BY_HAND | perf_counter_ns()
        return place


def _sync(measure: Callable[[], Measure], function: Callable[..., Any]) -> Callable[..., Any]:
    def measured(*args: Any, **options: Any) -> Any:
        with measure():
            return function(*args, **options)

    return measured


def _async(measure: Callable[[], Measure], function: Callable[..., Any]) -> Callable[..., Any]:
    async def measured(*args: Any, **options: Any) -> Any:
        with measure():
            return await function(*args, **options)

    return measured


def _generator(measure: Callable[[], Measure], function: Callable[..., Any]) -> Callable[..., Any]:
    def measured(*args: Any, **options: Any) -> Generator[Any, Any, Any]:
        with measure():
            return (yield from function(*args, **options))

    return measured


def _async_generator(measure: Callable[[], Measure], function: Callable[..., Any]) -> Callable[..., Any]:
    """Hands through what `yield from` does for `_generator`, which async generators do not have (PEP 525)."""

    async def measured(*args: Any, **options: Any) -> AsyncGenerator[Any, Any]:
        with measure():
            inner = function(*args, **options)
            step = _first(inner)
            while True:
                try:
                    value = await step
                except StopAsyncIteration:
                    return
                try:
                    sent = yield value
                except BaseException as error:  # noqa: BLE001 - GeneratorExit too: aclose() throws it
                    step = inner.athrow(error)
                else:
                    step = inner.asend(sent)

    return measured


def _first(inner: AsyncGenerator[Any, Any]) -> Any:
    """The first step of a generator that the event loop does not get to know.

    A loop closes all that it knows at once when it ends, and `inner` is closed by the one around it.
    """
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        return inner.asend(None)
    finally:
        sys.set_asyncgen_hooks(*hooks)
