"""DHCP: what a client says of itself when it asks for an address ([RFC 2131], [RFC 2132]).

A request that names the address is told of that address. One that asks for an address of another day may be
refused: it is told of the card, and of the address as soon as a server grants it. So relays do not matter:
no address is taken from around a message.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.capture.telling import DatagramSource, Side, Told
from scanner.errors import ProtocolError
from scanner.probes import lines
from scanner.probes.mdns import parse_name
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scanner.capture.telling import Datagram

KEYS: Final = ("dhcp.mac", "dhcp.hostname", "dhcp.domain", "dhcp.vendor_class", "dhcp.parameters")
_SNAME, _FILE, _COOKIE, _OPTIONS = 44, 108, 236, 240
"""Offsets of fields ([RFC 2131] section 2)."""
_MAGIC: Final = b"\x63\x82\x53\x63"
_ETHERNET: Final = b"\x01\x06"
"""Kind and length of the hardware's address ([RFC 1700])."""
_REQUEST, _ACK, _RELEASE, _INFORM = 3, 5, 7, 8
_CLIENT: Final = frozenset({1, _REQUEST, 4, _RELEASE, _INFORM})
"""[RFC 2132] 9.6: what clients send."""
_PAD, _END = 0, 255
_HOST, _WANTED, _OVERLOAD, _KIND, _SERVER, _PARAMETERS, _VENDOR, _USER, _NAME = (
    *(12, 50, 52, 53, 54, 55, 60),
    *(77, 81),
)
"""Options, the last two of [RFC 3004] and [RFC 4702]."""
_DIALLED: Final = b"RRAS.Microsoft"
"""[MS-DHCPM] 3.1.1.8: a server asks for one that dials in, who is not the one that speaks."""
_AS_IN_DNS: Final = 0x04
"""[RFC 4702] 2.1: the name is in the form of DNS."""
_REMEMBERED: Final = 2048


class Message(NamedTuple):
    """A message of DHCP, as far as it is looked at here."""

    kind: int
    transaction: bytes
    """Its number, and the hardware's address: what an answer has too."""
    client: str
    """The address that the client has; empty: none yet."""
    granted: str
    """The address that a server gives; empty: none."""
    card: str
    """Empty where it is no card of Ethernet."""
    options: Mapping[int, bytes]


def parse_message(data: bytes) -> Message:
    """Read a message ([RFC 2131] section 2).

    Raises:
        ProtocolError: it is none, or not whole.
    """
    reader = Reader(data)
    reader.seek(_COOKIE)
    reader.expect(_MAGIC, "DHCP")
    options = parse_options(data)
    length = min(data[2], 16)
    card = data[28:34].hex(":") if data[1:3] == _ETHERNET and any(data[28:34]) else ""
    client, granted = (_address(data[start : start + 4]) for start in (12, 16))
    kind = int.from_bytes(options.get(_KIND, b""))
    return Message(kind, data[4:8] + data[28 : 28 + length], client, granted, card, options)


def parse_options(data: bytes) -> dict[int, bytes]:
    """The options of a message, those that fields for names hold included; parts of one put together.

    Raises:
        ProtocolError: one of them is not whole.
    """
    found: dict[int, bytes] = {}
    _read(Reader(data, _OPTIONS), found)
    more = int.from_bytes(found.get(_OVERLOAD, b"")[:1])
    if more & 1:  # [RFC 3396] section 5: in this order
        _read(Reader(data, _FILE, _COOKIE), found)
    if more & 2:
        _read(Reader(data, _SNAME, _FILE), found)
    return found


def _read(reader: Reader, found: dict[int, bytes]) -> None:
    while reader.remaining:
        code = reader.u8()
        if code == _END:
            return
        if code != _PAD:
            found[code] = found.get(code, b"") + reader.bytes(reader.u8())


def _address(packed: bytes) -> str:
    return str(IPv4Address(packed)) if len(packed) == 4 and any(packed) else ""  # noqa: PLR2004 - IPv4


def words(message: Message) -> dict[str, str]:
    """What a client says of itself; nothing where it asks for another."""
    options = message.options
    if _DIALLED in options.get(_USER, b""):
        return {}
    host, _, domain = _full_name(options.get(_NAME, b"")).partition(".")
    found = {
        "dhcp.mac": message.card,
        "dhcp.hostname": lines.text(options.get(_HOST, b"")) or host,
        "dhcp.domain": domain,
        "dhcp.vendor_class": lines.text(options.get(_VENDOR, b"")),
        "dhcp.parameters": ",".join(map(str, options.get(_PARAMETERS, b""))),
    }
    return {key: value for key, value in found.items() if value}


def _full_name(option: bytes) -> str:
    """The client's own name ([RFC 4702] section 2), as far as it is one."""
    flags, name = int.from_bytes(option[:1]), option[3:]
    if flags & _AS_IN_DNS:
        name = b".".join(parse_name(Reader(name + b"\0")))  # that of a partial name does not end
    return lines.text(name).strip(".")


def address_of(message: Message) -> str:
    """The address that the client of a message has, or was offered; empty where that is not known.

    [RFC 2131] 4.3.2: who has chosen an offer names the server; who did not may ask for an address in vain.
    """
    if message.kind == _REQUEST and not message.client and _SERVER in message.options:
        return _address(message.options.get(_WANTED, b""))
    return message.client if message.kind in {_REQUEST, _INFORM, _RELEASE} else ""


class Clients:
    """What clients said in transactions that a server may yet agree to; the oldest is forgotten."""

    def __init__(self) -> None:
        self._said: dict[bytes, dict[str, str]] = {}

    def hear(self, datagram: Datagram) -> Iterator[Told]:
        """What a client says of itself, and which address it has."""
        message = parse_message(datagram.data)
        if datagram.data[0] == 1 and message.kind in _CLIENT:
            said = words(message)
            self._remember(message.transaction, said)
            where = address_of(message) or message.card
        elif message.kind == _ACK:
            said = self._said.get(message.transaction, {"dhcp.mac": message.card})
            where = message.granted or message.client
        else:
            raise ProtocolError(f"a message {message.kind} of DHCP that tells nothing")
        if where and said:
            yield Told(said, Side.CLIENT, where)

    def _remember(self, transaction: bytes, said: dict[str, str]) -> None:
        self._said.pop(transaction, None)
        self._said[transaction] = said
        if len(self._said) > _REMEMBERED:
            del self._said[next(iter(self._said))]


def hear(datagram: Datagram) -> Iterator[Told]:
    """What a message tells by itself."""
    return Clients().hear(datagram)


SOURCES: Final = (DatagramSource("dhcp", KEYS, (67, 68), hear, begin=lambda: Clients().hear),)
