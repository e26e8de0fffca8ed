"""POP3: a server's greeting and capabilities, and NTLM of both ends ([RFC 1939], [RFC 2449], [MS-POP3])."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture import logons, tokens
from scanner.capture.greetings import impersonal
from scanner.capture.sources.tls import KEYS as TLS_KEYS
from scanner.capture.telling import Hear, Side, StreamSource, Told
from scanner.probes import lines, replies, sasl

if TYPE_CHECKING:
    from scanner.capture.telling import Direction, Hearing

_PORTS: Final = (110,)
_LINES: Final = 40
_LINE: Final = lines.line(sasl.LONGEST)
_CAPABILITY: Final = re.compile(
    rb"(?:CAPA|TOP|USER|UIDL|STLS|PIPELINING|RESP-CODES|AUTH-RESP-CODE|UTF8(?: USER)?"
    rb"|(?:SASL|EXPIRE|LOGIN-DELAY|LANG|IMPLEMENTATION)(?: [^\r\n@]*)?|X-[A-Z-]+"
    rb"|NTLM|DIGEST-MD5|CRAM-MD5|GSSAPI|PLAIN|LOGIN)\r?\n"
)
"""[RFC 2449] section 6 and the registry that it began; and mechanisms, as AUTH lists them ([MS-POP3] 1.7)."""


def hear_server(direction: Direction) -> Hearing:
    """The greeting, then lists of capabilities and NTLM's challenge; a mailbox comes later."""
    if direction.side is not Side.SERVER or not direction.begun:
        return
    greeted = yield Hear(replies.opening(b"+OK"))
    if banner := impersonal((lines.text(greeted[3:]),)):  # a timestamp for APOP looks like an address
        yield Told({"pop3.banner": banner})
    listed: list[bytes] = []
    for _ in range(_LINES):
        said = yield Hear(_LINE)
        if said.startswith(b"+") and not said.startswith(b"+OK"):
            yield from logons.ntlm(said[1:])
        elif said.rstrip(b"\r\n") == b"." and listed:
            yield Told({"pop3.capabilities": replies.texts(listed)})
            listed = []
        elif _CAPABILITY.fullmatch(said):
            listed.append(said)
        elif listed or not said.startswith((b"+OK", b"-ERR")):
            return


def hear_client(direction: Direction) -> Hearing:
    """NTLM of a client."""
    return logons.hear_commands(direction, _GOES_ON, _SECURES)


_SECURES: Final = re.compile(rb"STLS\r?\n", re.IGNORECASE)
_GOES_ON: Final = re.compile(rb"(?:CAPA|AUTH(?: NTLM)?)\r?\n", re.IGNORECASE)
_OPENS: Final = re.compile(rb"(?:CAPA|STLS|AUTH(?: NTLM)?)\r?\n", re.IGNORECASE)
SOURCES: Final = (
    StreamSource(
        "pop3",
        ("pop3.banner", "pop3.capabilities", *tokens.KEYS),
        re.compile(rb"\+OK"),
        hear_server,
        _PORTS,
    ),
    StreamSource("pop3", (*tokens.KEYS, *TLS_KEYS), _OPENS, hear_client, _PORTS),
)
