"""The WinRM probe: Windows Remote Management, as far as it answers who does not log on ([MS-WSMV]).

Two requests: Identify without authentication ([DMTF DSP0226] section 11, [MS-WSMV] 3.1.4.1.23), and the first
message of NTLM ([MS-WSMV] 3.1.4.1.29.2), for its challenge. The third message is in no part of this product.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.model import Transport
from scanner.probes import Probe, http1, lines, ntlm, x509
from scanner.probes.http import Course
from scanner.probes.http_redaction import redact

if TYPE_CHECKING:
    from scanner.probes import Conversation, Peer

_SECURE: Final = 5986
_WHERE: Final = "POST /wsman"
_SOAP: Final = "Content-Type: application/soap+xml;charset=UTF-8"
_UNAUTHENTICATED: Final = "WSMANIDENTIFY: unauthenticated"
_IDENTIFY: Final = (
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    b'xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    b"<s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>"
)
_FIELD: Final = re.compile(rb"<(?:[A-Za-z0-9]{1,16}:)?Product(Vendor|Version)>([^<]{1,256})</")


def parse_identity(body: bytes) -> str:
    """Vendor and version in an answer to Identify ([DMTF DSP0226] section 11); nothing where there are none.

    Windows says ``OS: 0.0.0 SP: 0.0 Stack: 3.0`` to who did not log on, its true version to who did.
    """
    fields = dict(_FIELD.findall(body))
    said = b" ".join(fields[kind] for kind in (b"Vendor", b"Version") if kind in fields)
    return lines.text(b" ".join(said.split()))


def converse(peer: Peer) -> Conversation:
    """The conversation with one service; a web server of another kind is asked once."""
    course = Course(peer, secure=peer.service == _SECURE)
    answer = yield from course.ask(_WHERE, _SOAP, _UNAUTHENTICATED, body=_IDENTIFY)
    if not answer:
        return
    yield from course.learn({"http.server": lines.text(answer.value("server"))})
    body, _ = yield from course.body(answer)
    identity = parse_identity(body)
    yield from course.learn({"winrm.product": identity})
    if offered := http1.offer(answer) or (identity and http1.NEGOTIATE):
        refusal = yield from course.ask(_WHERE, _SOAP, f"Authorization: {offered}")
        yield from course.learn(http1.challenge(refusal) if refusal else {})


PROBE: Final = Probe(
    "winrm",
    Transport.TCP,
    (5985, _SECURE),
    ("winrm.product", "http.server", "tls.version", *x509.KEYS, *ntlm.KEYS),
    converse,
    rank=54,
    exchanges=6,
    connections=2,
    size=2048,
    logs=(
        "Usually nothing: nobody is logged on, and what is asked first is answered to everybody. What "
        "HTTP.sys refuses by itself stands in its error log (HTTPERR); Microsoft-Windows-WinRM/Operational "
        "may say that an unauthenticated request was refused."
    ),
    trouble="None is known; the service answers its own tools in the same way (winrm identify -auth:none).",
    redact=redact,
)
