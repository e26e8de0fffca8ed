"""Receivers on loopback that take what they are sent, fail, hang, and come back at the same port."""

from __future__ import annotations

import base64
import socketserver
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Iterator
    from email.message import EmailMessage

HOST = "127.0.0.1"


@dataclass
class Mailbox:
    """A mail server's behaviour, and what it got."""

    mode: str = "takes"
    """``takes``; ``hangs`` at once, ``hangs-late`` after the mail, ``hangs-at-the-end`` when it has
    taken it; ``refuses`` the recipients; ``denies`` the password and repeats it; ``drops`` the connection."""
    context: ssl.SSLContext | None = None
    """With which it offers STARTTLS, or begins where ``at_once`` is set."""
    at_once: bool = False
    mails: list[bytes] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """Every line that it was told, the mails' own left out."""
    secure: bool = False
    released: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def letters(self) -> list[EmailMessage]:
        """The mails, read."""
        return [message_from_bytes(mail, policy=default) for mail in self.mails]


class _Smtp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        box = cast("_Server", self.server).box
        connection: socket.socket = self.request
        with suppress(OSError, ConnectionError):
            if box.context and box.at_once:
                connection = box.context.wrap_socket(connection, server_side=True)
                box.secure = True
            if box.mode == "hangs":
                box.released.wait(30)
            else:
                _Talk(connection, box).run()
                return
        connection.close()


class _Talk:
    def __init__(self, connection: socket.socket, box: Mailbox) -> None:
        self.connection, self.box, self.stream = connection, box, connection.makefile("rb")

    def say(self, *lines: str) -> None:
        self.connection.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def run(self) -> None:
        try:
            self.say("220 mail.ward.example ESMTP")
            while line := self.stream.readline().decode().rstrip("\r\n"):
                self.box.said.append(line)
                if not self.answer(line.split()[0].upper(), line):
                    break
        finally:
            self.stream.close()
            self.connection.close()

    def answer(self, verb: str, line: str) -> bool:
        box = self.box
        if verb == "EHLO":
            offers = ["AUTH PLAIN LOGIN"] if box.secure else []
            offers += ["STARTTLS"] if box.context and not box.secure else []
            names = ["mail.ward.example", "SIZE 1000000", *offers]
            self.say(*(f"250-{name}" for name in names[:-1]), f"250 {names[-1]}")
        elif verb == "STARTTLS" and box.context:
            self.say("220 go ahead")
            self.stream.close()
            self.connection = box.context.wrap_socket(self.connection, server_side=True)
            self.stream, box.secure = self.connection.makefile("rb"), True
        elif verb == "AUTH":
            words = base64.b64decode(line.split()[2]).decode()
            self.say(f"535 5.7.8 no: {line} {words!r}" if box.mode == "denies" else "235 welcome")
        elif verb == "RCPT":
            self.say("550 5.7.1 relaying denied" if box.mode == "refuses" else "250 ok")
        elif verb == "DATA":
            return self.take()
        elif verb == "QUIT" and box.mode == "hangs-at-the-end":
            box.released.wait(30)
        else:
            self.say("221 bye" if verb == "QUIT" else "250 ok")
        return verb != "QUIT"

    def take(self) -> bool:
        self.say("354 go on")
        lines = []
        while (line := self.stream.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b"..") else line)
        self.box.mails.append(b"".join(lines))
        if self.box.mode == "hangs-late":
            self.box.released.wait(30)
        if self.box.mode in {"hangs-late", "drops"}:
            return False
        self.say("250 taken")
        return True


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = False
    block_on_close = True
    box: Mailbox


@contextmanager
def mail_server(box: Mailbox) -> Iterator[Mailbox]:
    """It listens, at the port that it had before if it had one."""
    box.released.clear()
    with _Server((HOST, box.port), _Smtp) as server:
        server.box, box.port = box, server.server_address[1]
        with _served(server):
            try:
                yield box
            finally:
                box.released.set()


@dataclass
class Hook:
    """A web hook's behaviour, and the bodies that it got."""

    status: int = 200
    bodies: list[bytes] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    port: int = 0


@contextmanager
def web_hook(hook: Hook) -> Iterator[Hook]:
    """It listens, at the port that it had before if it had one."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.headers.append(str(self.headers))
            if hook.status == 200:
                hook.bodies.append(body)
            self.send_response(hook.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library has it
            """Nothing is printed."""

    with ThreadingHTTPServer((HOST, hook.port), Handler) as server:
        hook.port = server.server_address[1]
        with _served(server):
            yield hook


@contextmanager
def _served(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(30)
