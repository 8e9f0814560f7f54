"""A tool's newest requests, read out of its rings when somebody looks: a roll-up of many tools does not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import overload

from ..model.series import Request
from .merge import read_ring

RECENT = 16


class Newest(Sequence[Request]):
    """The newest RECENT requests of one tool, newest first, of the rings of all files.

    A ring is its tool's cells and the Unix time of its file's performance counter's zero. What ends between
    the merge and the look is in it too; from then on it stays the same.
    """

    def __init__(self, rings: Sequence[tuple[int, memoryview]]) -> None:
        self._rings = rings

    @cached_property
    def _requests(self) -> tuple[Request, ...]:
        ended: list[tuple[int, int]] = []
        for epoch_ns, cells in self._rings:
            ends, times = read_ring(cells, RECENT)
            ended += zip(map(epoch_ns.__add__, ends), times, strict=True)
        ended.sort(reverse=True)
        return tuple([Request(at_ns / 1e9, time >> 2, not time & 3) for at_ns, time in ended[:RECENT]])

    @overload
    def __getitem__(self, index: int) -> Request: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Request, ...]: ...
    def __getitem__(self, index: int | slice) -> Request | tuple[Request, ...]:
        return self._requests[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._requests == tuple(other)

    def __hash__(self) -> int:
        return hash(self._requests)

    def __len__(self) -> int:
        return len(self._requests)
