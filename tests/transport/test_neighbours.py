"""What the kernel says of neighbours and routes: read as it says it, and as somebody might damage it."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.addresses import AddressSet, number_of
from scanner.errors import ProtocolError
from scanner.model import Outcome, Transport
from scanner.targets import Scope
from scanner.transport import neighbours, netlink, routes
from scanner.transport.gate import Gate
from scanner.transport.limits import PROFILES, Terms
from scanner.transport.neighbours import Neighbours, parse_neighbour, parse_table, told_apart
from scanner.wire import Reader

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.transport.gate import HostDoor

MAC = bytes.fromhex("000c29112233")
REACHABLE, STALE, FAILED, NOARP = 0x02, 0x04, 0x20, 0x40


def attribute(kind: int, value: bytes) -> bytes:
    """RFC 3549, section 2.2: length, type, value, up to a multiple of four."""
    return struct.pack("=HH", len(value) + 4, kind) + value + bytes(-len(value) % 4)


def neighbour(address: str, mac: bytes = MAC, state: int = REACHABLE) -> bytes:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    head = struct.pack("=BBHiHBB", family, 0, 0, 2, state, 0, 1)
    told = attribute(2, mac) if mac else b""
    return head + attribute(1, socket.inet_pton(family, address)) + told + attribute(3, bytes(16))


def message(content: bytes, kind: int = 28, number: int = 7, flags: int = 2) -> bytes:
    return struct.pack("=IHHII", 16 + len(content), kind, flags, number, 0) + content


@pytest.mark.parametrize("address", ["10.20.0.5", "2001:db8::5"])
@pytest.mark.parametrize("state", [REACHABLE, STALE, 0x08, 0x10, 0x80])
def test_an_entry_in_use_is_read(address: str, state: int) -> None:
    assert parse_neighbour(Reader(neighbour(address, state=state))) == (address, "00:0c:29:11:22:33")


@pytest.mark.parametrize(
    "entry",
    [
        neighbour("10.0.0.1", state=FAILED),
        neighbour("10.0.0.1", state=1),
        neighbour("224.0.0.1", MAC, NOARP),
        neighbour("10.0.0.1", b""),
        neighbour("10.0.0.1", bytes(6)),
        neighbour("10.0.0.1", b"\xff" * 6),
        neighbour("10.0.0.1", bytes.fromhex("01005e000001")),
        neighbour("10.0.0.1", bytes(range(2, 22))),  # InfiniBand
        neighbour("10.0.0.1", bytes([10, 0, 0, 9])),  # a tunnel
        bytes([socket.AF_INET6]) + neighbour("10.0.0.1")[1:],
        bytes([7]) + neighbour("10.0.0.1")[1:],  # a bridge's
    ],
)
def test_an_entry_that_says_nothing_is_left_out(entry: bytes) -> None:
    assert parse_neighbour(Reader(entry)) is None


@given(st.data())
def test_a_cut_or_damaged_answer_is_an_error_or_read_never_more(data: st.DataObject) -> None:
    whole = bytearray(message(neighbour("10.0.0.1")) + message(neighbour("2001:db8::1")))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        found, _ = netlink.parts(cut, 7)
        for _, content in found:
            parse_neighbour(content)
    except (ProtocolError, OSError):
        pass


def test_other_answers_are_not_ours_and_the_end_is_known() -> None:
    ours = message(neighbour("10.0.0.1"))
    found, more = netlink.parts(message(neighbour("10.0.0.9"), number=6) + ours, 7)
    assert [parse_neighbour(content) for _, content in found] == [("10.0.0.1", "00:0c:29:11:22:33")]
    assert more
    assert netlink.parts(ours + message(bytes(4), kind=3), 7)[1] is False
    assert netlink.parts(message(neighbour("10.0.0.1"), flags=0), 7)[1] is False


def test_a_refusal_of_the_kernel_is_told_from_a_silence() -> None:
    with pytest.raises(netlink.RefusedError) as refused:
        netlink.parts(message(struct.pack("=i", -errno.ENETUNREACH) + bytes(16), kind=2), 7)
    assert refused.value.errno == errno.ENETUNREACH
    assert netlink.parts(message(bytes(20), kind=2), 7) == ([], False)


def test_the_table_as_text_says_the_same(tmp_path: Path) -> None:
    file = tmp_path / "arp"
    file.write_text(
        "IP address       HW type     Flags       HW address            Mask     Device\n"
        "10.0.0.1         0x1         0x2         00:0c:29:11:22:33     *        eth0\n"
        "10.0.0.2         0x1         0x0         00:00:00:00:00:00     *        eth0\n"
        "10.0.0.3         0x20        0x2         00:0c:29:11:22:34     *        ib0\n"
        "10.0.0.4         0x1         0x6         00:0c:29:11:22:35     *        eth0\n"
        "10.0.0.5         0x1         0x2         00:0c:29:11:22        *        eth0\n"
        "odd\n"
        "10.0.0           0x1         0x2         00:0c:29:11:22:36     *        eth0\n",
        encoding="ascii",
    )
    assert list(parse_table(file)) == [("10.0.0.1", "00:0c:29:11:22:33"), ("10.0.0.4", "00:0c:29:11:22:35")]
    assert list(parse_table(tmp_path / "absent")) == []


def test_where_the_kernel_cannot_be_asked_its_table_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    table = tmp_path / "arp"
    table.write_text("\n10.0.0.1 0x1 0x2 00:0c:29:11:22:33 * eth0\n", encoding="ascii")
    monkeypatch.setattr(netlink, "ask", refuse)
    monkeypatch.setattr(neighbours, "_TABLE", table)
    monkeypatch.setattr(routes, "_TABLE", tmp_path / "absent")
    assert neighbours._read() == {"10.0.0.1": "00:0c:29:11:22:33"}
    assert routes.segment_of("10.0.0.1") is None


def test_a_router_speaks_for_itself_and_two_answers_are_none() -> None:
    entries = [("10.0.0.1", "a"), ("10.0.0.2", "b"), ("10.0.0.3", "a"), ("10.0.0.4", "c"), ("10.0.0.4", "d")]
    assert told_apart(entries, {"10.0.0.1"}) == {"10.0.0.1": "a", "10.0.0.2": "b"}
    assert told_apart(entries, set()) == {"10.0.0.1": "a", "10.0.0.2": "b", "10.0.0.3": "a"}


def test_the_longest_route_decides_which_segment_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "if_nametoindex", {"eth0": 2, "eth1": 3}.__getitem__)
    table = tmp_path / "route"
    table.write_text(
        "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
        "eth0 00000000 0100000A 0003 0 0 0 00000000 0 0 0\n"
        "eth0 0000000A 00000000 0001 0 0 0 00FFFFFF 0 0 0\n"  # 10.0.0.0/24
        "eth1 0001000A 00000000 0001 0 0 0 00FFFFFF 0 0 0\n"  # 10.0.1.0/24
        "eth2 0002000A 0100000A 0003 0 0 0 00FFFFFF 0 0 0\n"  # 10.0.2.0/24, by a router
        "*    0003000A 00000000 0201 0 0 0 00FFFFFF 0 0 0\n"  # 10.0.3.0/24, rejected
        "odd line\n",
        encoding="ascii",
    )
    addresses = ("10.0.0.5", "10.0.1.5", "10.0.2.5", "10.0.3.5", "8.8.8.8", "::1")
    found = [routes._from_table(address, table) for address in addresses]
    assert found == [2, 3, None, None, None, None]
    assert routes._from_table("10.0.0.5", tmp_path / "absent") is None


def test_this_machine_itself_is_nobodys_neighbour() -> None:
    for address in ("127.0.0.1", "::1", "224.0.0.1", "255.255.255.255"):
        assert routes.segment_of(address) is None


@pytest.fixture
def door() -> HostDoor:
    gate = Gate(Scope.of(None, AddressSet()), lambda _: Terms(PROFILES["lab"]))
    found = gate.host(number_of("10.0.0.1"))
    found.asked = 0.0
    return found


def test_many_hosts_ask_the_kernel_once(door: HostDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "segment_of", lambda _: 2)
    readings: list[int] = []
    tables = iter([{}, {"10.0.0.1": "00:0c:29:11:22:33"}, {}])

    def read() -> dict[str, str]:
        readings.append(1)
        return next(tables)

    async def ask() -> None:
        known = Neighbours(read)
        assert await asyncio.gather(*(known.seen(door) for _ in range(9))) == [None] * 9
        assert len(readings) == 1
        door.asked = known._at + 0.1  # spoken to after that: it may stand there by now
        seen = await asyncio.gather(*(known.seen(door) for _ in range(9)))
        assert len(readings) == 2
        first = seen[0]
        assert first is not None
        assert (first.outcome, first.connections) == (Outcome.ANSWERED, 0)
        assert first.endpoint.transport is Transport.LINK
        assert first.evidence == {"neighbour.mac": ("00:0c:29:11:22:33",)}

    asyncio.run(ask())


def test_whoever_is_not_on_a_segment_is_not_looked_for(
    door: HostDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "segment_of", lambda _: None)
    assert asyncio.run(Neighbours(lambda: {"10.0.0.1": "00:0c:29:11:22:33"}).seen(door)) is None
