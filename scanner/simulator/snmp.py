"""SNMP as agents answer it ([RFC 1157], [RFC 3416]), and how an engine tells its id ([RFC 3414] 4)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final
from zlib import crc32

from scanner.simulator.asn1 import der, elements, integer, oid
from scanner.simulator.machine import unix_seconds
from scanner.simulator.plan import names

if TYPE_CHECKING:
    from scanner.simulator.machine import Machine

_GET, _NEXT, _RESPONSE, _BULK, _REPORT = 0xA0, 0xA1, 0xA2, 0xA5, 0xA8
_ASKING: Final = {_GET, _NEXT, _BULK}
_COUNTER, _TICKS = 0x41, 0x43
_NO_SUCH_NAME: Final = 2
"""The error of version 1; later ones put an exception in the value's place."""
_NO_SUCH_OBJECT: Final = bytes.fromhex("8000")
_END_OF_VIEW: Final = bytes.fromhex("8200")
_SYSTEM: Final = "1.3.6.1.2.1.1."
_SERVICES: Final = 72
"""sysServices ([RFC 3418] 2): a host that offers applications."""
_UNKNOWN_USER: Final = "1.3.6.1.6.3.15.1.1.3.0"
_UNKNOWN_ENGINE: Final = "1.3.6.1.6.3.15.1.1.4.0"
"""usmStatsUnknownUserNames and usmStatsUnknownEngineIDs ([RFC 3414] 5)."""
_NET_SNMP: Final = 8072
_LARGEST: Final = 65507
_BOOTS: Final = 7
_SECOND: Final = 10_000_000
"""In the units of a FILETIME."""


@cache
def _community() -> bytes:
    return str(names()["site"]["community"]).encode("ascii")


def answer(machine: Machine, datagram: bytes, now: int) -> bytes:
    """What a machine's agent says to one datagram; nothing to what it does not speak, or to strangers."""
    spoken = machine.personality.snmp
    match [elements(content) for tag, content in elements(datagram) if tag == 0x30]:  # noqa: PLR2004 - a sequence
        case [[(0x02, version), (0x04, community), (kind, pdu)]]:
            if community == _community() and len(version) == 1 and version[0] + 1 in {*spoken} & {1, 2}:
                return _response(machine, version[0], kind, pdu, now)
        case [[(0x02, b"\3"), (0x30, header), (0x04, security), (0x30, scoped)]] if 3 in spoken:  # noqa: PLR2004 - its version
            return _report(machine, header, security, scoped, now)
    return b""


def _objects(machine: Machine, now: int) -> dict[bytes, bytes]:
    """The system group ([RFC 3418] 2), in order."""
    kind = machine.personality
    values = (
        der(0x04, kind.sysdescr.format(name=machine.name.lower()).encode("ascii")),
        der(0x06, oid(kind.sysobjectid)),
        integer((now - machine.booted) // (_SECOND // 100) % (1 << 32), _TICKS),
        der(0x04, b""),
        der(0x04, machine.name.encode("ascii")),
        der(0x04, b""),
        integer(_SERVICES),
    )
    return {oid(f"{_SYSTEM}{place}.0"): value for place, value in enumerate(values, 1)}


def _response(machine: Machine, version: int, kind: int, pdu: bytes, now: int) -> bytes:
    match elements(pdu):
        case [(0x02, number), (0x02, first), (0x02, second), (0x30, wanted)] if kind in _ASKING:
            pass
        case _:
            return b""
    known, said, error, index = _objects(machine, now), b"", 0, 0
    asked = [pair[0][1] for _, binding in elements(wanted) if (pair := elements(binding))]
    if kind == _BULK and not any(second):
        del asked[int.from_bytes(first, "big") :]
    for place, name in enumerate(asked, 1):
        if kind == _GET:
            found, value = name, known.get(name, b"")
        else:
            found, value = next(((one, known[one]) for one in known if one > name), (name, b""))
        if not value and not version:
            said, error, index = wanted, _NO_SUCH_NAME, place
            break
        value = value or (_NO_SUCH_OBJECT if kind == _GET else _END_OF_VIEW)
        said += der(0x30, der(0x06, found) + value)
    content = der(0x02, number) + integer(error) + integer(index) + der(0x30, said)
    return der(0x30, integer(version) + der(0x04, _community()) + der(_RESPONSE, content))


def _engine(machine: Machine) -> bytes:
    """An snmpEngineID ([RFC 3411] 5): of Net-SNMP's own making, or by the MAC address."""
    enterprise = int(machine.personality.sysobjectid.split(".")[6])
    chosen = crc32(machine.guid).to_bytes(4, "big") + unix_seconds(machine.booted).to_bytes(8, "little")
    head = (0x80000000 | enterprise).to_bytes(4, "big")
    return head + (b"\x80" + chosen if enterprise == _NET_SNMP else b"\x03" + machine.mac)


def _report(machine: Machine, header: bytes, security: bytes, scoped: bytes, now: int) -> bytes:
    match elements(header), [elements(content) for _, content in elements(security)], elements(scoped):
        case (
            [(0x02, number), (0x02, _), (0x04, _), (0x02, b"\3")],
            [[(0x04, named), (0x02, _), (0x02, _), (0x04, user), *_]],
            [(0x04, _), (0x04, _), (kind, pdu)],
        ) if kind in _ASKING:
            pass
        case _:
            return b""
    engine = _engine(machine)
    counter = _UNKNOWN_USER if user and named == engine else _UNKNOWN_ENGINE
    asked = elements(pdu)
    binding = der(0x30, der(0x06, oid(counter)) + integer(1, _COUNTER))
    content = der(0x02, asked[0][1] if asked else b"\0") + integer(0) * 2 + der(0x30, binding)
    alive = max(0, now - machine.booted) // _SECOND
    usm = der(0x04, engine) + integer(_BOOTS) + integer(alive) + der(0x04, user) + der(0x04, b"") * 2
    head = der(0x02, number) + integer(_LARGEST) + der(0x04, b"\0") + integer(3)
    whole = integer(3) + der(0x30, head) + der(0x04, der(0x30, usm))
    return der(0x30, whole + der(0x30, der(0x04, engine) + der(0x04, b"") + der(_REPORT, content)))
