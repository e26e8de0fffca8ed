"""The tables of a router by SNMP: which address of Ethernet it knows for which IP address.

There is no ``PROBE`` here, so no visit holds this conversation: it is for the routers that the site file
names, and what they say is of other machines than themselves. All else is as in every probe: bytes are said
and heard, and no length, order or end of a table is believed.
"""

from __future__ import annotations

import itertools
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.errors import LimitError, ProbeError, ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Send, der, snmp

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from scanner.model import Evidence
    from scanner.probes import Conversation, Peer, Step
    from scanner.wire import Reader

NEIGHBOURS: Final = "snmp.neighbours"
"""What is told: an address and its address of Ethernet a value. It is the router's, and never recorded."""

PHYSICAL: Final = "1.3.6.1.2.1.4.35.1.4"
"""ipNetToPhysicalPhysAddress ([RFC 4293] section 5): neighbours by IPv4 and IPv6."""
MEDIA: Final = "1.3.6.1.2.1.4.22.1.2"
"""ipNetToMediaPhysAddress (the same, deprecated; [RFC 1213] section 6): by IPv4 alone."""

ROWS: Final = 1 << 16
"""Most rows of a table that are read."""
EXCHANGES: Final = 1 << 12
"""Most questions: so many rows take 3277 of them, where the router answers in bulk."""
REPETITIONS: Final = 20
"""Rows that one answer may hold: they fit into one packet of Ethernet."""

_GET_NEXT: Final = 0xA1
_GET_BULK: Final = 0xA5
_FIRST: Final = 0x4E45
"""The id of the first request; each later one has the next."""
_NOTHING: Final = frozenset({0x80, 0x81, 0x82})
"""noSuchObject, noSuchInstance, endOfMibView ([RFC 3416] section 3)."""
_SIZES: Final = {1: 4, 2: 16}
"""Octets of an ipv4 and of an ipv6 ([RFC 4001] section 3); those with a zone hold on one link only."""
_ETHERNET: Final = 6
_OCTET: Final = range(256)


class Neighbour(NamedTuple):
    """A machine that a router has in its tables."""

    address: str
    mac: str


def address_in(column: str, index: tuple[int, ...]) -> str | None:
    """The IP address in the index of a row; None where it is none, or holds on one link only.

    Both begin with the interface; then MEDIA has an IPv4 address, PHYSICAL a kind, a length, an address.
    """
    match index:
        case (_, kind, size, *octets) if column == PHYSICAL and _SIZES.get(kind) == size == len(octets):
            pass
        case (_, *octets) if column == MEDIA and len(octets) == _SIZES[1]:
            pass
        case _:
            return None
    return str(ip_address(bytes(octets))) if all(octet in _OCTET for octet in octets) else None


def mac_in(tag: int, value: Reader) -> str | None:
    """An address of Ethernet that one machine may have; None of what is nobody's, a group's or no address."""
    octets = value.rest()
    if tag != der.OCTETS or len(octets) != _ETHERNET or not any(octets) or octets[0] & 1:
        return None
    return octets.hex(":")


def neighbours(evidence: Evidence) -> Iterator[Neighbour]:
    """Those that a conversation told of, each once."""
    for value in evidence.get(NEIGHBOURS, ()):
        address, _, mac = value.partition(" ")
        yield Neighbour(address, mac)


class _Walk:
    """A walk over the tables of one router."""

    def __init__(self) -> None:
        self.found: dict[Neighbour, None] = {}
        self.heard = False
        """Whether anything answered to this community and version."""
        self._requests = 0
        self._community, self._version = "", snmp.V2C

    def speak(self, community: str, version: int) -> None:
        """Go on with this community and version."""
        self._community, self._version = community, version
        self.heard = False

    def tables(self) -> Generator[Step, bytes, None]:
        """The newer table; the older one, where that has nothing of IPv4."""
        yield from self._column(PHYSICAL)
        if all(":" in each.address for each in self.found):
            yield from self._column(MEDIA)

    def _column(self, column: str) -> Generator[Step, bytes, None]:
        """Every row of a column.

        Raises:
            ProtocolError: its rows do not come in order.
            LimitError: it has too many of them.
        """
        begin = last = _parts(column)
        rows, goes_on = 0, True
        while goes_on:
            bindings = yield from self._ask(last)
            goes_on = bool(bindings)
            for name, tag, value in bindings:
                parts = _parts(name)
                if tag in _NOTHING or parts[: len(begin)] != begin:
                    return
                if parts <= last:
                    raise ProtocolError(f"a table whose rows do not come in order: {name[:80]}")
                last, rows = parts, rows + 1
                if rows > ROWS:
                    raise LimitError(f"a table of more than {ROWS} rows")
                address, mac = address_in(column, parts[len(begin) :]), mac_in(tag, value)
                if address and mac:
                    self.found[Neighbour(address, mac)] = None

    def _ask(self, last: tuple[int, ...]) -> Generator[Step, bytes, list[snmp.Binding]]:
        """What comes next; asked a second time where nothing answers."""
        try:
            return (yield from self._once(last))
        except LimitError:
            return (yield from self._once(last))

    def _once(self, last: tuple[int, ...]) -> Generator[Step, bytes, list[snmp.Binding]]:
        if self._requests >= EXCHANGES:
            raise LimitError(f"tables that {EXCHANGES} questions do not exhaust")
        request = _FIRST + self._requests
        self._requests += 1
        name = ".".join(map(str, last))
        if self._version == snmp.V1:
            content = snmp.pdu(_GET_NEXT, request, name)
        else:
            content = snmp.pdu(_GET_BULK, request, name, numbers=(0, REPETITIONS))
        question = snmp.message(self._community, self._version, content)
        answer = yield Send(question, snmp.answers(self._version, request))
        self.heard = True
        return list(snmp.parse_bindings(snmp.parse_message(answer).content))


def _parts(name: str) -> tuple[int, ...]:
    return tuple(map(int, name.split(".")))


def converse(peer: Peer) -> Conversation:
    """Every community in SNMPv2c, then in SNMPv1, until one is told something.

    Agents say nothing to a wrong community or version. A router that answered and falls silent is left
    alone; what it had told by then is learnt.
    """
    communities = peer.given.get("community", ())[: snmp.COMMUNITIES]
    walk, failure = _Walk(), None
    for community, version in itertools.product(communities, (snmp.V2C, snmp.V1)):
        walk.speak(community, version)
        try:
            yield from walk.tables()
        except ProbeError as error:
            if walk.heard or not isinstance(error, LimitError):
                failure = error
                break
        if walk.found:
            break
    if walk.found:
        yield Learnt({NEIGHBOURS: tuple(map(" ".join, walk.found))})
    if failure is not None:
        raise failure


def forget(raw: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Keep no answer: there are thousands, they hold the community, and are of machines elsewhere."""
    return (b"",) * len(raw)


TABLES: Final = Probe(
    "snmp-arp",
    Transport.UDP,
    snmp.PROBE.ports,
    (NEIGHBOURS,),
    converse,
    rank=snmp.PROBE.rank,
    exchanges=EXCHANGES,
    size=EXCHANGES * 512,  # a community of 255 bytes, the longest name of an object, and what is around them
    needs=("community",),
    redact=forget,
)
