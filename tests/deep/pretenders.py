"""Servers that answer with NTLM's challenge over TLS, and remember what they were told inside of it."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from tests.integration.peers_tls_rdp import Certificate
from tests.probes import made

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIRM = bytes.fromhex("030000130ed000001234000201080002000000")
"""[MS-RDPBCGR] 2.2.1.2: CredSSP is chosen."""


def rdp(connection: socket.socket, context: ssl.SSLContext, heard: list[bytes]) -> None:
    """Network level authentication, up to the challenge ([MS-CSSP] 2.2.1)."""
    heard.append(connection.recv(1000))
    connection.sendall(CONFIRM)
    with context.wrap_socket(connection, server_side=True) as secured:
        heard.append(secured.recv(4000))
        token = _der(0x30, _der(0x30, _der(0xA0, _der(0x04, made.challenge()))))
        secured.sendall(_der(0x30, _der(0xA0, b"\2\1\2") + _der(0xA1, token)))
        heard.append(secured.recv(4000))


def web(connection: socket.socket, context: ssl.SSLContext, heard: list[bytes]) -> None:
    """A web server that wants NTLM, with TLS where it is spoken to so."""
    if connection.recv(1, socket.MSG_PEEK) == b"\x16":
        with context.wrap_socket(connection, server_side=True) as secured:
            _answer(secured, heard)
    else:
        _answer(connection, heard)


def _answer(connection: socket.socket, heard: list[bytes]) -> None:
    while said := connection.recv(4000):
        heard.append(said)
        challenge = base64.b64encode(made.challenge()).decode()
        wants = f"NTLM {challenge}" if b"Authorization:" in said else "NTLM"
        answer = f"HTTP/1.1 401 Unauthorized\r\nServer: Microsoft-IIS/6.0\r\nWWW-Authenticate: {wants}\r\n"
        connection.sendall(f"{answer}Content-Length: 0\r\n\r\n".encode())


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    return bytes([tag, *([size] if size < 0x80 else [0x82, size >> 8, size & 0xFF])]) + content


class Pretender:
    """One of them, for many connections; it listens where its thread was started."""

    def __init__(
        self, serve: Callable[[socket.socket, ssl.SSLContext, list[bytes]], None], folder: Path
    ) -> None:
        certificate = Certificate.made(folder, "-newkey", "rsa:2048", "-days", "2")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.file, certificate.key)
        self._serve, self.heard = serve, list[bytes]()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                with connection, suppress(OSError):
                    self._serve(connection, self._context, self.heard)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(30)
