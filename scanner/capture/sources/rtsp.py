"""RTSP: what cameras, recorders and media servers call themselves ([RFC 2326] 12.36)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture.telling import Hear, Side, StreamSource, Told
from scanner.errors import ProtocolError
from scanner.probes import lines, ssdp

if TYPE_CHECKING:
    from scanner.capture.telling import Direction, Hearing

_END: Final = re.compile(rb"\n\r?\n")
_LONGEST: Final = 1 << 12


def head(received: bytes) -> int | None:
    """The framing of a header block.

    Raises:
        ProtocolError: it does not end.
    """
    found = _END.search(received, 0, _LONGEST)
    if found is None and len(received) >= _LONGEST:
        raise ProtocolError("a header block of RTSP that does not end")
    return found.end() if found else None


def hear(_direction: Direction) -> Hearing:
    """The server of the first answer."""
    fields = dict(ssdp.fields((yield Hear(head, _LONGEST))))
    if said := lines.text(fields.get(b"server", b"")):
        yield Told({"rtsp.server": said}, Side.SERVER)


SOURCES: Final = (StreamSource("rtsp", ("rtsp.server",), re.compile(rb"RTSP/1\.0 \d{3} "), hear),)
