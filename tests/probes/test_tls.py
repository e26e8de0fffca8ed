from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import LimitError, PeerClosedError, ProbeError, ProtocolError
from scanner.model import Endpoint
from scanner.probes import tls_hello, x509
from scanner.probes.tls import PROBE, redact
from tests.probes import made_tls as made
from tests.probes.conversation import Answer, Heard, Replay
from tests.probes.tls_hosts import HOSTS, recorded
from tests.probes.told import Told

DER = made.certificate()
OLD = {**x509.facts(DER), "tls.version": ("TLS 1.0",), "tls.cipher": "TLS_RSA_WITH_RC4_128_SHA"}
HELLO = made.server_hello()
DONE = made.message(14, b"")
AT_ONCE = made.record(HELLO + made.certificates(DER) + DONE)
"""One record with everything, as Schannel sends it."""
IN_PIECES = b"".join(
    made.record(made.certificates(DER)[start : start + 50]) for start in range(0, len(DER) + 10, 50)
)
SSL3 = made.record(made.server_hello(0x0300, 0x0004) + made.certificates(DER) + DONE, 0x0300)

CONVERSATIONS = (
    *recorded(PROBE),
    Told("an IIS before TLS 1.2", PROBE, [[AT_ONCE]], OLD, "[RFC 2246] 6.2.1, 7.4"),
    Told("messages in pieces", PROBE, [[made.record(HELLO), IN_PIECES]], OLD, "[RFC 2246] 6.2.1"),
    Told(
        "it hangs up at what it does not know",
        PROBE,
        [[PeerClosedError()], [SSL3]],
        {**OLD, "tls.version": ("SSL 3.0",), "tls.cipher": "TLS_RSA_WITH_RC4_128_MD5"},
        "[RFC 6101] 5.2.1, 5.6",
    ),
    Told("it refuses what it does not know", PROBE, [[made.alert(47)], [AT_ONCE]], OLD, "[RFC 2246] 7.2"),
    Told("it warns", PROBE, [[made.alert(112, level=1) + AT_ONCE]], OLD, "[RFC 6066] section 3"),
    Told(
        "it refuses twice",
        PROBE,
        [[made.alert(40)], [made.alert(40)]],
        {},
        "[RFC 2246] 7.2",
        error=ProtocolError,
    ),
    Told(
        "it hangs up before its certificate",
        PROBE,
        [[made.record(HELLO)]],
        {"tls.version": ("TLS 1.0",), "tls.cipher": "TLS_RSA_WITH_RC4_128_SHA"},
        "[RFC 2246] 7.4",
        error=PeerClosedError,
    ),
    Told(
        "a web server without TLS",
        PROBE,
        [[b"HTTP/1.1 400 Bad Request\r\n\r\n"]],
        {},
        "none",
        error=ProtocolError,
    ),
    Told(
        "SSL 2 alone", PROBE, [[b"\x80\x03\x00\x00\x01"]], {}, "SSL 2.0: ERROR NO-CIPHER", error=ProtocolError
    ),
)


def hold(*connections: list[Answer] | ProbeError) -> Heard:
    return Replay(connections).hold(PROBE, Endpoint("192.0.2.1", 443))


# --- what is said


def read_hello(record: bytes) -> dict[str, Any]:
    """A second reader of a ClientHello: what it holds, to its last byte."""
    kind, outer, length = struct.unpack_from(">BHH", record)
    assert (kind, length) == (22, len(record) - 5)
    assert record[5] == 1
    assert int.from_bytes(record[6:9], "big") == len(record) - 9
    version, session, suites = struct.unpack_from(">H32xBH", record, 9)
    assert session == 0
    at = 9 + 37
    listed = struct.unpack_from(f">{suites // 2}H", record, at)
    at += suites
    assert record[at : at + 2] == b"\1\0"
    at += 2
    extensions = {}
    if at < len(record):
        assert int.from_bytes(record[at : at + 2], "big") == len(record) - at - 2
        at += 2
        while at < len(record):
            name, size = struct.unpack_from(">HH", record, at)
            extensions[name] = record[at + 4 : at + 4 + size]
            at += 4 + size
    assert at == len(record)
    return {"outer": outer, "version": version, "suites": listed, "extensions": extensions}


def test_the_first_hello_offers_all_from_ssl_3_to_tls_1_2() -> None:
    hello = read_hello(tls_hello.HELLO)
    assert (hello["outer"], hello["version"]) == (0x0301, 0x0303)
    assert len(hello["suites"]) == len(set(hello["suites"]))
    assert {0xC02B, 0xC02F, 0x002F, 0x000A, 0x0005, 0x0004, 0x0009, 0x00FF} <= set(hello["suites"])
    assert list(hello["extensions"]) == [23, 11, 10, 13]
    for name in (10, 13):
        data = hello["extensions"][name]
        assert int.from_bytes(data[:2], "big") == len(data) - 2


def test_the_second_hello_is_one_that_ssl_3_knows() -> None:
    hello = read_hello(tls_hello.OLD_HELLO)
    assert (hello["outer"], hello["version"], hello["extensions"]) == (0x0300, 0x0301, {})


def test_no_hello_is_of_a_size_that_servers_hang_over() -> None:
    assert len(tls_hello.HELLO) < 256
    assert len(tls_hello.OLD_HELLO) < 256


@pytest.mark.parametrize("weak", ["NULL", "EXPORT", "anon"])
def test_no_suite_is_offered_without_key_or_certificate(weak: str) -> None:
    assert not [name for name in tls_hello.SUITES.values() if weak in name]


# --- what is heard


@pytest.mark.parametrize(
    ("refusal", "second"),
    [
        (made.alert(70), "secure"),
        (made.alert(40, 0x0303), "secure"),
        (made.alert(0, 0x0303, level=1), "secure"),
        (made.alert(40), "old"),
        (made.alert(10, 0x0300), "old"),
        (PeerClosedError(), "old"),
    ],
)
def test_a_refusal_decides_how_it_is_asked_again(refusal: Answer, second: str) -> None:
    heard = hold([refusal], [b"\3\4" + DER] if second == "secure" else [AT_ONCE])
    assert heard.error is None
    assert heard.evidence["tls.version"] == (("TLS 1.3",) if second == "secure" else ("TLS 1.0",))
    assert heard.said == [tls_hello.HELLO, *([] if second == "secure" else [tls_hello.OLD_HELLO])]
    assert heard.evidence["tls.subject"] == "CN=SRV2003"


@pytest.mark.parametrize("refusal", [made.alert(40), PeerClosedError()])
def test_a_refusal_is_told_where_there_is_no_other_connection(refusal: Answer) -> None:
    heard = hold([refusal], LimitError())
    assert type(heard.error) is (PeerClosedError if isinstance(refusal, PeerClosedError) else ProtocolError)
    assert heard.evidence == {}


def test_a_host_that_hangs_up_on_both_has_closed() -> None:
    heard = hold([PeerClosedError()], [PeerClosedError()])
    assert isinstance(heard.error, PeerClosedError)
    assert (heard.connections, heard.evidence) == (2, {})


def test_silence_is_not_asked_again() -> None:
    heard = hold([LimitError()], [AT_ONCE])
    assert isinstance(heard.error, LimitError)
    assert heard.connections == 1


@pytest.mark.parametrize(
    ("answers", "lost"),
    [
        ([made.record(HELLO + made.certificates() + DONE)], "no certificate in the list"),
        ([made.record(HELLO + DONE)], "no list of certificates"),
        ([made.record(HELLO), made.record(DONE)], "the same, in a record of its own"),
        ([made.record(HELLO + made.message(11, b""))], "not even the length of a list"),
        ([made.record(HELLO + made.message(11, b"\0\0\3\0\0\0"))], "an empty certificate"),
    ],
)
def test_without_a_certificate_the_version_stands(answers: list[Answer], lost: str) -> None:
    heard = hold(answers)
    assert heard.error is None, lost
    assert set(heard.evidence) == {"tls.version", "tls.cipher"}


def test_a_broken_certificate_has_a_fingerprint_at_least() -> None:
    heard = hold([made.record(HELLO + made.certificates(b"\x30\x82garbage"))])
    assert heard.error is None
    assert set(heard.evidence) == {"tls.version", "tls.cipher", "tls.certificate"}


def test_a_certificate_longer_than_its_message_ends_with_the_message() -> None:
    lying = bytearray(made.certificates(DER))
    lying[7:10] = b"\xff\xff\xff"
    assert hold([made.record(HELLO + bytes(lying))]).evidence == OLD


def test_of_a_long_chain_only_the_first_certificate_is_waited_for() -> None:
    whole = made.certificates(DER, *[bytes(16000)] * 6)
    answer = made.record(HELLO + whole[: len(DER) + 40])
    assert hold([answer]).evidence == OLD


def test_a_certificate_longer_than_any_is_not_waited_for() -> None:
    begun = made.record(made.certificates(bytes(70_000))[:100])
    heard = hold([made.record(HELLO), begun])
    assert isinstance(heard.error, ProtocolError)
    assert set(heard.evidence) == {"tls.version", "tls.cipher"}


def test_a_refusal_after_the_hello_leaves_what_the_hello_told() -> None:
    heard = hold([made.record(HELLO), made.alert(80)])
    assert isinstance(heard.error, ProtocolError)
    assert set(heard.evidence) == {"tls.version", "tls.cipher"}
    assert heard.connections == 1


@pytest.mark.parametrize("version", [0x0200, 0x0304, 0x0305, 0xFEFD])
def test_a_version_that_was_not_offered_is_not_believed(version: int) -> None:
    assert isinstance(hold([made.record(made.server_hello(version))]).error, ProtocolError)


def test_a_suite_that_was_not_offered_is_told_by_its_number() -> None:
    heard = hold([made.record(made.server_hello(cipher=0x0003) + DONE)])
    assert heard.evidence["tls.cipher"] == "0x0003"


@pytest.mark.parametrize(
    ("end", "versions"), [(b"DOWNGRD\1", ("TLS 1.2", "TLS 1.3")), (b"DOWNGRD\0", ("TLS 1.2",))]
)
def test_a_server_lets_on_that_it_speaks_tls_1_3(end: bytes, versions: tuple[str, ...]) -> None:
    hello = made.server_hello(0x0303, 0xC02F, bytes(24) + end)
    assert hold([made.record(hello + DONE, 0x0303)]).evidence["tls.version"] == versions


@pytest.mark.parametrize(
    "noise",
    [
        b"H",
        b"\x80",
        b"\x16\x02",
        b"\x17\x03\x03",
        b"\x14\x03\x01\x00\x01\x01",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\xff\xff",
        made.record(made.message(1, b"a ClientHello")),
        made.record(b"\2\0\xff\xff" + bytes(20)),
        made.record(b"\2", 0x0301)[:3] + b"\0\1\x0b",
        made.record(b"\2", kind=made.ALERT),
    ],
)
def test_noise_is_not_waited_for(noise: bytes) -> None:
    with pytest.raises(ProtocolError):
        tls_hello.framing(tls_hello.hello_is_whole)(noise)


@given(st.binary(max_size=300), st.integers(0, 300))
def test_a_framing_agrees_with_itself_however_bytes_arrive(raw: bytes, cut: int) -> None:
    """What is found in one go is found in two."""

    def told(*ends: int) -> object:
        until = tls_hello.framing(tls_hello.hello_is_whole)
        try:
            for end in ends:
                if (length := until(raw[:end])) is not None:
                    return length
        except ProtocolError:
            return "refused"
        return None

    assert told(len(raw)) == told(min(cut, len(raw)), len(raw))


def test_a_peer_that_drips_records_of_one_byte_costs_no_more_than_reading_them() -> None:
    said = made.certificates(bytes(59_000))
    drip = b"".join(made.record(said[at : at + 1]) for at in range(9000))
    until = tls_hello.framing(tls_hello.certificate_is_whole, HELLO)
    assert [until(drip[:end]) for end in range(0, len(drip), 60)] == [None] * 900


# --- what is kept


def test_no_certificate_is_kept() -> None:
    for host in HOSTS:
        if host["probe"] == "tls":
            raw = next(tuple(told.hold().raw) for told in CONVERSATIONS if told.name == host["name"])
            kept = redact(raw)
            assert not [each for each in kept if b"\x30\x82" in each]
            assert [each[:2] for each in kept if each]
    assert redact((AT_ONCE,)) == (made.record(HELLO + made.certificates(DER) + DONE)[: 5 + len(HELLO)],)
    assert redact((made.alert(40) + b"more", b"\3\4" + DER, b"anything")) == (made.alert(40), b"\3\4", b"")
