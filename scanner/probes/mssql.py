"""The SQL Server probe: the pre-login of TDS ([MS-TDS] 2.2.6.5), in which a server tells its version.

A login, even one that is never completed, would stand in the server's log as a failed one: none is begun.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Send
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner.probes import Conversation, Peer

_PRELOGIN: Final = 0x12
_END: Final = 0x01
_ANSWER: Final = bytes((0x04, _END))
_HEADER: Final = struct.Struct(">BBHHBB")
_LONGEST: Final = 1 << 9
"""An answer has about fifty bytes."""

_VERSION: Final = 0
_ENCRYPTION: Final = 1
_INSTANCE: Final = 2
_THREAD: Final = 3
_TERMINATOR: Final = 0xFF
_ENCRYPTIONS: Final[Mapping[int, str]] = {0: "off", 1: "on", 2: "unsupported", 3: "required"}
"""[MS-TDS] 2.2.6.5, to a client that says that its own is off."""


def _prelogin(options: Mapping[int, bytes]) -> bytes:
    """A pre-login of one packet ([MS-TDS] 2.2.3.1, 2.2.6.5)."""
    head, data = b"", b""
    start = 5 * len(options) + 1
    for token, value in options.items():
        head += struct.pack(">BHH", token, start + len(data), len(value))
        data += value
    body = head + bytes([_TERMINATOR]) + data
    return _HEADER.pack(_PRELOGIN, _END, _HEADER.size + len(body), 0, 1, 0) + body


REQUEST: Final = _prelogin({
    _VERSION: b"\x09\0\0\0\0\0", _ENCRYPTION: b"\0", _INSTANCE: b"\0", _THREAD: bytes(4)
})  # fmt: skip
"""As clients of SQL Server 2005 send it ([MS-TDS] 4.1), without MARS: any instance, no thread."""


def framing(received: bytes) -> int | None:
    """The framing of an answer of one packet ([MS-TDS] 2.2.3.1)."""
    length = int.from_bytes(received[2:4], "big")
    is_known = len(received) >= 4  # noqa: PLR2004 - the length stands there
    if not _ANSWER.startswith(received[:2]) or (is_known and not _HEADER.size < length <= _LONGEST):
        raise ProtocolError(f"not an answer to a pre-login: {received[:8].hex()}")
    return length if is_known and len(received) >= length else None


def parse_prelogin(message: bytes) -> dict[str, str]:
    """The evidence in an answer ([MS-TDS] 2.2.6.5).

    Raises:
        ProtocolError: it is none: an option lies outside of it, or the first is not the version.
    """
    reader = Reader(message, _HEADER.size)
    if reader.u8() != _VERSION:
        raise ProtocolError(f"not an answer to a pre-login: {message[8:24].hex()}")
    version = _option(message, reader)
    parts = (version.u8(), version.u8(), version.u16be(), version.u16be())
    found = {"mssql.version": ".".join(map(str, parts))}
    while (token := reader.u8()) != _TERMINATOR:
        value = _option(message, reader)
        if token == _ENCRYPTION and (said := _ENCRYPTIONS.get(value.u8())):
            found["mssql.encryption"] = said
    return found


def _option(message: bytes, reader: Reader) -> Reader:
    """What the next option points to, counted from the end of the packet's header."""
    offset, length = reader.u16be(), reader.u16be()
    return Reader(message).slice(_HEADER.size + offset, length)


def converse(_peer: Peer) -> Conversation:
    """One question, one answer."""
    yield Learnt(parse_prelogin((yield Send(REQUEST, framing, _LONGEST))))


PROBE: Final = Probe(
    "mssql",
    Transport.TCP,
    (1433,),
    ("mssql.version", "mssql.encryption"),
    converse,
    rank=56,
    size=len(REQUEST),
    hears=_LONGEST,
    logs=(
        "Error 17830, a connection that was closed before the login was complete, in the server's log or its "
        "ring buffer of connectivity, and event 5156 of Windows where Audit Filtering Platform Connection is "
        "on. No login is tried, so none is logged as failed."
    ),
    trouble=(
        "None with what is sent. SQL Server 2000 before SP3 is overrun by too long a name of an instance in "
        "this message (MS02-056); here the name is empty."
    ),
)
