"""IMAP: a server's greeting and capabilities, and NTLM of both ends ([RFC 3501], [MS-OXIMAP4])."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture import logons, tokens
from scanner.capture.greetings import impersonal
from scanner.capture.sources.tls import KEYS as TLS_KEYS
from scanner.capture.telling import Hear, Side, StreamSource, Told
from scanner.probes import imap, lines, sasl

if TYPE_CHECKING:
    from scanner.capture.telling import Direction, Hearing

_PORTS: Final = (143,)
_LINE: Final = lines.line(sasl.LONGEST)
_TAGGED: Final = re.compile(rb"[A-Za-z0-9.]{1,16} (?:OK|NO|BAD) ")


def hear_server(direction: Direction) -> Hearing:
    """The greeting, capabilities and NTLM's challenge; who is let in without a logon is told so by name."""
    if direction.side is not Side.SERVER or not direction.begun:
        return
    condition, text = imap.parse_greeting((yield Hear(imap.GREETING)))
    banner = impersonal((text,))
    if condition != b"OK":
        return
    if banner:
        yield Told({"imap.banner": banner})
    for _ in range(logons.STEPS):
        said = yield Hear(_LINE)
        if said.startswith(b"+"):
            yield from logons.ntlm(said[1:])
        elif capabilities := impersonal(imap.parse_capabilities(said)):
            yield Told({"imap.capabilities": capabilities})
        elif not said.startswith(b"* ") and not _TAGGED.match(said):
            return


def hear_client(direction: Direction) -> Hearing:
    """NTLM of a client."""
    return logons.hear_commands(direction, _GOES_ON, _SECURES)


_SECURES: Final = re.compile(rb"\S{1,16} STARTTLS\r?\n", re.IGNORECASE)
_GOES_ON: Final = re.compile(rb"\S{1,16} (?:CAPABILITY|NOOP|AUTHENTICATE NTLM)\r?\n", re.IGNORECASE)
_OPENS: Final = re.compile(rb"\S{1,16} (?:CAPABILITY|STARTTLS|AUTHENTICATE NTLM)\r?\n", re.IGNORECASE)
SOURCES: Final = (
    StreamSource(
        "imap",
        ("imap.banner", "imap.capabilities", *tokens.KEYS),
        re.compile(rb"\* OK", re.IGNORECASE),
        hear_server,
        _PORTS,
    ),
    StreamSource("imap", (*tokens.KEYS, *TLS_KEYS), _OPENS, hear_client, _PORTS),
)
