"""What is wrapped around an IP packet, taken off: links, VLANs, labels, and what a tunnel brought.

A layer says what its first bytes are, by an EtherType; each step takes one layer off. A link type is a line
of :data:`LINKS`, what lies between a link and its packets one of ``_STEPS``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.capture.telling import Packet, Payload
from scanner.errors import ProtocolError
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scanner.capture.telling import Frame

VLANS: Final = (0x8100, 0x88A8, 0x9100)
"""EtherTypes of tags of virtual networks (IEEE 802.1Q, 802.1ad, and what stood for it before)."""
ETHERNET: Final = 1
IPV4: Final = 0x0800
IPV6: Final = 0x86DD
BRIDGED: Final = 0x6558
"""The EtherType of whole Ethernet frames in a tunnel (Transparent Ethernet Bridging, [RFC 1701])."""
MPLS: Final = 0x8847
SESSION: Final = 0x8864
SHORTEST: Final = 1536
"""The least EtherType; below, it is the length of an IEEE 802.3 frame (IEEE 802.3 3.2.6)."""
_LLC: Final = 1500
"""The length that is said of frames of other links which begin with LLC."""
_DEEPEST: Final = 16
"""Layers that are taken off one frame at most."""
_LABELS: Final = 16
"""MPLS labels of a packet at most."""
_NO_CARD: Final = bytes(6)
_CARD: Final = 6
_SNAP: Final = b"\xaa\xaa\x03"
_WITHIN: Final = (b"\0\0\0", b"\0\0\xf8")
"""Organizations of SNAP whose protocols are EtherTypes ([RFC 1042], IEEE 802.1H)."""
_FAMILIES: Final = {2: IPV4, 24: IPV6, 28: IPV6, 30: IPV6}
"""Address families as the BSDs number them: IPv6 is another in each."""
_PPP: Final = {0x0021: IPV4, 0x0057: IPV6, 0x0281: MPLS, 0x0283: MPLS}
"""Protocols of PPP (https://www.iana.org/assignments/ppp-numbers) by their EtherTypes."""


class Layer(NamedTuple):
    """What is left of a frame."""

    kind: int
    """The EtherType of its first bytes, or a length, as :attr:`Payload.kind`."""
    data: bytes
    card: bytes


def unwrapped(frame: Frame) -> Iterator[Packet | Payload]:
    """What a frame carries; nothing where it carries nothing that is known."""
    link = LINKS.get(frame.link)
    try:
        layer = link(frame.data) if link else None
    except ProtocolError:
        layer = None
    return opened(layer)


def opened(layer: Layer | None) -> Iterator[Packet | Payload]:
    """What a layer carries, after all that is wrapped around it; nothing where it is damaged."""
    for _ in range(_DEEPEST):
        if layer is None:
            return
        kind, data, card = layer
        card = b"" if card == _NO_CARD else card
        if kind in (IPV4, IPV6):
            yield Packet(data, card)
            return
        step = _llc if kind < SHORTEST else _STEPS.get(kind)
        try:
            inner = step(layer) if step else layer
        except ProtocolError:
            return
        if inner is layer:
            yield Payload(kind, data, card)
            return
        layer = inner


def _ethernet(data: bytes) -> Layer | None:
    """Ethernet II and IEEE 802.3 (3.1.1)."""
    return Layer(int.from_bytes(data[12:14]), data[14:], data[6:12]) if len(data) > 14 else None  # noqa: PLR2004 - the header


def _cooked(data: bytes) -> Layer | None:
    """A packet of Linux's pseudo-device "any" (LINKTYPE_LINUX_SLL)."""
    if len(data) <= 16:  # noqa: PLR2004 - the header
        return None
    return _of_linux(int.from_bytes(data[14:16]), data[16:], data[6:12], int.from_bytes(data[4:6]))


def _cooked_again(data: bytes) -> Layer | None:
    """The same in its second form (LINKTYPE_LINUX_SLL2)."""
    if len(data) <= 20:  # noqa: PLR2004 - the header
        return None
    return _of_linux(int.from_bytes(data[:2]), data[20:], data[12:18], data[11])


def _of_linux(kind: int, data: bytes, card: bytes, length: int) -> Layer:
    """Numbers below EtherTypes are Linux's own: all that are of use stand for frames of IEEE 802.3."""
    return Layer(kind if kind >= SHORTEST else _LLC, data, card if length == _CARD else b"")


def _raw(data: bytes) -> Layer:
    """IP without any link (LINKTYPE_RAW): its version tells itself."""
    return Layer(IPV4, data, b"")


def _loopback(data: bytes) -> Layer | None:
    """A BSD's loopback (LINKTYPE_NULL, LINKTYPE_LOOP): the family in either order of its bytes."""
    family = max(data[:1] + data[3:4], default=0) if data[1:3] == b"\0\0" else 0
    kind = _FAMILIES.get(family)
    return Layer(kind, data[4:], b"") if kind else None


def _ppp(data: bytes, card: bytes = b"") -> Layer | None:
    """PPP ([RFC 1661] section 2), with or without address and control ([RFC 1662] 3.1)."""
    if data[:2] == b"\xff\x03":
        data = data[2:]
    length = 1 if data[:1] and data[0] & 1 else 2
    kind = _PPP.get(int.from_bytes(data[:length]))
    return Layer(kind, data[length:], card) if kind else None


def _serial(data: bytes) -> Layer | None:
    """PPP or Cisco's HDLC in frames of HDLC (LINKTYPE_PPP_HDLC)."""
    return _ppp(data) if data[:1] == b"\xff" else _hdlc(data)


def _hdlc(data: bytes) -> Layer | None:
    """Cisco's HDLC ([RFC 1547] 4.3.1): an address, a control byte, an EtherType."""
    return Layer(int.from_bytes(data[2:4]), data[4:], b"") if data[:1] in (b"\x0f", b"\x8f") else None


def _session(layer: Layer) -> Layer | None:
    """A session of PPPoE ([RFC 2516] section 4)."""
    reader = Reader(layer.data)
    if reader.u16be() != 0x1100:  # noqa: PLR2004 - version, type and code
        return None
    reader.skip(2)
    length = reader.u16be()
    return _ppp(reader.rest()[:length], layer.card)


def _dialled(data: bytes) -> Layer | None:
    """PPPoE without Ethernet (LINKTYPE_PPP_ETHER)."""
    return _session(Layer(SESSION, data, b""))


def _vlan(layer: Layer) -> Layer | None:
    """A tag (IEEE 802.1Q 9.5)."""
    data = layer.data
    return Layer(int.from_bytes(data[2:4]), data[4:], layer.card) if len(data) > 4 else None  # noqa: PLR2004 - the tag


def _llc(layer: Layer) -> Layer:
    """A frame of IEEE 802.3, its padding cut: within SNAP may be an EtherType ([RFC 1042])."""
    kind, data, card = layer
    if data[:3] == _SNAP and data[3:6] in _WITHIN and (inner := int.from_bytes(data[6:8])) >= SHORTEST:
        return Layer(inner, data[8 : kind or len(data)], card)
    return layer


def _labels(layer: Layer) -> Layer | None:
    """MPLS labels ([RFC 3032] 2.1); nothing says what is below them but its first bytes ([RFC 4928])."""
    reader = Reader(layer.data)
    for _ in range(_LABELS):
        if reader.u32be() & 0x100:
            break
    else:
        return None
    data = reader.rest()
    version = data[0] >> 4 if data else 0
    if version in (4, 6):
        return Layer(IPV4 if version == 4 else IPV6, data, layer.card)  # noqa: PLR2004 - the IP version
    if data[:2] == b"\0\0":  # the control word of a pseudowire ([RFC 4448] 4.6)
        data = data[4:]
    return _ethernet(data)


def _bridged(layer: Layer) -> Layer | None:
    return _ethernet(layer.data)


LINKS: Final[Mapping[int, Callable[[bytes], Layer | None]]] = {
    ETHERNET: _ethernet,
    0: _loopback,
    9: _ppp,
    12: _raw,
    14: _raw,
    50: _serial,
    51: _dialled,
    101: _raw,
    104: _hdlc,
    108: _loopback,
    113: _cooked,
    228: _raw,
    229: _raw,
    276: _cooked_again,
}
"""What is understood of https://www.tcpdump.org/linktypes.html."""

_STEPS: Final[Mapping[int, Callable[[Layer], Layer | None]]] = {
    **dict.fromkeys(VLANS, _vlan),
    SESSION: _session,
    MPLS: _labels,
    0x8848: _labels,
    BRIDGED: _bridged,
}
"""What lies between a link and its packets, by its EtherType (https://www.iana.org/assignments/ieee-802-numbers)."""
