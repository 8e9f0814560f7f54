"""A histogram of response times whose quantiles are within 1.1 % of the true value.

Guarantee: for 1 microsecond <= t <= 1 hour, `value_ns(bucket_of(t))` differs from t by at most
1.1 % of t, and so does every quantile of any sum of histograms. Below and above that range the first
and the last bucket take all.

Buckets are spaced logarithmically, 32 to an octave (DDSketch, Masson, Rim and Lee, VLDB 2019, with
the logarithm read from a table over the first 12 bits behind the leading one, so that recording
needs no floating point): the ratio of a bucket's bounds is at most 2^(1/32) * (1 + 2^-12) = 1.0222,
and the harmonic mean of the bounds is then at most (1.0222 - 1) / (1.0222 + 1) = 1.095 % off.

A histogram is held as one big integer with 64 bits to a bucket. Adding two histograms is adding two
integers and taking a difference is subtracting them, at memory speed and without a loop in Python.
"""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import ceil, log2

BUCKETS = 1024
RELATIVE_ERROR = 0.011

LAST = BUCKETS - 1
_OCTAVE = 32  # buckets to an octave
_GRID_BITS = 12
_GRID = 1 << _GRID_BITS
# The bucket of 1,000 ns becomes number 0: octave 9 (512 ns), step 30.
_FIRST = 9 * _OCTAVE + 30
_STEP = bytes(int(_OCTAVE * log2(1 + m / _GRID) + 1e-12) for m in range(_GRID))
_EDGES = [next(m for m in range(_GRID) if _STEP[m] == step) for step in range(_OCTAVE)]


def _small(duration_ns: int) -> int:
    """The bucket of a duration too short to have 12 bits behind its leading one."""
    bits = max(1, duration_ns).bit_length()
    return max(0, (bits - 1) * _OCTAVE + _STEP[(duration_ns << (13 - bits)) & (_GRID - 1)] - _FIRST)


# Three tables spare the hot path its arithmetic: the bucket of each duration under SMALL_NS; for all others
# the first bucket of their octave by the number of their bits, plus the step by their leading 13 bits.
SMALL_NS = _GRID
SMALL = bytes(map(_small, range(SMALL_NS)))
OCTAVES = tuple((bits - 1) * _OCTAVE - _FIRST for bits in range(65))
STEPS = bytes(_GRID) + _STEP


def bucket_of(duration_ns: int) -> int:
    """The number of the bucket, 0 to 1023, that a duration in nanoseconds falls into."""
    if duration_ns < SMALL_NS:
        return SMALL[duration_ns]
    bits = duration_ns.bit_length()
    return min(OCTAVES[bits] + STEPS[duration_ns >> (bits - 13)], LAST)


def bounds_ns(bucket: int) -> tuple[float, float]:
    """Lower and upper bound of a bucket in nanoseconds; a duration t is in it if lower <= t < upper."""
    return _edge_ns(bucket + _FIRST), _edge_ns(bucket + _FIRST + 1)


def value_ns(bucket: int) -> float:
    """The duration that stands for all in the bucket: the harmonic mean of its bounds."""
    return _VALUES[bucket]


def _edge_ns(index: int) -> float:
    octave, step = divmod(index, _OCTAVE)
    return float((1 << octave) * (_GRID + _EDGES[step])) / _GRID


_VALUES = [2 * low * high / (low + high) for low, high in (bounds_ns(bucket) for bucket in range(BUCKETS))]


@dataclass(frozen=True, slots=True, repr=False)
class Histogram:
    """Counts by bucket, as one integer of 64-bit lanes: bucket 0 is the lowest lane."""

    packed: int = 0
    # The sum of all lanes once somebody asked for it: histograms are merged far more often than counted.
    _count: int = field(default=-1, init=False, compare=False)

    @classmethod
    def of(cls, durations_ns: Iterable[int]) -> Histogram:
        """A histogram of the given durations in nanoseconds."""
        packed = 0
        for duration_ns in durations_ns:
            packed += 1 << (64 * bucket_of(duration_ns))
        return cls(packed)

    @classmethod
    def from_counts(cls, counts: Mapping[int, int]) -> Histogram:
        """A histogram from {bucket: count}; counts are not negative."""
        lanes = [0] * (max(counts, default=-1) + 1)
        for bucket, count in counts.items():
            lanes[bucket] = count
        return cls(int.from_bytes(struct.pack(f"<{len(lanes)}Q", *lanes), "little"))

    def __repr__(self) -> str:
        return f"Histogram.from_counts({self.counts()})"  # as digits `packed` is too long for Python

    def lanes(self) -> tuple[int, ...]:
        """The counts from bucket 0 to the last that is not empty."""
        lanes = (self.packed.bit_length() + 63) // 64
        return struct.unpack(f"<{lanes}Q", self.packed.to_bytes(lanes * 8, "little"))

    def counts(self) -> dict[int, int]:
        """{bucket: count} of the buckets that are not empty, lowest first."""
        return {bucket: count for bucket, count in enumerate(self.lanes()) if count}

    @property
    def count(self) -> int:
        """How many durations were counted."""
        if self._count < 0:
            object.__setattr__(self, "_count", _sum_of_lanes(self.packed))
        return self._count

    def contains(self, earlier: Histogram) -> bool:
        """Whether no bucket of `earlier` has more than this one."""
        if not earlier.packed or self.packed == earlier.packed:
            return True
        # A lane that is too small borrows the guard above it, as no count comes near 2^63.
        return ((self.packed | _GUARDS) - earlier.packed) & _GUARDS == _GUARDS

    def __add__(self, other: Histogram) -> Histogram:
        return Histogram(self.packed + other.packed)

    def __sub__(self, earlier: Histogram) -> Histogram:
        """What came since `earlier`, an older state of the same counters (these only grow)."""
        return Histogram(self.packed - earlier.packed)

    def quantiles_ns(self, qs: Sequence[float]) -> list[float] | None:
        """The nearest-rank quantiles (the ceil(q * n)-th smallest) in nanoseconds; None if empty."""
        if not self.packed:
            return None
        # Times of a tool are near each other: most lanes are empty and lie below its fastest.
        first = _lowest(self.packed)
        ranks = list(accumulate(Histogram(self.packed >> 64 * first).lanes()))
        return [_VALUES[first + bisect_left(ranks, max(1, ceil(q * ranks[-1])))] for q in qs]

    def ends_ns(self) -> tuple[float, float] | None:
        """What stands for the least and the greatest duration; None if empty."""
        packed = self.packed
        if not packed:
            return None
        return _VALUES[_lowest(packed)], _VALUES[(packed.bit_length() - 1) // 64]

    def encode(self) -> bytes:
        """A compact form for storage: the lanes from the first that is not empty to the last, deflated.

        Their bytes are regrouped by significance, as far as there is one that is not zero: most counts are
        small. Three bytes in front tell the first lane, the number of lanes and that of bytes in each. An
        empty histogram is no bytes at all.
        """
        if not self.packed:
            return b""
        first = _lowest(self.packed)
        lanes = (self.packed.bit_length() + 63) // 64 - first
        packed = self.packed >> 64 * first
        raw = packed.to_bytes(lanes * 8, "little")
        count = next(count for count in range(1, 9) if not packed & _ABOVE[count])
        planes = b"".join([raw[byte::8] for byte in range(count)])
        shape = first << 13 | (lanes - 1) << 3 | count - 1
        deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL)
        return shape.to_bytes(3, "little") + deflater.compress(planes) + deflater.flush()

    @classmethod
    def decode(cls, data: bytes) -> Histogram:
        """The inverse of encode(). Raises ValueError for bytes that encode() never writes."""
        return cls(packed_of(data))


def packed_of(data: bytes) -> int:
    """The `packed` of an encoded histogram, for who adds up many. Raises ValueError like decode()."""
    if not data:
        return 0
    shape = int.from_bytes(data[:3], "little")
    first, lanes, count = shape >> 13, (shape >> 3 & LAST) + 1, (shape & 7) + 1
    inflater = zlib.decompressobj(_WINDOW_BITS)
    try:
        planes = inflater.decompress(data[3:], lanes * count + 1)
    except zlib.error as error:
        raise ValueError(f"a histogram's bytes can't be inflated: {error}") from None
    is_whole = inflater.eof and not inflater.unused_data and len(planes) == lanes * count
    if not is_whole or first + lanes > BUCKETS:
        raise ValueError(f"a histogram has at most {BUCKETS} lanes of 8 bytes, all there")
    raw = bytearray(8 * lanes)
    for byte in range(count):
        raw[byte::8] = planes[byte * lanes : (byte + 1) * lanes]
    return int.from_bytes(raw, "little") << 64 * first


def _sum_of_lanes(packed: int) -> int:
    """All lanes added up, by adding the upper half to the lower one until a single lane is left."""
    if packed:
        packed >>= 64 * _lowest(packed)
    while (bits := packed.bit_length()) > 64:
        half = (bits + 127) // 128 * 64
        upper = packed >> half
        packed = (packed ^ upper << half) + upper
    return packed


def _lowest(packed: int) -> int:
    """The number of the first lane that is not empty."""
    return ((packed ^ packed - 1).bit_length() - 1) // 64


_GUARDS = sum(1 << 64 * lane + 63 for lane in range(BUCKETS))
# In every lane the bytes from the nth on, for n from 0 to 8.
_ABOVE = [int.from_bytes((bytes(n) + b"\xff" * (8 - n)) * BUCKETS, "little") for n in range(9)]
# Deflate's least window and memory: histograms are some hundred bytes, and to prepare more takes longer than
# to deflate them.
_LEVEL, _WINDOW_BITS, _MEMORY_LEVEL = 6, -9, 1
