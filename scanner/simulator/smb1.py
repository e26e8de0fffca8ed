"""SMB1 as servers answer it ([MS-CIFS] 2.2, [MS-SMB] 2.2): the simulator's own codec."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from scanner.simulator.ntlm import wide

if TYPE_CHECKING:
    from scanner.simulator.machine import Machine
    from scanner.simulator.personalities import Personality

MAGIC: Final = b"\xffSMB"
NEGOTIATE: Final = 0x72
SESSION_SETUP: Final = 0x73
TREE_CONNECT: Final = 0x75
TREE_DISCONNECT: Final = 0x71
LOGOFF: Final = 0x74
ECHO: Final = 0x2B

UNICODE: Final = 0x8000
NT_STATUS: Final = 0x4000
EXTENDED: Final = 0x0800

_HEADER: Final = struct.Struct("<4sBIBHH8xHHHHH")
_EXTENDED_SETUP: Final = struct.Struct("<BBBHHHH")
_PLAIN_SETUP: Final = struct.Struct("<BBBHHH")
_NEGOTIATED: Final = struct.Struct("<BHBHHIIIIQhBH")
_CAP_EXTENDED: Final = 0x80000000
_NO_DIALECT: Final = 0xFFFF
_LONG_NAMES: Final = 0x0003


@dataclass(slots=True)
class Request:
    """A client's header ([MS-CIFS] 2.2.3.1), and what follows it."""

    command: int
    flags: int
    flags2: int
    pid_high: int
    tid: int
    pid: int
    uid: int
    mid: int
    message: bytes
    """The whole message, from the header's first byte."""

    @property
    def words(self) -> int:
        """WordCount."""
        return self.message[32] if len(self.message) > _HEADER.size else 0

    def data(self) -> bytes:
        """The bytes after ByteCount, as many as there are."""
        return self.message[35 + 2 * self.words :]


def read(message: bytes) -> Request | None:
    """A client's message, from the header on; nothing where it is no SMB1 request."""
    if len(message) <= _HEADER.size:
        return None
    magic, command, _, flags, flags2, pid_high, _, tid, pid, uid, mid = _HEADER.unpack_from(message)
    if magic != MAGIC:
        return None
    return Request(command, flags, flags2, pid_high, tid, pid, uid, mid, message)


def dialects(request: Request) -> list[bytes]:
    """The dialect strings of a negotiate request ([MS-CIFS] 2.2.4.52.1), in their order."""
    return [part.removeprefix(b"\x02") for part in request.data().split(b"\0")[:-1]]


def agreed(kind: Personality, offered: list[bytes]) -> int | None:
    """Where the dialect of Windows NT stands in a client's list; Samba takes its older name first."""
    known = (b"NT LANMAN 1.0", b"NT LM 0.12") if kind.samba else (b"NT LM 0.12",)
    return next((offered.index(name) for name in known if name in offered), None)


def header(request: Request, status: int, flags2: int, uid: int) -> bytes:
    """The header of the answer: the client's, with the reply bit ([MS-CIFS] 2.2.3.1)."""
    flags = request.flags | 0x80
    return _HEADER.pack(
        MAGIC,
        request.command,
        status,
        flags,
        flags2,
        request.pid_high,
        0,
        request.tid,
        request.pid,
        uid,
        request.mid,
    )


def answered_flags(kind: Personality, request: Request) -> int:
    """Flags2 of an answer: mostly what was asked; from a session setup on with NT status codes."""
    if kind.samba and not kind.extended:
        return request.flags2 & UNICODE | NT_STATUS | _LONG_NAMES
    flags2 = request.flags2 if kind.extended else request.flags2 & ~EXTENDED
    if request.command == NEGOTIATE:
        return flags2
    return flags2 | NT_STATUS | (_LONG_NAMES if kind.samba else 0)


def no_dialect(request: Request) -> bytes:
    """None of the client's dialects is spoken ([MS-CIFS] 2.2.4.52.2)."""
    return header(request, 0, request.flags2, request.uid) + struct.pack("<BHH", 1, _NO_DIALECT, 0)


def negotiated(machine: Machine, request: Request, index: int, security: bytes, now: int) -> bytes:
    """The answer to a negotiate that agrees on NT LM 0.12 ([MS-CIFS] 2.2.4.52.2, [MS-SMB] 2.2.4.5.2).

    Args:
        machine: who answers.
        request: the client's message.
        index: where the dialect stands in its list.
        security: with extended security the blob, otherwise the 8 bytes of the challenge.
        now: the server's clock, as a FILETIME.
    """
    kind = machine.personality
    extended = kind.extended and bool(request.flags2 & EXTENDED)
    if extended:
        data, key, capabilities = machine.guid + security, 0, kind.capabilities | _CAP_EXTENDED
    else:
        # [MS-SMB] 2.2.4.5.2.2: the names are in Unicode whatever the flags say.
        names = f"{machine.domain}\0{machine.name}" if kind.extended else machine.domain
        data, key, capabilities = security + wide(names + "\0"), 8, kind.capabilities
    session = int.from_bytes(machine.guid[:2], "little") if kind.samba else 0
    body = _NEGOTIATED.pack(
        17,
        index,
        kind.mode,
        kind.mpx,
        1,
        kind.buffer,
        65536,
        session,
        capabilities,
        now,
        machine.zone,
        key,
        len(data),
    )
    return header(request, 0, answered_flags(kind, request), request.uid) + body + data


@lru_cache(maxsize=1024)
def _strings(kind: Personality, domain: str, *, unicode: bool, pad: bool) -> bytes:
    names = [kind.native_os, kind.native_lm, *([domain] if domain else [])]
    text = "".join(f"{name}\0" for name in names)
    if not unicode:
        return text.encode("ascii")
    data = wide(text)
    if not pad:
        return data
    # Where Windows aligns its strings it counts the pad and forgets it: the last terminator loses a byte.
    return b"\0" + (data if kind.samba else data[:-1])


def session_answer(machine: Machine, request: Request, status: int, blob: bytes, uid: int) -> bytes:
    """The answer to a session setup with extended security ([MS-SMB] 2.2.4.6.2)."""
    kind = machine.personality
    flags2 = answered_flags(kind, request)
    pad = (_HEADER.size + _EXTENDED_SETUP.size + len(blob)) % 2 != 0
    domain = machine.domain if kind.samba else ""
    strings = _strings(kind, domain, unicode=bool(flags2 & UNICODE), pad=pad)
    size = _HEADER.size + _EXTENDED_SETUP.size + len(blob) + len(strings)
    body = _EXTENDED_SETUP.pack(4, 0xFF, 0, 0 if kind.samba else size, 0, len(blob), len(blob) + len(strings))
    return b"".join((header(request, status, flags2, uid), body, blob, strings))


def plain_session_answer(machine: Machine, request: Request, uid: int) -> bytes:
    """The answer to a session setup without extended security ([MS-CIFS] 2.2.4.53.2)."""
    kind = machine.personality
    flags2 = answered_flags(kind, request)
    pad = (_HEADER.size + _PLAIN_SETUP.size) % 2 != 0
    strings = _strings(kind, machine.domain, unicode=bool(flags2 & UNICODE), pad=pad)
    size = _HEADER.size + _PLAIN_SETUP.size + len(strings)
    action = 1 if kind.samba else 0
    body = _PLAIN_SETUP.pack(3, 0xFF, 0, 0 if kind.samba else size, action, len(strings))
    return b"".join((header(request, 0, flags2, uid), body, strings))


def refused(request: Request, status: int) -> bytes:
    """An answer that holds nothing but a status."""
    return header(request, status, request.flags2 | NT_STATUS, request.uid) + b"\0\0\0"


def done(request: Request) -> bytes:
    """The answer to a logoff, a tree disconnect or an echo ([MS-CIFS] 2.2.4.54, 2.2.4.51, 2.2.4.39)."""
    if request.command == LOGOFF:
        body = struct.pack("<BBBHH", 2, 0xFF, 0, 39, 0)
    elif request.command == ECHO:
        data = request.data()
        body = struct.pack("<BHH", 1, 1, len(data)) + data
    else:
        body = b"\0\0\0"
    return header(request, 0, request.flags2 | NT_STATUS, request.uid) + body


def security_blob(request: Request) -> bytes:
    """The security blob of a session setup request with extended security ([MS-SMB] 2.2.4.6.1)."""
    size = int.from_bytes(request.message[47:49], "little")
    return request.data()[:size]


def plain_password_sizes(request: Request) -> tuple[int, int]:
    """OEMPasswordLen and UnicodePasswordLen of a session setup ([MS-CIFS] 2.2.4.53.1)."""
    message = request.message
    return int.from_bytes(message[47:49], "little"), int.from_bytes(message[49:51], "little")


def plain_is_anonymous(request: Request) -> bool:
    """Whether a session setup without extended security names nobody and gives no password.

    An OEM password of one zero byte is how some clients write none.
    """
    oem, unicode = plain_password_sizes(request)
    rest = request.data()[oem + unicode :]
    if request.flags2 & UNICODE:
        aligned = rest[(61 + oem + unicode) % 2 :]
        named = aligned[:2] not in {b"", b"\0\0"}
    else:
        named = rest[:1] not in {b"", b"\0"}
    return not named and unicode <= 1 and oem <= 1
