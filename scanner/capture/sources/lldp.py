"""LLDP (IEEE 802.1AB): devices name themselves to their neighbours.

Name and description are those of their SNMP agents (8.5.6 and 8.5.7: sysName, sysDescr), and so are the keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.capture import owners
from scanner.capture.descriptions import described
from scanner.capture.telling import FrameSource, Told
from scanner.errors import ProtocolError
from scanner.probes import lines
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Payload

_END, _CHASSIS, _NAME, _DESCRIPTION, _MANAGED = 0, 1, 5, 6, 8
_A_CARD: Final = 4
"""The kind of chassis id that is a card's address (8.5.2.2)."""
_HEADER: Final = 2
"""Bytes of a field's type and length (8.4)."""


def hear(payload: Payload) -> Iterator[Told]:
    """What a device says of itself: of its card; where it is managed is told with it."""
    fields = _fields(Reader(payload.data))
    evidence = {
        "snmp.sysdescr": described(fields.get(_DESCRIPTION, b"")),
        "snmp.sysname": lines.text(fields.get(_NAME, b"")),
    }
    chassis = fields[_CHASSIS]
    whole, port = (
        owners.card(chassis[1:]) if chassis[:1] == bytes((_A_CARD,)) else "",
        owners.card(payload.card),
    )
    if not any(evidence.values()):
        return
    if whole != port:  # a device has a card for each of its ports
        evidence["mac.address"] = whole
    evidence[owners.MANAGED] = owners.host(_managed(fields.get(_MANAGED, b"")))
    yield Told(evidence, address=port or whole)


def _fields(reader: Reader) -> dict[int, bytes]:
    """The first of each, as far as the frame was kept; the chassis is always there (8.2)."""
    fields: dict[int, bytes] = {}
    while reader.remaining >= _HEADER:
        header = reader.u16be()
        kind, length = header >> 9, header & 511
        if kind == _END or length > reader.remaining:
            break
        value = reader.bytes(length)
        if kind != _MANAGED or owners.host(_managed(value)):
            fields.setdefault(kind, value)
    if next(iter(fields), None) != _CHASSIS:
        raise ProtocolError("not LLDP: it does not begin with a chassis")
    return fields


def _managed(value: bytes) -> bytes:
    """The address of a management address (8.5.9), whatever its family."""
    length = value[0] if value else 0
    return value[2 : length + 1]


SOURCES: Final = (
    FrameSource("lldp", ("snmp.sysdescr", "snmp.sysname", "mac.address", owners.MANAGED), (0x88CC,), hear),
)
