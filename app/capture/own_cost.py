"""What measuring itself costs: of every 1,024 requests of a worker one is timed from the inside.

Places of notes are taken in turn, so the last one's turn comes once in as many requests as there are
places; the request that takes it is measured by a `TimedCall`. So are a few before it, which count for
nothing: code that runs once in 1,024 requests is slow, and it is the usual way that is to be timed. What the
host's application, its start of the response and the server do is left out; the clocks that time it are left
in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from .call import Call
from .cells import NOTES_END

if TYPE_CHECKING:
    from .headers import Pair

SAMPLED = NOTES_END - 1
TIMED = SAMPLED - 7


class TimedCall(Call):
    """A request that adds what the hook spends on it up, and counts that when it is closed."""

    __slots__ = ("own_ns",)

    own_ns: int

    def spent(self, own_ns: int) -> None:
        """The hook's way to the application is over."""
        self.own_ns = own_ns

    def start(self, status: str, headers: list[Pair], exc_info: Any = None) -> Callable[[bytes], object]:
        """The same, timed; what the server does with the headers is not ours."""
        entered_ns = perf_counter_ns()
        server = self.start_response
        ready_ns = 0

        def served(*response: Any) -> Callable[[bytes], object]:
            nonlocal ready_ns
            ready_ns = perf_counter_ns()
            return server(*response)

        self.start_response = served
        try:
            return super().start(status, headers, exc_info)
        finally:
            self.start_response = server
            self.own_ns += ready_ns - entered_ns if ready_ns else 0

    def answered(self, body: Sequence[bytes] = ()) -> None:
        """The same, timed."""
        entered_ns = perf_counter_ns()
        super().answered(body)
        self.own_ns += perf_counter_ns() - entered_ns

    def close(self) -> None:
        """The same, timed; then the sum is counted."""
        if self.environ is None:
            return
        entered_ns = perf_counter_ns()
        super().close()
        now_ns = perf_counter_ns()
        if self.note != SAMPLED:
            return
        try:
            self.hook.recorder.spent(now_ns, self.own_ns + now_ns - entered_ns)
        except Exception as error:  # noqa: BLE001 - the host comes first: no fault of ours reaches it
            self.hook.recorder.fault(error)
