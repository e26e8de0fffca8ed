"""The NetBIOS datagram service ([RFC 1002] 4.4), and what browsers announce in it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from scanner.capture import browser, netbios_names
from scanner.capture.packets import text_of
from scanner.capture.telling import DatagramSource, Told
from scanner.errors import ProtocolError
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Datagram

PORT: Final = 138
_HEADER: Final = struct.Struct(">BBH4sHHH")
_DIRECT: Final = frozenset({0x10, 0x11, 0x12})
"""Datagrams to one name, to a group's, to everybody ([RFC 1002] 4.4.1)."""


def hear(datagram: Datagram) -> Iterator[Told]:
    """Who sent a datagram, and what it announces; of one in several parts, the first."""
    reader = Reader(datagram.data)
    kind, _, _, address, _, _, offset = _HEADER.unpack(reader.bytes(_HEADER.size))
    if kind not in _DIRECT or offset:
        return
    sender = netbios_names.of_sender(netbios_names.encoded(reader))
    where = _sender(datagram, address)
    try:
        netbios_names.encoded(reader)
        announced = browser.facts(reader.rest())
    except ProtocolError:  # something else than an announcement, from a machine with a name all the same
        announced = {}
    found = {**sender, **announced}
    if found:
        yield Told(found, address=where)


def _sender(datagram: Datagram, address: bytes) -> str:
    """Whose datagram it is: who passes one on leaves the sender's address in its header."""
    is_host = 0 < address[0] < 224 and address[0] != 127  # noqa: PLR2004 - as in [RFC 5735] section 3
    text = text_of(address)
    return text if is_host and text != datagram.source else ""


SOURCES: Final = (DatagramSource("browser", browser.KEYS, (PORT,), hear),)
