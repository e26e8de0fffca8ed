"""HTTP/1.1 as the machines' servers answer it ([RFC 9112]): one page, one icon, or NTLM ([MS-NTHT] 3.2.5)."""

from __future__ import annotations

import base64
import struct
from email.utils import formatdate
from http import HTTPStatus
from typing import Final
from zlib import crc32

from scanner.simulator.answers import End, challenged
from scanner.simulator.machine import unix_seconds
from scanner.simulator.speaker import Speaker

_HTML: Final = "text/html"
_SCHEMES: Final = ("NTLM", "Negotiate")


def _page(title: str) -> bytes:
    head = f"<head><title>{title}</title></head>" if title else ""
    return f"<html>{head}<body><h1>It works!</h1></body></html>\n".encode()


def _icon(key: str) -> bytes:
    """An icon of one pixel, in a colour of its own: directory, entry, bitmap and mask."""
    bitmap = struct.pack("<IiiHHIIiiII", 40, 1, 2, 1, 32, 0, 8, 0, 0, 0, 0)
    image = bitmap + (crc32(key.encode()) | 0xFF000000).to_bytes(4, "little") + bytes(4)
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 1, 1, 0, 0, 1, 32, len(image), 22) + image


class Web(Speaker):
    """A server on port 80."""

    __slots__ = ()

    def length(self, data: bytes) -> int:
        """Up to the empty line: bodies are not expected."""
        end = data.find(b"\r\n\r\n")
        return end + 4 if end >= 0 else 0

    def answer(self, message: bytes) -> bytes:
        """What is said to one request."""
        kind = self._situation.machine.personality
        line, *fields = message.decode("latin-1").split("\r\n")
        self.end = End.CLOSE
        method, path, version = (*line.split(" "), "", "")[:3]
        if method not in {"GET", "HEAD"} or version not in {"HTTP/1.0", "HTTP/1.1"}:
            return self._said(400, _page("Bad Request"))
        if kind.http_ntlm:
            said = self._unauthorized(fields)
        elif path == "/":
            said = self._said(200, _page(kind.title))
        elif path == "/favicon.ico" and kind.icon:
            said = self._said(200, _icon(kind.key), media="image/x-icon")
        else:
            said = self._said(404, _page("404 Not Found"))
        return said[: said.index(b"\r\n\r\n") + 4] if method == "HEAD" else said

    def _unauthorized(self, fields: list[str]) -> bytes:
        """Nobody is let in; who begins to authenticate is challenged, on a connection that stays."""
        page = _page(self._situation.machine.personality.title)
        given = (field.split(":", 1)[1] for field in fields if field.lower().startswith("authorization:"))
        scheme, _, token = next(given, "").strip().partition(" ")
        try:
            blob = base64.b64decode(token, validate=True)
        except ValueError:  # binascii.Error is one
            blob = b""
        challenge = challenged(self._situation, blob) if blob and scheme in _SCHEMES else b""
        if not challenge:
            return self._said(401, page, *(f"WWW-Authenticate: {name}" for name in _SCHEMES[::-1]))
        self.end = End.OPEN
        return self._said(401, page, f"WWW-Authenticate: {scheme} {base64.b64encode(challenge).decode()}")

    def _said(self, status: int, body: bytes, *fields: str, media: str = _HTML) -> bytes:
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            f"Content-Type: {media}",
            f"Server: {self._situation.machine.personality.http}",
            *fields,
            f"Date: {formatdate(unix_seconds(self._situation.now()), usegmt=True)}",
            *(("Connection: close",) if self.end is End.CLOSE else ()),
            f"Content-Length: {len(body)}",
        )
        return "\r\n".join((*head, "", "")).encode("ascii") + body
