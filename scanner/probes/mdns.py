"""The mDNS probe: which services a host announces, what model it is, and what it is called ([RFC 6762]).

It asks the host alone, from a port of its own ([RFC 6762] section 5.5): nobody else hears it. Services often
bear a person's name ("somebody's MacBook"): those serve to ask the second question, and are neither learnt
nor kept.
"""

from __future__ import annotations

import contextlib
import struct
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.errors import LimitError, PeerClosedError, ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Send, lines
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scanner.probes import Conversation, Peer

Name = tuple[bytes, ...]
"""The labels of a name."""

SERVICES: Final[Name] = (b"_services", b"_dns-sd", b"_udp", b"local")
"""[RFC 6763] section 9: what points to every type of service."""
DEVICE: Final[Name] = (b"_device-info", b"_tcp", b"local")
BROWSED: Final[tuple[Name, ...]] = (
    DEVICE,
    (b"_workstation", b"_tcp", b"local"),
    (b"_smb", b"_tcp", b"local"),
)
"""Services that nearly every host with a name announces one of."""

_A: Final = 1
_AAAA: Final = 28
_PTR: Final = 12
_TXT: Final = 16
_SRV: Final = 33
_HERE: Final = 0x8001
"""The class of the Internet, the answer sent to who asks ([RFC 6762] section 5.4)."""
_HEADER: Final = struct.Struct(">6H")
_RECORD: Final = struct.Struct(">HHIH")
_PRIORITY: Final = 6
"""Bytes before the target in the data of SRV ([RFC 2782])."""
_IDS: Final = (0x5645, 0x5646)
_ANSWER: Final = 0x8000
_POINTER: Final = 0xC0
_LONGEST_NAME: Final = 255
_LONGEST: Final = 9000
"""[RFC 6762] section 17."""
_MOST_SERVICES: Final = 64
_MOST_ASKED: Final = 4
"""Most services that the second question is about."""


class Record(NamedTuple):
    """A resource record ([RFC 1035] section 3.2.1), its data as far as it is looked at here."""

    name: Name
    kind: int
    target: Name
    """Where PTR and SRV point."""
    strings: tuple[bytes, ...]
    """What TXT says."""
    address: str = ""
    """What A and AAAA say."""


def query(number: int, questions: Iterable[tuple[Name, int]]) -> bytes:
    """A query ([RFC 1035] section 4.1)."""
    asked = [
        b"".join(bytes([len(label)]) + label for label in name) + struct.pack(">BHH", 0, kind, _HERE)
        for name, kind in questions
    ]
    return _HEADER.pack(number, 0, len(asked), 0, 0, 0) + b"".join(asked)


def response(datagram: bytes) -> int | None:
    """The framing: a response; what others ask or announce is passed over ([RFC 6762] section 18)."""
    number, flags, *_ = _HEADER.unpack(Reader(datagram).bytes(_HEADER.size))
    return len(datagram) if flags & _ANSWER and number in _IDS else None


def parse_response(datagram: bytes) -> list[Record]:
    """The records of a response, whatever section they stand in ([RFC 1035] section 4.1).

    Raises:
        ProtocolError: it is not whole, or a name runs in circles.
    """
    reader = Reader(datagram)
    _, _, questions, *counts = _HEADER.unpack(reader.bytes(_HEADER.size))
    for _ in range(questions):
        parse_name(reader)
        reader.skip(4)
    return [_record(reader) for _ in range(sum(counts))]


def _record(reader: Reader) -> Record:
    name = parse_name(reader)
    kind, _, _, length = _RECORD.unpack(reader.bytes(_RECORD.size))
    data = reader.slice(reader.position, length)
    reader.position = data.end
    if kind == _SRV:
        data.skip(_PRIORITY)
    target = parse_name(data) if kind in {_PTR, _SRV} else ()
    strings = tuple(_strings(data)) if kind == _TXT else ()
    return Record(name, kind, target, strings, _address(data) if kind in {_A, _AAAA} else "")


def _address(data: Reader) -> str:
    packed = data.rest()
    if len(packed) not in {4, 16}:
        raise ProtocolError(f"an address of {len(packed)} bytes")
    return str(ip_address(packed))


def parse_name(reader: Reader) -> Name:
    """A name ([RFC 1035] section 4.1.4). Each pointer leads back behind the one before, so it ends.

    Raises:
        ProtocolError: it is not whole, too long, or runs in circles.
    """
    labels: list[bytes] = []
    total, cursor, first = 0, reader, reader.position
    while length := cursor.u8():
        if length >= _POINTER:
            target = (length & ~_POINTER) << 8 | cursor.u8()
            if target >= first:
                raise ProtocolError("a name that points forward")
            cursor, first, length = Reader(reader.data, target), target, 0
        elif length & _POINTER:
            raise ProtocolError("a label of an unknown kind")
        else:
            labels.append(cursor.bytes(length))
        total += length + 1
        if total > _LONGEST_NAME:
            raise ProtocolError("a name that does not end")
    return tuple(labels)


def _strings(data: Reader) -> Iterator[bytes]:
    while data.remaining:
        yield data.bytes(data.u8())


def services(records: Iterable[Record]) -> tuple[Name, ...]:
    """The types of service that are announced ([RFC 6763] section 9)."""
    found = (record.target for record in records if record.name == SERVICES and record.kind == _PTR)
    return tuple(dict.fromkeys(name for name in found if name[:1] and name[0].startswith(b"_")))


def second_question(records: Sequence[Record]) -> list[tuple[Name, int]]:
    """What device the services run on, and which host; or, where none is known by name, which there are."""
    found = (record.target for record in records if record.name in BROWSED and record.kind == _PTR)
    asked: list[tuple[Name, int]] = []
    for name in list(dict.fromkeys(filter(None, found)))[:_MOST_ASKED]:
        asked += [((name[0], *DEVICE), _TXT), (name, _SRV)]
    return asked or [(name, _PTR) for name in services(records)[:_MOST_ASKED]]


def facts(records: Iterable[Record]) -> dict[str, str]:
    """What a host is and what it is called, as far as the records say; and no service's own name.

    A host's name is taken only from a service that bears the same name: where a service bears a person's, the
    host's was made of it.
    """
    found = {}
    for record in records:
        own, host = b"".join(record.name[:1]), b"".join(record.target[:1])
        if record.kind == _SRV and own.split(b" [")[0].lower() == host.lower():
            found["mdns.hostname"] = lines.text(host)
        if record.kind == _TXT and record.name[1:] == DEVICE:
            pairs = dict(lines.text(each).partition("=")[::2] for each in record.strings)
            found |= {f"mdns.{key}": pairs[key] for key in ("model", "osxvers") if key in pairs}
    return {key: value for key, value in found.items() if value}


def converse(_peer: Peer) -> Conversation:
    """Which services there are, then, where no device was named, what they run on."""
    asked = [(name, _PTR) for name in (SERVICES, *BROWSED)]
    records = parse_response((yield Send(query(_IDS[0], asked), response, _LONGEST)))
    types = (lines.text(b".".join(name[:2])) for name in services(records)[:_MOST_SERVICES])
    if found := tuple(filter(None, types)):
        yield Learnt({"mdns.services": found})
    if told := facts(records):
        yield Learnt(told)
    question = second_question(records)
    if not question or "mdns.model" in told:
        return
    with contextlib.suppress(LimitError, PeerClosedError):
        more = facts(parse_response((yield Send(query(_IDS[1], question), response, _LONGEST))))
        if new := {key: value for key, value in more.items() if key not in told}:
            yield Learnt(new)


def redact(raw: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Keep nothing: names of people may stand in any record."""
    return tuple(b"" for _ in raw)


PROBE: Final = Probe(
    "mdns",
    Transport.UDP,
    (5353,),
    ("mdns.services", "mdns.model", "mdns.osxvers", "mdns.hostname"),
    converse,
    rank=80,
    exchanges=2,
    size=2048,
    hears=_LONGEST,
    logs="Nothing: responders answer such questions all the time (RFC 6762 section 6.7).",
    trouble=(
        "None is known. The questions go to one host, so that its neighbours hear nothing; a responder "
        "outside the scanner's own subnet may stay silent, as it should (RFC 6762 section 5.5)."
    ),
    redact=redact,
)
