"""Where notices arrive: a real mail server, an HTTP server that answers by script, and others."""

from __future__ import annotations

import email
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from tests.journeys.loopback import free_port

Refusal = Callable[[str, str], str | None]


@dataclass
class Hook:
    """An HTTP server: `answers` are the status codes of the next requests, 200 once they are used up.

    What is no number is a way to misbehave: `endless`, `drips`, `hangs`, `closes`.
    """

    port: int = 0
    answers: list[int | str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address as a channel has it."""
        return f"json://127.0.0.1:{self.port}/hook"


@contextmanager
def http_receiver(*answers: int | str, **headers: str) -> Iterator[Hook]:
    """An HTTP server on loopback."""
    hook = Hook(answers=list(answers), headers={name.replace("_", "-"): one for name, one in headers.items()})
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.bodies.append(json.loads(body))
            hook.ids.append(self.headers["X-Laptime-Notice"])
            answer = hook.answers.pop(0) if hook.answers else 200
            with suppress(OSError):
                self._answer(answer)

        def _answer(self, answer: int | str) -> None:
            if answer == "hangs":
                ended.wait(30)
                return
            if answer == "closes":
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(answer if isinstance(answer, int) else 500)
            for name, value in hook.headers.items():
                self.send_header(name, value)
            self.end_headers()
            while answer in ("endless", "drips") and not ended.is_set():
                self.wfile.write(b"x" * (65_536 if answer == "endless" else 1))
                time.sleep(0.2 if answer == "drips" else 0)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        hook.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield hook
        ended.set()
        server.shutdown()
        thread.join()


@dataclass
class Mail:
    """A mail server; `refusing` may say no to a step ("rcpt", "data") and its argument."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    refusing: Refusal = lambda step, text: None  # noqa: ARG005

    @property
    def url(self) -> str:
        """Its address as a channel has it."""
        return f"mailto://127.0.0.1:{self.port}?from=laptime@example.org&to=ops@example.org&mode=insecure"

    @property
    def subjects(self) -> list[str]:
        """What has arrived."""
        return [str(one["Subject"]) for one in self.messages]


@contextmanager
def mail_server() -> Iterator[Mail]:
    """A real mail server on loopback that keeps what it takes."""
    mail = Mail(free_port())

    class Handler:
        async def handle_RCPT(  # noqa: N802 - the server's name for it
            self, _server: Any, _session: Any, envelope: Any, address: str, _: Any
        ) -> str:
            refused = mail.refusing("rcpt", address)
            if refused is None:
                envelope.rcpt_tos.append(address)
            return refused or "250 OK"

        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - ditto
            refused = mail.refusing("data", "")
            if refused is None:
                parsed = email.message_from_bytes(envelope.content, policy=policy.default)
                mail.messages.append(parsed)
            return refused or "250 OK"

    controller = Controller(Handler(), hostname="127.0.0.1", port=mail.port)
    controller.start()
    try:
        yield mail
    finally:
        controller.stop()


@contextmanager
def talker(say: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that does `say` with each connection; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                with suppress(OSError):
                    connection, _ = server.accept()
                    threading.Thread(target=answer, args=[connection], daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                say(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        ended.set()
        thread.join()


def hangs(connection: socket.socket) -> None:
    """Takes the connection, and says nothing."""
    connection.recv(1)
    time.sleep(20)


def drips(connection: socket.socket) -> None:
    """Says a byte now and then, and never comes to an end."""
    for _ in range(200):
        connection.sendall(b"2")
        time.sleep(0.1)


def busy(connection: socket.socket) -> None:
    """A mail server that has no time."""
    connection.sendall(b"421 too busy, come back later\r\n")


def closes(connection: socket.socket) -> None:
    """A mail server that greets, and goes amid the first command."""
    connection.sendall(b"220 here\r\n")
    connection.recv(100)
