"""DICOM: which implementations of it meet, as they begin an association ([PS3.8] 9.3, [PS3.7] D.3.3.2).

It ends there: no patient is in an association, and what is sent over it is not heard. The titles by which
they call each other are passed over: who sets them up may choose what they like.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture.telling import Hear, Side, StreamSource, Told
from scanner.errors import ProtocolError
from scanner.probes import dicom

if TYPE_CHECKING:
    from scanner.capture.telling import Direction, Hearing

_KINDS: Final = (dicom.ASSOCIATE_RQ, dicom.ASSOCIATE_AC, dicom.ASSOCIATE_RJ)
_LONGEST: Final = 1 << 17
"""Many contexts are proposed at once, each with many ways to send it."""
_BEGINS: Final = re.compile(
    rb"[\x01\x02]\x00\x00[\x00\x01]..(?:\Z|\x00\x01\x00\x00)"
    rb"|\x03\x00\x00\x00\x00\x04(?:\Z|\x00[\x01\x02][\x01-\x03])",
    re.DOTALL,
)
"""A request or an acceptance of protocol version 1, or a refusal; of each, the header alone may come."""


def hear(_direction: Direction) -> Hearing:
    """What either end runs: who asks is a client, whatever its port is."""
    message = yield Hear(dicom.pdu(*_KINDS, longest=_LONGEST), _LONGEST)
    if not _BEGINS.match(message):
        raise ProtocolError(f"another version of DICOM: {message[:10].hex()}")
    if message[0] == dicom.ASSOCIATE_RQ:
        yield Told(dicom.parse_implementation(message), Side.CLIENT)
    else:
        yield Told(dicom.parse_answer(message))


SOURCES: Final = (StreamSource("dicom", dicom.PROBE.keys, _BEGINS, hear),)
