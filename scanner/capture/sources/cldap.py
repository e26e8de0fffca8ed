"""CLDAP: domain controllers, and the machines that look for one ([MS-ADTS] 6.3.3, the LDAP ping).

A question has the machine's name, and may have a user's: that is passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.capture.telling import DatagramSource, Side, Told
from scanner.probes import cldap, der, lines
from scanner.probes.der import OCTETS, SEQUENCE, enter
from scanner.probes.ldap import parse_entry
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Datagram

_PORT: Final = 389
_SEARCH, _AND, _EQUALS = 0x63, 0xA0, 0xA3
"""[RFC 4511] 4.5.1."""
_BEFORE_FILTER: Final = 5
_HOST: Final = b"host"
"""[MS-ADTS] 6.3.3: the NetBIOS name of the client."""


def parse_question(datagram: bytes) -> str:
    """The name of the machine that asks; empty where it tells none.

    Raises:
        ProtocolError: it is no such question.
    """
    message = enter(Reader(datagram), SEQUENCE, "CLDAP")
    der.next_element(message)
    search = enter(message, _SEARCH, "a search")
    enter(search, OCTETS, "its base")
    for _ in range(_BEFORE_FILTER):
        der.next_element(search)
    tests = enter(search, _AND, "the filter of an LDAP ping")
    while tests.remaining:
        test = enter(tests, _EQUALS, "a test")
        if enter(test, OCTETS, "an attribute").rest().lower() == _HOST:
            return lines.text(enter(test, OCTETS, "a value").rest())
    return ""


def hear(datagram: Datagram) -> Iterator[Told]:
    """What a controller is, or the name of who looks for one."""
    if datagram.source_port == _PORT:
        for raw in parse_entry(datagram.data).get("netlogon", ())[:1]:
            yield Told(cldap.parse_response(raw))
    elif name := parse_question(datagram.data):
        yield Told({"netbios.name": name}, Side.CLIENT)


SOURCES: Final = (DatagramSource("cldap", cldap.PROBE.keys, (_PORT,), hear),)
