"""The IMAP probe: greeting, capabilities, the NTLM challenge where it is offered ([RFC 3501])."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Secure, Send, lines, ntlm, replies, sasl

if TYPE_CHECKING:
    from scanner.probes import Conversation, Framing, Peer

SECURE: Final = 993
_CAPABILITY: Final = b"a1 CAPABILITY\r\n"
_NTLM: Final = b"a2 AUTHENTICATE NTLM\r\n"
_GREETING: Final = re.compile(rb"\* (OK|PREAUTH|BYE)(?: \[[^\]\r\n]*\])?(?: ([^\r\n]*))?\r?\n", re.IGNORECASE)
"""[RFC 3501] 7.1: a condition, a code in brackets, a text."""
GREETING: Final = replies.opening(b"* ", longest=2048)
"""The framing of a greeting."""


def answer(tag: bytes) -> Framing:
    """The framing of an answer: untagged lines, then one with our tag or that wants more ([RFC 3501] 2.2)."""
    begins = replies.opening(b"* ", b"+", tag)

    def framing(received: bytes) -> int | None:
        start = 0
        while start < len(received):
            begins(received[start : start + len(tag)])
            end = received.find(b"\n", start) + 1
            if not end and len(received) - start > sasl.LONGEST:
                raise ProtocolError(f"a line of more than {sasl.LONGEST} bytes")
            if not end or not received.startswith(b"*", start):
                return end or None
            start = end
        return None

    return framing


def converse(peer: Peer) -> Conversation:
    """The server speaks first; one that lets in whoever comes (PREAUTH) is left at once."""
    if peer.service == SECURE:
        yield Secure()
    condition, banner = parse_greeting((yield Send(b"", GREETING)))
    if banner:
        yield Learnt({"imap.banner": banner})
    if condition != b"OK":
        return
    capabilities = parse_capabilities((yield Send(_CAPABILITY, answer(b"a1 "))))
    if capabilities:
        yield Learnt({"imap.capabilities": capabilities})
    if "AUTH=NTLM" in map(str.upper, capabilities):
        yield from sasl.challenge(_NTLM, answer(b"a2 "), b"+")


def parse_greeting(said: bytes) -> tuple[bytes, str]:
    """The condition of a greeting, in capitals, and its text ([RFC 3501] 7.1).

    Raises:
        ProtocolError: it is none.
    """
    greeted = _GREETING.fullmatch(said)
    if greeted is None:
        raise ProtocolError("not an IMAP greeting")
    return greeted[1].upper(), lines.text(greeted[2] or b"")


def parse_capabilities(said: bytes) -> tuple[str, ...]:
    """[RFC 3501] 7.2.1: one untagged line of words."""
    listed = (line.split()[2:] for line in said.splitlines() if line.upper().startswith(b"* CAPABILITY "))
    return replies.texts(word for words in listed for word in words)


PROBE: Final = Probe(
    "imap",
    Transport.TCP,
    (143, SECURE),
    ("imap.banner", "imap.capabilities", *ntlm.KEYS),
    converse,
    rank=62,
    exchanges=3 + sasl.EXCHANGES,
    hears=sasl.HEARS,
    size=len(_CAPABILITY + _NTLM) + sasl.SIZE,
    logs=(
        "That somebody connected and left without a logon; where NTLM is offered, one logon that was "
        "cancelled, without a name (Dovecot: a line of imap-login; Exchange: the protocol log, "
        "Set-ImapSettings -ProtocolLogEnabled)."
    ),
    trouble=sasl.TROUBLE,
)
