"""SMTP: greeting, extensions, the name that a client goes by, and NTLM of both ([RFC 5321], [MS-SMTPNTLM]).

Senders, recipients and messages come behind what is heard here. Where TLS begins, its hellos are heard.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture import logons, tokens
from scanner.capture.greetings import impersonal
from scanner.capture.sources.tls import KEYS as TLS_KEYS
from scanner.capture.sources.tls import hear_tls
from scanner.capture.telling import Hear, Side, StreamSource, Told
from scanner.probes import lines, replies, sasl

if TYPE_CHECKING:
    from scanner.capture.telling import Direction, Hearing

_PORTS: Final = (25, 587, 2525)
_UNTIL: Final = lines.reply(sasl.LONGEST)
_COMMAND: Final = lines.line(sasl.LONGEST)
_GREETING: Final = re.compile(rb"220[ -](?:[A-Za-z0-9\[]|\Z)")
_EXTENSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?:[ =][ -~]*)?")
"""[RFC 5321] 4.1.1.1."""
_HELLO: Final = re.compile(rb"(?:EHLO|HELO) +([A-Za-z0-9_][A-Za-z0-9_.-]{0,252}) *\r?\n", re.IGNORECASE)
"""[RFC 5321] 4.1.1.1: who has no name says an address in brackets, which says nothing new."""
_NUMBERS: Final = re.compile(rb"[0-9.]*")
_AUTH: Final = re.compile(rb"AUTH +NTLM(?: +([A-Za-z0-9+/=]*))? *\r?\n", re.IGNORECASE)
_SECURES: Final = re.compile(rb"STARTTLS *\r?\n", re.IGNORECASE)


def hear_server(direction: Direction) -> Hearing:
    """Greeting and extensions, then on as long as NTLM or TLS may come of it."""
    if direction.side is not Side.SERVER or not direction.begun:
        return
    if said := impersonal(replies.greeting((yield Hear(_UNTIL)), b"220")):
        yield Told({"smtp.banner": said})
    for _ in range(logons.STEPS):
        reply = yield Hear(_UNTIL)
        if reply.startswith(b"250-"):
            if extensions := parse_extensions(reply):
                yield Told({"smtp.extensions": extensions})
        elif reply.startswith(b"334"):
            yield from logons.ntlm(reply[3:])
        elif reply.startswith(b"220"):
            yield from hear_tls(direction)
            return
        elif not reply.startswith(b"5"):  # EHLO may be unknown, and HELO the next; else mail follows
            return


def parse_extensions(reply: bytes) -> tuple[str, ...]:
    """The extensions in the answer to EHLO, whose first line greets the client ([RFC 5321] 4.1.1.1)."""
    _, *extensions = replies.greeting(reply, b"250") or ("",)
    return tuple(each for each in impersonal(extensions) if _EXTENSION.fullmatch(each))


def hear_client(direction: Direction) -> Hearing:
    """The client's name, then on as long as NTLM or TLS may come."""
    for _ in range(logons.STEPS):
        said = yield Hear(_COMMAND)
        if name := _HELLO.fullmatch(said):
            if not _NUMBERS.fullmatch(name[1]):
                yield Told({"smtp.helo": name[1].decode()}, Side.CLIENT)
        elif begun := _AUTH.fullmatch(said):
            yield from logons.ntlm(begun[1] or b"")
            yield from logons.hear_commands(direction, _AUTH, _SECURES)
            return
        else:
            if _SECURES.match(said):
                yield from hear_tls(direction)
            return


_OPENS: Final = re.compile(rb"(?:EHLO|HELO) ", re.IGNORECASE)
SOURCES: Final = (
    StreamSource(
        "smtp",
        ("smtp.banner", "smtp.extensions", "tls.version", *TLS_KEYS, *tokens.KEYS),
        _GREETING,
        hear_server,
        _PORTS,
    ),
    StreamSource("smtp", ("smtp.helo", *TLS_KEYS, *tokens.KEYS), _OPENS, hear_client, _PORTS),
)
