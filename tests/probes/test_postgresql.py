"""PostgreSQL: with TLS, without, with a TLS that nobody speaks any more, and other protocols on the port."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from scanner.errors import LimitError, PeerClosedError, ProtocolError
from scanner.probes import postgresql
from scanner.probes.postgresql import PROBE
from tests.probes.told import Told

if TYPE_CHECKING:
    from tests.probes.conversation import Answer, Heard

SECURED = b"\x03\x04" + bytes.fromhex(
    "3082019330820139a0030201020214767640b530f4740e5abfdaff6804652f22eadf9a300a06082a8648ce3d040302"
    "301f311d301b06035504030c14706163732d64622e776172642e6578616d706c65301e170d3236313132363131343331"
    "355a170d3336313132333131343331355a301f311d301b06035504030c14706163732d64622e776172642e6578616d70"
    "6c653059301306072a8648ce3d020106082a8648ce3d030107034200046532c899d25cb957dfd360ebb045e62575e137"
    "bede6a90fd8d155716aa795093a844e0fd7793eb81e4dced55027c55e320e4f052995928927f3cb6fabf2192e3a35330"
    "51301d0603551d0e041604142957ecd5ea431d01575f921645b2f2fdacdd37d7301f0603551d230418301680142957ec"
    "d5ea431d01575f921645b2f2fdacdd37d7300f0603551d130101ff040530030101ff300a06082a8648ce3d0403020348"
    "00304502206f43cb393e894c286fb63579d37527783f7d2cabb1daea8873b0d680e95f4f97022100f52b223b8edd919b"
    "3fbefedf62d62fa0282848fc4c710ee858719190b2572fa3"
)
CERTIFICATE = {
    "tls.subject": "CN=pacs-db.ward.example",
    "tls.issuer": "CN=pacs-db.ward.example",
    "tls.not_before": "2026-11-26T11:43:15Z",
    "tls.not_after": "2036-11-23T11:43:15Z",
    "tls.key": "EC P-256",
    "tls.signature": "ECDSA with SHA-256",
    "tls.certificate": hashlib.sha256(SECURED[2:]).hexdigest(),
}
RECORDED = "recorded from Debian's PostgreSQL 15.18"

CONVERSATIONS = (
    Told(
        "with TLS",
        PROBE,
        [[b"S", SECURED]],
        {"postgresql.ssl": "yes", "postgresql.tls": ("TLS 1.3",), **CERTIFICATE},
        RECORDED,
    ),
    Told("without TLS", PROBE, [[b"N"]], {"postgresql.ssl": "no"}, RECORDED),
    Told(
        "with TLS that cannot be agreed to",
        PROBE,
        [[b"S", ProtocolError("TLS")]],
        {"postgresql.ssl": "yes"},
        "[PG] SSL Session Encryption",
        error=ProtocolError,
    ),
)


def hold(*answers: Answer) -> Heard:
    return Told("made here", PROBE, [answers], {}, "made here").hold()


def test_no_certificate_is_kept() -> None:
    assert PROBE.redact(tuple(hold(b"S", SECURED).raw)) == (b"S", b"\x03\x04")


def test_the_request_is_the_documented_one_and_names_no_user() -> None:
    assert hold(b"N").said == [bytes.fromhex("00 00 00 08 04 d2 16 2f")]
    assert int.from_bytes(postgresql.SSL_REQUEST[4:], "big") == 80877103


@pytest.mark.parametrize(
    "said",
    [b"SSH-2.0-OpenSSH_9.2\r\n", b"NOTICE\r\n", b"HTTP/1.1 400\r\n", b"E\0\0\0\x10", b"\x64\0\0\0\x0a"],
    ids=["SSH", "words", "HTTP", "an error", "MySQL"],
)
def test_what_is_no_answer_is_refused(said: bytes) -> None:
    with pytest.raises(ProtocolError):
        postgresql.answer(said)
    assert hold(said).evidence == {}


@pytest.mark.parametrize("failure", [LimitError(), PeerClosedError()])
def test_silence_is_told_as_such(failure: LimitError | PeerClosedError) -> None:
    assert hold(failure).error is failure
