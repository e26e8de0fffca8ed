"""What a tunnel carries within IP: packets, or whole frames. A tunnel is a line of a table and a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.capture.frames import BRIDGED, IPV4, Layer
from scanner.errors import ProtocolError
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scanner.capture.packets import Carried

_UDP: Final = 17
_HEADER: Final = 8
"""Bytes of a UDP header."""
_SPAN, _SPAN_3 = 0x88BE, 0x22EB
_CHECKED, _ROUTED, _KEYED, _NUMBERED = 0x8000, 0x4000, 0x2000, 0x1000
"""Flags of GRE: which of its fields are there."""


def inside(carried: Carried) -> Layer | None:
    """What an IP packet carries as a tunnel; None where it is none that is known.

    The card is that of whoever put the tunnel's packet on the wire: nobody's.
    """
    protocol, _, _, data = carried
    if protocol == _UDP:
        read = PORTS.get(int.from_bytes(data[2:4]))
        data = data[_HEADER:]
    else:
        read = _PROTOCOLS.get(protocol)
    try:
        return read(data) if read else None
    except ProtocolError:
        return None


def _ip(data: bytes) -> Layer:
    """IP in IP ([RFC 2003], [RFC 2473], [RFC 4213] section 3)."""
    return Layer(IPV4, data, b"")


def _gre(data: bytes) -> Layer | None:
    """GRE ([RFC 2784] section 2, [RFC 2890] section 2); NVGRE ([RFC 7637] 3.2) is the same."""
    reader = Reader(data)
    flags, kind = reader.u16be(), reader.u16be()
    if flags & 7 or flags & _ROUTED:  # the version; routes of nobody's
        return None
    reader.skip(4 * sum(bool(flags & flag) for flag in (_CHECKED, _KEYED, _NUMBERED)))
    if kind == _SPAN:
        reader.skip(8 if flags & _NUMBERED else 0)  # type I has no header of its own
        kind = BRIDGED
    elif kind == _SPAN_3:
        return _mirrored(reader)
    return Layer(kind, reader.rest(), b"")


def _mirrored(reader: Reader) -> Layer | None:
    """ERSPAN type III (draft-foschiano-erspan-03 4.3): 12 bytes of header, and 8 more where it says so."""
    reader.skip(10)
    flags = reader.u16be()
    reader.skip(8 if flags & 1 else 0)
    kind = {0: BRIDGED, 2: IPV4}.get(flags >> 10 & 31)
    return Layer(kind, reader.rest(), b"") if kind else None


def _vxlan(data: bytes) -> Layer | None:
    """VXLAN ([RFC 7348] section 5)."""
    reader = Reader(data)
    if not reader.u32be() & 0x08000000:  # the mark of a valid network's number
        return None
    reader.skip(4)
    return Layer(BRIDGED, reader.rest(), b"")


def _geneve(data: bytes) -> Layer | None:
    """Geneve ([RFC 8926] 3.4)."""
    reader = Reader(data)
    first = reader.u8()
    if first >> 6:
        return None
    reader.skip(1)
    kind = reader.u16be()
    reader.skip(4 + (first & 63) * 4)
    return Layer(kind, reader.rest(), b"")


_PROTOCOLS: Final[Mapping[int, Callable[[bytes], Layer | None]]] = {4: _ip, 41: _ip, 47: _gre}
"""By the protocol of IP (https://www.iana.org/assignments/protocol-numbers)."""
PORTS: Final[Mapping[int, Callable[[bytes], Layer | None]]] = {4789: _vxlan, 8472: _vxlan, 6081: _geneve}
"""By the port that a UDP datagram goes to; Linux had 8472 for VXLAN before it had a number of its own."""
