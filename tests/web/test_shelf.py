"""What workers lend each other: made once, good for some seconds, and never a reason to fail."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.web.shelf import Shelf

NOW_S = 1_763_995_260.0


def counted(texts: list[str]) -> Callable[[], str]:
    """Makes "1", "2" and so on, and keeps what it made in `texts`."""

    def make() -> str:
        texts.append(str(len(texts) + 1))
        return texts[-1]

    return make


def test_a_text_is_made_once_and_good_until_it_is_old(tmp_path: Path) -> None:
    made: list[str] = []
    ours, anothers = Shelf(tmp_path), Shelf(tmp_path)
    assert ours.get("a", NOW_S, 4.5, counted(made)) == ("1", NOW_S)
    assert anothers.get("a", NOW_S + 4, 4.5, counted(made)) == ("1", NOW_S)
    assert anothers.get("b", NOW_S + 4, 4.5, counted(made)).text == "2"
    assert ours.get("a", NOW_S + 4.5, 4.5, counted(made)) == ("3", NOW_S + 4.5)


def test_what_a_clock_that_was_ahead_has_left_is_not_fresh(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put("a", NOW_S + 3600, "of a time ahead")
    assert shelf.get("a", NOW_S, 4.5, lambda: "now").text == "now"


@pytest.mark.parametrize("text", ["", "ä\n\u202e日本", "<p>\n\n</p>", "a\ud800"])
def test_any_text_comes_back_as_it_was(tmp_path: Path, text: str) -> None:
    shelf = Shelf(tmp_path)
    shelf.put("k\ud800", NOW_S, text)
    found = shelf.get("k\ud800", NOW_S, 4.5, lambda: "made anew")
    assert found.text == text.encode("utf-8", "replace").decode()


def test_who_asks_while_it_is_made_waits_and_gets_the_same(tmp_path: Path) -> None:
    made: list[str] = []
    gate = threading.Barrier(6)

    def make() -> str:
        time.sleep(0.2)
        return counted(made)()

    def ask(_: int) -> str:
        gate.wait()
        return Shelf(tmp_path).get("a", NOW_S, 4.5, make).text

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, range(6))) == ["1"] * 6
    assert made == ["1"]


def test_an_error_of_the_maker_goes_on_and_holds_nobody_up(tmp_path: Path) -> None:
    def fail() -> str:
        raise OSError("of the maker")

    shelf = Shelf(tmp_path)
    with pytest.raises(OSError, match="of the maker"):
        shelf.get("a", NOW_S, 4.5, fail)
    assert shelf.get("a", NOW_S, 4.5, lambda: "made").text == "made"


@pytest.mark.parametrize(
    "damage", ["a file in the folder's place", "a folder in the text's place", "no number"]
)
def test_a_folder_that_is_none_costs_a_computation_and_nothing_else(tmp_path: Path, damage: str) -> None:
    shelf, made = Shelf(tmp_path), list[str]()
    shelf.put("a", NOW_S, "before")
    (text,) = (tmp_path / "shown").iterdir()
    text.unlink()
    if damage == "no number":
        text.write_text("torn")
    elif damage == "a folder in the text's place":
        text.mkdir()
    else:
        (tmp_path / "shown").rmdir()
        (tmp_path / "shown").write_text("")
    assert shelf.get("a", NOW_S, 4.5, counted(made)).text == "1"


def test_what_nobody_asks_for_is_removed(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for number in range(20):
        shelf.put(f"old {number}", NOW_S, "x")
    for path in (tmp_path / "shown").iterdir():
        os.utime(path, (NOW_S, NOW_S))
    shelf.put("new", NOW_S + 61, "x")
    assert len(list((tmp_path / "shown").iterdir())) == 1


def test_a_flood_of_addresses_stays_bounded(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for number in range(600):
        shelf.put(f"{number}", time.time(), "x")
    shelf.put("last", time.time() + 61, "x")
    assert len(list((tmp_path / "shown").iterdir())) <= 1
