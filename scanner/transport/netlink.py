"""Asking this machine's own kernel about its network, over rtnetlink(7): nothing is sent to anybody."""

from __future__ import annotations

import os
import socket
import struct
import sys
from itertools import count
from typing import TYPE_CHECKING, Final

from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REQUEST, DUMP = 0x001, 0x300
"""Flags of netlink(7): this is a question; all that there is, please."""
_MULTI: Final = 0x002
_ERROR, _DONE = 2, 3
_HEADER: Final = struct.Struct("=IHHII")
_LARGEST: Final = 1 << 18
"""Bytes of one datagram of the kernel: it fills 32 KiB at most, so none is cut."""
_SECONDS: Final = 1.0
_KERNEL: Final = 0
"""The port of whoever may be believed."""
_TYPE: Final = 0x3FFF
"""Of an attribute's type: the rest are flags (``NLA_TYPE_MASK``)."""
_numbers: Final = count(1)


class RefusedError(OSError):
    """The kernel says no: there is no such thing, or it is not allowed."""


def ask(kind: int, flags: int, body: bytes) -> Iterator[tuple[int, Reader]]:
    """The parts of the kernel's answer: what each is, and its content.

    Raises:
        RefusedError: the kernel says that there is no answer.
        OSError: this process may not ask.
        ProtocolError: the answer cannot be read.
    """
    number = next(_numbers)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as asking:
        asking.settimeout(_SECONDS)
        asking.sendto(
            _HEADER.pack(_HEADER.size + len(body), kind, flags | REQUEST, number, 0) + body, (_KERNEL, 0)
        )
        more = True
        while more:
            datagram, (sender, _) = asking.recvfrom(_LARGEST)
            if sender == _KERNEL:
                found, more = parts(datagram, number)
                yield from found


def parts(datagram: bytes, number: int) -> tuple[list[tuple[int, Reader]], bool]:
    """What a datagram says in answer to a question, and whether more follows.

    Args:
        datagram: messages one after the other, each a ``struct nlmsghdr`` and its content (netlink(7)).
        number: of the question.

    Raises:
        RefusedError: it says that there is no answer.
        ProtocolError: it cannot be read.
    """
    found: list[tuple[int, Reader]] = []
    more = True
    reader = Reader(datagram)
    while reader.remaining:
        length, kind, flags = u32(reader), u16(reader), u16(reader)
        answered = u32(reader)
        reader.skip(4)
        content = reader.slice(reader.position, length - _HEADER.size)
        _align(reader, length - _HEADER.size)
        if answered != number:
            continue
        if kind == _ERROR and (code := -_signed(u32(content))):
            raise RefusedError(code, os.strerror(code))
        if kind in {_ERROR, _DONE}:
            return found, False
        found.append((kind, content))
        more = bool(flags & _MULTI)
    return found, more


def attributes(reader: Reader) -> Mapping[int, bytes]:
    """The attributes to the end of a message, by type; of several of one type the last (rtnetlink(7)).

    Raises:
        ProtocolError: they cannot be read.
    """
    found = {}
    while reader.remaining:
        length, kind = u16(reader), u16(reader) & _TYPE
        found[kind] = reader.slice(reader.position, length - 4).rest()
        _align(reader, length - 4)
    return found


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, as bytes."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def u16(reader: Reader) -> int:
    """The next 16-bit number, in this machine's own order: the kernel's."""
    return reader.u16() if sys.byteorder == "little" else reader.u16be()


def u32(reader: Reader) -> int:
    """The next 32-bit number, in the same order."""
    return reader.u32() if sys.byteorder == "little" else reader.u32be()


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def _align(reader: Reader, length: int) -> None:
    """Go past a content and what fills it up to a multiple of four; the last need not be filled up."""
    reader.skip(min(length + -length % 4, reader.remaining))
