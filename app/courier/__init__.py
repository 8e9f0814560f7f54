"""Delivering notices: each by a process of its own, which is killed when its time is over.

So no worker carries what delivering needs, no server can hold up more than a try of its own channel or fill
a worker's memory, and the addresses with their secrets never are in the host's log. The process is `deliver`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any

from ..errors import BadRequestError, UnavailableError

SEALED = "sealed:"
WITHIN_S = 15.0
_LONGEST_TITLE, _LONGEST_BODY = 200, 100_000
_LONGEST_URL = 2000
# What else there is in the host's environment is nobody's business.
_HANDED_ON = (
    "PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """What an address is: the service's name, a form without secrets to be shown, the address encrypted."""

    service: str
    shown: str
    sealed: str
    is_mail: bool


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. `id` is the same in each try; `severity` is ok, info, warning, error or critical."""

    id: str
    title: str
    body: str
    severity: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try ended, in words without secrets; `retry_after_s` is what the receiver asked for."""

    delivered: bool
    detail: str
    took_s: float
    retry_after_s: float | None = None


class Courier:
    """Seals addresses with `secret` and sends to them; `allow_private` lets webhooks reach private ones."""

    def __init__(self, secret: bytes, *, allow_private: bool, within_s: float = WITHIN_S) -> None:
        self._secret = secret
        self._allow_private = allow_private
        self._within_s = within_s

    def seal(self, url: str) -> Target:
        """Check and encrypt an address. Raises BadRequestError for one that can't be used."""
        if not 0 < len(url) <= _LONGEST_URL or not url.isprintable():
            raise BadRequestError(
                f"the address has {len(url)} characters; allowed are 1 to 2,000 printable ones"
            )
        answer = self._ask({"do": "seal", "url": url})
        if answer is None:
            raise UnavailableError("the address could not be checked in time")
        if "refused" in answer:
            raise BadRequestError(answer["refused"])
        return Target(answer["service"], answer["shown"], SEALED + answer["sealed"], answer["is_mail"])

    def send(self, url: str, message: Message) -> Outcome:
        """Send to an address, sealed or plain; whatever goes wrong is an outcome."""
        begun_s = time.monotonic()
        answer = self._ask(
            {
                "do": "send",
                "url": url,
                "id": message.id,
                "title": _one_line(message.title)[:_LONGEST_TITLE],
                "body": message.body[:_LONGEST_BODY],
                "severity": message.severity,
            }
        )
        took_s = time.monotonic() - begun_s
        if answer is None:
            return Outcome(False, f"it took longer than {self._within_s:g} s", took_s)
        return Outcome(answer["delivered"], answer["detail"], took_s, answer.get("retry_after_s"))

    def _ask(self, question: Mapping[str, Any]) -> Any:
        """The process's answer; None if there was none in time."""
        limits = {
            "secret": self._secret.hex(),
            "allow_private": self._allow_private,
            "within_s": self._within_s,
        }
        with subprocess.Popen(  # noqa: S603 - this Python, and this package
            [_python(), "-P", "-m", f"{__package__}.deliver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=_environment(),
            start_new_session=True,
        ) as process:
            try:
                said, _ = process.communicate(
                    json.dumps({**question, **limits}).encode() + b"\n", self._within_s
                )
                return json.loads(said)
            except subprocess.TimeoutExpired:
                return None
            except ValueError:  # it ended without a word
                return {"delivered": False, "detail": "the delivering process failed", "refused": _FAILED}
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


_FAILED = "the address could not be checked: the process that does it failed"


def _python() -> str:
    """This Python; a server that embeds one calls itself the executable."""
    if Path(sys.executable).name.startswith("python"):
        return sys.executable
    beside = Path(sys.prefix) / "bin" / "python3"
    return str(beside) if beside.exists() else which("python3") or sys.executable


def _environment() -> dict[str, str]:
    """The little that is handed on, and where this process finds its packages."""
    found = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    paths = os.pathsep.join(str(Path(path).absolute()) for path in sys.path if path)
    return found | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "NETRC": os.devnull}


def _one_line(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)
