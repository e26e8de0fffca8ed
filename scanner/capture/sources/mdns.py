"""mDNS: what a host announces, or answers to its neighbours ([RFC 6762]). A question says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.capture.telling import DatagramSource, Told
from scanner.errors import ProtocolError
from scanner.probes import lines, mdns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scanner.capture.telling import Datagram

_PORT: Final = 5353
_ANSWER: Final = 0x80


def hear(datagram: Datagram) -> Iterator[Told]:
    """What device a host is, what it is called, and which services it has."""
    if datagram.source_port != _PORT or not int.from_bytes(datagram.data[2:3]) & _ANSWER:
        raise ProtocolError("not an answer of mDNS")
    records = mdns.parse_response(datagram.data)
    found: dict[str, str | tuple[str, ...]] = {**mdns.facts(records)}
    types = tuple(lines.text(b".".join(name[:2])) for name in mdns.services(records))
    if types:
        found["mdns.services"] = types
    if found:
        yield Told(found, address=_owner(datagram.source, records))


def _owner(source: str, records: Sequence[mdns.Record]) -> str:
    """Whose records they are; empty: those of who sent them.

    Access points and routers repeat what they hear in one network in another, from an address of their own.

    Raises:
        ProtocolError: they are another's, and it does not show whose.
    """
    addresses = {record.address for record in records if record.address}
    if not addresses or source in addresses:
        return ""
    alike = [address for address in addresses if (":" in address) == (":" in source)]
    if len(alike) != 1:
        raise ProtocolError("records of nobody in particular")
    return alike[0]


SOURCES: Final = (DatagramSource("mdns", mdns.PROBE.keys, (_PORT,), hear),)
