"""How long what is kept, which setting decides that, and what it takes now and once it is full."""

from __future__ import annotations

from dataclasses import dataclass

from ...declared import PREFIX
from ...model import formats
from ...model.formats import Quantity
from ...model.windows import NAMED, PERIODS_S, kept, named
from ...settings import Settings
from ...store.retention import ALERTS_KEPT_S, NOTICES_KEPT_S
from ...store.sizes import Held, Size
from ..alerting.words import span

_SETTINGS = {
    10: "keep_10s_hours",
    60: "keep_1min_hours",
    600: "keep_10min_days",
    7200: "keep_2h_days",
    93_600: "keep_26h_days",
    1_310_400: "keep_26h_days",
}
_DAY_S = 86_400
# From fewer rows' starts nothing is foretold.
_ENOUGH_STARTS = 10
_NEARLY = 0.97
# Bars of a store that has just begun are not drawn as if it were full.
_LEAST_SCALE_BYTES = 1024**2


@dataclass(frozen=True, slots=True)
class Row:
    """A period: what is drawn from it, how long its rows are kept and what decides that, and what they take.

    `now_percent` and `full_percent` are shares of the largest row's bytes once it is full. `full` says when.
    """

    step: str
    serves: str
    kept: str
    variable: str
    rows: str
    now: str
    when_full: str
    full: str
    now_percent: float
    full_percent: float


@dataclass(frozen=True, slots=True)
class Other:
    """What is no period: how long it is kept, and how many there are now."""

    name: str
    kept: str
    rows: str


@dataclass(frozen=True, slots=True)
class Retention:
    """The periods, shortest first; `total` is all of the store, `data` what its rows are of that.

    Sizes are en dashes, and `total` is None, while the store is away. `is_estimate`: not all were counted.
    """

    rows: tuple[Row, ...]
    others: tuple[Other, ...]
    total: Quantity | None
    data: Quantity
    full: Quantity
    database: str
    is_estimate: bool


@dataclass(frozen=True, slots=True)
class _Amount:
    """Bytes now, and once rows are as old as they get (None: too little is there to tell)."""

    now: int
    full: int | None
    full_in_s: float


def retention(settings: Settings, size: Size | None, now_s: float) -> Retention:
    """All periods beside what they take; `size` is None while the store is away."""
    keep_s = kept(settings)
    amounts = {one: _amount(one, keep_s[one], size, now_s) for one in PERIODS_S}
    most = max([_LEAST_SCALE_BYTES, *(max(one.full or 0, one.now) for one in amounts.values() if one)])
    rows = tuple(
        _row(one, settings, size.periods[one] if size else None, amounts[one], most) for one in PERIODS_S
    )
    known = [one for one in amounts.values() if one]
    foretold = [one.full for one in known if one.full is not None]
    return Retention(
        rows=rows,
        others=(
            Other("Alerts", span(ALERTS_KEPT_S), formats.count(size.alerts) if size else _NONE),
            Other("Notices", span(NOTICES_KEPT_S), formats.count(size.notices) if size else _NONE),
        ),
        total=formats.size(size.total_bytes) if size else None,
        data=formats.size(sum(one.now for one in known)) if size else Quantity(_NONE),
        full=formats.size(sum(foretold)) if foretold and len(foretold) == len(known) else Quantity(_NONE),
        database=size.database if size else "",
        is_estimate=size is not None and any(one.is_estimate for one in size.periods.values()),
    )


_NONE = formats.NOTHING


def _amount(period_s: int, keep_s: float, size: Size | None, now_s: float) -> _Amount | None:
    if size is None:
        return None
    held = size.periods[period_s]
    if held.oldest_s is None:
        return _Amount(0, None, 0.0)
    age_s = now_s - held.oldest_s
    if age_s >= _NEARLY * keep_s:
        return _Amount(held.size_bytes, held.size_bytes, 0.0)
    if age_s < _ENOUGH_STARTS * period_s:
        return _Amount(held.size_bytes, None, keep_s - age_s)
    return _Amount(held.size_bytes, round(held.size_bytes * keep_s / age_s), keep_s - age_s)


def _row(period_s: int, settings: Settings, held: Held | None, amount: _Amount | None, most: int) -> Row:
    keep_s = kept(settings)
    full = ""
    if amount is not None and held is not None and held.oldest_s is not None:
        full = f"in {formats.duration(amount.full_in_s)}" if amount.full_in_s else "now"
    return Row(
        step=_step(period_s),
        serves=", ".join(one for one in NAMED if named(one, 0.0, keep_s).period_s == period_s),
        kept=span(keep_s[period_s]),
        variable=_variable(period_s, settings),
        rows=formats.count(held.rows) if held else _NONE,
        now=_megabytes(amount.now) if amount else _NONE,
        when_full=_megabytes(amount.full) if amount and amount.full is not None else _NONE,
        full=full or _NONE,
        now_percent=round(100 * amount.now / most, 1) if amount else 0.0,
        full_percent=round(100 * (amount.full or 0) / most, 1) if amount else 0.0,
    )


def _step(period_s: int) -> str:
    """A period in words; the longest one by the one that it is the sum of."""
    shorter_s, longest_s = PERIODS_S[-2:]
    if period_s < longest_s:
        return span(period_s)
    return f"{longest_s // shorter_s} \N{MULTIPLICATION SIGN} {span(shorter_s)}"


def _variable(period_s: int, settings: Settings) -> str:
    """What decides: the longest rows outlive all others, so another setting may decide for them too."""
    own = _SETTINGS[period_s]
    keep_s = kept(settings)[period_s]
    if period_s >= 93_600 and keep_s > settings.keep_26h_days * _DAY_S:
        own = next(_SETTINGS[one] for one in PERIODS_S if kept(settings)[one] == keep_s)
    return PREFIX + own.upper()


def _megabytes(size_bytes: int) -> str:
    """One unit for the column, so that a longer number takes more."""
    value = size_bytes / 1024**2
    return f"{value:,.1f}" if value >= 0.05 or not size_bytes else "<0.1"
