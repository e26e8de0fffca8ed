"""HTTP/1 ([RFC 9112]): what programs say of themselves in requests, and servers in their answers.

What goes through a proxy is told of nobody: its requests are those of many machines, its answers those of
others. Neither what was asked for nor the values of cookies, nor who logged on ever leaves this module: of a
page, the title is told only where the front page was shown to nobody in particular.
"""

from __future__ import annotations

import re
from base64 import b64decode
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.capture import tokens
from scanner.capture.telling import Hear, Side, Skip, StreamSource, Told
from scanner.errors import ProtocolError
from scanner.probes import http, http1, lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scanner.capture.telling import Direction, Hearing
    from scanner.probes.http1 import Answer

_MESSAGES: Final = 4
"""Requests of one connection, and refusals, that are heard."""
_TOLD: Final = ("http.server", "http.authenticate", "http.powered_by")
_METHOD: Final = rb"[A-Z][A-Z_-]{2,18}"
_LINE: Final = re.compile(_METHOD + rb" ([^ \r\n]+) HTTP/1\.[01]\r?\n")
_FORWARDED: Final = frozenset({
    "via", "forwarded", "x-forwarded-for", "x-forwarded", "x-real-ip", "client-ip", "x-client-ip",
    "x-bluecoat-via", "x-imforwards", "x-proxyuser-ip", "true-client-ip", "cf-connecting-ip",
})  # fmt: skip
"""[RFC 9110] 7.6.3, [RFC 7239] and what proxies add without one: the client of this connection is a proxy."""
_RELAYED: Final = frozenset({"via", "age", "x-cache", "x-cache-lookup"})
"""[RFC 9110] 7.6.3, [RFC 9111] 5.1: the answer is another server's."""
_NTLM: Final = frozenset({b"ntlm", b"negotiate"})
_REFUSED: Final = frozenset({401, 407})
_OF_PROXY: Final = 407
_AGENT: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}(?=[/ (;,]|\Z)")
"""[RFC 9110] 10.1.5: it begins with a product's name; what begins otherwise is an attack's."""
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")
_COOKIE: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_COOKIES: Final = 8
_PAGE: Final = 1 << 13
"""Bytes in which a title stands, or none is looked for."""
_FIRST: Final = "http.first"
_PROXIED: Final = "http.proxied"


class Request(NamedTuple):
    """A request, as far as it is looked at."""

    target: bytes
    headers: tuple[tuple[str, bytes], ...]

    def values(self, *names: str) -> tuple[bytes, ...]:
        """What every header with one of these names says."""
        return tuple(value for name, value in self.headers if name in names)

    @property
    def is_relayed(self) -> bool:
        """Whether it comes from a proxy, and speaks for somebody else."""
        return any(name in _FORWARDED for name, _ in self.headers)

    @property
    def is_nobodys(self) -> bool:
        """Whether it says nothing of who asks."""
        return b"?" not in self.target and not self.values("cookie", "authorization")


def request_head(received: bytes) -> int | None:
    """The framing of a request's header block.

    Raises:
        ProtocolError: what comes is no request.
    """
    if b"\n" in received and not _LINE.match(received):
        raise ProtocolError(f"not an HTTP/1 request: {received[:8].hex()}")
    end = http1.END.search(received, 0, http1.HEAD)
    return end.end() if end else None


@lru_cache(maxsize=1 << 10)  # programs ask the same again and again
def parse_request(block: bytes) -> Request:
    """Read a request's header block.

    Raises:
        ProtocolError: it is none.
    """
    line = _LINE.match(block)
    if line is None:
        raise ProtocolError(f"not an HTTP/1 request: {block[:8].hex()}")
    return Request(line[1], http1.parse_headers(block))


def hear_requests(direction: Direction) -> Hearing:
    """The programs of a client, and NTLM where it logs on."""
    for _ in range(_MESSAGES):
        request = parse_request((yield Hear(request_head, http1.HEAD)))
        if direction.begun:
            direction.shared.setdefault(_FIRST, request)
        if not request.target.startswith((b"/", b"*")):
            direction.shared[_PROXIED] = True
        if request.is_relayed:
            return
        for agent in request.values("user-agent"):
            if _AGENT.match(agent) and b"@" not in agent:  # robots say whom to write to
                yield Told({"http.user_agent": lines.text(agent)}, Side.CLIENT)
        yield from _tokens(request.values("authorization", "proxy-authorization"))
        if _begins_tunnel(request):
            yield Skip(1)  # until the answer is heard, too
            return
        length = _length(request.headers)
        if length is None:
            return
        yield Skip(length)


def _begins_tunnel(request: Request) -> bool:
    """Whether another protocol follows: CONNECT has a host and a port for its target ([RFC 9110] 9.3.6)."""
    return not request.target.startswith((b"/", b"*", b"http:", b"https:"))


def hear_answers(direction: Direction) -> Hearing:
    """A server's words about itself; after a refusal, the next answer may bring an NTLM challenge."""
    for _ in range(_MESSAGES):
        answer = http1.parse_head((yield Hear(http1.head, http1.HEAD)))
        if answer.status == _OF_PROXY:
            yield from _tokens(answer.values("proxy-authenticate"))
        elif direction.shared.get(_PROXIED) or any(name in _RELAYED for name, _ in answer.headers):
            return
        else:
            yield from _words(answer)
            yield from _tokens(answer.values("www-authenticate"))
        if answer.status not in _REFUSED:
            yield from _page(answer, direction)
            return
        length = _length(answer.headers)
        if length is None:
            return
        yield Skip(length)


def _words(answer: Answer) -> Iterator[Told]:
    said = http.parse_answer(answer)
    found = {key: said[key] for key in _TOLD if said[key]}
    if found:
        yield Told(found)


def _page(answer: Answer, direction: Direction) -> Hearing:
    """What the first answer to nobody in particular brings: names of cookies; the title of the front page."""
    request = direction.shared.get(_FIRST)
    if not direction.begun or not isinstance(request, Request) or not request.is_nobodys:
        return
    names = (value.partition(b"=")[0].strip() for value in answer.values("set-cookie"))
    cookies = tuple(dict.fromkeys(name.decode() for name in names if _COOKIE.fullmatch(name)))[:_COOKIES]
    if cookies:
        yield Told({"http.cookie": cookies})
    is_plain = not answer.value("content-encoding") and answer.value("content-type").startswith(b"text/html")
    if request.target == b"/" and answer.status // 100 != 3 and is_plain:  # noqa: PLR2004 - a redirection
        title = http1.title((yield Hear(http1.until_title, _PAGE)))
        if title:
            yield Told({"http.title": title})


def _tokens(values: Iterable[bytes]) -> Iterator[Told]:
    """NTLM in the words of either end ([MS-NTHT] 2.2, [RFC 4559] 4); other logons are passed over."""
    for value in values:
        scheme, _, data = value.partition(b" ")
        if scheme.lower() in _NTLM and data:
            try:
                token = b64decode(data, validate=True)
            except ValueError:
                continue
            yield from tokens.told(token)


def _length(headers: Iterable[tuple[str, bytes]]) -> int | None:
    """How many bytes follow a header block; None where that is not known beforehand ([RFC 9112] 6.3)."""
    said = dict(headers)
    length = said.get("content-length", b"0")
    return int(length) if "transfer-encoding" not in said and _LENGTH.fullmatch(length) else None


_ANSWER: Final = re.compile(rb"HTTP/1\.[01](?: |\Z)")
_REQUEST: Final = re.compile(rb"CONNECT [\w.:\[\]-]|" + _METHOD + rb" (?:/|\* HTTP/|https?://)")
SOURCES: Final = (
    StreamSource("http", (*_TOLD, "http.cookie", "http.title", *tokens.KEYS), _ANSWER, hear_answers),
    StreamSource("http", ("http.user_agent", *tokens.KEYS), _REQUEST, hear_requests),
)
