"""CredSSP ([MS-CSSP]) up to the challenge of NTLM: what a remote desktop tells before anyone logs on."""

from __future__ import annotations

from typing import Final

from scanner.probes import ntlm
from scanner.probes.der import INTEGER, OCTETS, SEQUENCE, element, enter, integer, next_element, number
from scanner.wire import Reader

_VERSION: Final = 0xA0
_TOKENS: Final = 0xA1
_TOKEN: Final = 0xA0
_NEWEST: Final = 6
_VERSIONS: Final = range(2, 1 << 8)
"""[MS-CSSP] 2.2.1: from 2 on; there will be others."""
_WHAT: Final = "CredSSP"

REQUEST: Final = element(
    SEQUENCE,
    element(_VERSION, integer(_NEWEST)),
    element(_TOKENS, element(SEQUENCE, element(SEQUENCE, element(_TOKEN, element(OCTETS, ntlm.NEGOTIATE))))),
)
"""[MS-CSSP] 2.2.1. NTLM goes bare, as common clients send it where Kerberos is out of the question: Windows
takes it with SPNEGO around it and without, FreeRDP's servers before 3.0 only so."""


def parse(answer: bytes) -> tuple[str, bytes]:
    """The version, empty where it can be none, and the token, empty where there is none ([MS-CSSP] 2.2.1).

    Raises:
        ProtocolError: it is something else.
    """
    fields = enter(Reader(answer), SEQUENCE, _WHAT)
    version, token = "", b""
    while fields.remaining:
        tag, content = next_element(fields)
        if tag == _VERSION:
            told = number(enter(content, INTEGER, _WHAT))
            version = str(told) if told in _VERSIONS else ""
        elif tag == _TOKENS:
            first = enter(enter(content, SEQUENCE, _WHAT), SEQUENCE, _WHAT)
            token = enter(enter(first, _TOKEN, _WHAT), OCTETS, _WHAT).rest()
    return version, token
