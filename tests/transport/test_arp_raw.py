"""The raw part that speaks ARP: its packets byte by byte, and whatever may come back."""

from __future__ import annotations

import asyncio
import errno
import runpy
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers import l2

from scanner.transport import raw
from scanner.transport.raw import Heard, raw_part

FILE = Path(raw.__file__).with_name("children") / "arp_raw.py"
PROGRAM: dict[str, Any] = runpy.run_path(str(FILE))
PROGRAM["_Opened"].l2 = l2
REQUEST = bytes.fromhex(
    "ffffffffffff 000c29aaaaaa 0806 0001 0800 06 04 0001 000c29aaaaaa 0a140009 000000000000 0a140001"
)
REPLY = bytes.fromhex(
    "000c29aaaaaa 000c29112233 0806 0001 0800 06 04 0002 000c29112233 0a140001 000c29aaaaaa 0a140009"
)


def test_a_request_is_what_rfc_826_says() -> None:
    assert PROGRAM["_written"]("00:0c:29:aa:aa:aa", "10.20.0.9", "10.20.0.1") == REQUEST


@pytest.mark.parametrize("filled", [0, 18, 22])
def test_a_reply_is_read_with_what_fills_the_frame_up(filled: int) -> None:
    assert PROGRAM["_read"](REPLY + bytes(filled)) == (0x0A140001, bytes.fromhex("000c29112233"))


def test_what_has_another_form_is_no_reply() -> None:
    assert PROGRAM["_read"](REQUEST) is None
    assert PROGRAM["_read"](REPLY + bytes(23)) is None
    for size in range(len(REPLY)):
        assert PROGRAM["_read"](REPLY[:size]) is None
    for mac in ("ffffffffffff", "01005e000001", "000000000000"):
        assert PROGRAM["_read"](REPLY[:22] + bytes.fromhex(mac) + REPLY[28:]) is None


@given(st.dictionaries(st.integers(0, 63), st.integers(0, 255), max_size=6), st.integers(0, 70))
def test_a_damaged_reply_is_none_or_names_one_machine(damage: dict[int, int], size: int) -> None:
    packet = bytearray(REPLY + bytes(22))
    for place, byte in damage.items():
        packet[place] = byte
    found = PROGRAM["_read"](bytes(packet[:size]))
    if found is not None:
        address, mac = found
        assert address == int.from_bytes(packet[28:32])
        assert mac == bytes(packet[22:28])
        assert any(mac)
        assert not mac[0] & 1


@pytest.mark.namespaces
def test_where_nothing_can_be_asked_that_is_told_and_nothing_leaves() -> None:
    """An interface that has vanished, and the loopback, which speaks no ARP."""
    told: dict[int, Heard] = {}

    async def ask() -> None:
        async with raw_part("arp_raw.py") as part:
            part.heard = lambda heard: told.__setitem__(heard.port, heard)
            await part.send([(0x7F000001, 60000), (0x7F000001, socket.if_nametoindex("lo"))])
            await part.sent()

    asyncio.run(ask())
    assert {port: heard.more[0] for port, heard in told.items()} == {
        60000: errno.ENODEV,
        socket.if_nametoindex("lo"): errno.EADDRNOTAVAIL,
    }
