"""The CLDAP probe: what a domain controller answers to who looks for one ([MS-ADTS] 6.3.3, the LDAP ping).

One datagram asks without the name of a user or of a computer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Send, lines
from scanner.probes.der import INTEGER, OCTETS, SEQUENCE, element, enter, framing, number
from scanner.probes.ldap import parse_entry, search
from scanner.wire import Reader

if TYPE_CHECKING:
    from scanner.probes import Conversation, Peer

_AND, _EQUALS = 0xA0, 0xA3
_NETLOGON: Final = "Netlogon"
_VERSION: Final = (0x06).to_bytes(4, "little")
"""[MS-ADTS] 6.3.1.1: the extended form, and the one before it that Windows 2000 demands with it."""
_RESPONSES: Final = frozenset({23, 25})
"""[MS-ADTS] 6.3.1.3: the answers of the extended form; the second one knows no such user."""
_LABELS: Final = 64
_POINTER: Final = 0xC0
_GUID: Final = 16

_NAMES: Final = ("ldap.forest", "ldap.domain", "ldap.host", "netbios.domain", "netbios.name", "", "ldap.site")
"""The names of an answer, in order ([MS-ADTS] 6.3.1.9); the one that has no key would be the user's."""

QUESTION: Final = search(
    element(_AND, element(_EQUALS, element(OCTETS, b"NtVer"), element(OCTETS, _VERSION))), (_NETLOGON,)
)


def ours(datagram: bytes) -> int | None:
    """The framing of an answer to our one question: a whole message with its number."""
    if framing(datagram) is None:
        return None
    asked = number(enter(enter(Reader(datagram), SEQUENCE, "CLDAP"), INTEGER, "CLDAP"))
    return len(datagram) if asked == 1 else None


def parse_response(raw: bytes) -> dict[str, str]:
    """The evidence in a NETLOGON_SAM_LOGON_RESPONSE_EX ([MS-ADTS] 6.3.1.9).

    Raises:
        ProtocolError: it is something else, or not whole.
    """
    reader = Reader(raw)
    kind = reader.u16()
    if kind not in _RESPONSES:
        raise ProtocolError(f"not an answer to a search for domain controllers: {kind}")
    reader.skip(2)
    found = {"cldap.flags": f"{reader.u32():#010x}"}
    reader.skip(_GUID)
    for key in _NAMES:
        found[key] = _name(reader)
    return {key: value for key, value in found.items() if key and value}


def _name(reader: Reader) -> str:
    """A name ([RFC 1035] 4.1.4): labels, and pointers backwards to more of them."""
    labels: list[bytes] = []
    cursor = reader
    while length := cursor.u8():
        if length & _POINTER == _POINTER:
            place = (length & ~_POINTER) << 8 | cursor.u8()
            if place >= cursor.position - 2:
                raise ProtocolError("a name that points forward")
            cursor = Reader(cursor.data, place)
        elif length & _POINTER or len(labels) >= _LABELS:
            raise ProtocolError("a name without an end")
        else:
            labels.append(cursor.bytes(length))
    return lines.text(b".".join(labels))


def converse(_peer: Peer) -> Conversation:
    """The conversation with one controller; others that listen there answer nothing, or an empty search."""
    entry = parse_entry((yield Send(QUESTION, ours)))
    for raw in entry.get(_NETLOGON.lower(), ())[:1]:
        yield Learnt(parse_response(raw))


PROBE: Final = Probe(
    "cldap",
    Transport.UDP,
    (389,),
    ("cldap.flags", *filter(None, _NAMES)),
    converse,
    rank=52,
    size=128,
    logs=(
        "Nothing as it is installed. Netlogon writes every such question to netlogon.log where DBFlag says "
        "so; it counts addresses that are in no subnet of the directory (event 5807)."
    ),
    trouble=(
        "None: every member of a domain asks the same when it looks for a controller. CVE-2024-49113 is a "
        "fault of those who ask, in what they make of an answer."
    ),
)
