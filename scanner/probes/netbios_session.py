"""The NetBIOS session service ([RFC 1002] 4.3), and its header as SMB has it on bare TCP ([MS-SMB2] 2.1).

Both transports put four bytes before each message: a type and a length. The service on port 139 has 17 bits
of length, the direct one 24; no answer to what is asked here comes near 2^16, so both are held to 16.
"""

from __future__ import annotations

from typing import Final

from scanner.errors import ProtocolError
from scanner.wire import Reader

_MESSAGE: Final = 0x00
_REQUEST: Final = 0x81
_POSITIVE: Final = 0x82
_NEGATIVE: Final = 0x83
_RETARGET: Final = 0x84
_KEEP_ALIVE: Final = b"\x85"

_HEADER: Final = 4
_NAME: Final = 15
_SHORTEST: Final = 35
"""An SMB1 message with no words and no data: 32 bytes of header, a word count, a byte count."""
_LONGEST: Final = 0xFFFF - _HEADER
_MAGICS: Final = (b"\xffSMB", b"\xfeSMB")
_MOST_KEEP_ALIVES: Final = 8
"""More of them before one answer is a peer that plays for time."""

_REFUSALS: Final = {
    0x80: "it does not listen on the name",
    0x81: "it does not listen for this caller",
    0x82: "it does not have the name",
    0x83: "it has no resources",
    0x8F: "unspecified error",
}
"""[RFC 1002] 4.3.4."""


def wrap(message: bytes) -> bytes:
    """A session message ([RFC 1002] 4.3.6)."""
    return len(message).to_bytes(_HEADER, "big") + message


def _name(name: str, suffix: int) -> bytes:
    """A name of 15 characters and a suffix in first-level encoding, with no scope ([RFC 1001] 14.1)."""
    raw = name.encode("cp850", "replace")[:_NAME].ljust(_NAME) + bytes([suffix])
    letters = bytes(0x41 + half for byte in raw for half in (byte >> 4, byte & 15))
    return bytes([len(letters)]) + letters + b"\0"


def session_request(called: str, calling: str) -> bytes:
    """Ask for a session with the file service (suffix 0x20) of ``called`` ([RFC 1002] 4.3.2)."""
    names = _name(called, 0x20) + _name(calling, 0x00)
    return bytes([_REQUEST, 0]) + len(names).to_bytes(2, "big") + names


ANYBODY: Final = "*SMBSERVER"
"""The name that a file service answers to when its own is not known ([MS-SMB] 2.1); the oldest do not."""
CALLING: Final = "VETUSTE"


def session_answer_framing(received: bytes) -> int | None:
    """The framing of the answer to a session request."""
    if not received:
        return None
    lengths = {_POSITIVE: 0, _NEGATIVE: 1, _RETARGET: 6}
    if received[0] not in lengths:
        raise ProtocolError(f"not an answer to a session request: {received[:8].hex()}")
    body = lengths[received[0]]
    if not (received[1:4] == bytes([0, 0, body]) or len(received) < _HEADER):
        raise ProtocolError(f"not an answer to a session request: {received[:8].hex()}")
    return _HEADER + body if len(received) >= _HEADER + body else None


def check_session_answer(message: bytes) -> None:
    """Go on where the session was granted ([RFC 1002] 4.3.3 to 4.3.5).

    Raises:
        ProtocolError: it was refused, or sent elsewhere (an address that nobody asked us to scan).
    """
    reader = Reader(message)
    kind = reader.u8()
    if kind == _NEGATIVE:
        reader.skip(3)
        code = reader.u8()
        raise ProtocolError(f"no NetBIOS session: {_REFUSALS.get(code, hex(code))}")
    if kind != _POSITIVE:
        raise ProtocolError(f"no NetBIOS session: answer of type {kind:#04x}")


def smb_framing(received: bytes) -> int | None:
    """The framing of one SMB message, keep-alives before it included ([RFC 1002] 4.3.6, 4.3.7)."""
    start = _past_keep_alives(received) if received[:1] == _KEEP_ALIVE else 0
    head = received[start : start + _HEADER]
    if head and head[0] != _MESSAGE:
        raise ProtocolError(f"not a session message: {received[start : start + 8].hex()}")
    if len(head) < _HEADER:
        return None
    length = int.from_bytes(head[1:], "big")
    if not _SHORTEST <= length <= _LONGEST:
        raise ProtocolError(f"a session message of {length} bytes")
    magic = received[start + _HEADER : start + _HEADER + 4]
    if magic not in _MAGICS and not any(each.startswith(magic) for each in _MAGICS):
        raise ProtocolError(f"not SMB: {magic.hex()}")
    end = start + _HEADER + length
    return end if len(received) >= end else None


def smb_body(message: bytes) -> bytes:
    """The SMB message in what :func:`smb_framing` delimited."""
    start = _past_keep_alives(message) if message[:1] == _KEEP_ALIVE else 0
    return message[start + _HEADER :]


def _past_keep_alives(received: bytes) -> int:
    """Where the first message begins that is no keep-alive, one that is not whole yet passed over as well."""
    start = 0
    while received[start : start + 1] == _KEEP_ALIVE:
        trailer = received[start + 1 : start + _HEADER]
        if trailer.strip(b"\0") or start >= _MOST_KEEP_ALIVES * _HEADER:
            raise ProtocolError(f"not a session message: {received[start : start + 8].hex()}")
        start += _HEADER
    return min(start, len(received))
