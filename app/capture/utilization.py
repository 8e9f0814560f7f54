"""How much of its time a worker is at work on requests, exact where a sampled gauge would guess.

The time that requests took is counted anyway, and what those in flight have taken so far is in their notes:
so the difference of two such sums is the time at work in between, and divided by the span the mean number
of requests at work (Little, "A proof for the queuing formula: L = lambda W", 1961). Each worker writes the
sum down every few seconds; a minute of those lies in its file's header.
"""

from __future__ import annotations

from collections.abc import Iterable

from . import cells as layout
from .recorder import Recorder

SPAN_NS = 60_000_000_000
_SHORTEST_NS = 1_000_000_000
_ATTEMPTS = 5


def notes_in(header: memoryview) -> list[int]:
    """All places of notes, those that are not taken included."""
    notes: list[int] = header[layout.NOTES : layout.NOTES_END].tolist()
    return notes


def in_flight_ns(notes: Iterable[int], now_ns: int) -> int:
    """How long the requests that a host is working on have taken until `now_ns` (performance counter).

    One that is answered and not counted yet adds nothing in between, as it tells no more when it began.
    """
    return sum(max(0, now_ns - note) for note in notes if 0 < note < layout.BY_HAND)


def busy_ns(recorder: Recorder, now_ns: int) -> int:
    """The time at work of the worker that calls this, since its file began."""
    # Until no request ended between the look at the notes and that at the sums.
    for _ in range(_ATTEMPTS):
        header = recorder.header
        notes = notes_in(header)
        kinds = (recorder.tools, recorder.own)
        counted_ns = sum(tool.total_ns for kind in kinds for tool in list(kind.named.values()))
        if header is recorder.header and notes == notes_in(header):
            break
    return counted_ns - header[layout.BY_HAND_NS] + in_flight_ns(notes, now_ns)


def write(header: memoryview, now_ns: int, busy: int) -> None:
    """Add a pair to the ring; the number of pairs is stored last."""
    written = header[layout.BUSY_PAIRS]
    place = layout.BUSY + 2 * (written % layout.BUSY_MOST)
    header[place], header[place + 1] = now_ns, max(0, busy)
    header[layout.BUSY_PAIRS] = written + 1


def busy_percent(header: memoryview, now_ns: int, busy: int) -> float | None:
    """The share of a worker's slots that was at work in the last minute, `busy` being its sum at `now_ns`.

    Of a younger worker it is since its start. None where it told nothing yet, or its slots are not known.
    """
    written, slots = header[layout.BUSY_PAIRS], header[layout.SLOTS]
    ring = header[layout.BUSY : layout.BUSY + 2 * layout.BUSY_MOST].tolist()
    # The oldest of a full ring may be written just now.
    numbers = range(max(0, written + 1 - layout.BUSY_MOST), written)
    pairs = [(ring[2 * (one % layout.BUSY_MOST)], ring[2 * (one % layout.BUSY_MOST) + 1]) for one in numbers]
    if not pairs or not slots:
        return None
    was_ns, was_busy = next((pair for pair in reversed(pairs) if now_ns - pair[0] >= SPAN_NS), pairs[0])
    span_ns = now_ns - was_ns
    if span_ns < _SHORTEST_NS:
        return None
    return min(100.0, max(0.0, 100.0 * (busy - was_busy) / (span_ns * slots)))
