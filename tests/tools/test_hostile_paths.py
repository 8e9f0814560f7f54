"""Nothing outside the workspace is read, whatever the path and whoever moves links meanwhile.

A canary lies outside; links of every kind lead to it. No answer may hold its text or its name.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.errors import BadArgumentsError, LaptimeError, NotFoundError, TooLargeError
from app.settings import Settings
from app.tools.workspace import Workspace

CANARY = "canary-4f1c"
SWAPS = 3_000


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("hostile")
    outside = top / "outside"
    outside.mkdir()
    (outside / CANARY).write_text(CANARY)
    (outside / "file").write_text(CANARY)
    root = top / "workspace"
    (root / "dir" / "dir").mkdir(parents=True)
    for folder in (root, root / "dir", root / "dir" / "dir"):
        (folder / "file").write_text("inside")
        (folder / "up").symlink_to("..")
        (folder / "out").symlink_to(outside)
        (folder / "leak").symlink_to(outside / CANARY)
        (folder / "slash").symlink_to("/")
        (folder / "loop").symlink_to("loop")
        (folder / "chain").symlink_to("leak")
        (folder / "again").symlink_to("file")
        (folder / "zero").symlink_to("/dev/zero")
        (folder / "gone").symlink_to("nowhere")
    return root


LINKS = ["up", "out", "leak", "slash", "loop", "chain", "again", "zero", "gone"]
NAMES = [
    "dir",
    "file",
    ".",
    "..",
    "...",
    "",
    "~",
    CANARY,
    "outside",
    "workspace",
    "..\\",
    "%2e%2e",
    "\uff0e\uff0e",
]
PATHS = st.one_of(
    st.lists(st.sampled_from(LINKS + NAMES) | st.text(max_size=8), max_size=8).map("/".join),
    st.lists(st.sampled_from(LINKS + NAMES), max_size=40).map("/".join).map(lambda path: f"/{path}"),
    st.text(alphabet=st.characters(categories=None), max_size=30),
    st.text(alphabet="./\\\0", max_size=30),
)


@pytest.mark.slow
@settings(max_examples=1_500, deadline=None)
@example("out/" + CANARY)
@example("dir/../../outside/" + CANARY)
@example("up/outside/" + CANARY)
@example("a" * 100_000)
@example("/" * 100_000)
@given(path=PATHS)
def test_no_path_leads_out(root: Path, path: str) -> None:
    workspace = Workspace(Settings(workspace=root, max_file_bytes=4096))
    with suppress(BadArgumentsError, NotFoundError, TooLargeError):
        assert workspace.read_text(path) == "inside"
    with suppress(BadArgumentsError, NotFoundError):
        assert {entry.name for entry in workspace.list_directory(path).entries} <= {*LINKS, "dir", "file"}


@pytest.mark.parametrize("name", LINKS)
def test_no_link_is_followed(root: Path, name: str) -> None:
    workspace = Workspace(Settings(workspace=root))
    for path in (name, f"dir/{name}", f"{name}/file", f"{name}/{CANARY}"):
        with pytest.raises(BadArgumentsError, match="symbolic link"):
            workspace.read_text(path)
        with pytest.raises(BadArgumentsError, match="symbolic link"):
            workspace.list_directory(path)


def test_a_directory_that_turns_into_a_link_and_back_never_leads_out(root: Path) -> None:
    place = root / "swapped"
    place.mkdir()
    (place / "file").write_text("inside")
    link, aside = root / "waiting", root / "aside"
    link.symlink_to(root.parent / "outside")

    def swap() -> None:
        place.rename(aside)
        link.rename(place)
        place.rename(link)
        aside.rename(place)

    assert _seen_while(swap, root, "swapped/file") == {"inside"}


@pytest.mark.slow
def test_a_file_that_turns_into_a_link_and_back_never_leads_out(root: Path) -> None:
    place, fresh, link = root / "changing", root / "fresh", root / "pointer"
    place.write_text("inside")

    def swap() -> None:
        link.symlink_to(root.parent / "outside" / CANARY)
        link.replace(place)
        fresh.write_text("inside")
        fresh.replace(place)

    assert _seen_while(swap, root, "changing") == {"inside"}


def _seen_while(swap: Callable[[], None], root: Path, path: str) -> set[str]:
    """The texts that are read from `path` while another thread swaps what lies there, many times over."""
    workspace = Workspace(Settings(workspace=root))
    done = threading.Event()

    def keep_swapping() -> None:
        try:
            for _ in range(SWAPS):
                swap()
        finally:
            done.set()

    swapper = threading.Thread(target=keep_swapping)
    seen = {workspace.read_text(path)}
    swapper.start()
    while not done.is_set():
        with suppress(LaptimeError):
            seen.add(workspace.read_text(path))
    swapper.join()
    return seen


def test_a_listing_shows_links_by_name_only(root: Path) -> None:
    entries = Workspace(Settings(workspace=root)).list_directory("dir/dir").entries
    assert {(entry.name, entry.size_bytes) for entry in entries if entry.kind == "link"} == {
        (name, None) for name in LINKS
    }
    assert CANARY not in str(entries)
    assert os.fspath(root) not in str(entries)
