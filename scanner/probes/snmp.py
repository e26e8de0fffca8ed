"""The SNMP probe: what an agent says of its system, to communities that the site gave, and its engine's id.

A community is a secret: it stands in requests alone, never in evidence, errors or raw answers. Without one,
only the engine is asked for, which every SNMPv3 agent tells anybody ([RFC 3414] section 4).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.errors import LimitError, ProbeError, ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Send, der, lines
from scanner.wire import Reader, printable

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from scanner.probes import Conversation, Framing, Peer, Step

OBJECTS: Final[Mapping[str, str]] = {
    "1.3.6.1.2.1.1.1.0": "snmp.sysdescr",
    "1.3.6.1.2.1.1.2.0": "snmp.sysobjectid",
    "1.3.6.1.2.1.1.5.0": "snmp.sysname",
}
"""[RFC 3418] section 2: what a system is and its name, neither who looks after it nor where it stands."""

COMMUNITIES: Final = 3
"""Most communities that one host is asked with."""

V1: Final = 0
V2C: Final = 1
V3: Final = 3
_GET: Final = 0xA0
_RESPONSE: Final = 0xA2
_FIRST: Final = 0x5645
"""The id of the first request; each later one has the next ([RFC 3416] section 4.1)."""
_LARGEST: Final = 65507
"""The longest UDP datagram ([RFC 3417] section 3)."""
_REPORTABLE: Final = b"\x04"
"""Flags of a message without authentication and privacy, that a report may answer ([RFC 3412] 6.4)."""
_USM: Final = 3
_ENGINE_ID: Final = range(5, 33)
_ENTERPRISE: Final = 0x7FFFFFFF
"""[RFC 3411] section 5, SnmpEngineID: 5 to 32 bytes; the first four are an enterprise, but for a bit."""
_MOST_BOOTS: Final = 0x7FFFFFFF


class Answer(NamedTuple):
    """A message of an agent."""

    version: int
    request: int
    """Which request it answers."""
    content: Reader
    """What follows: of version 3 the security parameters, of others the rest of the PDU."""


class Binding(NamedTuple):
    """An object, and what an agent says of it ([RFC 3416] section 3)."""

    name: str
    tag: int
    value: Reader


def get(community: str, version: int, request: int) -> bytes:
    """A GetRequest for the objects ([RFC 3416] section 4.2.1, [RFC 1157] section 4.1.2)."""
    return message(community, version, pdu(_GET, request, *OBJECTS))


def message(community: str, version: int, content: bytes) -> bytes:
    """A message of a community ([RFC 1901] section 3, [RFC 1157] section 4)."""
    secret = der.element(der.OCTETS, community.encode("utf-8"))
    return der.element(der.SEQUENCE, der.integer(version), secret, content)


def pdu(kind: int, request: int, *wanted: str, numbers: tuple[int, int] = (0, 0)) -> bytes:
    """A PDU that asks for objects; the two numbers are those of a GetBulkRequest ([RFC 3416] section 3)."""
    listed = [der.element(der.SEQUENCE, der.object_identifier(name), _NULL) for name in wanted]
    objects = der.element(der.SEQUENCE, *listed)
    return der.element(kind, der.integer(request), *map(der.integer, numbers), objects)


def discovery(request: int) -> bytes:
    """The request that an engine answers with its id: it names none itself ([RFC 3414] section 4)."""
    nothing = der.element(der.OCTETS)
    header = (
        der.integer(request),
        der.integer(_LARGEST),
        der.element(der.OCTETS, _REPORTABLE),
        der.integer(_USM),
    )
    usm = der.element(der.SEQUENCE, nothing, der.integer(0), der.integer(0), nothing, nothing, nothing)
    return der.element(
        der.SEQUENCE,
        der.integer(V3),
        der.element(der.SEQUENCE, *header),
        der.element(der.OCTETS, usm),
        der.element(der.SEQUENCE, nothing, nothing, pdu(_GET, request)),
    )


_NULL: Final = der.element(der.NULL)


def parse_message(datagram: bytes) -> Answer:
    """Read a message as far as which request it answers ([RFC 3412] section 6, [RFC 1901] section 3).

    Raises:
        ProtocolError: it is none.
    """
    message = der.enter(Reader(datagram), der.SEQUENCE, "a message of SNMP")
    version = der.number(der.enter(message, der.INTEGER, "its version"))
    if version == V3:
        header = der.enter(message, der.SEQUENCE, "its header")
        request = der.number(der.enter(header, der.INTEGER, "its id"))
        return Answer(version, request, der.enter(message, der.OCTETS, "its security parameters"))
    der.enter(message, der.OCTETS, "its community")
    response = der.enter(message, _RESPONSE, "a response")
    return Answer(version, der.number(der.enter(response, der.INTEGER, "its id")), response)


def parse_bindings(response: Reader) -> Iterator[Binding]:
    """The objects in the rest of a response's PDU ([RFC 3416] section 3); none of an error.

    Raises:
        ProtocolError: it is not whole.
    """
    if der.number(der.enter(response, der.INTEGER, "an error status")):
        return
    der.enter(response, der.INTEGER, "an error index")
    bindings = der.enter(response, der.SEQUENCE, "bindings")
    while bindings.remaining:
        binding = der.enter(bindings, der.SEQUENCE, "a binding")
        name = der.dotted(der.enter(binding, der.OID, "the name of an object"))
        yield Binding(name, *der.next_element(binding))


def parse_system(response: Reader) -> dict[str, str]:
    """The evidence in the rest of a response's PDU; nothing of an error.

    Raises:
        ProtocolError: it is not whole.
    """
    found = {}
    for name, tag, value in parse_bindings(response):
        key = OBJECTS.get(name)
        if key and tag == der.OCTETS:
            found[key] = lines.text(value.rest().replace(b"\r\n", b" ").replace(b"\n", b" "))
        elif key and tag == der.OID:
            found[key] = printable(der.dotted(value))
    return {key: value for key, value in found.items() if value}


def parse_engine(parameters: Reader) -> dict[str, str]:
    """The evidence in the security parameters of a report ([RFC 3414] section 2.4).

    Raises:
        ProtocolError: they are not whole.
    """
    usm = der.enter(parameters, der.SEQUENCE, "security parameters")
    engine = der.enter(usm, der.OCTETS, "an engine's id").rest()
    boots = der.number(der.enter(usm, der.INTEGER, "an engine's boots"))
    if len(engine) not in _ENGINE_ID or not 0 <= boots <= _MOST_BOOTS:
        raise ProtocolError("no engine of SNMPv3")
    enterprise = Reader(engine).u32be() & _ENTERPRISE
    return {
        "snmp.engine_id": engine.hex(),
        "snmp.enterprise": str(enterprise),
        "snmp.engine_boots": str(boots),
    }


def answers(version: int, request: int) -> Framing:
    """The framing of the datagram that answers a request; what answers another one is passed over."""

    def framing(datagram: bytes) -> int | None:
        answer = parse_message(datagram)
        return len(datagram) if (answer.version, answer.request) == (version, request) else None

    return framing


def converse(peer: Peer) -> Conversation:
    """Every community in SNMPv2c, then in SNMPv1, until one is told something; then the engine."""
    communities = peer.given.get("community", ())[:COMMUNITIES]
    request, told = _FIRST, False
    for community, version in itertools.product(communities, (V2C, V1)):
        told = yield from _ask(community, version, request)
        request += 1
        if told:
            break
    try:
        answer = yield Send(discovery(request), answers(V3, request))
    except ProbeError:
        if told:
            return  # an agent of before SNMPv3
        raise
    yield Learnt(parse_engine(parse_message(answer).content))


def _ask(community: str, version: int, request: int) -> Generator[Step, bytes, bool]:
    """One request; whether it was told something. Agents say nothing to a wrong community or version."""
    try:
        answer = yield Send(get(community, version, request), answers(version, request))
    except LimitError:
        return False
    found = parse_system(parse_message(answer).content)
    if found:
        yield Learnt(found)
    return bool(found)


def redact(raw: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Take the community out; of what cannot be read, nothing is kept."""
    return tuple(map(_without_community, raw))


def _without_community(datagram: bytes) -> bytes:
    try:
        message = der.enter(Reader(datagram), der.SEQUENCE, "a message of SNMP")
        version = der.enter(message, der.INTEGER, "its version").rest()
        tag, _ = der.next_element(message)
    except ProtocolError:
        return b""
    if tag != der.OCTETS:
        return datagram if tag == der.SEQUENCE else b""
    number, nothing = der.element(der.INTEGER, version), der.element(der.OCTETS)
    return der.element(der.SEQUENCE, number, nothing, message.rest())


PROBE: Final = Probe(
    "snmp",
    Transport.UDP,
    (161,),
    (*OBJECTS.values(), "snmp.engine_id", "snmp.enterprise", "snmp.engine_boots"),
    converse,
    rank=32,
    exchanges=2 * COMMUNITIES + 1,
    size=2048,  # 1986: three communities of 255 bytes, that nothing answers, and the engine
    logs=(
        "Net-SNMP logs the address of each request where it is built with TCP wrappers, unless "
        "dontLogTCPWrappersConnects is set: snmpd.conf(5). A wrong community makes an agent send the trap "
        "authenticationFailure to its managers, where snmpEnableAuthenTraps is on (RFC 3418 section 2); only "
        "communities of the site file are used. The question for the engine counts in "
        "usmStatsUnknownEngineIDs (RFC 3414 section 5)."
    ),
    trouble=(
        "None is known with what is sent: up to three objects that every agent has, and no table is walked. "
        "Agents of before 2002 may stop at malformed requests (CVE-2002-0013); none is malformed."
    ),
    redact=redact,
)
