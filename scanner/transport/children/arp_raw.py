"""ARP ([RFC 826]): a request for each order, and who answers; scapy (GPL-2.0-only) writes and reads packets.

An order's port is the number of the interface. Anybody on a segment can answer in the place of others; what
is held to here is the form: a reply, to this machine alone, of the sizes of Ethernet and IPv4, from a MAC
that one machine can have. Whether its sender was asked, the parent knows.
"""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from scanner.transport.children.raw import tell  # noqa: TC004 - given by raw.py when it runs

HEARD: Final = 19
"""The kind of record that an answer is: interface, address, and the MAC follows."""
_ARP: Final = 0x0806
"""The EtherType ([RFC 826])."""
_ETHERNET, _IPV4 = 1, 0x0800
_REPLY: Final = 2
_MAC_SIZE, _IP_SIZE = 6, 4
_GROUP: Final = 0x01
_SHAPE: Final = struct.Struct("!HHBB")
"""What an ARP packet begins with: the kinds of addresses, and their sizes."""
_HEAD: Final = 14
"""Bytes of an Ethernet header without tags."""
_LEAST, _MOST = 42, 64
"""Bytes of a reply, and of one that is filled up to the shortest frame, with what some add."""
_EVERYBODY: Final = "ff:ff:ff:ff:ff:ff"
_NOBODY: Final = "00:00:00:00:00:00"
_NOWHERE: Final = "0.0.0.0"  # noqa: S104 - nothing is bound to it
_GET_NAME, _GET_MAC, _GET_NUMBER = 0x8910, 0x8927, 0x8933
"""ioctl: an interface's name by its number, hardware address and number by its name (netdevice(7))."""
_REQUEST: Final = struct.Struct("=16si20x")
_NAME: Final = 16
_KEPT_SECONDS: Final = 1.0
"""For so long an interface's addresses are not asked for again."""
_DISCARD: Final = 9
_ROOM: Final = 1 << 20
"""Bytes of what others on the segment say that the kernel keeps until it is read."""
_FULL: Final = frozenset({errno.ENOBUFS, errno.EAGAIN})
_PATIENCE: Final = 200
"""Milliseconds for which a full queue of this machine is waited for."""

_interfaces: dict[int, tuple[float, str, str]] = {}
"""By number: until when it holds, name and MAC."""


class _Opened:
    """What is opened, and imported, before everything is dropped."""

    frames: socket.socket
    asking: socket.socket
    l2: Any


def open_sockets(request: dict[str, Any]) -> None:  # noqa: ARG001 - every program gets one
    """Open everything that will be needed.

    Raises:
        OSError: no right to.
    """
    _Opened.frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ARP))
    _Opened.frames.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM)
    _Opened.asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    from scapy.layers import l2  # noqa: PLC0415 - only where there is a right to use it

    _Opened.l2 = l2
    # Whatever scapy loads late, it loads now.
    _read(_written(_NOBODY, _NOWHERE, _NOWHERE) + bytes(18))


def _written(mac: str, ours: str, theirs: str) -> bytes:
    """A request as any host sends it before its first packet to another."""
    l2 = _Opened.l2
    asking = l2.ARP(hwtype=_ETHERNET, ptype=_IPV4, hwlen=_MAC_SIZE, plen=_IP_SIZE, op=1)
    asking.hwsrc, asking.psrc, asking.hwdst, asking.pdst = mac, ours, _NOBODY, theirs
    return bytes(l2.Ether(dst=_EVERYBODY, src=mac, type=_ARP) / asking)


def _interface(number: int) -> tuple[str, str]:
    """Name and MAC of an interface.

    Raises:
        OSError: there is none, or it has no Ethernet address.
    """
    known = _interfaces.get(number)
    now = time.monotonic()
    if known is not None and known[0] > now:
        return known[1], known[2]
    named = fcntl.ioctl(_Opened.asking, _GET_NAME, _REQUEST.pack(b"", number))[:_NAME]
    told = fcntl.ioctl(_Opened.asking, _GET_MAC, named + bytes(24))
    if struct.unpack_from("=H", told, _NAME)[0] != _ETHERNET:
        raise OSError(errno.EADDRNOTAVAIL, "")
    name, mac = named.rstrip(b"\0").decode(), told[_NAME + 2 : _NAME + 8].hex(":")
    _interfaces[number] = now + _KEPT_SECONDS, name, mac
    return name, mac


def send(address: int, port: int) -> int:
    """Ask for one address on an interface; 0, or the errno where that did not leave."""
    theirs = socket.inet_ntoa(address.to_bytes(4))
    try:
        name, mac = _interface(port)
        _Opened.asking.connect((theirs, _DISCARD))  # sends nothing: the kernel chooses our address
        packet = _written(mac, _Opened.asking.getsockname()[0], theirs)
        for _ in range(_PATIENCE):
            try:
                _Opened.frames.sendto(packet, (name, _ARP))
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                time.sleep(0.001)
            else:
                return 0
    except OSError as error:
        return error.errno or errno.EIO
    return errno.ENOBUFS


def hear() -> None:
    """Tell of every answer, for ever."""
    while True:
        try:
            packet, (name, _, kind, *_) = _Opened.frames.recvfrom(_MOST + 1)
        except OSError:
            continue  # an interface went down
        found = _read(packet) if kind == socket.PACKET_HOST else None
        if found is not None:
            tell(HEARD, _number(name), *found)


def _number(name: str) -> int:
    """The number of an interface; 0, which none has, of one that vanished."""
    try:
        told = fcntl.ioctl(_Opened.asking, _GET_NUMBER, _REQUEST.pack(name.encode(), 0))
    except OSError:
        return 0
    return int(_REQUEST.unpack(told)[1]) & 0xFFFF


def _read(packet: bytes) -> tuple[int, bytes] | None:
    """The address that a reply speaks for, and its MAC; None of what is no reply to be believed."""
    if not _LEAST <= len(packet) <= _MOST:
        return None
    if _SHAPE.unpack_from(packet, _HEAD) != (_ETHERNET, _IPV4, _MAC_SIZE, _IP_SIZE):
        return None
    said = _Opened.l2.Ether(packet).getlayer(_Opened.l2.ARP)
    if said is None or said.op != _REPLY:
        return None
    mac = bytes.fromhex(said.hwsrc.replace(":", ""))
    if mac[0] & _GROUP or not any(mac):
        return None
    return int.from_bytes(socket.inet_aton(said.psrc)), mac
