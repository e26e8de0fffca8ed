"""Answers made here, for what no recording has. Their codec is not the product's."""

from __future__ import annotations

import struct

NTLM_NAMES = {1: "ward-pc-07", 2: "CHU", 3: "ward-pc-07.chu.example", 4: "chu.example", 5: "example"}

UNICODE = 0xC001
OEM = 0x4001

GUID = bytes(range(16))


def pairs(names: dict[int, str]) -> bytes:
    body = b"".join(
        struct.pack("<HH", kind, 2 * len(text)) + text.encode("utf-16-le") for kind, text in names.items()
    )
    return body + struct.pack("<HHQ", 7, 8, 0x01D0AD7DD195FE46) + bytes(4)


def challenge(
    flags: int = 0xA2898205,
    target: bytes = "CHU".encode("utf-16-le"),
    info: bytes | None = None,
    version: bytes = struct.pack("<BBHI", 5, 1, 2600, 0x0F000000),
) -> bytes:
    info = pairs(NTLM_NAMES) if info is None else info
    start = 48 + len(version)
    head = struct.pack("<8sIHHII8s8x", b"NTLMSSP\0", 2, len(target), len(target), start, flags, b"8 bytes!")
    field = struct.pack("<HHI", len(info), len(info), start + len(target))
    return head + field + version + target + info


def smb1_header(command: int, flags2: int, status: int = 0, flags: int = 0x88) -> bytes:
    return struct.pack("<4sBIBH12x8x", b"\xffSMB", command, status, flags, flags2)


def smb1_negotiate(
    data: bytes, flags2: int = UNICODE, capabilities: int = 0x0000F3FD, challenge: int = 8
) -> bytes:
    words = struct.pack("<HBHHIIIIqhB", 0, 3, 50, 1, 4356, 65536, 0x1234, capabilities, 1, -60, challenge)
    return smb1_header(0x72, flags2) + b"\x11" + words + struct.pack("<H", len(data)) + data


def smb1_setup(data: bytes, flags2: int = UNICODE, status: int = 0) -> bytes:
    return smb1_header(0x73, flags2, status) + b"\3\xff\0\0\0\0\0" + struct.pack("<H", len(data)) + data


def utf16(*strings: str) -> bytes:
    return "".join(text + "\0" for text in strings).encode("utf-16-le")


def smb2_header(command: int, status: int = 0, flags: int = 1) -> bytes:
    return struct.pack("<4sHHIHHIIQ32x", b"\xfeSMB", 64, 1, status, command, 1, flags, 0, 1)


def smb2_negotiate(  # noqa: PLR0913 - the fields of one structure
    dialect: int = 0x0311,
    mode: int = 1,
    contexts: tuple[tuple[int, bytes], ...] = (),
    start: int = 0,
    *,
    guid: bytes = GUID,
    count: int | None = None,
    offset: int | None = None,
) -> bytes:
    packed = b""
    for kind, data in contexts:
        packed += bytes(-len(packed) % 8) + struct.pack("<HHI", kind, len(data), 0) + data
    at = (128 if contexts else 0) if offset is None else offset
    body = struct.pack(
        "<HHHH16sIIIIQQHHI",
        *(65, mode, dialect, len(contexts) if count is None else count, guid),
        *(0x2F, 8388608, 8388608, 8388608, 132467562316175126, start, 128, 0, at),
    )
    return smb2_header(0) + body + packed


def smb2_setup(blob: bytes, status: int = 0xC0000016, offset: int = 72) -> bytes:
    return smb2_header(1, status) + struct.pack("<HHHH", 9, 0, offset, len(blob)) + blob
