"""The NetBIOS name service ([RFC 1002] 4.2): the names that machines register, and answer to.

Who asks for a name tells nothing of itself. Names of the messenger service may be people's: they are no
evidence anywhere here.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from scanner.capture import netbios_names
from scanner.capture.packets import text_of
from scanner.capture.telling import DatagramSource, Told
from scanner.probes import netbios
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Datagram

PORT: Final = 137
_HEADER: Final = struct.Struct(">HHHHHH")
_RESPONSE: Final = 0x8000
_QUERY: Final = 0
_CLAIMS: Final = frozenset({5, 6, 8, 9, 15})
"""Operations by which a machine says that a name is, or was, its own ([RFC 1002] 4.2.1.1): registration,
release, refresh (8 or 9), and the registration of a machine with several addresses ([MS-NBTE] 2.2.2)."""
_RCODE: Final = 0x0F
_NB: Final = struct.pack(">HH", 0x0020, 1)
_NBSTAT: Final = struct.pack(">HH", 0x0021, 1)
_GROUP: Final = 0x8000
_ADDRESS: Final = 6
_MOST_ADDRESSES: Final = 25
_TTL: Final = 4
_QUESTION: Final = 4


def hear(datagram: Datagram) -> Iterator[Told]:
    """What one datagram of the name service tells."""
    if len(datagram.data) <= _HEADER.size:
        return
    _, flags, questions, answers, _, additional = _HEADER.unpack_from(datagram.data)
    operation = flags >> 11 & 0x0F
    if flags & _RESPONSE:
        if operation == _QUERY and answers and not flags & _RCODE:
            yield from _answer(datagram, questions)
    elif operation in _CLAIMS and questions == additional == 1:
        yield from _claim(datagram.data)


def _claim(data: bytes) -> Iterator[Told]:
    """A name that a machine says to be its own, at the address in its record ([RFC 1002] 4.2.2 to 4.2.9)."""
    reader = Reader(data, _HEADER.size)
    name = netbios_names.encoded(reader)
    reader.expect(_NB, "a name's record")
    netbios.skip_name(reader)
    for address, group in _addresses(reader):
        evidence = netbios_names.registered(name, group=group)
        if evidence and _is_host(address):
            yield Told(evidence, address=text_of(address))


def _answer(datagram: Datagram, questions: int) -> Iterator[Told]:
    """A node status, or whose name it is; the latter only by that machine itself, not by a name server."""
    data = datagram.data
    reader = Reader(data, _HEADER.size)
    for _ in range(min(questions, 1)):
        netbios.skip_name(reader)
        reader.skip(_QUESTION)
    start = reader.position
    netbios.skip_name(reader)
    if data.startswith(_NBSTAT, reader.position):
        yield Told(netbios.facts(netbios.parse_status(data)))
        return
    if data[start] & 0xC0:
        return
    name = netbios_names.encoded(Reader(data, start))
    for address, group in _addresses(reader):
        evidence = netbios_names.registered(name, group=group)
        if evidence and text_of(address) == datagram.source:
            yield Told(evidence)


def _addresses(reader: Reader) -> list[tuple[bytes, bool]]:
    """The addresses of a record, each with whether the name is a group's ([RFC 1002] 4.2.1.3)."""
    reader.expect(_NB, "a name's record")
    reader.skip(_TTL)
    count = min(reader.u16be() // _ADDRESS, _MOST_ADDRESSES)
    found = []
    for _ in range(count):
        flags = reader.u16be()
        found.append((reader.bytes(4), bool(flags & _GROUP)))
    return found


def _is_host(address: bytes) -> bool:
    """Whether it can be one machine's: neither nobody's, nor a group's, nor everybody's."""
    return 0 < address[0] < 224  # noqa: PLR2004 - multicast and what is above ([RFC 5771] section 3)


SOURCES: Final = (DatagramSource("netbios", netbios.PROBE.keys, (PORT,), hear),)
