"""What goes over the wire, seen and kept within bounds: no redirects, short answers, no private addresses.

All of it changes the libraries below, so it is for a process of its own that ends with the notice.
"""

from __future__ import annotations

import ipaddress
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests

ANSWER_BYTES = 65_536
ANSWER_S = 3.0


class PrivateError(OSError):
    """The address that a name stands for is a private one."""


class Seen:
    """What really happened on the way, which the library tells as a yes or a no."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.status: int | None = None
        self.retry_after = ""

    @property
    def some_refused(self) -> bool:
        """Whether the mail server took the notice for some of its receivers and not for all."""
        return isinstance(self.error, smtplib.SMTPRecipientsRefused)

    def detail(self, said: list[str]) -> str:
        """Why it failed, in words."""
        if self.error is not None:
            return words(self.error)
        if self.status is not None and 300 <= self.status < 400:
            return f"the answer was a redirect ({self.status}), which is not followed"
        if self.status is not None:
            return f"the server answered {self.status}"
        return said[-1] if said else "it was refused, for no reason that was told"


def watch(seen: Seen, *, private: bool) -> None:
    """See what happens in the libraries below, and keep it within bounds."""
    if not private:
        socket.getaddrinfo = _public_only(socket.getaddrinfo)
    requests.Session.send = _brief(requests.Session.send, seen)  # type: ignore[method-assign]
    for name in ("__init__", "connect", "starttls", "login", "sendmail", "quit"):
        setattr(smtplib.SMTP, name, _noted(getattr(smtplib.SMTP, name), seen))


def _public_only(look_up: Callable[..., Any]) -> Callable[..., Any]:
    def looked_up(host: Any, *arguments: Any, **options: Any) -> Any:
        found = look_up(host, *arguments, **options)
        for *_, address in found:
            if not is_public(str(address[0])):
                raise PrivateError(f"{address[0]} is a private address; LAPTIME_NOTIFY_PRIVATE allows it")
        return found

    return looked_up


def is_public(text: str) -> bool:
    """Whether an address is one of the open Internet, also in the forms that carry IPv4 in IPv6."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not address.is_multicast


def _brief(send: Callable[..., Any], seen: Seen) -> Callable[..., Any]:
    """Requests follow no redirect, and of an answer a little is read, for a little while."""

    def sent(session: Any, request: Any, **options: Any) -> Any:
        try:
            response = send(session, request, **options | {"stream": True, "allow_redirects": False})
        except requests.RequestException as error:
            seen.error = error
            raise
        seen.error, seen.status = None, response.status_code
        seen.retry_after = response.headers.get("Retry-After", "")
        response._content = b"".join(_beginning(response.raw))
        response._content_consumed = True
        response.close()
        return response

    return sent


def _beginning(raw: Any) -> Iterator[bytes]:
    left, end_s = ANSWER_BYTES, time.monotonic() + ANSWER_S
    while left > 0 and time.monotonic() < end_s:
        try:
            data = raw.read1(left, decode_content=True)
        except Exception:  # noqa: BLE001 - the status has come, and that is what counts
            return
        if not data:
            return
        left -= len(data)
        yield data


def _noted(call: Callable[..., Any], seen: Seen) -> Callable[..., Any]:
    def called(*arguments: Any, **options: Any) -> Any:
        try:
            result = call(*arguments, **options)
        except (OSError, smtplib.SMTPException) as error:
            if call.__name__ != "quit":
                seen.error = error
            raise
        if call.__name__ == "sendmail" and result:  # some of the receivers, and not all of them
            seen.error = smtplib.SMTPRecipientsRefused(result)
        return result

    return called


def words(error: BaseException) -> str:
    """What went wrong, as people say it."""
    for one in _causes(error):
        if isinstance(one, PrivateError):
            return str(one)
        if isinstance(one, smtplib.SMTPRecipientsRefused):
            code, said = next(iter(one.recipients.values()))
            return f"the mail server refused a receiver: {code} {_text(said)}"
        if isinstance(one, smtplib.SMTPResponseException):
            return f"the mail server refused: {one.smtp_code} {_text(one.smtp_error)}"
        if isinstance(one, smtplib.SMTPServerDisconnected):
            return "the mail server closed the connection"
        if isinstance(one, socket.gaierror):
            return "the name of the server is not known"
        if isinstance(one, ssl.SSLError):
            return f"no secure connection: {one.reason or one}"
        if isinstance(one, ConnectionRefusedError):
            return "the connection was refused"
        if isinstance(one, TimeoutError | requests.Timeout):
            return "the server did not answer in time"
        if isinstance(one, ConnectionResetError | BrokenPipeError):
            return "the server closed the connection"
    return f"it failed: {type(error).__name__}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The innermost first: libraries wrap what the system said."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        wrapped = getattr(error, "reason", None) or (error.args[0] if error.args else None)
        error = (
            error.__cause__ or error.__context__ or (wrapped if isinstance(wrapped, BaseException) else None)
        )
    return reversed(chain)


def _text(said: Any) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def retry_after_s(text: str) -> float | None:
    """Seconds, or the time until an HTTP date (RFC 9110, section 10.2.3)."""
    try:
        if text.isdigit():
            return float(text)
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()) if text else None
    except (TypeError, ValueError):
        return None
