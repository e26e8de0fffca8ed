"""DCE/RPC over TCP as Windows answers it on port 135 ([C706] 12.6, [MS-RPCE] 2.2.2).

Three things are answered: binds, with a challenge where the client begins NTLM; ServerAlive2 of the object
resolver ([MS-DCOM] 3.1.2.5.1.6); and the list of the endpoint mapper, which Windows XP since its Service
Pack 2 keeps from strangers. Everything else is a fault, and so is every call in the 64-bit syntax.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final
from uuid import UUID

from scanner.simulator.answers import End, challenged
from scanner.simulator.ntlm import wide
from scanner.simulator.speaker import Speaker

if TYPE_CHECKING:
    from scanner.simulator.machine import Machine

_HEADER: Final = struct.Struct("<BBBBIHHI")
_VERIFIER: Final = struct.Struct("<BBBBI")
_REQUEST, _RESPONSE, _FAULT, _BIND, _BIND_ACK, _ALTER, _ALTER_ACK, _AUTH3 = 0, 2, 3, 11, 12, 14, 15, 16
_LITTLE: Final = 0x10
"""The data representation of a client whose numbers are little-endian."""
_WHOLE: Final = 3
"""The first fragment, and the last."""
_SIGNS_HEADERS: Final = 4
_DID_NOT_EXECUTE: Final = 0x20
_FRAGMENT: Final = 5840
_GROUP: Final = 0x68D
_ANY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - what a server says that is bound to every address


def _syntax(uuid: str, version: int) -> bytes:
    return UUID(uuid).bytes_le + struct.pack("<I", version)


_MAPPER: Final = _syntax("e1af8308-5d1f-11c9-91a4-08002b14a0fa", 3)
_RESOLVER: Final = _syntax("99fcfec4-5260-101b-bbcb-00aa0021347a", 0)
_ACTIVATOR: Final = _syntax("000001a0-0000-0000-c000-000000000046", 0)
"""IRemoteSCMActivator ([MS-DCOM] 1.9), which clients begin NTLM for."""
_INTERFACES: Final = {_MAPPER, _RESOLVER, _ACTIVATOR}
_NDR: Final = _syntax("8a885d04-1ceb-11c9-9fe8-08002b104860", 2)
_NDR64: Final = _syntax("71710533-beba-4937-8319-b5dbef9ccc36", 1)
_FEATURES: Final = bytes.fromhex("2c1cb76c12984045")
"""How the syntax begins that negotiates features of binds ([MS-RPCE] 3.3.1.5.3)."""

_ACCEPTED: Final = struct.pack("<HH", 0, 0) + _NDR
_ACCEPTED64: Final = struct.pack("<HH", 0, 0) + _NDR64
_NO_INTERFACE, _NO_SYNTAX, _BOTH_FEATURES = (
    struct.pack("<HH20x", *pair) for pair in ((2, 1), (2, 2), (3, 3))
)

_DENIED: Final = 0x00000005
_NO_OPERATION: Final = 0x1C010002
_NO_CONTEXT: Final = 0x1C00001C
_NO_MORE: Final = 0x16C9A0D6
"""ept_s_not_registered: how a list ends."""
_LOOKUP: Final = 2
_ALIVE: Final = 5
_ALIVE_SINCE: Final = 6
"""ServerAlive2 came with version 5.6 of DCOM ([MS-DCOM] 2.2.11)."""
_OPERATIONS: Final = 7
"""No interface here has more."""

_EARLY_SECURITY: Final = (0x09, 0x10, 0x0A, 0x0E)
_SECURITY: Final = (0x09, 0x1E, 0x10, 0x0A, 0x16, 0x1F, 0x0E)
"""Authentication services in a resolver's security bindings ([MS-DCOM] 2.2.19.4)."""
_LATER: Final = 49152
"""From here on servers have had their ports since Windows Vista."""

_EARLY_SERVERS: Final = (
    ("1ff70682-0a51-30e8-076d-740be8cee98b", "", 0),
    ("378e52b0-c0a9-11cf-822d-00aa0051e40f", "", 0),
)
_SERVERS: Final = (
    ("d95afe70-a6d5-4259-822e-2c84da1ddb0d", "", 0),
    ("f6beaff7-1e19-4fbb-9f8f-b89e2018337c", "Event log TCPIP", 1),
)
"""Interfaces of version 1 that have endpoints: tasks; shutdown and the event log. The last number counts from
the first port of the machine's servers."""


class Rpc(Speaker):
    """A server on port 135."""

    _contexts: dict[int, bytes] | None = None
    """The interfaces that were bound, by the numbers of their contexts."""
    _unfinished: bool = False
    """Whether the client began to authenticate; it never comes to an end."""

    def length(self, data: bytes) -> int:
        """As the header says."""
        return max(_HEADER.size, int.from_bytes(data[8:10], "little")) if len(data) >= _HEADER.size else 0

    def answer(self, message: bytes) -> bytes:
        """What is said to one fragment."""
        version, minor, kind, flags, order, _, secret, call = _HEADER.unpack_from(message)
        if (version, minor, order) == (5, 0, _LITTLE):
            if kind in {_BIND, _ALTER} and len(message) >= 28:  # noqa: PLR2004 - up to the number of contexts
                return self._bound(message, kind, flags & _SIGNS_HEADERS | _WHOLE, secret, call)
            if kind == _REQUEST and len(message) >= 24:  # noqa: PLR2004 - up to the stub
                return self._called(message, call)
            if kind == _AUTH3:
                return b""
        self.end = End.RESET
        return b""

    def _bound(self, message: bytes, kind: int, flags: int, secret: int, call: int) -> bytes:
        """bind_ack or alter_context_resp ([C706] 12.6.4.4, 12.6.4.2)."""
        longest = [min(int.from_bytes(message[at : at + 2], "little"), _FRAGMENT) for at in (16, 18)]
        group = int.from_bytes(message[20:24], "little") or _GROUP
        results = self._results(message)
        where = b"\4\0" + b"135\0" if kind == _BIND else b"\0\0"
        body = struct.pack("<HHI", *longest, group) + where + bytes(-len(where) % 4)
        body += struct.pack("<I", len(results)) + b"".join(results)
        token = challenged(self._situation, message[-secret:]) if 0 < secret < len(message) - 36 else b""
        if token:
            self._unfinished = True
            how, level, _, _, number = _VERIFIER.unpack_from(message, len(message) - secret - _VERIFIER.size)
            body += _VERIFIER.pack(how, level, 0, 0, number) + token
        return _fragment(_BIND_ACK if kind == _BIND else _ALTER_ACK, flags, call, body, len(token))

    def _results(self, message: bytes) -> list[bytes]:
        """What becomes of each context that the client wants; the 64-bit syntax wins where both can it."""
        wanted, at = [], 28
        for _ in range(message[24]):
            number, count = struct.unpack_from("<HB", message[at : at + 4].ljust(4, b"\0"))
            interface = message[at + 4 : at + 24]
            at += 24 + 20 * count
            wanted.append(
                (number, interface, [message[at - 20 * left :][:20] for left in range(count, 0, -1)])
            )
        x64 = self._situation.machine.personality.x64
        both = x64 and any(_NDR64 in syntaxes for _, _, syntaxes in wanted)
        self._contexts = self._contexts or {}
        results = []
        for number, interface, syntaxes in wanted:
            if any(syntax.startswith(_FEATURES) for syntax in syntaxes):
                results.append(_BOTH_FEATURES)
            elif interface not in _INTERFACES:
                results.append(_NO_INTERFACE)
            elif both and _NDR64 in syntaxes:
                results.append(_ACCEPTED64)
                self._contexts[number] = b""
            elif _NDR in syntaxes and not both:
                results.append(_ACCEPTED)
                self._contexts[number] = interface
            else:
                results.append(_NO_SYNTAX)
        return results

    def _called(self, message: bytes, call: int) -> bytes:
        context, operation = struct.unpack_from("<HH", message, 20)
        machine, interface = self._situation.machine, (self._contexts or {}).get(context)
        kind, stub = machine.personality, b""
        status = _DENIED
        if interface is None:
            status = _NO_CONTEXT
        elif self._unfinished or not interface:
            pass
        elif (interface, operation) == (_MAPPER, _LOOKUP):
            stub = _listed(machine, message[-24:]) if kind.epm else b""
        elif (interface, operation) == (_RESOLVER, _ALIVE) and kind.com >= _ALIVE_SINCE:
            stub = _alive(machine)
        elif operation >= (_OPERATIONS if interface != _RESOLVER else min(kind.com, _ALIVE_SINCE)):
            status = _NO_OPERATION
        if stub:
            return _fragment(_RESPONSE, _WHOLE, call, struct.pack("<IHH", len(stub), context, 0) + stub)
        body = struct.pack("<IHHII", 32, context, 0, status, 0)
        return _fragment(_FAULT, _WHOLE | _DID_NOT_EXECUTE, call, body)


def _fragment(kind: int, flags: int, call: int, body: bytes, secret: int = 0) -> bytes:
    return _HEADER.pack(5, 0, kind, flags, _LITTLE, _HEADER.size + len(body), secret, call) + body


def _alive(machine: Machine) -> bytes:
    """The answer to ServerAlive2: version, and the bindings ([MS-DCOM] 2.2.19.1) of name and address."""
    kind = machine.personality
    names = [name for name in (machine.name, machine.address) if name]
    texts = b"".join(b"\7\0" + wide(f"{name}\0") for name in names) + b"\0\0"
    services = _SECURITY if kind.rpc >= _LATER else _EARLY_SECURITY
    bindings = texts + b"".join(struct.pack("<HHH", service, 0xFFFF, 0) for service in services) + b"\0\0"
    count = len(bindings) // 2
    head = struct.pack("<HHIIHH", 5, kind.com, 0x00020000, count, count, len(texts) // 2)
    return head + bindings + bytes(-len(bindings) % 4) + bytes(8)


def _listed(machine: Machine, wanted: bytes) -> bytes:
    """The answer to ept_lookup ([C706] appendix O): as many as are wanted, from where the handle says.

    Args:
        machine: who answers.
        wanted: how the request ends: a handle, in which stands how many were told, and max_ents.
    """
    kind, told, most = machine.personality, *struct.unpack("<4xI12xI", wanted)
    known = _SERVERS if kind.rpc >= _LATER else _EARLY_SERVERS
    servers = known[told:][:most]
    entries, towers = b"", b""
    for place, (uuid, annotation, port) in enumerate(servers):
        note = annotation.encode("ascii") + b"\0"
        entries += struct.pack("<16xIII", place + 3, 0, len(note)) + note + bytes(-len(note) % 4)
        tower = _tower(_syntax(uuid, 1), kind.rpc + port, machine.address or _ANY_ADDRESS)
        towers += struct.pack("<II", len(tower), len(tower)) + tower + bytes(-len(tower) % 4)
    handle = struct.pack("<4xI12x", told + most if len(servers) == most else 0)
    counts = struct.pack("<IIII", len(servers), most, 0, len(servers))
    return handle + counts + entries + towers + struct.pack("<I", 0 if servers else _NO_MORE)


def _tower(interface: bytes, port: int, address: str) -> bytes:
    """A protocol tower ([C706] appendix L): interface, syntax, connections, TCP and IP."""
    floors = (
        (b"\x0d" + interface[:18], interface[18:]),
        (b"\x0d" + _NDR[:18], _NDR[18:]),
        (b"\x0b", bytes(2)),
        (b"\x07", port.to_bytes(2, "big")),
        (b"\x09", bytes(map(int, address.split(".")))),
    )
    parts = (struct.pack("<H", len(part)) + part for floor in floors for part in floor)
    return struct.pack("<H", len(floors)) + b"".join(parts)
