"""The hearing part: it opens an interface, drops everything, then tells its parent what it hears.

``python -I hearing.py REQUEST``: the request is JSON with the ``interface``, the ``parent`` and the
``filters`` by link type. Packets go to standard output as a capture (pcap, nanoseconds, in the byte order of
this machine); what there is to say of them goes to standard error, a line each: ``counts HEARD LOST`` once a
second and at the end, ``failed ERRNO`` or ``link KIND`` where it does not begin, ``gone`` where the interface
goes. It ends when standard input ends, at SIGTERM and at SIGINT.

The kernel puts packets into a ring of blocks that this process sees (packet(7), TPACKET_V3 of the kernel's
packet_mmap document), and hands each block over when it is full or a tenth of a second old.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import mmap
import os
import runpy
import select
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CONFINEMENT: Final = Path(__file__).parents[2] / "confinement.py"
_ATTACH_FILTER, _LOCK_FILTER = 26, 44
"""socket(7)."""
_PACKET: Final = 263
"""SOL_PACKET."""
_ADD_MEMBERSHIP, _RX_RING, _STATISTICS, _VERSION, _IGNORE_OUTGOING = 1, 5, 6, 10, 23
"""packet(7)."""
_VERSION_3: Final = 2
_MEMBERSHIP: Final = struct.Struct("=iHH8s")
_PROMISCUOUS: Final = 1
_COUNTS: Final = struct.Struct("=III")
"""struct tpacket_stats_v3: packets, and lost ones among them."""
_GET_FLAGS, _GET_MAC = 0x8913, 0x8927
"""ioctl: what an interface does, and its hardware address (netdevice(7))."""
_REQUEST: Final = struct.Struct("=16sH22x")
_UP: Final = 1
_LOOPBACK: Final = 772
"""ARPHRD_LOOPBACK: what it carries is Ethernet, and is there twice, as it leaves and as it arrives."""
_LINKS: Final = {1: 1, _LOOPBACK: 1, 65534: 101}
"""Link types (https://www.tcpdump.org/linktypes.html) by kinds of hardware (if_arp.h): Ethernet, IP alone."""
_EVERYTHING: Final = 0x0003
"""ETH_P_ALL."""
_BLOCK: Final = 1 << 20
_BLOCKS: Final = 64
_FRAME: Final = 1 << 11
_MILLISECONDS: Final = 100
"""A block that is not full is handed over when it is that old."""
_STATUS, _PACKETS = 8, 12
"""Where a block says whose it is, and how many packets it has and where the first one begins."""
_OURS: Final = 1
_TWO: Final = struct.Struct("=II")
_PLACED: Final = struct.Struct("=IIIIIIHHIIH")
"""struct tpacket3_hdr. The time and the lengths in it are those of a record of a capture."""
_TAGGED, _TAG_KIND = 0x10, 0x40
_TAG_BYTES: Final = 4
_VLAN: Final = 0x8100
_CARDS: Final = 12
_HEADER: Final = struct.Struct("=IHHiIII")
_NANOSECONDS: Final = 0xA1B23C4D
_RECORD: Final = struct.Struct("=IIII")
_LONGEST: Final = 1 << 18
_PIPE: Final = 1 << 20
_SET_PIPE_SIZE: Final = 1031
_LAST_SECONDS: Final = 0.25
"""So long after the end, what had been heard by then has been handed over."""


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


class Ring:
    """The packets of one interface, as the kernel keeps them for this process."""

    def __init__(self, packets: socket.socket) -> None:
        """Have the kernel keep packets of a socket that gets none yet.

        Raises:
            OSError: it does not.
        """
        self.packets = packets
        packets.setsockopt(_PACKET, _VERSION, _VERSION_3)
        wanted = _BLOCK, _BLOCKS, _FRAME, _BLOCK // _FRAME * _BLOCKS, _MILLISECONDS, 0, 0
        packets.setsockopt(_PACKET, _RX_RING, struct.pack("=7I", *wanted))
        self._memory = mmap.mmap(packets.fileno(), _BLOCK * _BLOCKS)
        self._next = 0
        self._heard = self._lost = 0

    def take(self) -> bytes:
        """The packets of the next block as records of a capture; nothing where it is still the kernel's."""
        memory, start = self._memory, self._next * _BLOCK
        if not _TWO.unpack_from(memory, start + _STATUS)[0] & _OURS:
            return b""
        taken = _records(memory, start)
        _TWO.pack_into(memory, start + _STATUS, 0, 0)
        self._next = (self._next + 1) % _BLOCKS
        return taken

    def counts(self) -> bytes:
        """How many packets were heard and how many lost since the beginning, by the kernel's count."""
        told = self.packets.getsockopt(_PACKET, _STATISTICS, _COUNTS.size)
        packets, lost, _ = _COUNTS.unpack(told)
        self._heard += packets - lost
        self._lost += lost
        return b"counts %d %d\n" % (self._heard, self._lost)


def _records(memory: mmap.mmap, start: int) -> bytes:
    """The packets of a block as records of a capture, with the VLAN tags that the kernel took off."""
    number, place = _TWO.unpack_from(memory, start + _PACKETS)
    place += start
    taken: list[bytes] = []
    for _ in range(number):
        placed = _PLACED.unpack_from(memory, place)
        begins = place + placed[6]
        ends = begins + placed[3]
        if placed[5] & _TAGGED:
            kind = placed[10] if placed[5] & _TAG_KIND else _VLAN
            taken += (
                _RECORD.pack(placed[1], placed[2], placed[3] + _TAG_BYTES, placed[4] + _TAG_BYTES),
                memory[begins : begins + _CARDS],
                struct.pack("!HH", kind, placed[9] & 0xFFFF),
                memory[begins + _CARDS : ends],
            )
        else:
            taken += (memory[place + 4 : place + 20], memory[begins:ends])
        place += placed[0]
    return b"".join(taken)


def open_interface(name: str, filters: Mapping[str, Sequence[Sequence[int]]]) -> tuple[Ring, int]:
    """Hear an interface from here on, through the filter of its link type; that comes beside it.

    Raises:
        OSError: no right to, there is no such interface, or it is down (``ENETDOWN``).
        SystemExit: what it carries is not known here.
    """
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # gets nothing until it is bound
    asked = _REQUEST.pack(name.encode(), 0)
    if not _REQUEST.unpack(fcntl.ioctl(packets, _GET_FLAGS, asked))[1] & _UP:
        raise OSError(errno.ENETDOWN, "")
    kind = _REQUEST.unpack(fcntl.ioctl(packets, _GET_MAC, asked))[1]
    link = _LINKS.get(kind)
    if link is None:
        raise SystemExit(f"link {kind}")
    _choose(packets, filters[str(link)])
    ring = Ring(packets)
    if kind == _LOOPBACK:
        packets.setsockopt(_PACKET, _IGNORE_OUTGOING, 1)
    joined = _MEMBERSHIP.pack(socket.if_nametoindex(name), _PROMISCUOUS, 0, b"")
    packets.setsockopt(_PACKET, _ADD_MEMBERSHIP, joined)
    packets.bind((name, _EVERYTHING))
    return ring, link


def _choose(packets: socket.socket, steps: Sequence[Sequence[int]]) -> None:
    """Let the kernel throw away what the filter does not want, for ever."""
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    kept = ctypes.create_string_buffer(code)
    program = _Program(len(steps), ctypes.addressof(kept))
    packets.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, bytes(program))
    packets.setsockopt(socket.SOL_SOCKET, _LOCK_FILTER, 1)


def _write(data: bytes) -> None:
    """Write all of it to standard output, however long it takes to be read."""
    left = memoryview(data)
    while left:
        left = left[os.write(1, left) :]


def hear(ring: Ring) -> bool:
    """Tell what is heard, until the end is asked for; False where the interface went before."""
    asked = select.poll()
    asked.register(ring.packets, select.POLLIN)
    asked.register(0, select.POLLIN)
    ended: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: ended.append(number))
    due = 0.0
    last = float("inf")
    while (now := time.monotonic()) < last:
        if now >= due:
            os.write(2, ring.counts())
            due = now + 1
        taken = ring.take()
        _write(taken)
        events = dict(asked.poll(0 if taken else _MILLISECONDS))
        if events.get(ring.packets.fileno(), 0) & select.POLLERR and _went(ring.packets):
            time.sleep(_LAST_SECONDS)
            return False
        if (ended or 0 in events) and last > now + 1:
            last = now + _LAST_SECONDS
            asked.unregister(0)
    return True


def _went(packets: socket.socket) -> bool:
    return packets.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ENETDOWN


def main(request: str) -> None:
    """Open, drop, and hear."""
    asked: dict[str, Any] = json.loads(request)
    os.closerange(3, 1 + max(map(int, os.listdir("/proc/self/fd"))))  # noqa: PTH208 - whatever was left open
    confinement = runpy.run_path(str(_CONFINEMENT))
    ring, link = open_interface(asked["interface"], asked["filters"])
    with suppress(OSError):  # or it stays as small as it is
        fcntl.fcntl(1, _SET_PIPE_SIZE, _PIPE)
    confinement["drop_everything"](silent=True)
    confinement["die_with"](asked["parent"])
    _write(_HEADER.pack(_NANOSECONDS, 2, 4, 0, 0, _LONGEST, link))
    whole = hear(ring)
    for _ in range(_BLOCKS):
        _write(ring.take())
    os.write(2, ring.counts() + (b"" if whole else b"gone\n"))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OSError as error:
        raise SystemExit(f"failed {error.errno}") from None
