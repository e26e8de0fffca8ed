from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import LimitError, PeerClosedError, ProbeError, ProtocolError
from scanner.model import Endpoint
from scanner.probes import credssp, ntlm, tls_hello, x509
from scanner.probes.rdp import PROBE, REQUEST, WITHOUT_NLA, confirm_framing, parse_confirm, redact
from tests.probes import made, made_tls
from tests.probes.conversation import Answer, Heard, Replay
from tests.probes.tls_hosts import recorded
from tests.probes.told import Told

XP = bytes.fromhex("0300000b06d00000123400")
"""suricata-verify, tests/rdp-protocol/RDP-003, frame 6."""


def confirm(kind: int, flags: int, value: int, source: str = "1234") -> bytes:
    """A connection confirm with a negotiation."""
    return bytes.fromhex(f"030000130ed00000{source}00{kind:02x}{flags:02x}0800") + value.to_bytes(4, "little")


TLS = confirm(2, 0, 1)
HYBRID = confirm(2, 0x1, 2)
HYBRID_EX = confirm(2, 0x1F, 8)
INSISTS = confirm(3, 0, 5)

DER = made_tls.certificate()
FLIGHT = made_tls.record(made_tls.server_hello() + made_tls.certificates(DER) + made_tls.message(14, b""))
CERTIFICATE = x509.facts(DER)
READ = {**CERTIFICATE, "rdp.tls": ("TLS 1.0",), "tls.cipher": "TLS_RSA_WITH_RC4_128_SHA"}


def ts_request(token: bytes, version: int = 6) -> bytes:
    """[MS-CSSP] 2.2.1, with one token."""
    element = made_tls.element
    tokens = element(0xA1, element(0x30, element(0x30, element(0xA0, element(4, token)))))
    return element(0x30, element(0xA0, element(2, bytes([version]))), tokens if token else b"")


def spnego(token: bytes) -> bytes:
    """[RFC 4178] 4.2.2: accept-incomplete, NTLM, its token."""
    element = made_tls.element
    fields = (
        element(0xA0, b"\x0a\1\1"),
        element(0xA1, element(6, bytes.fromhex("2b06010401823702020a"))),
        element(0xA2, element(4, token)),
    )
    return element(0xA1, element(0x30, *fields))


CHALLENGE = made.challenge(version=bytes.fromhex("0a00ee420000000f"))
NTLM = ntlm.facts(CHALLENGE)


def told(answer: bytes, negotiation: str, nla: str = "", *flags: str) -> dict[str, Any]:
    """What a connection confirm tells."""
    said = {"rdp.confirm": answer.hex(), "rdp.negotiation": negotiation, "rdp.flags": flags, "rdp.nla": nla}
    return {key: value for key, value in said.items() if value}


EX_FLAGS = ("extended-client-data", "graphics", "restricted-admin", "remote-guard")

CONVERSATIONS = (
    *recorded(PROBE),
    Told("Windows XP", PROBE, [[XP]], told(XP, "none", "no"), "suricata-verify RDP-003, frame 6"),
    Told(
        "Windows Server 2003 SP1",
        PROBE,
        [[TLS, FLIGHT]],
        {**told(TLS, "tls", "no"), **READ},
        "[MS-RDPBCGR] 2.2.1.2.1, [RFC 2246] 7.4",
    ),
    Told(
        "Windows 10 that insists on NLA",
        PROBE,
        [[HYBRID_EX, b"\3\3" + DER, ts_request(CHALLENGE)], [INSISTS]],
        {
            **told(HYBRID_EX, "hybrid-ex", "required", *EX_FLAGS),
            **CERTIFICATE,
            **NTLM,
            "rdp.tls": ("TLS 1.2",),
            "rdp.credssp": "6",
        },
        "[MS-RDPBCGR] 2.2.1.2, [MS-CSSP] 2.2.1",
    ),
    Told(
        "Windows 7 that would do without NLA, with SPNEGO",
        PROBE,
        [[HYBRID, b"\3\1" + DER, ts_request(spnego(CHALLENGE), 2)], [TLS]],
        {
            **told(HYBRID, "hybrid", "optional", "extended-client-data"),
            **CERTIFICATE,
            **NTLM,
            "rdp.tls": ("TLS 1.0",),
            "rdp.credssp": "2",
        },
        "[MS-RDPBCGR] 2.2.1.2, [MS-CSSP] 2.2.1, [RFC 4178] 4.2.2",
    ),
    Told(
        "a TLS that this machine no longer speaks",
        PROBE,
        [[HYBRID, ProtocolError()], [HYBRID, FLIGHT]],
        {**told(HYBRID, "hybrid", "supported", "extended-client-data"), **READ},
        "[MS-RDPBCGR] 2.2.1.2, [RFC 2246] 7.4",
    ),
    Told(
        "TLS is not allowed",
        PROBE,
        [[confirm(3, 0, 2)]],
        told(confirm(3, 0, 2), "failure 2", "no"),
        "[MS-RDPBCGR] 2.2.1.2.2",
    ),
)


def hold(*connections: list[Answer] | ProbeError) -> Heard:
    return Replay(connections).hold(PROBE, Endpoint("192.0.2.1", 3389))


# --- what is said


def test_the_requests_are_what_the_document_shows() -> None:
    assert REQUEST.hex() == "030000130ee000000000000100" + "08000b000000"
    assert WITHOUT_NLA.hex() == "030000130ee000000000000100" + "080001000000"


def test_credssp_brings_ntlms_first_message_and_never_another() -> None:
    version, token = credssp.parse(credssp.REQUEST)
    assert (version, token) == ("6", ntlm.NEGOTIATE)
    for conversation in CONVERSATIONS:
        assert not [said for said in conversation.hold().said if b"NTLMSSP\0\3" in said]


def test_no_user_is_named() -> None:
    assert b"mstshash" not in REQUEST + WITHOUT_NLA


# --- what is heard


@pytest.mark.parametrize(
    ("answer", "negotiation", "nla"),
    [
        (XP, "none", "no"),
        (bytes.fromhex("0300000b06d00000000000"), "none", "no"),
        (bytes.fromhex("0300000b06d00000341200"), "none", "no"),
        (confirm(2, 0, 0), "rdp", "no"),
        (confirm(2, 0, 4), "rdstls", ""),
        (confirm(2, 0, 16), "rdsaad", ""),
        (confirm(2, 0, 64), "protocol 0x40", ""),
        (confirm(3, 0, 1), "failure 1", ""),
        (confirm(3, 0, 3), "failure 3", "no"),
        (confirm(3, 0, 4), "failure 4", ""),
        (confirm(3, 0, 5), "failure 5", "required"),
        (confirm(3, 0, 6), "failure 6", "required"),
        (confirm(3, 0xFF, 99), "failure 99", ""),
    ],
)
def test_a_confirm_that_agrees_to_no_tls_is_all(answer: bytes, negotiation: str, nla: str) -> None:
    heard = hold([answer])
    assert heard.error is None
    assert heard.evidence == told(answer, negotiation, nla)
    assert (heard.connections, heard.exchanges) == (1, 1)


@pytest.mark.parametrize(
    ("second", "nla"),
    [
        ([INSISTS], "required"),
        ([confirm(3, 0, 6)], "required"),
        ([TLS], "optional"),
        ([HYBRID], "supported"),
        ([XP], "supported"),
        ([b"\3\0\0\x13"], "supported"),
        ([LimitError()], "supported"),
        (LimitError(), "supported"),
        (PeerClosedError(), "supported"),
    ],
)
def test_a_second_connection_asks_whether_it_insists(second: list[Answer] | ProbeError, nla: str) -> None:
    heard = hold([HYBRID, b"\3\4" + DER, ts_request(CHALLENGE)], second)
    assert heard.error is None
    assert heard.evidence["rdp.nla"] == nla
    assert heard.evidence["ntlm.version"] == "10.0.17134"


@pytest.mark.parametrize(
    "answer",
    [
        PeerClosedError(),
        ts_request(b""),
        made_tls.element(0x30, made_tls.element(0xA4, b"\2\4\xc0\0\0\x6d")),
        ts_request(b"NTLMSSP\0\2\0\0\0 cut"),
        ts_request(b"\x60\3kerberos"),
        b"\x30\x02\xa0\x00",
        b"HTTP",
    ],
)
def test_where_ntlm_tells_nothing_the_rest_is_asked(answer: Answer) -> None:
    heard = hold([HYBRID, b"\3\4" + DER, answer], [INSISTS])
    assert heard.error is None
    assert not [key for key in heard.evidence if key.startswith("ntlm.")]
    assert heard.evidence["rdp.nla"] == "required"
    assert heard.evidence["tls.subject"] == "CN=SRV2003"


@pytest.mark.parametrize("version", [0x00, 0x01, 0x80, 0xFF])
def test_a_version_of_credssp_that_can_be_none_is_not_told(version: int) -> None:
    heard = hold([HYBRID, b"\3\4", ts_request(CHALLENGE, version)], [INSISTS])
    assert "rdp.credssp" not in heard.evidence
    assert heard.evidence["ntlm.version"] == "10.0.17134"


def test_a_number_of_a_thousand_digits_is_no_version() -> None:
    number = made_tls.element(0xA0, made_tls.element(2, b"\x7f" * 4000))
    assert credssp.parse(made_tls.element(0x30, number)) == ("", b"")


@pytest.mark.parametrize(
    "connections",
    [
        ([HYBRID, LimitError()],),
        ([HYBRID, b"\3\4" + DER, LimitError()],),
        ([HYBRID, ProtocolError()], LimitError()),
        ([HYBRID, PeerClosedError()], PeerClosedError()),
        ([HYBRID, PeerClosedError()], [XP]),
        ([HYBRID, PeerClosedError()], [HYBRID, made_tls.alert(40)]),
    ],
)
def test_that_it_speaks_nla_stands_whatever_follows(
    connections: tuple[list[Answer] | ProbeError, ...],
) -> None:
    heard = hold(*connections)
    assert heard.error is not None
    assert heard.evidence["rdp.nla"] == "supported"


def test_a_tls_that_is_refused_is_asked_for_again_in_the_words_of_old_clients() -> None:
    heard = hold([TLS, PeerClosedError()], [TLS, FLIGHT])
    assert heard.said == [REQUEST, tls_hello.HELLO, REQUEST, tls_hello.OLD_HELLO]
    assert heard.evidence == {**told(TLS, "tls", "no"), **READ}


def test_a_server_that_fails_after_it_agreed_to_tls() -> None:
    """xrdp 0.9.21 whose certificate its own OpenSSL does not like: an ultimatum of T.125, and the end."""
    heard = hold([TLS, bytes.fromhex("0300000902f0802180")])
    assert isinstance(heard.error, ProtocolError)
    assert heard.evidence == told(TLS, "tls", "no")


@pytest.mark.parametrize(
    "noise",
    [b"H", b"\3\1", b"\3\0\0\x0a", b"\3\0\1\x00", b"\x16\3\1\0\2", b"SSH-2.0-x\r\n", b"\0\0\0\x0b"],
)
def test_noise_is_not_waited_for(noise: bytes) -> None:
    with pytest.raises(ProtocolError):
        confirm_framing(noise)


@pytest.mark.parametrize(
    "answer",
    [
        "0300000b06800000123400",  # a disconnect request
        "0300000b02f08021800000",
        "0300000c07d0000012340002",
        "030000130ed00000123400010008000b000000",  # a negotiation request
        "0300001611d00000000000c0010ac1020100c2020102",  # S7 over TSAP
    ],
)
def test_other_answers_in_a_tpkt_are_foreign(answer: str) -> None:
    heard = hold([bytes.fromhex(answer)])
    assert isinstance(heard.error, ProtocolError)
    assert heard.evidence == {}


@given(st.binary(max_size=80))
def test_any_confirm_is_read_or_refused(raw: bytes) -> None:
    try:
        read = parse_confirm(raw)
    except ProtocolError:
        return
    assert read.negotiation.isprintable()


# --- what is kept


def test_neither_a_certificate_nor_a_challenge_is_kept() -> None:
    request = ts_request(CHALLENGE)
    kept = redact((HYBRID, b"\3\4" + DER, request, FLIGHT, INSISTS, b"\x30\3abc", b"?"))
    assert kept[0] == HYBRID
    assert kept[1] == b"\3\4"
    assert credssp.parse(kept[2])[1] == CHALLENGE[:24] + bytes(8) + CHALLENGE[32:]
    assert kept[3] == FLIGHT[: 5 + len(made_tls.server_hello())]
    assert kept[4:] == (INSISTS, b"", b"")
