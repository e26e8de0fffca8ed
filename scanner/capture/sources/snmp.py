"""SNMP: what agents answer to those who ask them, and say when something happens ([RFC 3416], [RFC 1157]).

Of what is answered, what a system is alone is taken: no community, no name, nobody who looks after it, no
place.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Final

from scanner.capture.telling import DatagramSource, Side, Told
from scanner.probes import der, snmp
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Datagram

_KEYS: Final = ("snmp.sysdescr", "snmp.sysobjectid", "snmp.engine_id", "snmp.enterprise", "snmp.engine_boots")
_AGENT, _MANAGER = 161, 162
_SYSTEM: Final = b"\x2b\x06\x01\x02\x01\x01"
"""1.3.6.1.2.1.1, as it stands in messages: others are not read."""
_THIRD: Final = b"\x02\x01\x03"
"""Version 3, which stands within the first bytes."""
_FIRST: Final = 9
_TRAP: Final = 0xA4
_SECOND: Final = 0xA7
_ADDRESS: Final = 0x40
_OWN: Final = 6
"""[RFC 1157] 4.1.6: traps below are of every agent, and name what it is; others name what defines them."""
_VENDORS: Final = "1.3.6.1.4.1."
_WHICH: Final = "1.3.6.1.6.3.1.1.4.1.0"
_ENTERPRISE: Final = "1.3.6.1.6.3.1.1.4.3.0"
_EVERY_AGENTS: Final = "1.3.6.1.6.3.1.1.5."
"""[RFC 3418] section 2: snmpTrapOID, snmpTrapEnterprise, snmpTraps."""


def hear(datagram: Datagram) -> Iterator[Told]:
    """What an agent says of its system."""
    if datagram.target_port == _MANAGER:
        yield from _trap(datagram)
    elif datagram.source_port == _AGENT:
        yield from _answer(datagram)


def _answer(datagram: Datagram) -> Iterator[Told]:
    if datagram.data.find(_THIRD, 0, _FIRST) < 0 and datagram.data.find(_SYSTEM) < 0:
        return
    answer = snmp.parse_message(datagram.data)
    if answer.version == snmp.V3:
        yield Told(snmp.parse_engine(answer.content))
        return
    said = snmp.parse_system(answer.content)
    if found := {key: value for key, value in said.items() if key in _KEYS}:
        yield Told(found)


def _trap(datagram: Datagram) -> Iterator[Told]:
    """What an agent is that sends a trap."""
    message = der.enter(Reader(datagram.data), der.SEQUENCE, "a message of SNMP")
    der.enter(message, der.INTEGER, "its version")
    der.enter(message, der.OCTETS, "its community")
    tag, trap = der.next_element(message)
    if tag == _TRAP:
        yield from _first(trap)
    elif tag == _SECOND:
        yield from _second(trap)


def _first(trap: Reader) -> Iterator[Told]:
    """A Trap-PDU ([RFC 1157] 4.1.6), with the agent's address, which may be behind a proxy's."""
    kind = der.dotted(der.enter(trap, der.OID, "an enterprise"))
    agent = der.enter(trap, _ADDRESS, "an agent's address").bytes(4)
    if der.number(der.enter(trap, der.INTEGER, "a generic trap")) < _OWN and kind.startswith(_VENDORS):
        yield Told({"snmp.sysobjectid": kind}, Side.CLIENT, str(IPv4Address(agent)) if any(agent) else "")


def _second(trap: Reader) -> Iterator[Told]:
    """An SNMPv2-Trap-PDU ([RFC 3416] 4.2.6), which may say as much ([RFC 3584] 3.1)."""
    der.enter(trap, der.INTEGER, "its id")
    said = {name: der.dotted(value) for name, tag, value in snmp.parse_bindings(trap) if tag == der.OID}
    kind = said.get(_ENTERPRISE, "")
    if said.get(_WHICH, "").startswith(_EVERY_AGENTS) and kind.startswith(_VENDORS):
        yield Told({"snmp.sysobjectid": kind}, Side.CLIENT)


SOURCES: Final = (DatagramSource("snmp", _KEYS, (_AGENT, _MANAGER), hear),)
