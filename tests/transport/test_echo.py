"""Echo requests and replies as bytes; judged by tshark's own reading in tests/integration/test_breaker.py."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.transport.echo import answers, request

IP_HEADER = bytes.fromhex("45000054000040004001b6a20a1400010a140002")


def reply_to(asked: bytes, version: int) -> bytes:
    """The reply of a host that keeps to RFC 792: the request with another type."""
    return bytes([0 if version == 4 else 129]) + asked[1:]


def ones_complement(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_the_checksum_is_what_rfc_1071_says(identifier: int, sequence: int) -> None:
    assert ones_complement(request(4, identifier, sequence)) == 0xFFFF


@pytest.mark.parametrize("version", [4, 6])
@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_a_reply_is_known_and_no_other_is(version: int, identifier: int, sequence: int) -> None:
    reply = reply_to(request(version, identifier, sequence), version)
    assert answers(reply, version, identifier, sequence)
    assert answers(reply, version, None, sequence)
    assert not answers(reply, version, identifier ^ 1, sequence)
    assert not answers(reply, version, identifier, sequence ^ 1)
    assert not answers(request(version, identifier, sequence), version, identifier, sequence)


def test_a_raw_socket_gives_the_ip_header_too() -> None:
    assert answers(IP_HEADER + reply_to(request(4, 7, 9), 4), 4, 7, 9)


@given(st.binary(max_size=64), st.sampled_from([4, 6]))
def test_no_noise_is_an_error(noise: bytes, version: int) -> None:
    answers(noise, version, 1, 1)
