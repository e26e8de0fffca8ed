"""The HTTP probe: what a web server says of itself on its first page, and the challenge behind a refusal.

It asks for ``/``; once more where that leads elsewhere on the same server; then for an NTLM challenge where
NTLM is offered, or else for the icon that a browser would show. It sends no form, no cookie and no password.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from scanner.errors import LimitError, PeerClosedError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Reconnect, Secure, Send, http1, lines, ntlm, tls, x509
from scanner.probes.http_redaction import redact

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from scanner.probes import Conversation, Peer, Step
    from scanner.probes.http1 import Answer

KEYS: Final = (
    "http.status", "http.server", "http.title", "http.location", "http.authenticate", "http.powered_by",
    "http.favicon", "tls.version", *x509.KEYS, *ntlm.KEYS,
)  # fmt: skip

_TLS: Final = frozenset({443, 8443})
"""Registered ports where TLS comes first."""
_CONNECTIONS: Final = 2
_MOST_VALUES: Final = 8
_WHERE: Final = re.compile(rb"(?:(https?)://([^/?#]*))?([^?#]*)(\?)?")
_PATH: Final = re.compile(rb"/(?!/)[!-~]{1,200}")
_PART: Final = re.compile(rb'(?:[^,"]|"[^"]*")+')
_SCHEME: Final = re.compile(rb"\s*([A-Za-z][A-Za-z0-9-]{0,31})(?=\s|$)(?!\s*=)")
_REALM: Final = re.compile(rb'\brealm\s*=\s*(?:"([^"]*)"|([^\s,"]+))', re.IGNORECASE)

_Value = str | tuple[str, ...]


class Course:
    """One conversation: its connection, and the keys that it has already said something of."""

    def __init__(self, peer: Peer, *, secure: bool = False) -> None:
        self.peer, self.secure = peer, secure
        self.open = False
        """Whether the connection takes another request."""
        self.spare = _CONNECTIONS
        """How many connections it may still begin."""
        self.said: set[str] = set()

    def ask(self, line: str, *headers: str, body: bytes = b"") -> Generator[Step, bytes, Answer | None]:
        """One request: the header block that answers it; None where no connection is left to ask on."""
        reused = self.open
        if not reused and not (yield from self._connect()):
            return None
        self.open = False
        request = http1.request(self.peer, line, *headers, body=body)
        try:
            return http1.parse_head((yield Send(request, http1.head, http1.HEAD)))
        except PeerClosedError:
            if not reused:
                raise
        # Some close after one answer without a word.
        return (yield from self.ask(line, *headers, body=body))

    def _connect(self) -> Generator[Step, bytes, bool]:
        if not self.spare:
            return False
        if self.spare < _CONNECTIONS:
            try:
                yield Reconnect()
            except (LimitError, PeerClosedError):
                return False
        self.spare -= 1
        if self.secure and self.spare == _CONNECTIONS - 1:
            yield from tls.secure("tls.version")
        elif self.secure:
            yield Secure()
        return True

    def body(self, answer: Answer) -> Generator[Step, bytes, tuple[bytes, bool]]:
        """The body of an answer, and whether that is all of it."""
        heard, whole = yield from http1.content(answer)
        self.open = whole and answer.persistent
        return heard, whole

    def learn(self, evidence: Mapping[str, _Value]) -> Generator[Step, bytes, None]:
        """Say what is not empty and not said yet."""
        new = {key: value for key, value in evidence.items() if value and key not in self.said}
        if new:
            self.said.update(new)
            yield Learnt(new)


def converse(peer: Peer) -> Conversation:
    """The conversation with one server."""
    course = Course(peer, secure=peer.service in _TLS)
    path = "/"
    answer = yield from _page(course, path)
    if answer and (elsewhere := next_path(peer, answer)):
        path = elsewhere
        answer = yield from _page(course, path)
    if answer and (offered := http1.offer(answer)):
        refusal = yield from course.ask(f"GET {path}", f"Authorization: {offered}")
        yield from course.learn(http1.challenge(refusal) if refusal else {})
    elif course.open:
        yield from _picture(course)


def _page(course: Course, path: str) -> Generator[Step, bytes, Answer | None]:
    """Ask for one page, and learn what it says; the title of a redirection says nothing."""
    answer = yield from course.ask(f"GET {path}")
    if answer:
        yield from course.learn(parse_answer(answer))
        page, _ = yield from course.body(answer)
        if answer.status // 100 != 3:  # noqa: PLR2004 - a redirection
            yield from course.learn({"http.title": http1.title(page)})
    return answer


def _picture(course: Course) -> Conversation:
    """A hash of the server's icon: devices of one make share it. It is worth no other connection."""
    course.spare = 0
    answer = yield from course.ask("GET /favicon.ico")
    if answer:
        picture, whole = yield from course.body(answer)
        if answer.status == 200 and whole and picture:  # noqa: PLR2004 - "OK"
            yield from course.learn({"http.favicon": sha256(picture).hexdigest()})


def parse_answer(answer: Answer) -> dict[str, _Value]:
    """The evidence in a header block; session identifiers, nonces and cookies are none."""
    versions = tuple(b"ASP.NET " + version for version in answer.values("x-aspnet-version"))
    return {
        "http.status": str(answer.status),
        "http.server": lines.text(answer.value("server")),
        "http.location": lines.text(answer.value("location").partition(b"?")[0]),
        "http.authenticate": _several(parse_challenges(answer.values("www-authenticate"))),
        "http.powered_by": _several((*answer.values("x-powered-by"), *versions)),
    }


def _several(raw: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for each in raw if (text := lines.text(each))))[:_MOST_VALUES]


def parse_challenges(values: Iterable[bytes]) -> tuple[bytes, ...]:
    """The schemes and realms that are offered ([RFC 9110] 11.6.1)."""
    found: list[bytes] = []
    for part in (part for value in values for part in _PART.findall(value)):
        if scheme := _SCHEME.match(part):
            found.append(scheme[1])
        if found and (realm := _REALM.search(part)):
            found[-1] += b' realm="' + (realm[1] or realm[2] or b"") + b'"'
    return tuple(found)


def next_path(peer: Peer, answer: Answer) -> str:
    """Where a redirection leads, if that is another page of the same server ([RFC 9110] 10.2.2).

    A query is not followed: on old devices it may do something.
    """
    found = _WHERE.match(answer.value("location"))
    if found is None or answer.status not in {301, 302, 303, 307, 308}:
        return ""
    scheme, host, path, query = found.groups()
    here = peer.endpoint.address.encode()
    if scheme and (scheme == b"https", host.partition(b":")[0]) != (peer.service in _TLS, here):
        return ""
    path = path if path.startswith(b"/") else b"/" + path
    return path.decode("ascii") if _PATH.fullmatch(path) and not query else ""


PROBE: Final = Probe(
    "http",
    Transport.TCP,
    (80, 443, 8080, 8443),
    KEYS,
    converse,
    rank=36,
    exchanges=9,
    connections=_CONNECTIONS,
    size=2048,
    logs=(
        "One to three lines of the web server's log, each with our address and \"vetuste (inventory of "
        'unmaintained systems)": access_log of Apache and nginx, W3C logs of IIS. Where the page is refused '
        "and NTLM is offered, one of them is a 401 for the challenge; nobody is logged on, so the security "
        "log stays as it is."
    ),
    trouble=(
        "None with plain requests for a page. Web servers in devices serve few visitors at a time: while "
        "they answer us, a page of theirs may load slowly. Allegro RomPager before 4.34 fails over certain "
        "cookies (CVE-2014-9222); none is sent."
    ),
    redact=redact,
)
