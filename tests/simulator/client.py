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
