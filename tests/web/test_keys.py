"""The key and what is made of it: sessions with their two limits, form tokens, and links that work once."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from app.errors import SettingError
from app.web.keys import LINK_S, SESSION_IDLE_S, SESSION_MOST_S, Keys

KEY = "an-open-secret-for-tests"
NOW_S = 1_800_000_000.0
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys.load(KEY, tmp_path)


def test_a_chosen_key_is_the_key_and_is_not_kept(keys: Keys, tmp_path: Path) -> None:
    assert keys.key == KEY
    assert not keys.is_generated
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "chosen", ["short", "x" * 11, "has a blank in it", "ключ-ключ-ключ", "line\nline\nline"]
)
def test_a_key_that_can_be_guessed_or_not_sent_is_refused_and_not_shown(tmp_path: Path, chosen: str) -> None:
    with pytest.raises(SettingError) as refused:
        Keys.load(chosen, tmp_path)
    assert "LAPTIME_API_KEY" in str(refused.value)
    assert "12 or more" in str(refused.value)
    assert chosen not in str(refused.value)


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    state = tmp_path / "new" / "state"
    made = Keys.load("", state)
    assert made.is_generated
    assert len(made.key) >= 32
    assert Keys.load("", state).key == made.key
    assert Keys.load("", tmp_path / "other").key != made.key
    assert stat.S_IMODE((state / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert [path.name for path in state.iterdir()] == ["key"]


def test_workers_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from app.web.keys import Keys\n"
    script += "sys.stdin.read(1); print(Keys.load('', Path(sys.argv[1])).key)"
    arguments = [sys.executable, "-c", script, str(tmp_path / "state")]
    started = [
        subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)
        for _ in range(8)
    ]
    for process in started:
        assert process.stdin
        process.stdin.write("x")
        process.stdin.flush()
    told = {process.communicate(timeout=60)[0].strip() for process in started}
    assert told == {(tmp_path / "state" / "key").read_text()}


@pytest.mark.parametrize("held", [b"", b"\n", b"short", b"\xff" * 40])
def test_a_damaged_key_file_stops_the_start(tmp_path: Path, held: bytes) -> None:
    (tmp_path / "key").write_bytes(held)
    with pytest.raises(SettingError, match=r"holds no key"):
        Keys.load("", tmp_path)


def test_a_state_folder_that_can_keep_no_key_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match=r"LAPTIME_STATE_DIR is .*file"):
        Keys.load("", tmp_path / "file")


@given(st.text(st.characters()).filter(lambda given: given != KEY))
def test_nothing_but_the_key_is_the_key(given: str) -> None:
    assert not Keys(KEY, is_generated=False, state=Path()).is_key(given)


def test_the_key_is_the_key(keys: Keys) -> None:
    assert keys.is_key(KEY)


def test_a_session_says_when_it_began(keys: Keys) -> None:
    session = keys.session(keys.new_session(NOW_S), NOW_S + 60)
    assert session is not None
    assert (session.signed_in_s, session.made_s) == (NOW_S, NOW_S)


def test_a_session_that_is_idle_too_long_is_over(keys: Keys) -> None:
    value = keys.new_session(NOW_S)
    assert keys.session(value, NOW_S + SESSION_IDLE_S - 1)
    assert keys.session(value, NOW_S + SESSION_IDLE_S) is None


def test_a_session_in_use_goes_on_to_its_absolute_end(keys: Keys) -> None:
    now_s, value = NOW_S, keys.new_session(NOW_S)
    first = keys.session(value, now_s)
    while now_s + 3600 < NOW_S + SESSION_MOST_S:
        now_s += 3600
        session = keys.session(value, now_s)
        assert session is not None
        assert first is not None
        assert (session.id, session.signed_in_s) == (first.id, NOW_S)
        value = keys.new_session(now_s, session)
    assert keys.session(value, NOW_S + SESSION_MOST_S) is None


def test_sessions_are_told_apart(keys: Keys) -> None:
    ids = {keys.session(keys.new_session(NOW_S), NOW_S) for _ in range(20)}
    assert len(ids) == 20


@pytest.mark.parametrize("other", [KEY + "x", "another-key-of-somebody"])
def test_a_session_of_another_key_is_none(keys: Keys, tmp_path: Path, other: str) -> None:
    assert keys.session(Keys.load(other, tmp_path).new_session(NOW_S), NOW_S) is None


def test_a_forged_session_is_none(keys: Keys) -> None:
    value = keys.new_session(NOW_S)
    payload, signature = value.rsplit(".", 1)
    forged = URLSafeSerializer(KEY, salt="session").dumps(["id", NOW_S, NOW_S])
    for wrong in (payload, f"{payload}.", f".{signature}", f"x{value}", f"{value}x", "", ".", forged):
        assert keys.session(str(wrong), NOW_S) is None
    for place in range(len(payload)):
        changed = payload[:place] + ("A" if payload[place] != "A" else "B") + payload[place + 1 :]
        assert keys.session(f"{changed}.{signature}", NOW_S) is None


def test_a_form_token_belongs_to_its_session_and_key(keys: Keys, tmp_path: Path) -> None:
    other = Keys.load(KEY + "x", tmp_path)
    token = keys.form_token("a")
    assert Keys.load(KEY, tmp_path).is_form_token(token, "a")
    assert not keys.is_form_token(token, "b")
    assert not keys.is_form_token(token, "")
    assert not other.is_form_token(token, "a")
    for wrong in ("", token[:64], token[64:], token + "00", token[:-1], f"{token[:-2]}zz"):
        assert not keys.is_form_token(wrong, "a")


def test_form_tokens_of_one_session_have_nothing_in_common(keys: Keys) -> None:
    tokens = [bytes.fromhex(keys.form_token("a")) for _ in range(50)]
    for place in range(64):
        assert len({token[place] for token in tokens}) > 20


def test_a_link_works_once(keys: Keys, tmp_path: Path) -> None:
    token = keys.new_link(NOW_S)
    os.utime(_only_link(tmp_path), (NOW_S, NOW_S))
    assert keys.is_link(token, NOW_S)
    assert keys.is_link(token, NOW_S)  # looking does not use it up
    assert keys.use_link(token, NOW_S + LINK_S)
    assert not keys.use_link(token, NOW_S)
    assert not keys.is_link(token, NOW_S)


def test_an_expired_link_does_not_work_and_is_cleared_away(keys: Keys, tmp_path: Path) -> None:
    token = keys.new_link(NOW_S)
    os.utime(_only_link(tmp_path), (NOW_S, NOW_S))
    late_s = NOW_S + LINK_S + 1
    assert not keys.is_link(token, late_s)
    assert not keys.use_link(token, late_s)
    keys.new_link(NOW_S)
    os.utime(_only_link(tmp_path), (NOW_S, NOW_S))
    keys.new_link(late_s)
    assert len(list((tmp_path / "links").iterdir())) == 1


def test_of_many_that_use_a_link_at_once_one_gets_in(keys: Keys, tmp_path: Path) -> None:
    for _ in range(20):
        token = keys.new_link(NOW_S)
        os.utime(_only_link(tmp_path), (NOW_S, NOW_S))
        barrier, accepted = threading.Barrier(4), list[bool]()

        def use(token: str = token, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            accepted.append(keys.use_link(token, NOW_S))  # noqa: B023 - joined within the turn

        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(accepted) == [False, False, False, True]


def test_the_token_of_a_link_is_nowhere_on_disk(keys: Keys, tmp_path: Path) -> None:
    token = keys.new_link(NOW_S)
    path = _only_link(tmp_path)
    assert token not in path.name
    assert path.read_bytes() == b""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("token", ["", ".", "..", "../key", "/etc/passwd", "\x00", "\ud800", "x" * 10_000])
def test_odd_links_do_not_work(keys: Keys, tmp_path: Path, token: str) -> None:
    (tmp_path / "key").write_text("kept")
    assert not keys.is_link(token, NOW_S)
    assert not keys.use_link(token, NOW_S)
    assert (tmp_path / "key").read_text() == "kept"


def _only_link(state: Path) -> Path:
    (path,) = (state / "links").iterdir()
    return path
