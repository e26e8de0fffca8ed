"""The NetBIOS probe: one node status request, to which a host tells the names that it registered.

Names are what they are by their last byte ([MS-BRWS] 2.1.1.1, Microsoft's article Q163409). Who is logged on
at an old Windows is among them: what is neither the machine's nor its domain's is not learnt, and not kept.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.errors import ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Send
from scanner.probes.ntlm import OEM
from scanner.wire import Reader, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner.probes import Conversation, Peer

_ID: Final = b"VT"
_QUESTION_NAME: Final = b"\x20CK" + b"A" * 30 + b"\0"
"""``*`` padded with zeros, in first-level encoding ([RFC 1002] 4.2.17, [RFC 1001] 14.1)."""
_NODE_STATUS: Final = struct.pack(">HH", 0x0021, 1)
REQUEST: Final = _ID + struct.pack(">5H", 0, 1, 0, 0, 0) + _QUESTION_NAME + _NODE_STATUS
"""[RFC 1002] 4.2.17: no recursion, no broadcast."""

_RESPONSE: Final = 0x80
_OPCODE: Final = 0x78
_RCODE: Final = 0x0F
_POINTER: Final = 0xC0
_GROUP: Final = 0x8000
_NAME: Final = 15
_UNIT_ID: Final = 6

_WORKSTATION: Final = (0x00, False)
_FILE_SERVER: Final = (0x20, False)
_CONTROLLER: Final = (0x1C, True)
_MESSENGER: Final = (0x03, False)
_DOMAINS: Final = ((0x00, True), (0x1E, True), _CONTROLLER, (0x1B, False))
"""Where the domain's or workgroup's name stands, the best first."""
_ROLES: Final[Mapping[tuple[int, bool], str]] = {
    _FILE_SERVER: "file-server",
    _CONTROLLER: "domain-controller",
    (0x1B, False): "domain-master-browser",
    (0x1D, False): "master-browser",
    (0x01, True): "master-browser",
    (0x1F, False): "netdde",
    (0x06, False): "ras-server",
    (0x21, False): "ras-client",
    (0x22, False): "exchange",
    (0x23, False): "exchange",
    (0x24, False): "exchange",
    (0x6A, False): "exchange",
    (0x87, False): "exchange",
    (0x43, False): "sms",
    (0x44, False): "sms",
    (0xBE, False): "network-monitor",
    (0xBF, False): "network-monitor",
}
_KEPT: Final = frozenset({_WORKSTATION, _FILE_SERVER, *_DOMAINS, (0x1D, False), (0x01, True)})
"""Names of machines, domains and workgroups; any other may be a person's."""

_SAMBA: Final = b"__SAMBA__"
"""A group that Samba's domain controllers are in; for a unit id they send whatever was in their memory."""
_IIS: Final = (b"INet~Services", b"IS~")


class Entry(NamedTuple):
    """A name that the host registered."""

    name: bytes
    kind: tuple[int, bool]
    """Its suffix, and whether it is a group's."""
    at: int
    """Where it stands in the answer."""

    @property
    def text(self) -> str:
        """The name, without its padding."""
        return printable(self.name.decode(OEM).rstrip(" \0"))


class Status(NamedTuple):
    """[RFC 1002] 4.2.18."""

    names: tuple[Entry, ...]
    unit: bytes
    """The MAC address; nothing where the answer ends before it."""
    rest: int
    """Where the counters begin."""


def answers(datagram: bytes) -> int | None:
    """The framing: a response to our question, by its number."""
    is_ours = datagram[:2] == _ID and any(
        flags & (_RESPONSE | _OPCODE) == _RESPONSE for flags in datagram[2:3]
    )
    return len(datagram) if is_ours else None


def parse_status(datagram: bytes) -> Status:
    """Read an answer. The length of its data is not asked: names are counted, and the datagram has an end.

    Raises:
        ProtocolError: it is not one, or its names are not all there.
    """
    reader = Reader(datagram)
    reader.skip(3)
    if code := reader.u8() & _RCODE:
        raise ProtocolError(f"no node status: code {code}")
    questions, records = reader.u16be(), reader.u16be()
    reader.skip(4)
    if questions > 1 or not records:
        raise ProtocolError(f"no node status: {questions} questions, {records} records")
    if questions:
        skip_name(reader)
        reader.skip(4)
    skip_name(reader)
    reader.expect(_NODE_STATUS, "a node status")
    reader.skip(6)
    names = tuple(_entry(reader) for _ in range(reader.u8()))
    unit = reader.bytes(_UNIT_ID) if reader.remaining >= _UNIT_ID else b""
    return Status(names, unit, reader.position)


def skip_name(reader: Reader) -> None:
    """[RFC 1002] 4.2.1.2: labels up to an empty one, or a pointer to some."""
    while length := reader.u8():
        if length & _POINTER:
            reader.skip(1)
            return
        reader.skip(length)


def _entry(reader: Reader) -> Entry:
    at = reader.position
    name, suffix, flags = reader.bytes(_NAME), reader.u8(), reader.u16be()
    return Entry(name, (suffix, bool(flags & _GROUP)), at)


def facts(status: Status) -> dict[str, str | tuple[str, ...]]:
    """What the names tell of the machine; nothing of who uses it."""
    own = [entry for entry in status.names if not entry.name.startswith((_SAMBA, *_IIS))]
    name = _first(own, (_WORKSTATION, _FILE_SERVER))
    services = {role for entry in status.names if (role := _role(entry, name))}
    has_unit = status.unit.strip(b"\0") and not status.unit[0] & 1  # a group's address is nobody's
    found: dict[str, str | tuple[str, ...]] = {
        "netbios.name": name,
        "netbios.domain": _first(own, _DOMAINS),
        "netbios.mac": status.unit.hex(":") if has_unit and "samba" not in services else "",
        "netbios.services": tuple(sorted(services)),
    }
    return {key: value for key, value in found.items() if value}


def _first(names: list[Entry], kinds: tuple[tuple[int, bool], ...]) -> str:
    return next((entry.text for kind in kinds for entry in names if entry.kind == kind and entry.text), "")


def _role(entry: Entry, own: str) -> str:
    if entry.name.startswith(_SAMBA):
        return "samba"
    if entry.name.startswith(_IIS):
        return "iis"
    if entry.kind == _MESSENGER:
        return "messenger" if entry.text == own else ""
    return _ROLES.get(entry.kind, "")


def redact(raw: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Answers without names that may be a person's, and without what follows the MAC address.

    What cannot be read to the last name is not kept at all.
    """
    return tuple(map(_without_people, raw))


def _without_people(answer: bytes) -> bytes:
    try:
        status = parse_status(answer)
    except ProtocolError:
        return b""
    kept = bytearray(answer)
    for entry in status.names:
        if entry.kind not in _KEPT:
            kept[entry.at : entry.at + _NAME] = bytes(_NAME)
    kept[status.rest :] = bytes(len(kept) - status.rest)
    return bytes(kept)


def converse(_peer: Peer) -> Conversation:
    """One question, one answer."""
    found = facts(parse_status((yield Send(REQUEST, answers))))
    if found:
        yield Learnt(found)


PROBE: Final = Probe(
    "netbios",
    Transport.UDP,
    (137,),
    ("netbios.name", "netbios.domain", "netbios.mac", "netbios.services"),
    converse,
    rank=20,
    size=len(REQUEST),
    logs=(
        "Nothing: it is one datagram that no name service has a log for ([RFC 1002] 4.2.17). Windows logs "
        "event 5156 where Audit Filtering Platform Connection is on."
    ),
    trouble=(
        "None is known: it is the question that the command nbtstat -A of Windows asks. Windows 95 answers "
        "to port 137 of the scanner, where nobody listens: nbtscan(1)."
    ),
    redact=redact,
)
