"""Where this machine's kernel would send a packet: on which segment an address is, which router is near."""

from __future__ import annotations

import socket
import struct
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError
from scanner.transport import netlink

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_GET_ROUTE, _NEW_ROUTE = 26, 24
_MESSAGE: Final = struct.Struct("=BBBBBBBBI")
"""``struct rtmsg``, rtnetlink(7)."""
_INDEX: Final = struct.Struct("=I")
_UNICAST: Final = 1
"""``RTN_UNICAST``: not this machine's own address, no broadcast, nothing forbidden."""
_DESTINATION, _INTERFACE, _GATEWAY, _VIA = 1, 4, 5, 18
_ELSEWHERE: Final = ("203.0.113.1", "2001:db8::1")
"""Addresses that nobody has ([RFC 5737] 3, [RFC 3849]): what would go there goes to the router."""
_TABLE: Final = Path("/proc/net/route")
_UP, _BY_ROUTER, _REJECTED = 0x0001, 0x0002, 0x0200
"""Flags of route(8)."""


def segment_of(address: str) -> int | None:
    """The number of the interface on whose segment an address is; None where a router is in between.

    None as well for this machine's own addresses, and where there is no way.
    """
    try:
        found = _route(address)
    except netlink.RefusedError:  # there is no way
        return None
    except (OSError, ProtocolError):
        return _from_table(address, _TABLE)
    if found is None or _GATEWAY in found or _VIA in found or len(found.get(_INTERFACE, b"")) != _INDEX.size:
        return None
    index: int = _INDEX.unpack(found[_INTERFACE])[0]
    return index


def routers() -> set[str]:
    """The addresses of the routers that packets to anywhere else go through."""
    found = set()
    for address in _ELSEWHERE:
        try:
            gateway = (_route(address) or {}).get(_GATEWAY)
            if gateway:
                found.add(str(ip_address(gateway)))
        except (OSError, ProtocolError, ValueError):
            continue
    return found


def _route(address: str) -> Mapping[int, bytes] | None:
    """What the kernel says of the way to an address; None where it leads to no other machine.

    Raises:
        OSError: there is none, or the kernel cannot be asked.
        ProtocolError: the answer cannot be read.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    body = _MESSAGE.pack(family, len(packed) * 8, 0, 0, 0, 0, 0, 0, 0)
    for kind, content in netlink.ask(_GET_ROUTE, 0, body + netlink.attribute(_DESTINATION, packed)):
        content.skip(7)
        if kind == _NEW_ROUTE and content.u8() == _UNICAST:
            content.skip(4)
            return netlink.attributes(content)
    return None


def _from_table(address: str, table: Path) -> int | None:
    """The same of an IPv4 address from the table that the kernel shows as text (proc(5)): the longest match.

    Asked only where the kernel cannot be.
    """
    if ":" in address:
        return None
    number = int.from_bytes(socket.inet_aton(address))
    fitting = (line for line in _lines(table) if number & line[1] == line[0])
    best = max(fitting, key=lambda line: line[1], default=None)
    try:
        return socket.if_nametoindex(best[2]) if best and best[2] else None
    except OSError:  # it vanished since
        return None


def _lines(table: Path) -> Iterator[tuple[int, int, str | None]]:
    """Network, mask and interface of every route; without an interface where it is no segment."""
    try:
        lines = table.read_text(encoding="ascii", errors="replace").splitlines()[1:]
    except OSError:
        return
    for line in lines:
        words = line.split()
        try:
            name, network, _, flags, *_, mask = words[:8]
            told = int(flags, 16)
            near = not told & (_BY_ROUTER | _REJECTED) and name != "lo"
            if told & _UP:
                yield _number(network), _number(mask), name if near else None
        except ValueError:
            continue


def _number(text: str) -> int:
    """An address as the table has it: eight digits, of a number in this machine's own order."""
    return int.from_bytes(struct.pack("=I", int(text, 16) & 0xFFFFFFFF))
