"""The WinRM probe, after its specification: no recording of a service that answers strangers is public."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from impacket import ntlm as other  # type: ignore[import-untyped]  # it has no stubs
from impacket.spnego import SPNEGO_NegTokenInit  # type: ignore[import-untyped]  # the same

from scanner.errors import PeerClosedError, ProtocolError
from scanner.model import Endpoint
from scanner.probes import winrm
from tests.probes.conversation import Replay
from tests.probes.made import challenge
from tests.probes.test_http import NAMES
from tests.probes.told import Told
from tests.probes.web import answer, head, negotiation

if TYPE_CHECKING:
    from tests.probes.conversation import Answer

SERVER = ("Server: Microsoft-HTTPAPI/2.0", "Date: Thu, 26 Nov 2026 11:00:00 GMT")
SOAP = "Content-Type: application/soap+xml;charset=UTF-8"
IDENTITY = (
    b'<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>'
    b'<wsmid:IdentifyResponse xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    b"<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion>"
    b"<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
    b"<wsmid:ProductVersion>OS: 0.0.0 SP: 0.0 Stack: 2.0</wsmid:ProductVersion>"
    b"</wsmid:IdentifyResponse></s:Body></s:Envelope>"
)
SEVEN = challenge(version=bytes.fromhex("0601b11d0000000f"))
REFUSED = answer(b"", "401 ", *SERVER, f"WWW-Authenticate: {negotiation(SEVEN)}", "Content-Length: 0")
FOUND = {
    "http.server": "Microsoft-HTTPAPI/2.0",
    **NAMES,
    "ntlm.challenge": "versioned",
    "ntlm.version": "6.1.7601",
}

CONVERSATIONS = (
    Told(
        "Windows 7, which says what stack it has",
        winrm.PROBE,
        [[*answer(IDENTITY, "200 ", *SERVER, SOAP), *REFUSED]],
        {"winrm.product": "Microsoft Corporation OS: 0.0.0 SP: 0.0 Stack: 2.0", **FOUND},
        "built from [DMTF DSP0226] section 11 and [MS-WSMV] 3.1.4.1.23",
    ),
    Told(
        "Windows over TLS, which refuses strangers and closes",
        winrm.PROBE,
        [
            [
                b"\x03\x03",
                *answer(b"", "401 ", *SERVER, "WWW-Authenticate: Negotiate", "Content-Length: 0"),
            ],
            [b"\x03\x03", *REFUSED],
        ],
        {**FOUND, "tls.version": ("TLS 1.2",)},
        "built from [MS-WSMV] 3.1.4.1.29.2",
        service=5986,
    ),
    Told(
        "another web server",
        winrm.PROBE,
        [[*answer(b"<h1>Not Found</h1>", "404 Not Found", "Server: nginx")]],
        {"http.server": "nginx"},
        "built from [RFC 9110] 15.5.5",
    ),
)


def said(conversation: Told) -> list[bytes]:
    return conversation.hold().said


def test_identify_is_well_formed_and_needs_nobody() -> None:
    block, _, body = said(CONVERSATIONS[0])[0].partition(b"\r\n\r\n")
    assert block.startswith(b"POST /wsman HTTP/1.1\r\n")
    assert b"\r\nWSMANIDENTIFY: unauthenticated\r\n" in block
    assert block.endswith(f"\r\nContent-Length: {len(body)}".encode())
    asked = ET.fromstring(body).find("*/{*}Identify")  # noqa: S314 - our own words
    assert asked is not None
    assert asked.tag == "{http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd}Identify"
    assert b"Authorization" not in block


def test_the_first_message_of_ntlm_names_nobody() -> None:
    block, _, body = said(CONVERSATIONS[0])[1].partition(b"\r\n\r\n")
    assert not body
    assert b"\r\nContent-Length: 0" in block
    offer: Any = SPNEGO_NegTokenInit(b64decode(block.partition(b"Negotiate ")[2].partition(b"\r")[0]))
    token = other.NTLMAuthNegotiate()
    token.fromString(offer["MechToken"])
    assert token["message_type"] == 1
    assert token["host_name"] == token["domain_name"] == b"", "nobody is named"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (IDENTITY, "Microsoft Corporation OS: 0.0.0 SP: 0.0 Stack: 2.0"),
        (b"<ProductVendor>\n A\n B </ProductVendor>", "A B"),
        (b"<x:ProductVersion>1</x:ProductVersion><x:ProductVendor>A</x:ProductVendor>", "A 1"),
        (b"<ProductVersion></ProductVersion>", ""),
        (b"<ProductVendor>" + b" " * 60000, ""),
        (b"", ""),
    ],
)
def test_identities(body: bytes, told: str) -> None:
    assert winrm.parse_identity(body) == told


def test_a_service_that_hangs_up_is_asked_no_more() -> None:
    heard = Replay([[*answer(b"", "405 ", *SERVER)]]).hold(winrm.PROBE, Endpoint("192.0.2.1", 5985))
    assert heard.error is None
    assert len(heard.said) == 1
    heard = Replay([[]]).hold(winrm.PROBE, Endpoint("192.0.2.1", 5985))
    assert isinstance(heard.error, PeerClosedError)


def test_another_protocol_on_the_port() -> None:
    heard = Replay([[b"\x15\x03\x01\0\2\2\x28"]]).hold(winrm.PROBE, Endpoint("192.0.2.1", 5985))
    assert isinstance(heard.error, ProtocolError)
    assert not heard.evidence


def test_the_most_that_it_may_cost() -> None:
    first: list[Answer] = [
        b"\3\3",
        head("200 ", f"Content-Length: {len(IDENTITY)}"),
        IDENTITY,
        PeerClosedError(),
    ]
    heard = Replay([first, [b"\3\3", *REFUSED]]).hold(winrm.PROBE, Endpoint("192.0.2.1", 5986))
    assert heard.exchanges == winrm.PROBE.exchanges
    assert heard.connections == winrm.PROBE.connections
    assert heard.evidence["ntlm.version"] == "6.1.7601"
