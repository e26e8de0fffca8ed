"""HL7 version 2: which application sends messages ([HL7 v2.5.1] 2.15.9.3), over MLLP ([HL7 LLP] section 2).

The header of one message is enough. It ends where its first segment does: patients stand in those after it,
which are not looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture.telling import Hear, StreamSource, Told
from scanner.errors import ProtocolError
from scanner.probes import lines

if TYPE_CHECKING:
    from scanner.capture.telling import Direction, Hearing

_HEADER: Final = re.compile(rb"\x0bMSH([!-/:-@\[-`{-~])([!-/:-@\[-`{-~]{3,5})\1")
"""The start of a block, and the separators that the message says it has."""
_END: Final = re.compile(rb"[\r\n]")
_SHORTEST: Final = 10
_LONGEST: Final = 1 << 12
_APPLICATION: Final = 2
"""The field's place, counted from the name of the segment."""


def header(received: bytes) -> int | None:
    """The framing of the first segment of a message, with the start of the block.

    Raises:
        ProtocolError: it is none, or it does not end.
    """
    if len(received) >= _SHORTEST and not _HEADER.match(received):
        raise ProtocolError(f"not a message of HL7: {received[:4].hex()}")
    end = _END.search(received, 0, _LONGEST)
    if end is None and len(received) >= _LONGEST:
        raise ProtocolError("a header of HL7 that does not end")
    return end.end() if end else None


def parse_application(segment: bytes) -> str:
    """The application that sends, the first component of its name.

    Raises:
        ProtocolError: it is no header of a message.
    """
    found = _HEADER.match(segment)
    if found is None:
        raise ProtocolError(f"not a message of HL7: {segment[:4].hex()}")
    fields = segment.rstrip(b"\r\n").split(found[1], _APPLICATION + 1)
    return lines.text(fields[_APPLICATION].split(found[2][:1])[0]) if len(fields) > _APPLICATION else ""


def hear(direction: Direction) -> Hearing:
    """The application of either end: receivers acknowledge in messages of their own."""
    if name := parse_application((yield Hear(header, _LONGEST))):
        yield Told({"hl7.sending_application": name}, direction.side)


SOURCES: Final = (
    StreamSource("hl7", ("hl7.sending_application",), re.compile(rb"\x0b(?:MSH[^\w\s]|\Z)"), hear),
)
