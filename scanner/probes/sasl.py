"""NTLM in protocols of text lines: asked for, challenged, cancelled; nobody logs on.

SMTP ([MS-SMTPNTLM] 2.2.1), IMAP ([MS-OXIMAP4] 2.2.1) and POP3 ([MS-POP3] 2.2.1) carry the same three messages
in base64, a line each. In the place of the third, which would log on, an asterisk cancels ([RFC 4954] 4).
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Final

from scanner.errors import PeerClosedError, ProtocolError
from scanner.probes import Learnt, Send, ntlm

if TYPE_CHECKING:
    from scanner.probes import Conversation, Framing

LONGEST: Final = 4096
"""Bytes of a line with a token in it; [RFC 4954] section 4 allows three times that, NTLM needs a quarter."""
HEARS: Final = 1 << 14
"""Bytes of a TLS handshake with a certificate and those above it, where a protocol has that."""
EXCHANGES: Final = 3
NEGOTIATE: Final = binascii.b2a_base64(ntlm.NEGOTIATE, newline=False) + b"\r\n"
CANCEL: Final = b"*\r\n"
SIZE: Final = len(NEGOTIATE) + len(CANCEL)
"""Bytes that are sent, without the command that begins it."""
TROUBLE: Final = (
    "None is known. Where fail2ban counts cancelled logons, several scans within minutes may block the "
    "scanner's address, and nobody else's."
)


def challenge(start: bytes, until: Framing, goes_on: bytes) -> Conversation:
    """Ask for NTLM, learn what the challenge says, cancel.

    Args:
        start: the command that chooses the mechanism.
        until: the framing of an answer.
        goes_on: how an answer begins that wants more; any other refuses.
    """
    answer = yield Send(start, until)
    if not answer.startswith(goes_on):
        return
    answer = yield Send(NEGOTIATE, until)
    if not answer.startswith(goes_on):
        return
    yield Learnt(ntlm.facts(decoded(answer.removeprefix(goes_on))))
    try:
        yield Send(CANCEL, until)
    except PeerClosedError:
        return  # it told what was asked for; some hang up on who gives up


def decoded(line: bytes) -> bytes:
    """The token in a line, in base64.

    Raises:
        ProtocolError: it is something else.
    """
    try:
        return binascii.a2b_base64(line.strip(), strict_mode=True)
    except binascii.Error as error:
        raise ProtocolError(f"not base64: {error}") from None
