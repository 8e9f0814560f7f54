"""The workspace on real files: what is read, what is listed, and what each wrong path is told."""

from __future__ import annotations

import os
import resource
import shutil
import socket
from pathlib import Path

import psutil
import pytest

from app.errors import BadArgumentsError, NotFoundError, SettingError, TooLargeError, UnavailableError
from app.settings import Settings
from app.tools.workspace import MAX_ENTRIES, MAX_SCANNED, Entry, Workspace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace: `notes.txt` and `docs/guide.md`."""
    root = tmp_path / "workspace"
    (root / "docs").mkdir(parents=True)
    (root / "notes.txt").write_bytes("Größe: 5 µs\r\n".encode())
    (root / "docs" / "guide.md").write_text("# Guide\n")
    return root


@pytest.fixture
def workspace(root: Path) -> Workspace:
    return Workspace(Settings(workspace=root, state_dir=root / "instance", max_file_bytes=1024))


def test_a_file_is_read_as_it_is(workspace: Workspace) -> None:
    assert workspace.read_text("notes.txt") == "Größe: 5 µs\r\n"


@pytest.mark.parametrize("path", ["docs/guide.md", "./docs/guide.md", "docs//guide.md", "docs/./guide.md"])
def test_a_path_may_be_written_in_several_ways(workspace: Workspace, path: str) -> None:
    assert workspace.read_text(path) == "# Guide\n"


def test_a_workspace_may_itself_be_reached_by_a_link(root: Path, tmp_path: Path) -> None:
    link = tmp_path / "current"
    link.symlink_to(root)
    assert Workspace(Settings(workspace=link)).read_text("docs/guide.md") == "# Guide\n"


def test_a_relative_workspace_stays_where_it_was_when_the_service_started(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    workspace = Workspace(Settings(workspace=Path()))
    monkeypatch.chdir(tmp_path)
    assert workspace.read_text("docs/guide.md") == "# Guide\n"


def test_a_directory_is_listed_by_name_with_kinds_and_sizes(workspace: Workspace, root: Path) -> None:
    (root / "latest").symlink_to("notes.txt")
    os.mkfifo(root / "pipe")
    listing = workspace.list_directory(".")
    assert listing.entries == (
        Entry("docs", "directory", None),
        Entry("latest", "link", None),
        Entry("notes.txt", "file", 16),
        Entry("pipe", "other", None),
    )
    assert (listing.more, listing.complete) == (0, True)


def test_an_empty_directory_has_no_entries(workspace: Workspace, root: Path) -> None:
    (root / "empty").mkdir()
    assert workspace.list_directory("empty/").entries == ()


def test_a_large_directory_shows_its_first_entries_and_counts_the_rest(
    workspace: Workspace, root: Path
) -> None:
    for number in range(MAX_ENTRIES + 205):
        (root / "docs" / f"{number:05}").touch()
    listing = workspace.list_directory("docs")
    assert [entry.name for entry in listing.entries] == [f"{number:05}" for number in range(MAX_ENTRIES)]
    assert (listing.more, listing.complete) == (206, True)


@pytest.mark.slow
def test_a_vast_directory_is_counted_up_to_a_limit(workspace: Workspace, root: Path) -> None:
    vast = root / "vast"
    vast.mkdir()
    for number in range(MAX_SCANNED + 1):
        os.mknod(vast / f"{number}")
    listing = workspace.list_directory("vast")
    shutil.rmtree(vast)
    assert len(listing.entries) == MAX_ENTRIES
    assert (listing.more, listing.complete) == (MAX_SCANNED - MAX_ENTRIES, False)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "..",
        "../workspace/notes.txt",
        "docs/../notes.txt",
        "docs/../../canary",
        "..\\canary",
        "docs\\guide.md",
        "notes.txt\0",
        "\0",
        "\ud800",
        "notes\udcff.txt",
        "n" * 256,
        "docs/" + "n" * 300 + "/x",
        "a/" * 2_100,
        "notes.txt/x",
    ],
)
def test_a_malformed_path_is_refused(workspace: Workspace, path: str) -> None:
    with pytest.raises(BadArgumentsError):
        workspace.read_text(path)
    with pytest.raises(BadArgumentsError):
        workspace.list_directory(path)


@pytest.mark.parametrize(
    "path", ["absent.txt", "absent/notes.txt", "docs/absent", "...", "~", "%2e%2e", "CON"]
)
def test_what_is_not_there_is_not_found(workspace: Workspace, path: str) -> None:
    with pytest.raises(NotFoundError, match="it is not in the workspace"):
        workspace.read_text(path)
    with pytest.raises(NotFoundError, match="it is not in the workspace"):
        workspace.list_directory(path)


@pytest.mark.parametrize("path", [".", "docs", "docs/"])
def test_a_directory_is_not_read_as_a_file(workspace: Workspace, path: str) -> None:
    with pytest.raises(BadArgumentsError, match="it is a directory"):
        workspace.read_text(path)


def test_a_file_is_not_listed_as_a_directory(workspace: Workspace) -> None:
    with pytest.raises(BadArgumentsError, match="a directory is needed"):
        workspace.list_directory("notes.txt")


def test_a_fifo_without_a_writer_is_refused_at_once(workspace: Workspace, root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(BadArgumentsError, match="not a regular file"):
        workspace.read_text("pipe")


def test_a_socket_is_refused(workspace: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)  # the path of a socket has about 100 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("server.sock")
        with pytest.raises(BadArgumentsError, match="not a regular file"):
            workspace.read_text("server.sock")


@pytest.mark.parametrize("device", ["zero", "null", "tty"])
def test_a_device_is_refused(device: str) -> None:
    with pytest.raises(BadArgumentsError, match="not a regular file"):
        Workspace(Settings(workspace=Path("/dev"))).read_text(device)


def test_a_file_of_the_largest_size_is_read_and_one_byte_more_is_too_large(
    workspace: Workspace, root: Path
) -> None:
    (root / "full").write_bytes(b"x" * 1024)
    (root / "over").write_bytes(b"x" * 1025)
    assert len(workspace.read_text("full")) == 1024
    with pytest.raises(TooLargeError, match="allowed is at most 1,024 bytes"):
        workspace.read_text("over")


def test_a_huge_file_is_too_large(workspace: Workspace, root: Path) -> None:
    with (root / "huge").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(TooLargeError):
        workspace.read_text("huge")


def test_a_file_whose_size_reads_zero_is_limited_by_what_it_gives() -> None:
    kernel = Workspace(Settings(workspace=Path("/proc"), max_file_bytes=1024))
    assert kernel.read_text("uptime")
    with pytest.raises(TooLargeError):
        kernel.read_text("kallsyms")


def test_bytes_that_are_no_text_are_refused(workspace: Workspace, root: Path) -> None:
    (root / "image.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(BadArgumentsError, match="not UTF-8 text"):
        workspace.read_text("image.png")


SECRETS = [".env", ".env.local", ".ENV", "server.pem", "server.key", "SERVER.KEY", "id_rsa", "id_ed25519.pub"]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_as_absent_as_a_name_that_nobody_gave(
    workspace: Workspace, root: Path, name: str
) -> None:
    (root / "docs" / name).write_text("secret")
    with pytest.raises(NotFoundError) as hidden:
        workspace.read_text(f"docs/{name}")
    with pytest.raises(NotFoundError) as absent:
        workspace.read_text("docs/absent")
    assert str(hidden.value).replace(name, "absent") == str(absent.value)
    assert [entry.name for entry in workspace.list_directory("docs").entries] == ["guide.md"]


def test_the_inside_of_a_repository_is_hidden(workspace: Workspace, root: Path) -> None:
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("secret")
    for read in (workspace.read_text, workspace.list_directory):
        for path in (".git/config", ".git", ".git/absent", "./.git//config"):
            with pytest.raises(NotFoundError):
                read(path)
    assert ".git" not in [entry.name for entry in workspace.list_directory(".").entries]


def test_names_like_secrets_are_no_secrets(workspace: Workspace, root: Path) -> None:
    for name in (".environment", ".gitignore", "keys.txt", "pem", "idea.md"):
        (root / name).write_text(name)
        assert workspace.read_text(name) == name


def test_the_state_folder_is_hidden_even_when_it_is_made_later(workspace: Workspace, root: Path) -> None:
    (root / "instance" / "deep").mkdir(parents=True)
    (root / "instance" / "deep" / "api-token").write_text("secret")
    for path in ("instance", "instance/deep", "instance/deep/api-token", "instance/absent"):
        with pytest.raises(NotFoundError, match="it is not in the workspace"):
            workspace.read_text(path)
        with pytest.raises(NotFoundError, match="it is not in the workspace"):
            workspace.list_directory(path)
    assert [entry.name for entry in workspace.list_directory(".").entries] == ["docs", "notes.txt"]


def test_a_workspace_that_is_the_state_folder_shows_nothing(root: Path) -> None:
    workspace = Workspace(Settings(workspace=root, state_dir=root))
    with pytest.raises(NotFoundError):
        workspace.read_text("notes.txt")
    with pytest.raises(NotFoundError):
        workspace.list_directory(".")


def test_a_deep_path_uses_one_descriptor_at_a_time(workspace: Workspace, root: Path) -> None:
    deep = "/".join(["d"] * 400)
    (root / deep).mkdir(parents=True)
    (root / deep / "leaf").write_text("deep")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(_descriptors()) + 8, hard))
    try:
        assert workspace.read_text(f"{deep}/leaf") == "deep"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_service_without_descriptors_says_that_it_cannot_answer_now(workspace: Workspace) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = max(_descriptors()) + 1
    spare = [os.open(os.devnull, os.O_RDONLY) for _ in range(taken + 1)]  # no hole is left below the limit
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken, hard))
    try:
        with pytest.raises(UnavailableError):
            workspace.read_text("notes.txt")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in spare:
            os.close(descriptor)
    assert workspace.read_text("notes.txt")


def test_no_descriptor_is_left_open(workspace: Workspace, root: Path) -> None:
    (root / "instance").mkdir()
    (root / "link").symlink_to("docs")
    os.mkfifo(root / "pipe")
    before = psutil.Process().num_fds()
    for path in (
        "notes.txt",
        "docs",
        "docs/absent",
        "link/x",
        "pipe",
        "instance/x",
        ".git/x",
        "docs/guide.md/x",
    ):
        for read in (workspace.read_text, workspace.list_directory):
            try:
                read(path)
            except (BadArgumentsError, NotFoundError):
                continue
    assert psutil.Process().num_fds() == before


def test_a_workspace_that_vanished_is_not_found(workspace: Workspace, root: Path) -> None:
    shutil.rmtree(root)
    with pytest.raises(NotFoundError):
        workspace.list_directory(".")


@pytest.mark.parametrize("name", ["absent", "notes.txt"])
def test_a_workspace_that_is_no_directory_stops_the_start(root: Path, name: str) -> None:
    with pytest.raises(SettingError, match=rf"LAPTIME_WORKSPACE is '.*{name}' .*; allowed is a directory"):
        Workspace(Settings(workspace=root / name))


def _descriptors() -> list[int]:
    return [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208 - names are all that is needed
