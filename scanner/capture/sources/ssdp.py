"""SSDP: what devices say that they run on, announcing themselves and answering ([UDA] 1.2, 1.3).

Who searches may name its program ([UDA] 1.3.2, USER-AGENT). Where a device is to be read about is looked at
only for whose announcement it is.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from scanner.capture.telling import DatagramSource, Side, Told
from scanner.errors import ProtocolError
from scanner.probes import lines, ssdp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Datagram

_PORT: Final = 1900
_SAID: Final = {
    b"NOTIFY ": (b"server", "ssdp.server"),
    b"HTTP/1.": (b"server", "ssdp.server"),
    b"M-SEARC": (b"user-agent", "ssdp.user_agent"),
}
_PLACE: Final = re.compile(rb"\s{0,8}https?://(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9.]{7,15})[:/])")


def hear(datagram: Datagram) -> Iterator[Told]:
    """What either end says of itself; an announcement comes from whatever port."""
    known = _SAID.get(datagram.data[:7])
    if known is None:
        raise ProtocolError(f"not SSDP: {datagram.data[:16].hex()}")
    header, key = known
    fields = dict(ssdp.fields(datagram.data))
    if said := lines.text(fields.get(header, b"")):
        answers = datagram.source_port == _PORT and header == b"server"
        owner = _owner(datagram.source, fields.get(b"location", b"")) if header == b"server" else ""
        yield Told({key: said}, Side.SERVER if answers else Side.CLIENT, owner)


def _owner(source: str, location: bytes) -> str:
    """Whose announcement it is; empty: that of who sent it. Some repeat it in another network."""
    found = _PLACE.match(location)
    try:
        address = ip_address((found[1] or found[2]).decode()) if found else None
    except ValueError:
        return ""
    if address is None or address.is_loopback or address.is_unspecified or address.is_multicast:
        return ""
    return "" if str(address) == source else str(address)


SOURCES: Final = (DatagramSource("ssdp", ("ssdp.server", "ssdp.user_agent"), (_PORT,), hear),)
