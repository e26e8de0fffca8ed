"""MAC addresses of machines on this machine's own segments: the kernel learnt them when it spoke to them.

Nothing is sent for this. Only addresses that this machine reaches without a router stand in the kernel's
table, so a router's MAC is taken for nobody else's; that of a router that answers in the place of others
(proxy ARP, [RFC 1027]) is known from the router's own entry.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError
from scanner.model import Endpoint, Observation, Outcome, Transport
from scanner.transport import netlink
from scanner.transport.routes import routers, segment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from scanner.transport.gate import HostDoor
    from scanner.wire import Reader

PROBE: Final = "neighbour"
KEY: Final = "neighbour.mac"
"""The evidence key: the address that frames to this host are sent to."""

_GET_NEIGHBOURS, _NEW_NEIGHBOUR = 30, 28
_MESSAGE: Final = struct.Struct("=BBHiHBB")
"""``struct ndmsg``, rtnetlink(7)."""
_ADDRESS, _MAC = 1, 2
_KNOWN: Final = 0x02 | 0x04 | 0x08 | 0x10 | 0x80
"""States in which the kernel uses an entry: reachable, stale, delay, probe, permanent."""
_IP: Final[Mapping[int, int]] = {socket.AF_INET: 4, socket.AF_INET6: 16}
"""Families that are read, and bytes of their addresses."""
_GROUP: Final = 0x01
"""Of a MAC's first byte: a group's ([IEEE 802] 8.2.2)."""
_MAC_SIZE: Final = 6
_TABLE: Final = Path("/proc/net/arp")
_ETHERNET, _COMPLETE = 0x1, 0x2
_APART: Final = 0.5
"""Least seconds between two readings of the table, whoever asks."""
_SHARE: Final = 20
"""A long table is read so much more rarely that this process does something else most of the time."""

Entry = tuple[str, str]
"""Address and MAC."""


def mac_of(raw: bytes) -> str:
    """A MAC address as text; empty of what can be no single machine's on an Ethernet."""
    usable = len(raw) == _MAC_SIZE and any(raw) and not raw[0] & _GROUP
    return raw.hex(":") if usable else ""


def observation(address: str, mac: str, probe: str = PROBE, connections: int = 0) -> Observation:
    """What a MAC address says of the machine at an address."""
    endpoint = Endpoint(address, 0, Transport.LINK)
    return Observation(
        endpoint, probe, datetime.now(UTC), Outcome.ANSWERED, {KEY: (mac,)}, connections=connections
    )


def _read() -> Mapping[str, str]:
    """The table as it is now, less what is ambiguous, or what a router said in the place of others."""
    return told_apart(_entries(), routers())


def macs_of_routers() -> frozenset[str]:
    """The MACs of the routers that packets to anywhere else go through, as far as the kernel knows them."""
    near = routers()
    return frozenset(mac for address, mac in _entries() if address in near)


def _entries() -> list[Entry]:
    try:
        return list(_asked())
    except (OSError, ProtocolError):
        return list(parse_table(_TABLE))


def told_apart(entries: Iterable[Entry], near: set[str]) -> dict[str, str]:
    """The MAC of each address where there is only one, and it is not that of a router elsewhere."""
    found: dict[str, set[str]] = defaultdict(set)
    for address, mac in entries:
        found[address].add(mac)
    theirs = {mac for address in near for mac in found.get(address, ())}
    return {
        address: mac
        for address, macs in found.items()
        for mac in macs
        if len(macs) == 1 and (address in near or mac not in theirs)
    }


def _asked() -> Iterator[Entry]:
    """Every entry that the kernel uses, asked over netlink."""
    body = _MESSAGE.pack(socket.AF_UNSPEC, 0, 0, 0, 0, 0, 0)
    for kind, content in netlink.ask(_GET_NEIGHBOURS, netlink.DUMP, body):
        entry = parse_neighbour(content) if kind == _NEW_NEIGHBOUR else None
        if entry is not None:
            yield entry


def parse_neighbour(reader: Reader) -> Entry | None:
    """Address and MAC of a neighbour message; None of an entry that the kernel does not use.

    Raises:
        ProtocolError: it cannot be read.
    """
    family = reader.u8()
    reader.skip(7)
    state = netlink.u16(reader)
    reader.skip(2)
    found = netlink.attributes(reader)
    address, mac = found.get(_ADDRESS, b""), mac_of(found.get(_MAC, b""))
    if not state & _KNOWN or not mac or _IP.get(family) != len(address):
        return None
    return str(ip_address(address)), mac


def parse_table(file: Path) -> Iterator[Entry]:
    """The same of IPv4 from the table that the kernel shows as text (proc(5)); other lines are left out."""
    try:
        lines = file.read_text(encoding="ascii", errors="replace").splitlines()[1:]
    except OSError:
        return
    for line in lines:
        try:
            address, hardware, flags, text, *_ = line.split()
            mac = mac_of(bytes.fromhex(text.replace(":", "")))
            if int(hardware, 16) == _ETHERNET and int(flags, 16) & _COMPLETE and mac:
                yield str(ip_address(address)), mac
        except ValueError:
            continue


@dataclass(slots=True)
class Neighbours:
    """The kernel's table, read for all hosts of a sweep together."""

    read: Callable[[], Mapping[str, str]] = _read
    _macs: Mapping[str, str] = field(default_factory=dict)
    _at: float = float("-inf")
    """When it was read, on the monotonic clock."""
    _due: float = float("-inf")
    """When it may be read again."""

    async def seen(self, door: HostDoor) -> Observation | None:
        """What the table says of a host that was spoken to; None where it is not on a segment of ours."""
        address = door.address
        if segment_of(address) is None:
            return None
        while address not in self._macs and self._at <= door.asked:
            now = time.monotonic()
            if now < self._due:
                await asyncio.sleep(self._due - now)
            else:
                self._take(now)
        mac = self._macs.get(address)
        return observation(address, mac) if mac else None

    def _take(self, now: float) -> None:
        self._macs, self._at = self.read(), now
        took = time.monotonic() - now
        self._due = now + took + max(_APART, _SHARE * took)
