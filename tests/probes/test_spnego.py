"""SPNEGO: the offer as impacket reads it, and answers as others write them, cut and damaged."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from impacket import spnego as other  # type: ignore[import-untyped]  # it has no stubs

from scanner.errors import ProtocolError
from scanner.probes import ntlm, spnego

NTLM = other.TypesMech["NTLMSSP - Microsoft NTLM Security Support Provider"]


def test_the_offer_is_read_by_others() -> None:
    token = other.SPNEGO_NegTokenInit(spnego.offer(ntlm.NEGOTIATE))
    assert token["MechTypes"] == [NTLM]
    assert token["MechToken"] == ntlm.NEGOTIATE


@pytest.mark.parametrize("size", [1, 100, 127, 128, 255, 256, 4000, 65000])
def test_answers_that_others_write(size: int) -> None:
    answer = other.SPNEGO_NegTokenResp()
    answer["NegState"] = b"\x01"
    answer["SupportedMech"] = NTLM
    answer["ResponseToken"] = token = b"NTLMSSP\0" + bytes(size)
    blob = answer.getData()
    assert spnego.answer_token(blob) == token
    for end in {*range(min(len(blob), 64)), len(blob) // 2, len(blob) - 1}:
        with pytest.raises(ProtocolError):
            spnego.answer_token(blob[:end])


def test_an_answer_without_a_token_has_none() -> None:
    assert spnego.answer_token(bytes.fromhex("a1073005a0030a0100")) is None


def test_ntlm_without_spnego_goes_through() -> None:
    assert spnego.answer_token(b"NTLMSSP\0\2\0\0\0") == b"NTLMSSP\0\2\0\0\0"


@pytest.mark.parametrize(
    "blob",
    [
        pytest.param("", id="nothing"),
        pytest.param("6006062b06010505", id="an initial token"),
        pytest.param("a1803000", id="an indefinite length"),
        pytest.param("a18500000000073005a0030a0100", id="a length of five bytes"),
        pytest.param("a1053005a2030401", id="a token longer than its element"),
        pytest.param("a1073005a2030201ff", id="a token that is a number"),
        pytest.param("a103020100", id="no sequence"),
    ],
)
def test_what_is_no_answer(blob: str) -> None:
    with pytest.raises(ProtocolError):
        spnego.answer_token(bytes.fromhex(blob))


@given(
    st.binary(max_size=80),
    st.sampled_from([b"", b"\xa1", b"\xa1\x20\x30", b"\xa1\x82\x00\x40\x30\x3c\xa2\x3a\x04"]),
)
def test_any_bytes_are_a_protocol_error_at_worst(blob: bytes, start: bytes) -> None:
    with suppress(ProtocolError):
        spnego.answer_token(start + blob)


def test_ntlm_in_tokens_of_either_side() -> None:
    assert spnego.ntlm_token(spnego.offer(ntlm.NEGOTIATE)) == ntlm.NEGOTIATE
    first = other.SPNEGO_NegTokenInit()
    first["MechTypes"] = [NTLM]
    first["MechToken"] = ntlm.NEGOTIATE
    assert spnego.ntlm_token(first.getData()) == ntlm.NEGOTIATE
    last = other.SPNEGO_NegTokenResp()
    last["ResponseToken"] = b"NTLMSSP\0\3" + bytes(90)
    assert spnego.ntlm_token(last.getData()) == b"NTLMSSP\0\3" + bytes(90)
    assert spnego.ntlm_token(ntlm.NEGOTIATE) == ntlm.NEGOTIATE


def test_a_ticket_is_no_ntlm() -> None:
    first = other.SPNEGO_NegTokenInit()
    first["MechTypes"] = [other.TypesMech["KRB5 - Kerberos 5"]]
    first["MechToken"] = b"\x60\x03\x06\x01\x00"
    assert spnego.ntlm_token(first.getData()) is None
    assert spnego.ntlm_token(bytes.fromhex("a1073005a0030a0100")) is None


@given(st.binary(max_size=64) | st.binary(max_size=40).map(lambda rest: b"\x60\x28" + rest))
def test_any_bytes_as_a_token_of_either_side(blob: bytes) -> None:
    with suppress(ProtocolError):
        token = spnego.ntlm_token(blob)
        assert token is None or token.startswith(b"NTLMSSP\0")
