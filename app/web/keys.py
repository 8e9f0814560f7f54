"""The service's key and what is derived from it: sessions, their form tokens, and one-time links.

One secret is kept, the key: sessions and form tokens are signed with codes made of it, so all workers and all
instances with the same key accept them, and a new key ends them all.
"""

from __future__ import annotations

import hmac
import os
import secrets
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from itsdangerous import BadData, URLSafeSerializer

from ..errors import SettingError

SESSION_IDLE_S = 8 * 3600
SESSION_MOST_S = 7 * 86_400
LINK_S = 600
_LEAST_KEY = 12
_CODE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser: `id` stays for its whole life, `made_s` is when its cookie was last made.

    Times are Unix seconds.
    """

    id: str
    signed_in_s: float
    made_s: float


class Keys:
    """The key of a service. `is_generated` says that nobody chose it, so that it may be printed."""

    def __init__(self, key: str, *, is_generated: bool, state: Path) -> None:
        self.key = key
        self.is_generated = is_generated
        self._state = state
        secret = hmac.digest(key.encode(), b"laptime session", "sha256")
        self._sessions = URLSafeSerializer(secret, salt="session", signer_kwargs={"digest_method": sha256})
        self._form_secret = hmac.digest(key.encode(), b"laptime form", "sha256")

    @classmethod
    def load(cls, chosen: str, state: Path) -> Keys:
        """The key that was chosen, else the state folder's, which is made at the first start.

        Raises SettingError for a chosen key that is too short, or a state folder that can't keep one.
        """
        if chosen:
            if not _is_usable(chosen):
                raise SettingError(
                    f"LAPTIME_API_KEY is {len(chosen)} characters long; allowed are "
                    f"{_LEAST_KEY} or more printable ASCII characters without blanks"
                )
            return cls(chosen, is_generated=False, state=state)
        try:
            return cls(_kept_key(state), is_generated=True, state=state)
        except OSError as error:
            raise SettingError(
                f"LAPTIME_STATE_DIR is {str(state)!r}, which can't keep a key ({error.strerror}); "
                "allowed is a folder that this user can write, or set LAPTIME_API_KEY"
            ) from None

    def secret(self, purpose: str) -> bytes:
        """A secret of 32 bytes for one purpose, the same in all workers and instances with this key."""
        return hmac.digest(self.key.encode(), f"laptime {purpose}".encode(), "sha256")

    def is_key(self, given: str) -> bool:
        """Whether `given` is the key, in a time that does not depend on where it differs."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.key.encode())

    def new_session(self, now_s: float, continued: Session | None = None) -> str:
        """A session's value for the cookie: a new one, or `continued` made anew."""
        session_id = continued.id if continued else secrets.token_urlsafe(9)
        signed_in_s = continued.signed_in_s if continued else now_s
        return str(self._sessions.dumps([session_id, signed_in_s, now_s]))

    def session(self, value: str, now_s: float) -> Session | None:
        """The session that the cookie's value names; None if it is over or was never one."""
        try:
            session = Session(*self._sessions.loads(value))
        except BadData:
            return None
        is_over = now_s - session.made_s >= SESSION_IDLE_S or now_s - session.signed_in_s >= SESSION_MOST_S
        return None if is_over else session

    def form_token(self, session_id: str) -> str:
        """What a form of this session carries, so that no other site can send it.

        It is a mask and the masked code, another one each time: pages are compressed, and what repeats
        in them could be guessed from their length.
        """
        mask = secrets.token_bytes(_CODE_BYTES)
        return (mask + _masked(self._form_code(session_id), mask)).hex()

    def is_form_token(self, given: str, session_id: str) -> bool:
        """Whether `given` is a token of this session's forms."""
        try:
            found = bytes.fromhex(given)
        except ValueError:
            return False
        mask, masked = found[:_CODE_BYTES], found[_CODE_BYTES:]
        whole = len(masked) == _CODE_BYTES
        return whole and hmac.compare_digest(_masked(masked, mask), self._form_code(session_id))

    def _form_code(self, session_id: str) -> bytes:
        return hmac.digest(self._form_secret, session_id.encode(), "sha256")

    def new_link(self, now_s: float) -> str:
        """A token that signs in once within LINK_S. Raises OSError if the state folder can't keep it."""
        folder = self._state / "links"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in folder.iterdir():
            if now_s - old.stat().st_mtime > LINK_S:
                old.unlink(missing_ok=True)
        token = secrets.token_urlsafe(24)
        _link(folder, token).touch(mode=0o600)
        return token

    def is_link(self, token: str, now_s: float) -> bool:
        """Whether the token would sign in now."""
        try:
            return now_s - _link(self._state / "links", token).stat().st_mtime <= LINK_S
        except OSError:
            return False

    def use_link(self, token: str, now_s: float) -> bool:
        """Use the token up: True for the first only, whichever worker is asked, and not after LINK_S."""
        valid = self.is_link(token, now_s)
        try:
            _link(self._state / "links", token).unlink()  # of many at once, one succeeds
        except OSError:
            return False
        return valid


def _is_usable(key: str) -> bool:
    return len(key) >= _LEAST_KEY and key.isascii() and key.isprintable() and " " not in key


def _masked(code: bytes, mask: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(code, mask, strict=True))


def _link(folder: Path, token: str) -> Path:
    return folder / sha256(token.encode("utf-8", "replace")).hexdigest()


def _kept_key(state: Path) -> str:
    """The state folder's key; of many workers that start at once, one makes it and all read it."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = state / "key"
    if not path.exists():
        fresh = state / f".key-{os.getpid()}-{time.monotonic_ns()}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(24))
        try:
            path.hardlink_to(fresh)  # appears whole, and never over another's
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    key = path.read_text("ascii", "replace").strip()
    if not _is_usable(key):  # sessions signed with an empty key could be made by anybody
        raise SettingError(f"LAPTIME_STATE_DIR is {str(state)!r}, where the file key holds no key; remove it")
    return key
