"""Answers of RPC servers as the specifications have them, for hosts that nobody recorded."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING
from uuid import UUID

from scanner.probes.dcerpc import NDR, syntax

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCEPTED, NO_INTERFACE, NO_SYNTAX = (0, 0), (2, 1), (2, 2)
HANDLE = bytes(4) + UUID("6b787a9b-bf93-4de3-9775-2db3fedb108a").bytes_le
LAST = bytes(20)
MAPPER = "e1af8308-5d1f-11c9-91a4-08002b14a0fa v3.0"


def pdu(kind: int, call: int, body: bytes, token: int = 0, flags: int = 3) -> bytes:
    """[C706] 12.6.3.1."""
    return struct.pack("<BBBB4sHHI", 5, 0, kind, flags, b"\x10\0\0\0", 16 + len(body), token, call) + body


def bind_ack(*results: tuple[int, int], token: bytes = b"") -> bytes:
    """[C706] 12.6.4.4, with an auth verifier ([MS-RPCE] 2.2.2.11) where there is a token."""
    body = struct.pack("<HHIH4sxxBxxx", 5840, 5840, 0x1234, 4, b"135\0", len(results))
    for result, reason in results:
        body += struct.pack("<HH", result, reason) + (bytes(20) if result else NDR)
    if token:
        body += struct.pack("<BBBxI", 10, 2, 0, 0) + token
    return pdu(12, 1, body, len(token))


def response(call: int, stub: bytes, size: int = 4000) -> bytes:
    """[C706] 12.6.4.10, in as many fragments as it takes."""
    message = b""
    for start in range(0, len(stub) or 1, size):
        part = stub[start : start + size]
        flags = (not start) | (start + size >= len(stub)) << 1
        message += pdu(2, call, struct.pack("<IHBx", len(stub), 0, 0) + part, flags=flags)
    return message


def fault(call: int, status: int) -> bytes:
    """[C706] 12.6.4.7."""
    return pdu(3, call, struct.pack("<IHBxII", 32, 0, 0, status, 0), flags=0x23)


def bind_nak(reason: int) -> bytes:
    """[C706] 12.6.4.5."""
    return pdu(13, 1, struct.pack("<HBBB", reason, 1, 5, 0) + b"\0\0\0")


def server_alive(minor: int, *bindings: tuple[int, str], principal: str = "") -> bytes:
    """The stub of ServerAlive2's answer ([MS-DCOM] 3.1.2.5.1.6, 2.2.19)."""
    strings = b"".join(struct.pack("<H", tower) + f"{name}\0".encode("utf-16-le") for tower, name in bindings)
    strings += b"\0\0"
    security = struct.pack("<HH", 10, 0xFFFF) + f"{principal}\0".encode("utf-16-le") + b"\0\0"
    count = (len(strings) + len(security)) // 2
    array = struct.pack("<IHH", count, count, len(strings) // 2) + strings + security
    return struct.pack("<HHI", 5, minor, 0x20000) + array + bytes(-len(array) % 4) + bytes(8)


def elements(handle: bytes, interfaces: Sequence[str], annotation: bytes = b"", room: int = 200) -> bytes:
    """The stub of ept_lookup's answer ([C706] appendix O): interfaces as the probe writes them."""
    stub = handle + struct.pack("<IIII", len(interfaces), room, 0, len(interfaces))
    for number in range(len(interfaces)):
        text = annotation + b"\0"
        stub += bytes(16) + struct.pack("<III", number + 1, 0, len(text)) + text + bytes(-len(text) % 4)
    for interface in interfaces:
        octets = tower(interface)
        stub += struct.pack("<II", len(octets), len(octets)) + octets + bytes(-len(octets) % 4)
    return stub + bytes(4)


def tower(interface: str) -> bytes:
    """[C706] appendix L: interface, transfer syntax, protocol, TCP port, address."""
    uuid, _, version = interface.partition(" v")
    major, _, minor = version.partition(".")
    floors = (
        (b"\x0d" + syntax(uuid, int(major))[:18], struct.pack("<H", int(minor))),
        (b"\x0d" + NDR[:18], NDR[18:]),
        (b"\x0b", b"\0\0"),
        (b"\x07", b"\xc0\x01"),
        (b"\x09", bytes((192, 0, 2, 1))),
    )
    parts = [struct.pack("<H", len(side)) + side for floor in floors for side in floor]
    return struct.pack("<H", len(floors)) + b"".join(parts)
