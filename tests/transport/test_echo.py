"""Echo requests and replies as bytes; judged by tshark's own reading in tests/integration/test_breaker.py."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.transport.echo import reply_of, request
from scanner.transport.pinging import Echoes
from scanner.transport.switchboard import Switchboard

IP_HEADER = bytes.fromhex("45000054000040004001b6a20a1400010a140002")


def reply_to(asked: bytes, version: int) -> bytes:
    """The reply of a host that keeps to RFC 792: the request with another type."""
    return bytes([0 if version == 4 else 129]) + asked[1:]


def ones_complement(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


TOKEN = b"unguessd"


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.binary(min_size=8, max_size=8))
def test_the_checksum_is_what_rfc_1071_says(identifier: int, sequence: int, token: bytes) -> None:
    assert ones_complement(request(4, identifier, sequence, token)) == 0xFFFF


@pytest.mark.parametrize("version", [4, 6])
@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_a_reply_is_known_and_a_request_is_none(version: int, identifier: int, sequence: int) -> None:
    asked = request(version, identifier, sequence, TOKEN)
    reply = reply_to(asked, version)
    assert reply_of(reply, version) == (identifier, sequence, TOKEN)
    assert reply_of(asked, version) is None
    assert reply_of(reply[:15], version) is None, "a reply that does not repeat the token is none"


def test_a_raw_socket_gives_the_ip_header_too() -> None:
    assert reply_of(IP_HEADER + reply_to(request(4, 7, 9, TOKEN), 4), 4) == (7, 9, TOKEN)


@given(st.binary(max_size=64), st.sampled_from([4, 6]))
def test_no_noise_is_an_error(noise: bytes, version: int) -> None:
    reply_of(noise, version)


class Hearing:
    """A socket that sends nothing: what would leave is read by the test."""

    type = socket.SOCK_RAW

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendto(self, packet: bytes, _: object) -> None:
        self.sent.append(packet)


def test_what_is_forged_a_duplicate_or_a_stray_is_no_answer() -> None:
    async def ask() -> None:
        async with Switchboard(1, 0.05, 1, 1) as switchboard:
            hearing = Hearing()
            asking = Echoes(4, hearing, switchboard)  # type: ignore[arg-type]  # it sends as one does
            first, second = (asyncio.create_task(asking.ask(f"10.0.0.{n}")) for n in (1, 2))
            await asyncio.sleep(0)
            told = [reply_of(reply_to(packet, 4), 4) for packet in hearing.sent]
            one, two = told[0], told[1]
            assert one is not None
            assert two is not None
            asking.take("10.0.0.3", one)  # from somebody else
            asking.take("10.0.0.2", one)
            asking.take("10.0.0.1", one._replace(sequence=one.sequence ^ 8))
            asking.take("10.0.0.1", one._replace(identifier=one.identifier ^ 1))
            asking.take("10.0.0.1", one._replace(token=bytes(8)))
            asking.take("10.0.0.2", two)
            asking.take("10.0.0.2", two)
            assert (await first, await second) == (False, True)
            asking.take("10.0.0.1", one)  # too late

    asyncio.run(ask())
