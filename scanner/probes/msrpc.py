"""The probe of Microsoft's RPC endpoint mapper: what a host says on port 135 to somebody who does not log on.

The first connection binds with the first message of NTLM, so the host's challenge comes back; whether the
mapper has the transfer syntax of 64-bit systems is in the same answer. The logon stays unfinished, so calls
go over a second connection: the addresses of the host, from its object exporter, and its interfaces.
"""

from __future__ import annotations

import re
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from scanner.errors import LimitError, PeerClosedError, ProbeError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Reconnect, Send, dcerpc, ntlm
from scanner.probes.dcerpc import ACCEPTED, NDR, NDR64, TRANSFER_SYNTAX_REFUSED
from scanner.wire import Reader, printable

if TYPE_CHECKING:
    from scanner.probes import Conversation, Peer

_MAPPER: Final = dcerpc.syntax("e1af8308-5d1f-11c9-91a4-08002b14a0fa", 3)
"""[MS-RPCE] 2.2.1.2.1, [C706] appendix O."""
EXPORTER: Final = dcerpc.syntax("99fcfec4-5260-101b-bbcb-00aa0021347a", 0)
"""IObjectExporter ([MS-DCOM] 3.1.2.5.1)."""

BIND_WITH_NTLM: Final = dcerpc.bind((_MAPPER, NDR), (_MAPPER, NDR64), token=ntlm.NEGOTIATE)
BIND: Final = dcerpc.bind((EXPORTER, NDR), (_MAPPER, NDR))
ALIVE: Final = 5
SERVER_ALIVE: Final = dcerpc.request(0, ALIVE, 2)
"""IObjectExporter::ServerAlive2, which takes nothing ([MS-DCOM] 3.1.2.5.1.6)."""

_FIRST_LOOKUP: Final = 3
_ROUNDS: Final = 4
_ENTRIES: Final = 200
"""Asked for at a time, each about 200 bytes; a domain controller has some 700."""
_NO_HANDLE: Final = bytes(20)
_MOST_INTERFACES: Final = 128
_MOST_ADDRESSES: Final = 16
_IP: Final = frozenset({0x07, 0x08})
"""Tower ids of TCP and UDP ([MS-DCOM] 2.2.19.3, [C706] appendix I)."""
_UUID_FLOOR: Final = 0x0D


def lookup(handle: bytes, call: int) -> bytes:
    """ept_lookup of all elements in all versions ([C706] appendix O, [MS-RPCE] 2.2.1.2.4)."""
    stub = struct.pack("<IIII20sI", 0, 0, 0, 1, handle, _ENTRIES)
    return dcerpc.request(1, 2, call, stub)


class Exporter(NamedTuple):
    """What ServerAlive2 gives back."""

    version: str
    """That of COM ([MS-DCOM] 2.2.11)."""
    addresses: tuple[str, ...]


def parse_server_alive(stub: bytes) -> Exporter:
    """[MS-DCOM] 3.1.2.5.1.6. The security bindings, which may name an account, are not read.

    Raises:
        ProtocolError: a length does not fit.
    """
    reader = Reader(stub)
    version = f"{reader.u16()}.{reader.u16()}"
    if not reader.u32():
        return Exporter(version, ())
    reader.skip(4)
    count, security = reader.u16(), reader.u16()
    bindings = Reader(reader.bytes(2 * min(count, security)))
    found = []
    while bindings.remaining and (tower := bindings.u16()):
        text = b""
        while (character := bindings.bytes(2)) != b"\0\0":
            text += character
        if tower in _IP:
            found.append(printable(ntlm.utf16(text).partition("[")[0]))
    return Exporter(version, tuple(dict.fromkeys(filter(None, found)))[:_MOST_ADDRESSES])


class Elements(NamedTuple):
    """What one lookup gives back."""

    handle: bytes
    """With which the next one goes on; all zeros after the last."""
    interfaces: tuple[str, ...]


def parse_elements(stub: bytes) -> Elements:
    """[C706] appendix O: a handle, the entries, then their towers. Annotations are passed over.

    Raises:
        ProtocolError: a length does not fit.
    """
    reader = Reader(stub)
    handle = reader.bytes(len(_NO_HANDLE))
    reader.skip(12)  # how many there are, at most and from where
    towers = 0
    for _ in range(reader.u32()):
        reader.skip(16)
        towers += bool(reader.u32())
        reader.skip(4)
        reader.skip(_padded(reader.u32()))
    found = []
    for _ in range(towers):
        reader.skip(4)
        length = reader.u32()
        found.append(_interface(reader.slice(reader.position, length)))
        reader.skip(_padded(length))
    return Elements(handle, tuple(filter(None, found)))


def _padded(length: int) -> int:
    return (length + 3) & ~3


def _interface(tower: Reader) -> str:
    """The first floor of a tower ([C706] appendix L): an interface and its version."""
    floors = int.from_bytes(tower.bytes(2), "little")
    if not floors or tower.u16() != 19 or tower.u8() != _UUID_FLOOR:  # noqa: PLR2004 - the length of such a floor
        return ""
    uuid, major = UUID(bytes_le=tower.bytes(16)), tower.u16()
    tower.skip(2)
    return f"{uuid} v{major}.{tower.u16()}"


def converse(_peer: Peer) -> Conversation:
    """Both connections; a host that will not hear of NTLM is still asked the rest."""
    with suppress(PeerClosedError):
        yield from _challenge()
    try:
        yield Reconnect()
    except LimitError:
        return
    bound = dcerpc.parse_bind_answer((yield Send(BIND, dcerpc.framing)))
    exporter, mapper = (result == ACCEPTED for result, _ in (*bound.results, (2, 0), (2, 0))[:2])
    if exporter:
        yield from _addresses()
    if mapper:
        yield from _endpoints()


def _challenge() -> Conversation:
    bound = dcerpc.parse_bind_answer((yield Send(BIND_WITH_NTLM, dcerpc.framing)))
    answer = bound.results[1:2]
    if answer and (answer[0][0] == ACCEPTED or answer[0] == TRANSFER_SYNTAX_REFUSED):
        yield Learnt({"msrpc.ndr64": "yes" if answer[0][0] == ACCEPTED else "no"})
    if bound.token:
        yield Learnt(ntlm.facts(bound.token))


def _addresses() -> Conversation:
    stub = dcerpc.parse_response((yield Send(SERVER_ALIVE, dcerpc.framing)), 2)
    if stub is None:
        return
    version, addresses = parse_server_alive(stub)
    yield Learnt({"msrpc.com_version": version})
    if addresses:
        yield Learnt({"msrpc.addresses": addresses})


def _endpoints() -> Conversation:
    """Page after page, as far as a few go; what one told stands whatever becomes of the next."""
    found: set[str] = set()
    handle = _NO_HANDLE
    failure: ProbeError | None = None
    try:
        for call in range(_FIRST_LOOKUP, _FIRST_LOOKUP + _ROUNDS):
            stub = dcerpc.parse_response((yield Send(lookup(handle, call), dcerpc.framing)), call)
            if stub is None:
                break
            handle, interfaces = parse_elements(stub)
            found.update(interfaces)
            if not interfaces or handle == _NO_HANDLE:
                break
    except ProbeError as error:
        failure = error
    if found:
        yield Learnt({"msrpc.endpoints": tuple(sorted(found)[:_MOST_INTERFACES])})
    if failure:
        raise failure


_CHALLENGE: Final = re.compile(rb"(NTLMSSP\x00\x02.{15}).{1,8}", re.DOTALL)


def redact(raw: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Answers to binds, without NTLM's challenge; of what calls gave back, and of anything else, nothing.

    Annotations of endpoints and security bindings may name somebody, and lists of endpoints are long.
    """
    return tuple(_CHALLENGE.sub(_blank, answer) if _is_kept(answer) else b"" for answer in raw)


def _is_kept(answer: bytes) -> bool:
    return answer[:1] == b"\5" and answer[2:3] != bytes([dcerpc.RESPONSE])


def _blank(found: re.Match[bytes]) -> bytes:
    return found[1] + bytes(len(found[0]) - len(found[1]))


PROBE: Final = Probe(
    "msrpc",
    Transport.TCP,
    (135,),
    ("msrpc.ndr64", "msrpc.com_version", "msrpc.addresses", "msrpc.endpoints", *ntlm.KEYS),
    converse,
    rank=40,
    exchanges=3 + _ROUNDS,
    connections=2,
    size=640,  # 560: both binds, one call, four lookups
    hears=1 << 16,
    logs=(
        "Nothing by default: nobody logs on, and the mapper answers everybody. Windows logs connections as "
        "event 5156 where Audit Filtering Platform Connection is on. An intrusion detection may report that "
        "somebody lists the endpoints: tell it the scanner's address."
    ),
    trouble=(
        "None with what is sent. Windows NT 4.0, 2000 and XP without updates fail at malformed requests on "
        "port 135 (MS03-010, MS03-026); what is sent here are requests as Windows' own clients send them."
    ),
    redact=redact,
)
