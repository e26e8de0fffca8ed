"""LLMNR: the name that a host answers to ([RFC 4795]). A question says nothing of who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.capture.telling import DatagramSource, Told
from scanner.errors import ProtocolError
from scanner.probes import lines
from scanner.probes.mdns import parse_response
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Datagram

_PORT: Final = 5355
_REFUSED: Final = 0x000F
_ANSWER: Final = 0x8000


def hear(datagram: Datagram) -> Iterator[Told]:
    """The name of who answers where an address was asked for."""
    flags = Reader(datagram.data, 2).u16be() if len(datagram.data) > 2 else 0  # noqa: PLR2004 - the number
    if datagram.source_port != _PORT or flags & _REFUSED or not flags & _ANSWER:
        raise ProtocolError("not an answer of LLMNR")
    names = (
        lines.text(record.name[0])
        for record in parse_response(datagram.data)
        if record.address and record.name
    )
    if name := next(names, ""):
        yield Told({"llmnr.hostname": name})


SOURCES: Final = (DatagramSource("llmnr", ("llmnr.hostname",), (_PORT,), hear),)
