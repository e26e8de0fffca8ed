"""HTTP/1 as a client sees it ([RFC 9112]): a request, the header block of its answer, then some of its body.

A body may end by the peer's closing, so it is a second message: what the header block says stands before it.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from html import unescape
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.errors import PeerClosedError, ProtocolError
from scanner.probes import Send, lines, ntlm, spnego
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Generator

    from scanner.probes import Framing, Peer, Step

HEAD: Final = 1 << 14
"""Most bytes of a header block; common servers send a tenth of it."""
BODY: Final = 1 << 16
"""Most bytes of a body that are listened to."""

_HEADERS: Final = 64
_INTERIM: Final = 4
"""Most interim answers before the final one."""
_SIZE_LINE: Final = 256
"""Most bytes of a line with a chunk's size, extensions included."""
_USUAL_PORTS: Final = (80, 443)
_VERSION: Final = b"HTTP/1."
_STATUS: Final = re.compile(rb"HTTP/1\.(\d) +(\d{3})\b")
END: Final = re.compile(rb"\n\r?\n")
"""The end of a header block."""
_FOLD: Final = re.compile(rb"\r?\n[ \t]+")
TITLE: Final = re.compile(rb"<title(?:\s[^>]{0,200})?>([^<]{1,1024})", re.IGNORECASE)
_TITLE_PAST: Final = re.compile(rb"</title\s{0,8}>|<body\b", re.IGNORECASE)
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\n]*)?\r?\n")


class Answer(NamedTuple):
    """A header block ([RFC 9112] 2.1)."""

    status: int
    minor: int
    """1 of ``HTTP/1.1``."""
    headers: tuple[tuple[str, bytes], ...]
    """Names in lower case."""

    def values(self, name: str) -> tuple[bytes, ...]:
        """What every header of this name says."""
        return tuple(value for each, value in self.headers if each == name)

    def value(self, name: str) -> bytes:
        """What the first header of this name says; nothing where there is none."""
        return next(iter(self.values(name)), b"")

    @property
    def persistent(self) -> bool:
        """Whether the connection outlives this answer ([RFC 9112] 9.3)."""
        options = self.value("connection").lower()
        return b"close" not in options and (self.minor > 0 or b"keep-alive" in options)


def host(peer: Peer) -> str:
    """The server as a URI names it ([RFC 3986] 3.2.2): its address, and its port if unusual."""
    address = peer.endpoint.address.partition("%")[0]
    port = "" if peer.endpoint.port in _USUAL_PORTS else f":{peer.endpoint.port}"
    return (f"[{address}]" if ":" in address else address) + port


def request(peer: Peer, line: str, *headers: str, body: bytes = b"") -> bytes:
    """A request: ``GET /``, some more headers, and who asks."""
    said = (
        f"{line} HTTP/1.1",
        f"Host: {host(peer)}",
        "User-Agent: vetuste (inventory of unmaintained systems)",
        "Accept: */*",
        "Accept-Encoding: identity",
        "Connection: keep-alive",
        *headers,
        *((f"Content-Length: {len(body)}",) if line.startswith("POST") else ()),
    )
    return "\r\n".join((*said, "", "")).encode("ascii") + body


def head(received: bytes) -> int | None:
    """The framing of a header block, with those of interim answers before it ([RFC 9110] 15.2).

    Raises:
        ProtocolError: what comes is no HTTP/1 answer, or its header block does not end.
    """
    start = 0
    for _ in range(_INTERIM + 1):
        if not _VERSION.startswith(received[start : start + len(_VERSION)]):
            raise ProtocolError(f"not an HTTP/1 answer: {received[start : start + 8].hex()}")
        found = END.search(received, start, HEAD)
        if found is None:
            if len(received) >= HEAD:
                raise ProtocolError(f"a header block of more than {HEAD} bytes")
            return None
        if _status(received[start:])[1] >= 200:  # noqa: PLR2004 - below are interim answers
            return found.end()
        start = found.end()
    raise ProtocolError(f"more than {_INTERIM} interim answers")


def parse_head(block: bytes) -> Answer:
    """The answer in one or several header blocks: the last is the final one.

    Raises:
        ProtocolError: it does not begin with a status line.
    """
    final = END.split(block.rstrip(b"\r\n"))[-1]
    minor, status = _status(final)
    return Answer(status, minor, parse_headers(final))


def parse_headers(block: bytes) -> tuple[tuple[str, bytes], ...]:
    """The names, in lower case, and the values that follow the first line of a header block."""
    said = _FOLD.sub(b" ", block.rstrip(b"\r\n")).split(b"\n")[1 : _HEADERS + 1]
    pairs = (line.partition(b":") for line in said)
    return tuple((name.decode("latin-1").strip().lower(), value.strip()) for name, _, value in pairs)


def _status(block: bytes) -> tuple[int, int]:
    found = _STATUS.match(block)
    if found is None:
        raise ProtocolError(f"not a status line: {block[:16].hex()}")
    return int(found[1]), int(found[2])


def content(answer: Answer) -> Generator[Step, bytes, tuple[bytes, bool]]:
    """Hear the body of an answer to GET or POST: what came, and whether that is known to be all of it.

    A body that ends by the peer's closing is heard up to its title.
    """
    length = answer.value("content-length")
    chunked = b"chunked" in answer.value("transfer-encoding").lower()
    known = int(length) if _LENGTH.fullmatch(length) and not chunked else None
    if answer.status in {204, 304} or known == 0:
        return b"", True
    framing = _chunks() if chunked else until_title if known is None else _exactly(known)
    try:
        raw = yield Send(b"", _bounded(framing), BODY)
    except PeerClosedError:
        return b"", False
    return unchunked(raw) if chunked else (raw, len(raw) == known)


def _bounded(framing: Framing) -> Framing:
    """The same, but what is longer than is listened to ends there."""

    def bounded(received: bytes) -> int | None:
        end = framing(received)
        if end is None:
            return BODY if len(received) >= BODY else None
        return min(end, BODY)

    return bounded


def _exactly(length: int) -> Framing:
    return lambda received: length if len(received) >= length else None


def until_title(received: bytes) -> int | None:
    """The framing of a page up to its title, or to where it would have been."""
    found = _TITLE_PAST.search(received)
    return found.end() if found else None


def _chunks() -> Framing:
    """A framing of a chunked body ([RFC 9112] 7.1); it remembers how far it got: chunks may be many."""
    position = 0

    def framing(received: bytes) -> int | None:
        nonlocal position
        while position < len(received):
            line = _CHUNK.match(received, position, position + _SIZE_LINE)
            if line is None:
                if received.find(b"\n", position) >= 0 or len(received) - position >= _SIZE_LINE:
                    raise ProtocolError(f"not a chunk: {received[position : position + 8].hex()}")
                return None
            size = int(line[1], 16)
            if not size:
                end = END.search(received, line.end() - 1)
                return end.end() if end else None
            position = line.end() + size + 2
        return None

    return framing


def unchunked(raw: bytes) -> tuple[bytes, bool]:
    """A chunked body without the sizes, and whether its last chunk is there."""
    parts: list[bytes] = []
    position = 0
    while line := _CHUNK.match(raw, position, position + _SIZE_LINE):
        size = int(line[1], 16)
        if not size:
            return b"".join(parts), True
        parts.append(raw[line.end() : line.end() + size])
        position = line.end() + size + 2
    return b"".join(parts), False


def title(page: bytes) -> str:
    """The title of a page of HTML; nothing where it has none."""
    found = TITLE.search(page)
    if found is None:
        return ""
    return printable(" ".join(unescape(lines.text(b" ".join(found[1].split()))).split()))


def offer(answer: Answer) -> str:
    """What a refusal that offers NTLM is answered with: the first message ([MS-NTHT] 2.2, [RFC 4559] 4).

    Nothing where NTLM is not offered. The third message, which would log on, is in no part of this product.
    """
    schemes = {word for value in answer.values("www-authenticate") for word in value.lower().split(b",")}
    offered = {scheme.strip() for scheme in schemes}
    if answer.status == 401 and b"ntlm" in offered:  # noqa: PLR2004 - "unauthorized"
        return "NTLM " + b64encode(ntlm.NEGOTIATE).decode()
    if answer.status == 401 and b"negotiate" in offered:  # noqa: PLR2004 - the same
        return NEGOTIATE
    return ""


NEGOTIATE: Final = "Negotiate " + b64encode(spnego.offer(ntlm.NEGOTIATE)).decode()


def challenge(answer: Answer) -> dict[str, str]:
    """What the NTLM challenge in a refusal says; nothing where there is none.

    Raises:
        ProtocolError: there is something else in its place.
    """
    for value in answer.values("www-authenticate"):
        scheme, _, data = value.partition(b" ")
        if scheme.lower() in {b"ntlm", b"negotiate"} and data:
            try:
                blob = b64decode(data, validate=True)
            except ValueError:
                raise ProtocolError("a challenge that is not in base64") from None
            token = spnego.answer_token(blob)
            return ntlm.facts(token) if token else {}
    return {}
