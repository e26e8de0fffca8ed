"""What a client of ours asks in these tests, written by hand: nothing of the scanner's."""

from __future__ import annotations

import struct

SMB1_HEADER = bytes.fromhex("ff534d42 72 00000000 18 53c8 0000 0000000000000000 0000 3412 fffe 7856 bc9a")
NTLM_NEGOTIATE = b"NTLMSSP\0\1\0\0\0\x05\x82\x08\xa2" + bytes(24)


def framed(message: bytes) -> bytes:
    return len(message).to_bytes(4, "big") + message


def negotiate(*dialects: str, flags2: int = 0xC853) -> bytes:
    data = b"".join(b"\2" + name.encode() + b"\0" for name in dialects)
    header = SMB1_HEADER[:10] + struct.pack("<H", flags2) + SMB1_HEADER[12:]
    return framed(header + b"\0" + struct.pack("<H", len(data)) + data)


def plain_setup(account: str = "", password: bytes = b"", *, unicode: bool = True) -> bytes:
    flags2 = 0xC001 if unicode else 0x4001
    text = f"{account}\0\0Unix\0client\0"
    start = 61 + len(password)
    data = password + (bytes(start % 2) + text.encode("utf-16-le") if unicode else text.encode("ascii"))
    header = b"\xffSMB\x73" + SMB1_HEADER[5:10] + struct.pack("<H", flags2) + SMB1_HEADER[12:]
    sizes = (0, len(password)) if unicode else (len(password), 0)
    words = struct.pack("<BBHHHHIHHII", 0xFF, 0, 0, 0xFFFF, 2, 1, 0, *sizes, 0, 0x5C)
    return framed(header + bytes([13]) + words + struct.pack("<H", len(data)) + data)


def extended_setup(blob: bytes) -> bytes:
    header = b"\xffSMB\x73" + SMB1_HEADER[5:]
    words = struct.pack("<BBHHHHIHII", 0xFF, 0, 0, 0xFFFF, 2, 1, 0, len(blob), 0, 0x800000D4)
    return framed(header + bytes([12]) + words + struct.pack("<H", len(blob)) + blob)


def smb2(command: int, body: bytes, number: int = 1) -> bytes:
    header = struct.pack("<4sHHIHHIIQIIQ16x", b"\xfeSMB", 64, 0, 0, command, 31, 0, 0, number, 0xFEFF, 0, 0)
    return framed(header + body)


def negotiate2(*dialects: int, contexts: bytes = b"", count: int = 0) -> bytes:
    listed = struct.pack(f"<{len(dialects)}H", *dialects)
    start = (100 + len(listed) + 7) & ~7
    head = struct.pack("<HHHHI16sIHH", 36, len(dialects), 1, 0, 0x7F, bytes(16), start, count, 0)
    return smb2(0, head + listed + bytes(start - 100 - len(listed)) + contexts)


def called(name: str) -> bytes:
    def encoded(text: str) -> bytes:
        letters = [half + 0x41 for byte in text.ljust(16).encode() for half in (byte >> 4, byte & 15)]
        return b"\x20" + bytes(letters) + b"\0"

    names = encoded(name) + encoded("SCANNER")
    return bytes([0x81, 0, 0, len(names)]) + names


REQUESTS = {
    "negotiate": negotiate("NT LM 0.12", "SMB 2.002", "SMB 2.???"),
    "negotiate2": negotiate2(0x0202, 0x0210, 0x0300, 0x0302, 0x0311, contexts=bytes(40), count=3),
    "extended": extended_setup(NTLM_NEGOTIATE),
    "plain": plain_setup(),
    "session2": smb2(1, struct.pack("<HBBIIHHQ", 25, 0, 1, 0, 0, 88, 40, 0) + NTLM_NEGOTIATE),
}


def ber(tag: int, *parts: bytes) -> bytes:
    """An element of ASN.1, short as they are here."""
    content = b"".join(parts)
    assert len(content) < 0x80
    return bytes((tag, len(content))) + content


ZERO = b"\2\1\0"
SYSTEM = bytes.fromhex("2b06010201 01")
"""1.3.6.1.2.1.1, which the objects of the system group stand under."""


def snmp(kind: int, version: int, *names: bytes, community: bytes = b"public") -> bytes:
    """A request for objects; of those that may be repeated, one each."""
    bindings = ber(0x30, *(ber(0x30, ber(6, name), ber(5)) for name in names))
    limits = ZERO + (b"\2\1\1" if kind == 0xA5 else ZERO)
    return ber(0x30, ber(2, bytes((version,))), ber(4, community), ber(kind, b"\2\1\x4d", limits, bindings))


def discovery(engine: bytes = b"", user: bytes = b"") -> bytes:
    """A request of version 3 that may name an engine and a user."""
    head = ber(0x30, b"\2\2\x12\x67", b"\2\3\0\xff\xe3", ber(4, b"\4"), b"\2\1\3")
    security = ber(0x30, ber(4, engine), ZERO, ZERO, ber(4, user), ber(4), ber(4))
    scoped = ber(0x30, ber(4, engine), ber(4), ber(0xA0, b"\2\1\x4d", ZERO, ZERO, ber(0x30)))
    return ber(0x30, b"\2\1\3", head, ber(4, security), scoped)


def node_status(name: bytes = b"*", flags: int = 0) -> bytes:
    """A question for the names of a machine ([RFC 1002] 4.2.17)."""
    letters = bytes(half + 0x41 for byte in name.ljust(16, b"\0") for half in (byte >> 4, byte & 15))
    return struct.pack(">HHHHHH", 0x1234, flags, 1, 0, 0, 0) + b"\x20" + letters + b"\0" + b"\0\x21\0\1"


def connection_request(protocols: int | None) -> bytes:
    """An X.224 Connection Request of RDP, with what the client wants if it wants anything."""
    wanted = b"" if protocols is None else struct.pack("<BBHI", 1, 0, 8, protocols)
    return struct.pack(">BBHBBHHB", 3, 0, 11 + len(wanted), 6 + len(wanted), 0xE0, 0, 0, 0) + wanted


MAPPER = bytes.fromhex("0883afe11f5dc91191a408002b14a0fa03000000")
RESOLVER = bytes.fromhex("c4fefc9960521b10bbcb00aa0021347a00000000")
NDR = bytes.fromhex("045d888aeb1cc9119fe808002b10486002000000")
NDR64 = bytes.fromhex("33057171babe37498319b5dbef9ccc3601000000")


def rpc(kind: int, body: bytes, secret: bytes = b"") -> bytes:
    verifier = struct.pack("<BBBBI", 10, 2, 0, 0, 0) + secret if secret else b""
    size = 16 + len(body) + len(verifier)
    return struct.pack("<BBBBIHHI", 5, 0, kind, 3, 0x10, size, len(secret), 1) + body + verifier


def bind(interface: bytes, *syntaxes: bytes, secret: bytes = b"") -> bytes:
    """A bind with one context for each syntax."""
    contexts = b"".join(
        struct.pack("<HH", place, 1) + interface + syntax for place, syntax in enumerate(syntaxes)
    )
    return rpc(11, struct.pack("<HHII", 4280, 4280, 0, len(syntaxes)) + contexts, secret)


def call(operation: int, stub: bytes = b"", context: int = 0) -> bytes:
    return rpc(0, struct.pack("<IHH", len(stub), context, operation) + stub)


def lookup(most: int = 500, handle: bytes = bytes(20)) -> bytes:
    """A request for everything that the endpoint mapper knows."""
    return call(2, bytes(16) + handle + struct.pack("<I", most))
