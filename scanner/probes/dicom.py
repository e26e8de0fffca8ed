"""The DICOM probe: an association for verification, asked for, and released ([PS3.8] section 7).

Who accepts it names the implementation that it runs ([PS3.7] section D.3.3.2). Nothing is sent over it, not
even C-ECHO. It is held only where the site gives a title to call: ``ae_title``, and ``calling_ae_title``
where it registered the scanner under another one.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from scanner.errors import LimitError, PeerClosedError, ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Send, lines
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.probes import Conversation, Framing, Peer

CALLING: Final = "VETUSTE"
"""The title that the scanner calls itself, where the site gives none."""

ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ, _RELEASE_RQ, _RELEASE_RP, _ABORT = 1, 2, 3, 5, 6, 7
"""[PS3.8] section 9.3.1: types of PDU."""
_HEADER: Final = struct.Struct(">BxI")
_ITEM: Final = struct.Struct(">BxH")
_FIXED: Final = 68
"""Bytes of a request or an acceptance before its items, without the header ([PS3.8] 9.3.2)."""
_LONGEST: Final = 1 << 12
_ACCEPTED: Final = 1 << 14
"""The longest PDU that is offered to be taken ([PS3.8] D.1); none will come."""

_APPLICATION: Final = b"1.2.840.10008.3.1.1.1"
_VERIFICATION: Final = b"1.2.840.10008.1.1"
_IMPLICIT_VR: Final = b"1.2.840.10008.1.2"
_OURS: Final = b"2.25.243499067631028607385540961872906467208"
"""The class of this implementation ([PS3.5] section B.2: a UUID)."""
_USER: Final = 0x50
_MAXIMUM: Final = 0x51
_TOLD: Final = {0x52: "dicom.class_uid", 0x55: "dicom.version"}
"""[PS3.7] D.3.3.2: which implementation, and which version of it."""

RELEASE: Final = _HEADER.pack(_RELEASE_RQ, 4) + bytes(4)
"""[PS3.8] 9.3.6."""


def _item(kind: int, content: bytes) -> bytes:
    return _ITEM.pack(kind, len(content)) + content


def _title(title: str) -> bytes:
    """[PS3.5] section 6.2: 16 characters of the default repertoire."""
    return title.encode("ascii", "replace")[:16].ljust(16)


def associate(called: str, calling: str = CALLING) -> bytes:
    """A-ASSOCIATE-RQ ([PS3.8] 9.3.2), for the verification of [PS3.4] annex A alone."""
    context = b"\1\0\0\0" + _item(0x30, _VERIFICATION) + _item(0x40, _IMPLICIT_VR)
    user = _item(_MAXIMUM, struct.pack(">I", _ACCEPTED)) + _item(0x52, _OURS) + _item(0x55, b"VETUSTE")
    items = _item(0x10, _APPLICATION) + _item(0x20, context) + _item(_USER, user)
    body = struct.pack(">HH16s16s32x", 1, 0, _title(called), _title(calling)) + items
    return _HEADER.pack(ASSOCIATE_RQ, len(body)) + body


def pdu(*kinds: int, longest: int = _LONGEST) -> Framing:
    """The framing of a PDU of these types ([PS3.8] 9.3.1), its content at most so many bytes."""

    def framing(received: bytes) -> int | None:
        if received and received[0] not in kinds:
            raise ProtocolError(f"not an answer of DICOM: {received[:6].hex()}")
        if len(received) < _HEADER.size:
            return None
        length = _HEADER.unpack_from(received)[1]
        if length > longest:
            raise ProtocolError(f"a PDU of {length} bytes")
        end: int = _HEADER.size + length
        return end if len(received) >= end else None

    return framing


def parse_answer(answer: bytes) -> dict[str, str]:
    """The evidence in the answer to a request for an association ([PS3.8] 9.3.3, 9.3.4 and 9.3.8).

    Raises:
        ProtocolError: it is not whole.
    """
    reader = Reader(answer, _HEADER.size)
    if answer[0] != ASSOCIATE_AC:
        reader.skip(1)
        result, source, reason = reader.bytes(3)
        if answer[0] == _ABORT:
            return {"dicom.result": f"aborted {source}/{reason}"}
        return {"dicom.result": f"rejected {result}/{source}/{reason}"}
    return {"dicom.result": "accepted", **parse_implementation(answer)}


def parse_implementation(association: bytes) -> dict[str, str]:
    """Which implementation asks for an association, or accepts it ([PS3.8] 9.3.2 and 9.3.3).

    Raises:
        ProtocolError: it is not whole.
    """
    reader = Reader(association, _HEADER.size)
    reader.skip(_FIXED)
    found = {}
    for kind, content in _items(reader):
        for inner, value in _items(content) if kind == _USER else ():
            if inner in _TOLD and (text := lines.text(value.rest())):
                found[_TOLD[inner]] = text
    return found


def _items(reader: Reader) -> Iterator[tuple[int, Reader]]:
    while reader.remaining:
        kind, length = _ITEM.unpack(reader.bytes(_ITEM.size))
        content = reader.slice(reader.position, length)
        reader.position = content.end
        yield kind, content


def converse(peer: Peer) -> Conversation:
    """Ask for an association, and release it where it is granted."""
    called = peer.given["ae_title"][0]
    calling = peer.given.get("calling_ae_title", (CALLING,))[0]
    answers = pdu(ASSOCIATE_AC, ASSOCIATE_RJ, _ABORT)
    answer = yield Send(associate(called, calling), answers)
    yield Learnt(parse_answer(answer))
    if answer[0] == ASSOCIATE_AC:
        try:
            yield Send(RELEASE, pdu(_RELEASE_RP, _ABORT))
        except (LimitError, PeerClosedError):
            return  # some close at once


PROBE: Final = Probe(
    "dicom",
    Transport.TCP,
    (104, 11112),
    ("dicom.result", *_TOLD.values()),
    converse,
    rank=95,
    exchanges=2,
    size=256,
    needs=("ae_title",),
    logs=(
        "The association: most systems log who called whom, whether it was accepted, and that it was "
        "released. Audit trails may hold it as a use of the network (DICOM PS3.15 section A.5). A title that "
        "is not registered is logged as rejected."
    ),
    trouble=(
        "Many modalities take one association at a time, and are busy while it lasts; this one is released "
        "as soon as it is answered. Agree on it with whoever maintains the device: nothing is sent to these "
        "ports unless the site file names them."
    ),
)
