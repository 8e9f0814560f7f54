"""The process that seals an address or sends one notice: a question as JSON on stdin, an answer on stdout.

It ends with its answer. Whoever started it kills it when its time is over.
"""

from __future__ import annotations

import base64
import hmac
import io
import json
import logging
import os
import re
import resource
import signal
import sys
from typing import Any
from urllib.parse import unquote, urlsplit

import apprise
from cryptography.fernet import Fernet, InvalidToken

from .wire import Seen, retry_after_s, watch

SEALED = "sealed:"
MEMORY_BYTES = 1 << 30
LONGEST_DETAIL = 300
MAIL = frozenset({"mailto", "mailtos"})
# They would speak to this machine's own desktop or log, or read its files.
LOCAL = frozenset({"dbus", "qt", "kde", "glib", "gnome", "gio", "macosx", "windows", "syslog", "file"})
TYPES = {
    "ok": apprise.NotifyType.SUCCESS,
    "info": apprise.NotifyType.INFO,
    "warning": apprise.NotifyType.WARNING,
    "error": apprise.NotifyType.FAILURE,
    "critical": apprise.NotifyType.FAILURE,
}


def main() -> None:
    """Answer one question."""
    question = json.loads(sys.stdin.readline())  # a fork beside us may hold the pipe open for long
    out = os.fdopen(os.dup(1), "w")
    sys.stdout = io.StringIO()  # plugins may print
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(int(question["within_s"]) + 2)  # though nobody be left to kill it
    fernet = Fernet(
        base64.urlsafe_b64encode(hmac.digest(bytes.fromhex(question["secret"]), b"fernet", "sha256"))
    )
    answer = (seal if question["do"] == "seal" else send)(question, fernet)
    json.dump(answer, out)
    out.flush()
    os._exit(0)  # whatever threads a plugin has left


def seal(question: dict[str, Any], fernet: Fernet) -> dict[str, Any]:
    """What an address is, and the address encrypted; or why it is refused."""
    url: str = question["url"]
    scheme = urlsplit(url).scheme.lower()
    if scheme in LOCAL:
        return {"refused": f"{scheme}: reaches this machine only; allowed is a service that is elsewhere"}
    plugin = _plugin(url)
    if plugin is None:
        return {
            "refused": "the address is none that Apprise knows; it looks like mailto://user:key@example.org, "
            "slack://…, workflows://…, discord://…, tgram://…, pagerduty://… or json://example.org/hook"
        }
    return {
        "service": "E-mail" if scheme in MAIL else str(plugin.service_name),
        "shown": _shown(plugin, scheme),
        "sealed": fernet.encrypt(url.encode()).decode(),
        "is_mail": scheme in MAIL,
    }


def send(question: dict[str, Any], fernet: Fernet) -> dict[str, Any]:
    """Send one notice."""
    url: str = question["url"]
    if url.startswith(SEALED):
        try:
            url = fernet.decrypt(url.removeprefix(SEALED).encode()).decode()
        except InvalidToken:
            return _failed("the channel's address was encrypted with another key; enter it again")
    if not url:
        return _failed("the channel's address is not in the environment any more")
    seen, said = Seen(), _listen()
    watch(seen, private=question["allow_private"] or urlsplit(url).scheme.lower() in MAIL)
    plugin = _plugin(url)
    if plugin is None:
        return _failed("the channel's address is none that Apprise knows")
    headers = getattr(plugin, "headers", None)
    if isinstance(headers, dict):
        headers["X-Laptime-Notice"] = question["id"]
    kind = TYPES.get(question["severity"], apprise.NotifyType.INFO)
    try:
        delivered = bool(
            plugin.notify(
                body=question["body"],
                title=question["title"],
                notify_type=kind,
                body_format=apprise.NotifyFormat.TEXT,
            )
        )
    except Exception as error:  # noqa: BLE001 - a plugin's fault is an outcome
        delivered, seen.error = False, seen.error or error
    if delivered and not seen.some_refused:
        return {"delivered": True, "detail": "delivered"}
    return _failed(_clean(seen.detail(said), url), retry_after_s(seen.retry_after))


def _failed(detail: str, retry_after_s: float | None = None) -> dict[str, Any]:
    return {"delivered": False, "detail": detail, "retry_after_s": retry_after_s}


def _plugin(url: str) -> Any:
    asset = apprise.AppriseAsset(http_redirects=False, async_mode=False, app_id="Laptime", app_url="")
    plugin = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if plugin is None or isinstance(plugin, list) or not getattr(plugin, "enabled", True):
        return None
    plugin.retry = 0  # tries are the outbox's
    return plugin


def _shown(plugin: Any, scheme: str) -> str:
    """The address with the host of a server of one's own, and the receivers of mail; all else is secret."""
    has_host = any("{host}" in template for template in plugin.templates)
    host = str(plugin.host) if has_host and plugin.host else ""
    if scheme in MAIL:
        to = ", ".join(str(address) for _, address in plugin.targets[:3])
        more = f" and {len(plugin.targets) - 3} more" if len(plugin.targets) > 3 else ""
        return f"{to}{more} by {host}"[:200]
    port = f":{plugin.port}" if host and plugin.port else ""
    return f"{scheme}://{host}{port}/…"[:200] if host else f"{scheme}://…"


def _listen() -> list[str]:
    """The library's warnings, from now on."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    log = logging.getLogger("apprise")
    log.handlers, log.propagate = [Listener(logging.WARNING)], False
    log.setLevel(logging.WARNING)
    return said


def _clean(detail: str, url: str) -> str:
    """The words in one line, without any part of the address that may be a secret."""
    parts = urlsplit(url)
    rest = f"{parts.netloc.rpartition('@')[0]} {parts.path} {parts.query}"
    pieces = {piece for text in (rest, unquote(rest)) for piece in re.split(r"[\s/:@?&=,;]+", text)}
    for piece in sorted(pieces, key=len, reverse=True):
        if len(piece) >= 4:
            detail = detail.replace(piece, "…")
    return "".join(one if one.isprintable() else " " for one in detail)[:LONGEST_DETAIL]


if __name__ == "__main__":
    main()
