"""The session service: requests, refusals, lengths, keep-alives, and peers that play with them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from impacket import nmb  # type: ignore[import-untyped]  # it has no stubs

from scanner.errors import ProtocolError
from scanner.probes import netbios_session
from scanner.probes.netbios_session import (
    check_session_answer,
    session_answer_framing,
    smb_body,
    smb_framing,
    wrap,
)

KEEP_ALIVE = b"\x85\0\0\0"
MESSAGE = b"\xffSMB" + bytes(31)


def test_the_request_is_one_that_others_read() -> None:
    packet = nmb.NetBIOSSessionPacket(
        netbios_session.session_request(netbios_session.ANYBODY, netbios_session.CALLING)
    )
    assert packet.get_type() == nmb.NETBIOS_SESSION_REQUEST
    assert (
        packet.get_length()
        == 68
        == len(netbios_session.session_request(netbios_session.ANYBODY, netbios_session.CALLING)) - 4
    )
    called, calling = packet.get_trailer()[:34], packet.get_trailer()[34:]
    # RFC 1001, 14.1: '*' is 0x2A, so "CK"; a blank is 0x20, so "CA"; the file service is suffix 0x20.
    assert called == b"\x20CKFDENECFDEFFCFGEFFCCACACACACACA\0"
    assert calling == b"\x20FGEFFEFFFDFEEFCACACACACACACACAAA\0"


@pytest.mark.parametrize("answer", ["82000000", "8300000182", "84000006c000020101bd"])
def test_an_answer_to_the_request_is_whole_with_its_last_byte(answer: str) -> None:
    raw = bytes.fromhex(answer)
    for end in range(len(raw)):
        assert session_answer_framing(raw[:end]) is None
    assert session_answer_framing(raw + b"more") == len(raw)


@pytest.mark.parametrize(
    "noise", [b"\0\0\0\x55", b"H", b"SSH-2.0", b"\x81", b"\x82\0\0\1", b"\x83\0\0\0", b"\x85\0\0\0"]
)
def test_no_answer_to_the_request(noise: bytes) -> None:
    with pytest.raises(ProtocolError):
        session_answer_framing(noise)


def test_a_session_is_granted_or_not() -> None:
    check_session_answer(bytes.fromhex("82000000"))
    for code, reason in (
        (0x80, "not listen on the name"),
        (0x81, "not listen for this caller"),
        (0x82, "not have the name"),
        (0x83, "no resources"),
        (0x8F, "unspecified"),
    ):
        with pytest.raises(ProtocolError, match=reason):
            check_session_answer(bytes([0x83, 0, 0, 1, code]))
    with pytest.raises(ProtocolError, match="0x42"):
        check_session_answer(bytes.fromhex("8300000142"))
    with pytest.raises(ProtocolError, match="0x84"):
        check_session_answer(bytes.fromhex("84000006c000020101bd"))


@pytest.mark.parametrize("count", range(9))
def test_keep_alives_go_before_a_message(count: int) -> None:
    raw = KEEP_ALIVE * count + wrap(MESSAGE)
    for end in range(len(raw)):
        assert smb_framing(raw[:end]) is None
    assert smb_framing(raw + KEEP_ALIVE) == len(raw)
    assert smb_body(raw) == MESSAGE


def test_keep_alives_without_end_are_refused() -> None:
    assert smb_framing(KEEP_ALIVE * 8) is None
    with pytest.raises(ProtocolError):
        smb_framing(KEEP_ALIVE * 9)


@pytest.mark.parametrize(
    "noise",
    [
        pytest.param(b"H", id="text"),
        pytest.param(b"\x82", id="a session answer where none was asked"),
        pytest.param(b"\x85\0\0\1", id="a keep-alive with a length"),
        pytest.param(b"\x85x", id="no keep-alive"),
        pytest.param(b"\0\1\0\0", id="64 KiB"),
        pytest.param(b"\0\1\0\x55", id="64 KiB and the length of a message"),
        pytest.param(b"\0\xff\xff\xff", id="16 MiB"),
        pytest.param(b"\0\0\0\x22", id="shorter than any message"),
        pytest.param(b"\0\0\0\0", id="empty"),
        pytest.param(b"\0\0\0\x55\xfd", id="encrypted"),
        pytest.param(b"\0\0\0\x55\xffSMC", id="almost SMB"),
    ],
)
def test_what_can_be_no_message_is_refused_at_once(noise: bytes) -> None:
    with pytest.raises(ProtocolError):
        smb_framing(noise)


@pytest.mark.parametrize("length", [35, 36, 64, 65531])
def test_every_honest_length_is_framed(length: int) -> None:
    raw = wrap(MESSAGE.ljust(length, b"\0"))
    assert smb_framing(raw) == length + 4
    assert smb_framing(raw[:-1]) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_framed_or_refused_and_more_bytes_change_no_verdict(raw: bytes) -> None:
    verdicts = []
    for end in range(len(raw) + 1):
        try:
            verdicts.append(smb_framing(raw[:end]))
        except ProtocolError:
            verdicts.append(-1)
    decided = [verdict for verdict in verdicts if verdict is not None]
    assert len(set(decided)) <= 1
    assert verdicts == [None] * (len(verdicts) - len(decided)) + decided
