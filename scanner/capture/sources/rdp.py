"""RDP: what both ends say before anything is encrypted ([MS-RDPBCGR] 2.2.1.1 to 2.2.1.4).

A client's request may name a user, for a broker: it is passed over. Without TLS the settings follow in clear:
the build that a client says its system has, and its machine's name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture.machines import machine
from scanner.capture.sources.tls import KEYS as TLS_KEYS
from scanner.capture.sources.tls import hear_tls
from scanner.capture.telling import Hear, Side, StreamSource, Told
from scanner.errors import ProtocolError
from scanner.probes import ntlm, rdp
from scanner.probes.der import ENUMERATED, INTEGER, OCTETS, SEQUENCE, enter
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner.capture.telling import Direction, Hearing

_PORT: Final = 3389
_VERSION: Final = "rdp.tls"
_REQUEST: Final = 0xE0
_LONGEST: Final = 1 << 12
_SHORTEST: Final = 7
_FIXED: Final = 11
"""Bytes of TPKT and X.224 before a request's cookie."""
_NEGOTIATION: Final = re.compile(rb"\x01.\x08\0(.{4})(?:\x06.{35})?\Z", re.DOTALL)
"""[MS-RDPBCGR] 2.2.1.1.1, and 2.2.1.1.2, which may follow."""
_COOKIE: Final = b"Cookie: mst"
_ASKED: Final = "rdp.asked"
_TLS, _HYBRID, _HYBRID_EX = 1, 2, 8
_DATA: Final = b"\x02\xf0\x80\x7f"
"""X.224 data ([X.224] 13.7), then the first byte of a tag of the application's."""
_INITIAL, _RESPONSE = 0x65, 0x66
_BOOLEAN: Final = 0x01
_LONG: Final = 0x80
_CLIENT_CORE, _SERVER_CORE = 0xC001, 0x0C01


def hear(direction: Direction) -> Hearing:
    """Either end: connection request and confirm, then TLS or the settings of the session."""
    message = yield Hear(tpkt, _LONGEST)
    asks = message[5] & 0xF0 == _REQUEST
    if asks:
        if not is_request(message) and direction.service != _PORT:
            return
        direction.shared[_ASKED] = parse_request(message)
    else:
        confirm = rdp.parse_confirm(message)
        asked = direction.shared.get(_ASKED)
        if told := facts(message, confirm, asked if isinstance(asked, int) else 0):
            yield Told(told)
    yield from _what_follows(direction)


def _what_follows(direction: Direction) -> Hearing:
    """TLS, or the settings in clear; which of the two, its first byte says."""
    begun: list[bytes] = []

    def peek(received: bytes) -> int:
        begun.append(received[:1])
        return 0

    yield Hear(peek)
    if begun[0] == b"\x16":
        yield from hear_tls(direction, _VERSION)
        return
    side, told = parse_settings((yield Hear(tpkt, _LONGEST)))
    if told:
        yield Told(told, side)


def tpkt(received: bytes) -> int | None:
    """The framing of a TPKT ([RFC 1006] section 6).

    Raises:
        ProtocolError: it is none.
    """
    length = int.from_bytes(received[2:4], "big") if len(received) >= 4 else _SHORTEST  # noqa: PLR2004 - its head
    if not b"\3\0".startswith(received[:2]) or not _SHORTEST <= length <= _LONGEST:
        raise ProtocolError(f"not a TPKT: {received[:8].hex()}")
    return length if len(received) >= length else None


def is_request(message: bytes) -> bool:
    """Whether a connection request is one of RDP; others are carried the same way."""
    return message.startswith(_COOKIE, _FIXED) or bool(_NEGOTIATION.search(message, _FIXED))


def parse_request(message: bytes) -> int:
    """The security that a connection request offers; 0 where it knows no other than RDP's own."""
    found = _NEGOTIATION.search(message, _FIXED)
    return int.from_bytes(found[1], "little") if found else 0


def facts(message: bytes, confirm: rdp.Confirm, asked: int) -> dict[str, str | tuple[str, ...]]:
    """The evidence in a connection confirm, as far as it was offered what the probe offers.

    Who was offered less agrees to less, whatever it could do: of that, nothing follows.
    """
    told: dict[str, str | tuple[str, ...]]
    if confirm.selects(_HYBRID, _HYBRID_EX):
        told = {"rdp.flags": confirm.named_flags, "rdp.nla": "supported"}
        if asked & _HYBRID_EX:
            told |= {"rdp.negotiation": confirm.negotiation, "rdp.confirm": message.hex()}
    elif asked & _TLS and asked & _HYBRID:
        told = {
            "rdp.flags": confirm.named_flags,
            "rdp.nla": confirm.nla,
            "rdp.negotiation": confirm.negotiation,
            "rdp.confirm": message.hex(),
        }
    else:
        told = {"rdp.flags": confirm.named_flags, "rdp.nla": confirm.nla if confirm.nla == "required" else ""}
    return {key: value for key, value in told.items() if value}


def parse_settings(message: bytes) -> tuple[Side, Mapping[str, str]]:
    """The first block of settings of either end ([MS-RDPBCGR] 2.2.1.3.2, 2.2.1.4.2), and whose it is.

    Raises:
        ProtocolError: it is something else.
    """
    reader = Reader(message, 4)
    reader.expect(_DATA, "a connection of MCS")
    is_client = message[reader.position] == _INITIAL
    connect = enter(reader, _INITIAL if is_client else _RESPONSE, "MCS")
    before = (OCTETS, OCTETS, _BOOLEAN, *(SEQUENCE,) * 3) if is_client else (ENUMERATED, INTEGER, SEQUENCE)
    for tag in before:
        enter(connect, tag, "MCS")
    core = _core(enter(connect, OCTETS, "MCS").rest(), b"Duca" if is_client else b"McDn", is_client=is_client)
    return (Side.CLIENT, _of_client(core)) if is_client else (Side.SERVER, {"rdp.version": _version(core)})


def _core(user_data: bytes, key: bytes, *, is_client: bool) -> Reader:
    """The block that is always there, behind what GCC puts around it ([T.124] 8.7, by its key)."""
    reader = Reader(user_data)
    reader.seek(max(user_data.find(key), 0))
    reader.expect(key, "settings of RDP")
    if reader.u8() & _LONG:
        reader.skip(1)
    wanted = _CLIENT_CORE if is_client else _SERVER_CORE
    while True:
        kind, length = reader.u16(), reader.u16()
        content = Reader(reader.bytes(length - 4))
        if kind == wanted:
            return content


def _version(core: Reader) -> str:
    minor, major = core.u16(), core.u16()
    return f"{major}.{minor}"


def _of_client(core: Reader) -> dict[str, str]:
    """[MS-RDPBCGR] 2.2.1.3.2; of size, colours and keyboard nothing is told."""
    core.skip(4 + 2 + 2 + 2 + 2 + 4)
    build, name = core.u32(), ntlm.utf16(core.bytes(32)).partition("\0")[0]
    found = {"rdp.client_build": str(build) if build else "", "netbios.name": machine(name)}
    return {key: value for key, value in found.items() if value}


KEYS: Final = (
    "rdp.negotiation", "rdp.nla", "rdp.flags", "rdp.confirm", "rdp.version", "rdp.client_build",
    "netbios.name", _VERSION, *TLS_KEYS,
)  # fmt: skip
SOURCES: Final = (StreamSource("rdp", KEYS, re.compile(rb"\x03\0..[\x06-\xfe][\xd0\xe0]", re.DOTALL), hear),)
