"""Figures as people read them."""

from __future__ import annotations

import pytest

from app.model import formats
from app.model.formats import NOTHING, Quantity


@pytest.mark.parametrize(
    ("value_ms", "shown"),
    [
        (None, NOTHING), (0.62, "0.62 ms"), (3.24, "3.2 ms"), (62.4, "62 ms"), (684.4, "684 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"), (2909, "2.91 s"), (12_400, "12.4 s"), (3_600_000, "3,600.0 s"),
    ],
)  # fmt: skip
def test_a_response_time_has_the_unit_that_fits(value_ms: float | None, shown: str) -> None:
    assert str(formats.response_time(value_ms)) == shown


@pytest.mark.parametrize(
    ("percent", "shown"),
    [(None, NOTHING), (0, "0.00"), (98.592, "98.59"), (99.9999, "99.99"), (100, "100.00")],
)
def test_a_percentage_is_cut_so_that_one_failure_is_never_a_hundred(
    percent: float | None, shown: str
) -> None:
    assert formats.percent(percent) == shown


@pytest.mark.parametrize(
    ("per_minute", "shown"), [(0, "0"), (0.117, "0.12"), (12.44, "12.4"), (1234.5, "1,234")]
)
def test_a_rate_keeps_the_digits_that_matter(per_minute: float, shown: str) -> None:
    assert formats.rate(per_minute) == shown


@pytest.mark.parametrize(
    ("span_s", "shown"),
    [
        (-3, "0 s"), (0, "0 s"), (4.9, "4 s"), (59, "59 s"), (60, "1 min"), (779, "12 min"), (3600, "1 h"),
        (12_300, "3 h 25 min"), (86_400, "1 d"), (273_600, "3 d 4 h"), (86_400 + 120, "1 d"),
    ],
)  # fmt: skip
def test_a_duration_says_its_two_largest_units(span_s: float, shown: str) -> None:
    assert formats.duration(span_s) == shown


def test_sizes_are_counted_as_the_machine_does() -> None:
    assert str(formats.size(512 * 1024**2)) == "512 MB"
    assert str(formats.size(10 * 1024**3)) == "10.0 GB"
    assert formats.fraction(371 * 1024**2, 512 * 1024**2) == ("371", "512 MB")
    assert formats.fraction(int(4.6 * 1024**3), 10 * 1024**3) == ("4.6", "10.0 GB")
    assert formats.size(0) == Quantity("0", "B")


def test_a_change_is_told_in_words_and_noise_is_none() -> None:
    slower = formats.change(
        684, 484, than="the hour before", shown="484 ms", words=("slower", "faster"), judged=True
    )
    assert (slower.text, slower.than) == ("41 % slower", "than the hour before (484 ms)")
    assert (slower.tone, slower.way) == ("worse", "up")
    steady = formats.change(100, 98, than="", shown="98", words=("slower", "faster"), judged=True)
    assert (steady.text, steady.than, steady.tone, steady.way) == ("As before", "(98)", "", "")
    more = formats.change(400, 300, than="x", shown="300", words=("more", "fewer"), judged=False)
    assert (more.text, more.tone) == ("33 % more", "")


def test_a_change_from_nothing_is_no_percentage() -> None:
    assert formats.change(5, 0, than="the day before", shown="0", words=("a", "b"), judged=True).text == "New"
    assert formats.change(0, 0, than="x", shown="0", words=("a", "b"), judged=True).text == "As before"


def test_a_lower_success_rate_is_worse_and_a_higher_better() -> None:
    lower = formats.points(98.59, 99.70, than="the hour before", shown="99.70")
    assert (lower.text, lower.than) == ("1.11 points lower", "than the hour before (99.70)")
    assert lower.tone == "worse"
    assert formats.points(99.70, 98.59, than="x", shown="98.59").tone == "better"
    assert formats.points(99.72, 99.70, than="x", shown="99.70").text == "As before"
    assert formats.points(20.6, 15.7, than="x", shown="15.7", judged=False).text == "4.9 points higher"
    assert formats.points(20.6, 15.7, than="x", shown="15.7", judged=False).tone == ""


def test_a_name_in_a_sentence_is_short_and_can_not_turn_the_text_around() -> None:
    assert formats.shorten("list_files") == "list_files"
    assert len(formats.shorten("a" * 300)) == 48
    assert formats.shorten("drow\u202eyek") == "drow\ufffdyek"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert formats.safe_cell(text) == f"'{text}"
    assert formats.safe_cell(f"a{text}") == f"a{text}"
