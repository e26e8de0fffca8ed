"""The block format of Wireshark: sections, interfaces, their packets (draft-ietf-opsawg-pcapng, 3 and 4)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from scanner.capture.files.incoming import LONGEST, SANE
from scanner.capture.files.pcap import TOO_LONG, UNKNOWN_VERSION
from scanner.capture.telling import Frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.files.incoming import Incoming

MAGIC: Final = b"\n\r\r\n"
_SECTION, _INTERFACE, _OBSOLETE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_SHORTEST: Final = {_SECTION: 28, _INTERFACE: 20, _OBSOLETE: 32, _SIMPLE: 16, _ENHANCED: 32}
"""Bytes of a block with nothing in it."""
_EMPTY: Final = 12
"""The same, of another kind."""
_LONGEST: Final = 1 << 24
"""Bytes of the longest block that libpcap and Wireshark read."""
_INTERFACES: Final = 1 << 16
_RESOLUTION, _OFFSET = 9, 14
_FOREVER: Final = float(1 << 32)
"""The first moment that no classic capture could tell (in 2106): a time that is not before is none."""
_BROKEN: Final = "is damaged at byte {byte}: a block that is none; packets read: {packets}"


class _Order:
    """How numbers are written in a section."""

    def __init__(self, order: str) -> None:
        self.mark = struct.pack(f"{order}I", 0x1A2B3C4D)
        self.block = struct.Struct(f"{order}2I").unpack_from
        self.number = struct.Struct(f"{order}I").unpack_from
        self.interface = struct.Struct(f"{order}H2xI").unpack_from
        self.option = struct.Struct(f"{order}2H").unpack_from
        self.offset = struct.Struct(f"{order}q").unpack
        self.version = struct.Struct(f"{order}2H").unpack_from
        self.stamped = {
            _ENHANCED: struct.Struct(f"{order}4I").unpack_from,
            _OBSOLETE: struct.Struct(f"{order}H2x3I").unpack_from,
        }


_ORDERS: Final = {order.mark: order for order in (_Order("<"), _Order(">"))}


class _Interface(NamedTuple):
    link: int
    longest: int
    """Bytes of a packet that were kept at most."""
    units: int
    """Of time, in a second."""
    offset: int
    """Seconds to be added."""


_Block: TypeAlias = tuple[_Order, int, int, int]
"""How its numbers are written, its kind, where it begins in the window, and its length."""


def frames(incoming: Incoming) -> Iterator[Frame]:
    """The frames of a capture that begins with the magic number.

    One that says no time has that of the one before it.

    Raises:
        DamageError: it is damaged or cut short.
    """
    interfaces: list[_Interface] = []
    moment, new = 0.0, tuple.__new__
    for block in _blocks(incoming):
        order, kind, at, length = block
        data = incoming.data
        stamped = order.stamped.get(kind)
        if stamped is not None:
            which, high, low, captured = stamped(data, at + 8)
            if which >= len(interfaces):
                raise incoming.damage(_BROKEN, at)
            link, _, units, offset = interfaces[which]
            moment = (high << 32 | low) / units + offset
            if not 0 <= moment < _FOREVER:
                moment = 0.0
            start = at + 28
        elif kind == _SIMPLE:
            if not interfaces:
                raise incoming.damage(_BROKEN, at)
            link, longest, *_ = interfaces[0]
            captured, start = min(order.number(data, at + 8)[0], longest, length - 16), at + 12
        else:
            _described(incoming, interfaces, block)  # nothing else says anything of a packet
            continue
        if captured > SANE:
            raise incoming.damage(TOO_LONG, at, length=captured)
        if start + captured > at + length - 4:
            raise incoming.damage(_BROKEN, at)
        incoming.packets += 1
        if captured <= LONGEST:
            yield new(Frame, (link, moment, data[start : start + captured]))


def _blocks(incoming: Incoming) -> Iterator[_Block]:
    """Every block, whole in the window."""
    at, order = 0, next(iter(_ORDERS.values()))
    while True:
        if len(incoming.data) - at < _EMPTY:
            if not incoming.more(at, _EMPTY):
                break
            at = 0
        kind, length = order.block(incoming.data, at)
        if kind == _SECTION:  # the same in either order of numbers, which may be another from here on
            order, length = _section(incoming, at)
        if not _SHORTEST.get(kind, _EMPTY) <= length <= _LONGEST or length % 4:
            raise incoming.damage(_BROKEN, at)
        if len(incoming.data) - at < length:
            if not incoming.more(at, length):
                break
            at = 0
        if order.number(incoming.data, at + length - 4)[0] != length:  # it stands at both ends
            raise incoming.damage(_BROKEN, at)
        yield order, kind, at, length
        at += length
    if incoming.data:
        raise incoming.cut_short()


def _section(incoming: Incoming, at: int) -> tuple[_Order, int]:
    """How numbers are written in the section that begins here, and how long its header is."""
    order = _ORDERS.get(incoming.data[at + 8 : at + 12])
    if order is None:
        raise incoming.damage(_BROKEN, at)
    return order, order.block(incoming.data, at)[1]


def _described(incoming: Incoming, interfaces: list[_Interface], block: _Block) -> None:
    """Take what a section or an interface says of itself."""
    order, kind, at, length = block
    if kind == _SECTION:
        interfaces.clear()
        major, minor = order.version(incoming.data, at + 12)
        if major != 1:
            raise incoming.damage(UNKNOWN_VERSION, at, major=major, minor=minor)
    elif kind == _INTERFACE:
        options = _options(order, incoming.data[at + 16 : at + length - 4])
        if options is None or len(interfaces) >= _INTERFACES:
            raise incoming.damage(_BROKEN, at)
        link, longest = order.interface(incoming.data, at + 8)
        resolution, offset = options.get(_RESOLUTION, b""), options.get(_OFFSET, b"")
        units = _units(resolution[0]) if resolution else 10**6
        seconds = order.offset(offset)[0] if len(offset) == 8 else 0  # noqa: PLR2004 - 64 bits
        interfaces.append(_Interface(link, longest or SANE, units, seconds))


def _options(order: _Order, data: bytes) -> dict[int, bytes] | None:
    """The options of a block (3.5), the first of each; None where they do not fit."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        if len(data) - at < 4:  # noqa: PLR2004 - code and length
            return None
        code, length = order.option(data, at)
        if code == 0:
            break
        value = data[at + 4 : at + 4 + length]
        if len(value) < length:
            return None
        if code in (_RESOLUTION, _OFFSET):
            found.setdefault(code, value)
        at += 4 + (length + 3) // 4 * 4
    return found


def _units(resolution: int) -> int:
    """In a second: a power of 2, or else of 10 (if_tsresol, 4.2)."""
    return 1 << (resolution & 0x7F) if resolution & 0x80 else 10**resolution
