"""The VNC probe: RFB's version, and the security it wants ([RFC 6143] 7.1.1, 7.1.2); nothing is chosen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Send, replies
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner.probes import Conversation, Peer

_VERSION: Final = re.compile(rb"RFB (\d{3})\.(\d{3})\n")
VERSION_LINE: Final = replies.opening(b"RFB ", longest=11)
LISTS_FROM: Final = (3, 7)
"""From this version on, a server lists what it would take."""
_NEWEST: Final = (3, 8)
_OLD: Final = (3, 3)
_WORD: Final = 4
_SECURITY: Final = {1: "none", 2: "vnc", 16: "tight", 17: "ultra", 18: "tls", 19: "vencrypt", 30: "apple"}
"""[RFC 6143] 8.1.2; the others by their numbers."""


def security_list(received: bytes) -> int | None:
    """The framing of the answer from 3.7 on: a count and that many bytes."""
    end = 1 + received[0] if received else 1
    return end if len(received) >= end else None


def security_word(received: bytes) -> int | None:
    """The framing of the answer of 3.3: four bytes."""
    return _WORD if len(received) >= _WORD else None


def converse(_peer: Peer) -> Conversation:
    """The server speaks first. It awaits a choice in the end; none is made, so nobody is let in.

    Versions that nobody published count as the one below ([RFC 6143] 7.1.1): Apple says 3.889, RealVNC 5.0. A
    server that refuses an address greets it in 3.3, whatever it speaks: until it goes on, that says nothing.
    """
    theirs = parse_version((yield Send(b"", VERSION_LINE)))
    learnt: dict[str, str | tuple[str, ...]] = {"vnc.version": f"{theirs[0]}.{theirs[1]}"}
    if theirs >= LISTS_FROM:
        yield Learnt(learnt)
        learnt = {}
        kinds: Iterable[int] = (yield Send(b"RFB %03d.%03d\n" % min(theirs, _NEWEST), security_list))[1:]
    else:
        kinds = [Reader((yield Send(b"RFB %03d.%03d\n" % _OLD, security_word))).u32be()]
    if security := parse_security(kinds):
        yield Learnt({**learnt, "vnc.security": security})


def parse_version(said: bytes) -> tuple[int, int]:
    """The version in the first message of either end ([RFC 6143] 7.1.1).

    Raises:
        ProtocolError: it is none.
    """
    greeted = _VERSION.fullmatch(said)
    if greeted is None:
        raise ProtocolError("not an RFB version")
    return int(greeted[1]), int(greeted[2])


def parse_security(kinds: Iterable[int]) -> tuple[str, ...]:
    """The security types; none where the server refuses.

    Raises:
        ProtocolError: one is no type: they are bytes from 3.7 on, and the same in 3.3.
    """
    found = dict.fromkeys(kinds)
    if max(found, default=0) > 0xFF:  # noqa: PLR2004 - a byte
        raise ProtocolError("not a security type")
    return tuple(_SECURITY.get(kind, str(kind)) for kind in found if kind)


PROBE: Final = Probe(
    "vnc",
    Transport.TCP,
    (5900, 5901),
    ("vnc.version", "vnc.security"),
    converse,
    rank=66,
    exchanges=2,
    size=12,
    logs=(
        "That somebody connected and left before choosing how to log on: TigerVNC and x11vnc write a line to "
        "their log, RealVNC to the system's log or the Windows event log, UltraVNC to mslogon.log."
    ),
    trouble=(
        "TigerVNC and RealVNC refuse an address for ten seconds, then longer, after five connections that "
        "did not log on (BlacklistThreshold and BlacklistTimeout, Xvnc(1)): the scanner's address, and "
        "nobody else's. A viewer that is connected is not disturbed."
    ),
)
