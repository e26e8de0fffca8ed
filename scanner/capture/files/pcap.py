"""The classic format of tcpdump: a header, then packet after packet (draft-ietf-opsawg-pcap, 4 and 5)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.capture.files.incoming import LONGEST, SANE
from scanner.capture.telling import Frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.files.incoming import Incoming

TOO_LONG: Final = "is damaged at byte {byte}: it has a packet of {length} bytes; packets read: {packets}"
UNKNOWN_VERSION: Final = (
    "is of a version that is not known, {major}.{minor}, from byte {byte} on; packets read: {packets}"
)
_HEADER: Final = 24


class _Kind(NamedTuple):
    """What a magic number says of the records."""

    order: str
    units: float
    """Of time, in a second."""
    more: int
    """Bytes that stand in a record's header beside time and lengths."""


_KINDS: Final = {
    struct.pack(f"{order}I", magic): _Kind(order, units, more)
    for order in "<>"
    for magic, units, more in (
        (0xA1B2C3D4, 1e6, 0),
        (0xA1B23C4D, 1e9, 0),
        (0xA1B2CD34, 1e6, 8),  # Kuznetzov's, of old Linux: the interface, the protocol and the direction too
    )
}
MAGICS: Final = frozenset(_KINDS)


def frames(incoming: Incoming) -> Iterator[Frame]:
    """The frames of a capture that begins with one of the magic numbers.

    Raises:
        DamageError: it is damaged or cut short.
    """
    if not incoming.more(0, _HEADER):
        raise incoming.cut_short()
    kind = _KINDS[incoming.data[:4]]
    major, minor, link = struct.unpack_from(f"{kind.order}4x2H12xI", incoming.data)
    link &= 0xFFFF  # above it: whether checksums of frames stand behind them, where padding may stand as well
    units, record = kind.units, _record(incoming, kind, (major, minor))
    unpack, head, at, number, new = record.unpack_from, record.size, _HEADER, 0, tuple.__new__
    while True:
        data = incoming.data
        end = len(data)
        last = end - head
        while at <= last:
            seconds, fraction, captured = unpack(data, at)
            start = at + head
            stop = start + captured
            if stop > end or captured > LONGEST:
                break
            number += 1
            yield new(Frame, (link, seconds + fraction / units, data[start:stop]))
            at = stop
        incoming.packets = number
        if at > last:
            captured = 0
        elif captured > SANE:
            raise incoming.damage(TOO_LONG, at, length=captured)
        elif stop <= end:
            at = stop
            number += 1  # it is passed over
            continue
        if not incoming.more(at, head + captured):
            break
        at = 0
    if incoming.data:
        raise incoming.cut_short()


def _record(incoming: Incoming, kind: _Kind, version: tuple[int, int]) -> struct.Struct:
    """How a record begins: seconds, their fraction, the length that was captured."""
    if version == (543, 0) or (2, 0) <= version < (2, 3):  # with the lengths the other way round
        return struct.Struct(f"{kind.order}2I4xI{kind.more}x")
    if (2, 3) <= version <= (2, 4):
        return struct.Struct(f"{kind.order}3I4x{kind.more}x")
    raise incoming.damage(UNKNOWN_VERSION, 0, major=version[0], minor=version[1])
