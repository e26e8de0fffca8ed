"""CDP: Cisco's devices, and some of others, name themselves to their neighbours every minute.

The format is Cisco's "Cisco Discovery Protocol Packet Format" (Catalyst Token Ring Switching Implementation
Guide); what is not there is as the CISCO-CDP-MIB describes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.capture import owners
from scanner.capture.descriptions import described
from scanner.capture.telling import FrameSource, Told
from scanner.errors import ProtocolError
from scanner.probes import lines
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Payload

_KIND: Final = 0x2000
"""Its number under Cisco's organization in SNAP, and as it stands in Cisco's HDLC."""
_SNAP: Final = b"\xaa\xaa\x03\x00\x00\x0c\x20\x00"
_VERSIONS: Final = (1, 2)
_NAME, _ADDRESSES, _SOFTWARE, _PLATFORM, _MANAGED = 0x01, 0x02, 0x05, 0x06, 0x16
_PROTOCOLS: Final = (b"\xcc", b"\xaa\xaa\x03\x00\x00\x00\x86\xdd")
"""IPv4 by its NLPID, IPv6 by SNAP."""
_HEADER: Final = 4
"""Bytes of a field's type and length."""


def hear(payload: Payload) -> Iterator[Told]:
    """What a device says of itself: of its card; where it is managed is told with it."""
    reader = Reader(payload.data)
    if payload.kind != _KIND:
        reader.expect(_SNAP, "CDP")
    if reader.u8() not in _VERSIONS:
        raise ProtocolError("an unknown version of CDP")
    reader.skip(3)
    fields = _fields(reader)
    evidence = {
        "cdp.software": described(fields.get(_SOFTWARE, b"")),
        "cdp.platform": lines.text(fields.get(_PLATFORM, b"")),
        "cdp.name": lines.text(fields.get(_NAME, b"")),
    }
    managed = _address(fields.get(_MANAGED, b"")) or _address(fields.get(_ADDRESSES, b""))
    yield Told({**evidence, owners.MANAGED: managed}, address=owners.card(payload.card) or managed)


def _fields(reader: Reader) -> dict[int, bytes]:
    """The first of each, as far as the frame was kept."""
    fields: dict[int, bytes] = {}
    while reader.remaining >= _HEADER:
        kind, length = reader.u16be(), reader.u16be() - _HEADER
        if not 0 <= length <= reader.remaining:
            break
        fields.setdefault(kind, reader.bytes(length))
    return fields


def _address(field: bytes) -> str:
    """The first IP address of a field of addresses; empty where there is none, or it is damaged."""
    reader = Reader(field)
    try:
        for _ in range(reader.u32be()):
            reader.skip(1)
            protocol = reader.bytes(reader.u8())
            address = reader.bytes(reader.u16be())
            if protocol in _PROTOCOLS and (found := owners.host(address)):
                return found
    except ProtocolError:
        pass
    return ""


SOURCES: Final = (
    FrameSource("cdp", ("cdp.software", "cdp.platform", "cdp.name", owners.MANAGED), (0, _KIND), hear),
)
