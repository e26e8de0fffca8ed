"""NTP: the system variables that a server tells who reads them ([RFC 9327] section 2, [RFC 1305] B.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture.telling import DatagramSource, Told
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Datagram

_PORT: Final = 123
_CONTROL, _MODE = 6, 7
_ANSWER, _ERROR, _OPERATION, _READ = 0x80, 0x40, 0x1F, 2
_SAID: Final = re.compile(rb'\b(version|processor|system)="([^"]{1,110})"')


def hear(datagram: Datagram) -> Iterator[Told]:
    """What a server runs on, of the first part of an answer about the server itself."""
    data = datagram.data
    if not data or data[0] & _MODE != _CONTROL or datagram.source_port != _PORT:
        return
    reader = Reader(data, 1)
    first = reader.u8()
    reader.skip(4)
    association, offset = reader.u16be(), reader.u16be()
    answers = first & (_ANSWER | _ERROR) == _ANSWER and first & _OPERATION == _READ
    if answers and not association and not offset:
        said = dict(_SAID.findall(reader.bytes(reader.u16be())))
        if b"system" in said:
            names = (name for name in (b"version", b"processor", b"system") if name in said)
            yield Told(
                {"ntp.variables": ", ".join(f'{n.decode()}="{said[n].decode("latin-1")}"' for n in names)}
            )


SOURCES: Final = (DatagramSource("ntp", ("ntp.variables",), (_PORT,), hear),)
