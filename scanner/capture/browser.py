"""Announcements of the Computer Browser ([MS-BRWS] 2.2) in mailslot messages ([MS-MAIL] 2.2.1).

Whatever carries them (UDP, NetBEUI, IPX), they begin with the header of SMB. Comments name people, and are
passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError
from scanner.probes.ntlm import OEM
from scanner.wire import Reader, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KEYS: Final = (
    "browser.version",
    "browser.server_type",
    "browser.election_os",
    "netbios.name",
    "netbios.domain",
)
"""The evidence keys of :func:`facts`."""

_TRANSACTION: Final = b"\xffSMB\x25"
_HEADER: Final = 32
_WORDS: Final = 17
_TO_DATA: Final = 22
"""Bytes of words before the data's length and offset ([MS-CIFS] 2.2.4.33.1)."""
_WRITE: Final = 1
_SLOTS: Final = (b"\\MAILSLOT\\BROWSE", b"\\MAILSLOT\\LANMAN")
_NAME: Final = 16
_SIGNATURE: Final = b"\x55\xaa"
_SIGNATURE_AT: Final = 30


def facts(message: bytes) -> dict[str, str]:
    """What a message tells of the machine that sent it; nothing of one that asks or tells of others.

    Args:
        message: from the first byte of the header of SMB.

    Raises:
        ProtocolError: it is no message to a mailslot of the browser, or is not whole.
    """
    slot, frame = _mailslot(message)
    if slot == _SLOTS[1] and frame.data[frame.position :][_SIGNATURE_AT:][:2] != _SIGNATURE:
        found = _lan_manager(frame)
    else:
        read = _FRAMES.get(frame.u8())
        found = read(frame) if read else {}
    return {key: value for key, value in found.items() if value}


def _mailslot(message: bytes) -> tuple[bytes, Reader]:
    """The mailslot's name, and its message."""
    reader = Reader(message)
    reader.expect(_TRANSACTION, "a mailslot message")
    reader.seek(_HEADER)
    if reader.u8() != _WORDS:
        raise ProtocolError("not a mailslot message")
    reader.skip(_TO_DATA)
    length, offset = reader.u16(), reader.u16()
    if reader.u16() & 0xFF != 3 or reader.u16() != _WRITE:  # noqa: PLR2004 - as many words of setup
        raise ProtocolError("not a mailslot message")
    reader.skip(6)
    slot = reader.data[reader.position : reader.end][:32].partition(b"\0")[0].upper()
    if slot not in _SLOTS:
        raise ProtocolError("another mailslot")
    return slot, reader.slice(offset, min(length, len(message) - offset))


def _host(frame: Reader) -> dict[str, str]:
    """[MS-BRWS] 2.2.1 and 2.2.9: a host, or the local master browser, announces itself."""
    frame.skip(5)
    name = _text(frame.bytes(_NAME))
    version = f"{frame.u8()}.{frame.u8()}"
    return {
        "netbios.name": name,
        "browser.version": version,
        "browser.server_type": f"{frame.u32():#010x}",
    }


def _domain(frame: Reader) -> dict[str, str]:
    """[MS-BRWS] 2.2.7: the local master browser announces its domain.

    The version in it is the browser service's, and the type the domain's: neither is the machine's.
    """
    frame.skip(5)
    domain = _text(frame.bytes(_NAME))
    frame.skip(10)
    return {"netbios.domain": domain, "netbios.name": _text(frame.bytes(min(_NAME, frame.remaining)))}


def _election(frame: Reader) -> dict[str, str]:
    """[MS-BRWS] 2.2.3: who wants to be the master browser says what kind of system it is, to be weighed.

    It is 0 where an election is only asked for.
    """
    frame.skip(4)
    system = frame.u8()
    frame.skip(8)
    name = _text(frame.bytes(min(_NAME, frame.remaining)))
    return {"netbios.name": name, "browser.election_os": f"{system:#04x}" if system else ""}


def _lan_manager(frame: Reader) -> dict[str, str]:
    """How LAN Manager announces a host ([MS-BRWS] 1.3 has only its successor); Samba and 95 still do."""
    if frame.u16() != 1:
        return {}
    kind, version = frame.u32(), f"{frame.u8()}.{frame.u8()}"
    frame.skip(2)
    name = _text(frame.bytes(min(_NAME, frame.remaining)))
    if not name:
        return {}
    return {"netbios.name": name, "browser.version": version, "browser.server_type": f"{kind:#010x}"}


_FRAMES: Final[Mapping[int, Callable[[Reader], dict[str, str]]]] = {
    0x01: _host,
    0x08: _election,
    0x0C: _domain,
    0x0F: _host,
}


def _text(raw: bytes) -> str:
    """A name of at most 15 characters, which ends with a zero or with its field."""
    return printable(raw.partition(b"\0")[0].decode(OEM).rstrip(" "))
