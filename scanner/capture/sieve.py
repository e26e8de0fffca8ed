"""What the kernel throws away before it is heard: bulk that can tell nothing.

A packet filter of our own (S. McCanne and V. Jacobson, The BSD Packet Filter, 1993; the kernel's document
networking/filter), made from the ports of the sources. It throws away little: TCP segments that neither carry
anything nor open or close a connection, UDP of ports that no source knows, and IPsec. What is rare is let
through, whatever it is, and so is every fragment: what comes of it is the ear's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.capture import tunnels
from scanner.capture.frames import ETHERNET, VLANS
from scanner.capture.sources import sources
from scanner.capture.telling import DatagramSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RAW: Final = 101
"""The link type of IP packets without anything around them."""
_TYPES: Final = 12
"""Where the EtherType stands."""
_TAG: Final = 4
_TAGS: Final = 2
"""Tags that are passed over; what has more is let through."""
_IPV4, _IPV6 = 0x0800, 0x86DD
_IPV6_HEADER: Final = 40
_TCP, _UDP, _ESP = 6, 17, 50
_FRAGMENT: Final = 0x3FFF
"""More fragments, or not the first one."""
_OPENS_OR_CLOSES: Final = 0x07
"""FIN, SYN, RST."""
_WHOLE: Final = 1 << 18
_FARTHEST: Final = 255
"""Steps that a jump can pass over."""

# Instructions: A is what is worked with, X where a packet is looked at, M what is remembered.
_BYTE, _TWO_BYTES = 0x50, 0x48
"""A = what stands at X and so many bytes more."""
_A_IS, _A_OF_M, _A_TO_M, _A_TO_X = 0x00, 0x60, 0x02, 0x07
_X_IS, _X_OF_M = 0x01, 0x61
_AND, _LEFT, _RIGHT, _ADD, _ADD_X = 0x54, 0x64, 0x74, 0x04, 0x0C
_EQUAL, _ANY_BIT, _AT_LEAST_X, _RETURN = 0x15, 0x45, 0x3D, 0x06
_HEADER, _END, _PROTOCOL = 0, 1, 2
"""What M holds: bytes of the IP header, of the whole packet, and what it carries."""

Step = tuple[int, int, int, int]
"""Code, steps to pass over where it holds and where not, value: as the kernel has them."""


class _Part(NamedTuple):
    """A step that goes to named places: where it holds, and where not; the next one if none is named."""

    code: int
    value: int = 0
    holds: str = ""
    fails: str = ""


_Parts = list[_Part | str]
"""Steps, and names of the places before them."""


def steps_for(link: int, ports: Iterable[int] | None = None) -> list[Step]:
    """The filter for an interface.

    Args:
        link: its link type: Ethernet, or :data:`RAW`.
        ports: the UDP ports that are listened to; those of the sources by default.
    """
    heard = sorted({*(_ports() if ports is None else ports), *tunnels.PORTS})
    head, begins = (_ethernet(), _TYPES + 2) if link == ETHERNET else (_raw(), 0)
    return _placed([*head, *_ipv4(begins), *_ipv6(begins), *_carried(), *_tcp(begins), *_udp(begins, heard)])


def _ports() -> Iterable[int]:
    return (port for each in sources() if isinstance(each, DatagramSource) for port in each.ports)


def _ethernet() -> _Parts:
    """What stands behind the tags."""
    parts: _Parts = []
    for tags in range(_TAGS + 1):
        parts += [f"tags{tags}", _Part(_X_IS, _TAG * tags), _Part(_TWO_BYTES, _TYPES)]
        parts += [_Part(_EQUAL, _IPV4, "ipv4"), _Part(_EQUAL, _IPV6, "ipv6")]
        if tags < _TAGS:
            parts += [_Part(_EQUAL, kind, f"tags{tags + 1}") for kind in VLANS]
        parts += _go("accept")
    return parts


def _raw() -> _Parts:
    return [
        *(_Part(_X_IS, 0), _Part(_BYTE, 0), _Part(_RIGHT, 4)),
        *(_Part(_EQUAL, 4, "ipv4"), _Part(_EQUAL, 6, "ipv6", "refuse")),
    ]


def _ipv4(begins: int) -> _Parts:
    """[RFC 791] 3.1; a length of 0 is of a packet that was too long for the kernel to say."""
    return [
        "ipv4",
        *(_Part(_BYTE, begins + 9), _Part(_A_TO_M, _PROTOCOL)),
        *(_Part(_TWO_BYTES, begins + 6), _Part(_ANY_BIT, _FRAGMENT, "accept")),
        *(_Part(_TWO_BYTES, begins + 2), _Part(_EQUAL, 0, "accept"), _Part(_A_TO_M, _END)),
        *(_Part(_BYTE, begins), _Part(_AND, 15), _Part(_LEFT, 2), _Part(_A_TO_M, _HEADER)),
        *_go("carried"),
    ]


def _ipv6(begins: int) -> _Parts:
    """[RFC 8200] section 3; what has more headers is let through."""
    return [
        "ipv6",
        *(_Part(_BYTE, begins + 6), _Part(_A_TO_M, _PROTOCOL)),
        *(_Part(_A_IS, _IPV6_HEADER), _Part(_A_TO_M, _HEADER)),
        *(_Part(_TWO_BYTES, begins + 4), _Part(_EQUAL, 0, "accept")),
        *(_Part(_ADD, _IPV6_HEADER), _Part(_A_TO_M, _END)),
    ]


def _carried() -> _Parts:
    """Look behind the header, at what the packet carries."""
    return [
        "carried",
        *(_Part(_A_OF_M, _HEADER), _Part(_ADD_X), _Part(_A_TO_X)),
        _Part(_A_OF_M, _PROTOCOL),
        *(_Part(_EQUAL, _ESP, "refuse"), _Part(_EQUAL, _UDP, "udp"), _Part(_EQUAL, _TCP, "", "accept")),
    ]


def _tcp(begins: int) -> _Parts:
    """[RFC 9293] 3.1: where both headers are as long as the packet, it carries nothing."""
    return [
        *(_Part(_BYTE, begins + 13), _Part(_ANY_BIT, _OPENS_OR_CLOSES, "accept")),
        *(_Part(_BYTE, begins + 12), _Part(_AND, 0xF0), _Part(_RIGHT, 2)),
        *(_Part(_X_OF_M, _HEADER), _Part(_ADD_X), _Part(_X_OF_M, _END)),
        _Part(_AT_LEAST_X, 0, "refuse", "accept"),
        *("accept", _Part(_RETURN, _WHOLE), "refuse", _Part(_RETURN, 0)),
    ]


def _udp(begins: int, ports: Sequence[int]) -> _Parts:
    """Either port is one that is listened to."""
    parts: _Parts = ["udp"]
    for place in (begins, begins + 2):
        parts += [_Part(_TWO_BYTES, place), *(_Part(_EQUAL, port, "heard") for port in ports)]
    return [*parts, _Part(_RETURN, 0), "heard", _Part(_RETURN, _WHOLE)]


def _go(place: str) -> _Parts:
    return [_Part(_EQUAL, 0, place, place)]


def _placed(parts: _Parts) -> list[Step]:
    """Names of places as distances, which the kernel counts from the next step.

    Raises:
        ValueError: one is too far.
    """
    places: dict[str, int] = {}
    steps: list[_Part] = []
    for part in parts:
        if isinstance(part, str):
            places[part] = len(steps)
        else:
            steps.append(part)
    placed = []
    for at, part in enumerate(steps, 1):
        jumps = [places[name] - at if name else 0 for name in (part.holds, part.fails)]
        if not all(0 <= jump <= _FARTHEST for jump in jumps):
            raise ValueError(f"step {at} of the filter jumps {max(jumps)} steps")
        placed.append((part.code, jumps[0], jumps[1], part.value))
    return placed
