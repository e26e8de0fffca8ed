"""Half-open looks: a SYN for each order, and what answers it: SYN and ACK, RST, or an ICMP error.

Nothing is remembered of what was sent. The sequence number is a keyed hash of both ends, and whoever answers
must know it ([RFC 9293] 3.10.7.3; of an ICMP error, from the segment that it quotes, [RFC 792]): what is
forged, of another scan, or from another address than was asked is not an answer. The kernel, which has no
such connection, resets what comes back open; so no host is left half-open.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import socket
import struct
import time
from hashlib import blake2s
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from scanner.transport.children.raw import tell  # noqa: TC004 - given by raw.py when it runs

OPEN, CLOSED, UNREACHABLE = 16, 17, 18
"""Kinds of records: the port is open (the packet follows), or closed (its TTL follows); there is no way (type
and code of ICMP follow, and who says so)."""
_HEADER: Final = struct.Struct("!BBHHHBBH4s4s")
_SEGMENT: Final = struct.Struct("!HHIIHHHHI")
_OFFSET_AND_SYN: Final = 6 << 12 | 0x02
_WINDOW: Final = 64240
_MSS_OPTION: Final = 2 << 24 | 4 << 16 | 1460
"""The one option: segments of Ethernet ([RFC 9293] 3.7.1)."""
_SYN, _RST, _ACK = 0x02, 0x04, 0x10
_ATTACH_FILTER: Final = 26
"""SO_ATTACH_FILTER, socket(7)."""
_ROOM: Final = 1 << 23
"""Bytes of answers that the kernel keeps until they are read."""
_KEPT: Final = 120
"""Bytes of an answer that are looked at: the longest headers of IP and TCP."""
_FULL: Final = frozenset({errno.ENOBUFS, errno.EAGAIN})
_PATIENCE: Final = 200
"""Milliseconds for which a full queue of this machine is waited for."""
_QUOTED: Final = 28
"""Bytes that an ICMP error quotes at least: a header of IP, and eight bytes more."""
_PLAIN_HEADER: Final = 0x45
"""The first byte of an IPv4 header without options: ours have none."""
_ROUTE_SECONDS: Final = 1.0
"""For so long the address that a route begins at is not asked for again."""
_DISCARD: Final = 9
"""A port for asking the kernel for a route; nothing is sent there."""

_key: Final = os.urandom(16)
_routes: dict[int, tuple[float, bytes, int]] = {}
"""By the first 24 bits of an address: until when it holds, the address that packets there come from, and its
part of the checksum."""


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


class _Sockets:
    """What is opened before everything is dropped."""

    reserved: socket.socket
    port: int
    asking: socket.socket
    sending: socket.socket
    hearing: socket.socket
    errors: socket.socket


def open_sockets(request: dict[str, Any]) -> None:  # noqa: ARG001 - every program gets one
    """Open everything that will be needed.

    Raises:
        OSError: no right to.
    """
    _Sockets.sending = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    _Sockets.hearing = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    _Sockets.errors = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    _Sockets.asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # Bound, so that nobody else on this machine gets the port; not listening, so that the kernel resets.
    _Sockets.reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    _Sockets.reserved.bind(("", 0))
    port = _Sockets.port = _Sockets.reserved.getsockname()[1]
    _choose(_Sockets.hearing, ((0xB1, 0, 0, 0), (0x48, 0, 0, 2), (0x15, 0, 1, port)))
    ours = ((0xB1, 0, 0, 0), (0x50, 0, 0, 0), (0x15, 0, 5, 3))  # destination unreachable
    quoted = ((0x50, 0, 0, 17), (0x15, 0, 3, socket.IPPROTO_TCP), (0x48, 0, 0, 28), (0x15, 0, 1, port))
    _choose(_Sockets.errors, (*ours, *quoted))
    for hearing in (_Sockets.hearing, _Sockets.errors):
        hearing.setblocking(False)  # noqa: FBT003 - the standard library's
        for option in (33, socket.SO_RCVBUF):  # SO_RCVBUFFORCE, where that is allowed
            try:
                hearing.setsockopt(socket.SOL_SOCKET, option, _ROOM)
                break
            except OSError:
                continue


def _choose(hearing: socket.socket, steps: tuple[tuple[int, int, int, int], ...]) -> None:
    """Let the kernel throw away what is not ours (BPF, socket(7)): each step is code, jumps, value.

    The last step is a comparison that falls through where all is well, and jumps over one step where not.
    """
    code = b"".join(struct.pack("=HBBI", *step) for step in (*steps, (6, 0, 0, _KEPT + 64), (6, 0, 0, 0)))
    kept = ctypes.create_string_buffer(code)
    program = _Program(len(code) // 8, ctypes.addressof(kept))
    hearing.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, bytes(program))


def _cookie(theirs: bytes, port: int, ours: bytes) -> int:
    """The sequence number of the SYN to a port of an address."""
    return int.from_bytes(blake2s(theirs + ours + port.to_bytes(2), digest_size=4, key=_key).digest())


def _route(address: int, packed: bytes) -> tuple[bytes, int]:
    """The address that packets to another one come from, and its part of the checksum.

    Raises:
        OSError: there is no way.
    """
    known = _routes.get(address >> 8)
    now = time.monotonic()
    if known is not None and known[0] > now:
        return known[1], known[2]
    _Sockets.asking.connect((socket.inet_ntoa(packed), _DISCARD))
    ours = socket.inet_aton(_Sockets.asking.getsockname()[0])
    high, low = struct.unpack("!HH", ours)
    constant = high + low + socket.IPPROTO_TCP + _SEGMENT.size + _Sockets.port + _OFFSET_AND_SYN + _WINDOW
    constant += (_MSS_OPTION >> 16) + (_MSS_OPTION & 0xFFFF)
    _routes[address >> 8] = (now + _ROUTE_SECONDS, ours, constant)
    return ours, constant


def send(address: int, port: int) -> int:
    """Send one SYN; 0, or the errno where it did not leave."""
    packed = address.to_bytes(4)
    try:
        ours, total = _route(address, packed)
    except OSError as error:
        return error.errno or errno.EIO
    sequence = _cookie(packed, port, ours)
    total += (address >> 16) + (address & 0xFFFF) + port + (sequence >> 16) + (sequence & 0xFFFF)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    packet = _HEADER.pack(0x45, 0, 0, 0, 0x4000, 64, socket.IPPROTO_TCP, 0, ours, packed) + _SEGMENT.pack(
        _Sockets.port, port, sequence, 0, _OFFSET_AND_SYN, _WINDOW, ~total & 0xFFFF, 0, _MSS_OPTION
    )
    for _ in range(_PATIENCE):
        try:
            _Sockets.sending.sendto(packet, (socket.inet_ntoa(packed), 0))
        except OSError as error:
            if error.errno not in _FULL:
                return error.errno or errno.EIO
            time.sleep(0.001)
        else:
            return 0
    return errno.ENOBUFS


def hear() -> None:
    """Tell of every answer, for ever."""
    waiting = select.poll()
    readers = {
        _Sockets.hearing.fileno(): (_Sockets.hearing, _answer),
        _Sockets.errors.fileno(): (_Sockets.errors, _error),
    }
    for descriptor in readers:
        waiting.register(descriptor, select.POLLIN)
    while True:
        for descriptor, _ in waiting.poll():
            hearing, take = readers[descriptor]
            for _ in range(256):
                try:
                    packet = hearing.recv(_KEPT + 64)
                except BlockingIOError:
                    break
                except OSError:
                    continue  # an error of the network that a raw socket is told of
                take(packet)


def _answer(packet: bytes) -> None:
    """An answer to a SYN."""
    start = (packet[0] & 0x0F) * 4
    if len(packet) < start + 20:
        return
    port, _, _, acknowledged, _, flags = struct.unpack_from("!HHIIBB", packet, start)
    theirs, ours = packet[12:16], packet[16:20]
    if not flags & _ACK or acknowledged != (_cookie(theirs, port, ours) + 1) & 0xFFFFFFFF:
        return
    if flags & _RST:
        tell(CLOSED, port, int.from_bytes(theirs), packet[8:9])
    elif flags & _SYN:
        tell(OPEN, port, int.from_bytes(theirs), packet[:_KEPT])


def _error(packet: bytes) -> None:
    """An ICMP error about a SYN: it quotes the header of IP, and of TCP as far as the sequence number."""
    start = (packet[0] & 0x0F) * 4
    quoted = packet[start + 8 :]
    if len(quoted) < _QUOTED or quoted[0] != _PLAIN_HEADER:
        return
    ours, theirs = quoted[12:16], quoted[16:20]
    _, port, sequence = struct.unpack_from("!HHI", quoted, 20)
    if sequence == _cookie(theirs, port, ours):
        tell(UNREACHABLE, port, int.from_bytes(theirs), packet[start : start + 2] + packet[12:16])
