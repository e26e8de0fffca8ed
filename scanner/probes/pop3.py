"""The POP3 probe: greeting, capabilities, the NTLM challenge where it is offered ([RFC 1939], [MS-POP3])."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Secure, Send, lines, ntlm, replies, sasl

if TYPE_CHECKING:
    from scanner.probes import Conversation, Peer

SECURE: Final = 995
_CAPA: Final = b"CAPA\r\n"
_AUTH: Final = b"AUTH\r\n"
_NTLM: Final = b"AUTH NTLM\r\n"
_LONGEST_LIST: Final = 4096
_LIST_END: Final = re.compile(rb"\n\.\r?\n")
_LINE: Final = replies.opening(b"+", b"-ERR", longest=sasl.LONGEST)


def listing(received: bytes) -> int | None:
    """The framing of a list: a line alone where it is refused, else lines up to a lone dot ([RFC 1939] 3)."""
    first = _LINE(received)
    if first is None or received.startswith(b"-"):
        return first
    if end := _LIST_END.search(received, first - 1):
        return end.end()
    if len(received) > _LONGEST_LIST:
        raise ProtocolError(f"a list of more than {_LONGEST_LIST} bytes")
    return None


def converse(peer: Peer) -> Conversation:
    """The server speaks first; one without CAPA ([RFC 2449]) may list mechanisms to AUTH ([MS-POP3] 1.7)."""
    if peer.service == SECURE:
        yield Secure()
    greeted = yield Send(b"", replies.opening(b"+OK", b"-ERR"))
    if banner := lines.text(greeted[3:] if greeted.startswith(b"+OK") else greeted[4:]):
        yield Learnt({"pop3.banner": banner})
    if not greeted.startswith(b"+OK"):
        return
    listed = parse_list((yield Send(_CAPA, listing)))
    if listed:
        yield Learnt({"pop3.capabilities": listed})
    else:
        listed = (f"SASL {' '.join(parse_list((yield Send(_AUTH, listing))))}",)
    if any(each.startswith("SASL ") and "NTLM" in each.split() for each in map(str.upper, listed)):
        yield from sasl.challenge(_NTLM, _LINE, b"+")


def parse_list(said: bytes) -> tuple[str, ...]:
    """The lines of a list; none where it was refused."""
    return replies.texts(said.splitlines()[1:-1])


PROBE: Final = Probe(
    "pop3",
    Transport.TCP,
    (110, SECURE),
    ("pop3.banner", "pop3.capabilities", *ntlm.KEYS),
    converse,
    rank=64,
    exchanges=4 + sasl.EXCHANGES,
    hears=sasl.HEARS,
    size=len(_CAPA + _AUTH + _NTLM) + sasl.SIZE,
    logs=(
        "That somebody connected and left without a logon; where NTLM is offered, one logon that was "
        "cancelled, without a name (Dovecot: a line of pop3-login; Exchange: the protocol log, "
        "Set-PopSettings -ProtocolLogEnabled)."
    ),
    trouble=sasl.TROUBLE,
)
