"""DNS: what a name server answers when its version is asked for ([RFC 4892]); nothing else of it is heard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.capture.telling import DatagramSource, Told
from scanner.probes import lines
from scanner.probes.mdns import parse_response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Datagram

_PORT: Final = 53
_QUESTION: Final = b"\x07version\x04bind\x00\x00\x10\x00\x03"
"""``version.bind``, TXT, CHAOS."""
_END: Final = 12 + len(_QUESTION)


def hear(datagram: Datagram) -> Iterator[Told]:
    """The version that an answer tells."""
    if datagram.source_port != _PORT or datagram.data[12:_END].lower() != _QUESTION:
        return
    for record in parse_response(datagram.data):
        if record.strings and (said := lines.text(b"".join(record.strings))):
            yield Told({"dns.version": said})
            return


SOURCES: Final = (DatagramSource("dns", ("dns.version",), (_PORT,), hear),)
