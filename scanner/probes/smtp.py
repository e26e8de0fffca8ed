"""The SMTP probe: greeting, extensions, the NTLM challenge where it is offered ([RFC 5321])."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.errors import PeerClosedError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Send, lines, ntlm, replies, sasl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner.probes import Conversation, Peer

_GREETINGS: Final = (b"220", b"421", b"554")
"""Ready, not available, and no SMTP service here ([RFC 5321] 3.1 and 4.2.3)."""
_HELLO: Final = b"EHLO vetuste.invalid\r\n"
"""[RFC 5321] 4.1.1.1 wants a name: this one says who it is, and is nobody's ([RFC 2606] section 2)."""
_NTLM: Final = b"AUTH NTLM\r\n"
_BYE: Final = b"QUIT\r\n"
_UNTIL: Final = lines.reply(sasl.LONGEST)


def converse(_peer: Peer) -> Conversation:
    """The server speaks first; [RFC 5321] 4.1.1.10 wants to be left with QUIT, and its answer awaited."""
    answer = yield Send(b"", _UNTIL)
    if said := replies.greeting(answer, *_GREETINGS):
        yield Learnt({"smtp.banner": said})
    if answer.startswith(b"220"):
        answer = yield Send(_HELLO, _UNTIL)
        if answer.startswith(b"250"):
            _, *extensions = replies.greeting(answer, b"250") or ("",)
            if extensions:
                yield Learnt({"smtp.extensions": tuple(extensions)})
            if offers_ntlm(extensions):
                yield from sasl.challenge(_NTLM, _UNTIL, b"334")
    try:
        yield Send(_BYE, _UNTIL)
    except PeerClosedError:
        return  # it hangs up without a word


def offers_ntlm(extensions: Iterable[str]) -> bool:
    """Whether NTLM is among the mechanisms ([RFC 4954] section 3; servers before it wrote ``AUTH=``)."""
    words = (extension.upper().replace("=", " ").split() for extension in extensions)
    return any(each[:1] == ["AUTH"] and "NTLM" in each for each in words)


PROBE: Final = Probe(
    "smtp",
    Transport.TCP,
    (25, 587),
    ("smtp.banner", "smtp.extensions", *ntlm.KEYS),
    converse,
    rank=60,
    exchanges=3 + sasl.EXCHANGES,
    size=len(_HELLO + _NTLM + _BYE) + sasl.SIZE,
    logs=(
        "That somebody connected and left: a line in the mail log with the name vetuste.invalid; where NTLM "
        "is offered, one logon that was cancelled, without a name (Exchange: protocol log of the receive "
        "connector, set with ProtocolLoggingLevel)."
    ),
    trouble=sasl.TROUBLE,
)
