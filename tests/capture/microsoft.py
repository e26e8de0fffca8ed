"""Captures and made conversations of Microsoft's protocols, heard by an ear of its own."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from scanner.capture.ear import Ear
from scanner.capture.telling import Datagram, Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from scanner.capture.telling import Told

PERSON = "PERSONNE-NOMMEE"
SECRET = "PATIENT-SECRET"  # noqa: S105 - a word that must not come out
CLIENT, SERVER = "192.0.2.1", "192.0.2.2"
_RAW = 101
_COOKED, _NULL = 113, 0

Heard = dict[tuple[str, int, str], tuple[str, ...]]
"""Address, port and key to values, in their order."""


def frames(file: Path) -> Iterator[Frame]:
    """The frames of a capture; what is cooked or of a loopback is IP here already."""
    data = file.read_bytes()
    for link, at, frame in _pcapng(data) if data.startswith(b"\n\r\r\n") else _pcap(data):
        if link == _COOKED:
            yield Frame(_RAW, at, frame[16:])
        elif link == _NULL:
            yield Frame(_RAW, at, frame[4:])
        else:
            yield Frame(link, at, frame)


def _pcap(data: bytes) -> Iterator[tuple[int, float, bytes]]:
    order = "<" if data.startswith(b"\xd4\xc3\xb2\xa1") else ">"
    link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    at = 24
    while at + 16 <= len(data):
        seconds, part, length, _ = struct.unpack_from(order + "4I", data, at)
        at += 16
        yield link, seconds + part / 1e6, data[at : at + length]
        at += length


def _pcapng(data: bytes) -> Iterator[tuple[int, float, bytes]]:
    at, link = 0, 1
    while at + 12 <= len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 1:
            link = struct.unpack_from("<H", data, at + 8)[0]
        elif kind == 6:
            high, low, length = struct.unpack_from("<III", data, at + 12)
            yield link, (high << 32 | low) / 1e6, data[at + 28 : at + 28 + length]
        at += size


def heard(given: Iterable[Frame], *sources: str) -> Heard:
    """What an ear learns by these sources."""
    found: dict[tuple[str, int, str], dict[str, None]] = {}
    for observation in Ear().hear(given):
        if observation.probe in sources:
            where = observation.endpoint
            for key, values in observation.evidence.items():
                found.setdefault((where.address, where.port, key), {}).update(dict.fromkeys(values))
    return {key: tuple(values) for key, values in found.items()}


class Said(NamedTuple):
    """What one end sends."""

    by_client: bool
    data: bytes


def client(data: bytes) -> Said:
    """Words of a client."""
    return Said(by_client=True, data=data)


def server(data: bytes) -> Said:
    """Words of a server."""
    return Said(by_client=False, data=data)


def conversation(
    said: Sequence[Said], port: int = 445, *, opened: bool = True, cut: int = 1460
) -> list[Frame]:
    """A TCP connection with these words, in Ethernet."""
    numbers = {True: 1000, False: 77000}
    made = []
    if opened:
        made += [_segment(client(b""), port, 999, 2), _segment(server(b""), port, 76999, 18)]
    for by_client, data in said:
        for at in range(0, len(data), cut):
            piece = Said(by_client, data[at : at + cut])
            made.append(_segment(piece, port, numbers[by_client], 24))
            numbers[by_client] += len(piece.data)
    return [Frame(1, 1e9 + number, data) for number, data in enumerate(made)]


def _segment(said: Said, port: int, number: int, flags: int) -> bytes:
    ends, ports = (CLIENT, SERVER), (40000, port)
    if not said.by_client:
        ends, ports = (SERVER, CLIENT), (port, 40000)
    tcp = struct.pack(">HHIIBBHHH", *ports, number, 1, 0x50, flags, 8192, 0, 0) + said.data
    addresses = b"".join(bytes(map(int, end.split("."))) for end in ends)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 128, 6, 0) + addresses
    return bytes(12) + b"\x08\x00" + ip + tcp


def datagram(data: bytes, port: int, source: str = CLIENT) -> Datagram:
    """One that a host sends to everybody."""
    return Datagram(source, port, "192.0.2.255", port, data, b"\0\1\2\3\4\5")


def told(hear: Callable[[Datagram], Iterable[Told]], given: Datagram) -> list[tuple[str, dict[str, object]]]:
    """Of whom it tells (empty: the sender), and what."""
    return [(each.address, dict(each.evidence)) for each in hear(given)]


# --- messages


def utf16(text: str) -> bytes:
    """As NTLM and SMB write it."""
    return text.encode("utf-16-le")


def authenticate(
    user: str = PERSON, workstation: str = "POSTE-7", version: bytes = b"\5\1\x28\x0a\0\0\0\x0f"
) -> bytes:
    """The third message of NTLM ([MS-NLMP] 2.2.1.3)."""
    contents = [bytes(24), bytes(24), utf16("DOMAINE"), utf16(user), utf16(workstation), b""]
    at, fields = 64 + len(version), b""
    for content in contents:
        fields += struct.pack("<HHI", len(content), len(content), at)
        at += len(content)
    flags = 0xA2888205 if version else 0xA0888205
    return b"NTLMSSP\0\3\0\0\0" + fields + struct.pack("<I", flags) + version + b"".join(contents)


def negotiate(version: bytes = b"\5\1\x28\x0a\0\0\0\x0f") -> bytes:
    """The first one."""
    return b"NTLMSSP\0\1\0\0\0" + struct.pack("<IQQ", 0xA2088207, 0, 0) + version


def smb1(command: int, words: bytes, data: bytes, *, flags: int = 0x18, flags2: int = 0xC807) -> bytes:
    """A message of SMB 1 in a session message."""
    body = struct.pack("<4sBIBH12x4H", b"\xffSMB", command, 0, flags, flags2, 0xFFFF, 1, 0, 1)
    body += bytes([len(words) // 2]) + words + struct.pack("<H", len(data)) + data
    return len(body).to_bytes(4) + body


def extended_setup(blob: bytes, *strings: str) -> bytes:
    """A client's session setup with a security token."""
    words = struct.pack("<BBHHHHIHII", 0xFF, 0, 0, 4356, 10, 0, 0, len(blob), 0, 0x800000D4)
    pad = b"" if len(blob) % 2 else b"\0"
    return smb1(0x73, words, blob + pad + b"".join(utf16(each + "\0") for each in strings))


def plain_setup(*strings: str, wide: bool = True, lengths: tuple[int, int] = (24, 24)) -> bytes:
    """A client's session setup with an account."""
    words = struct.pack("<BBHHHHIHHII", 0xFF, 0, 0, 4356, 10, 0, 0, *lengths, 0, 0xD4)
    text = b"".join(utf16(each + "\0") if wide else each.encode() + b"\0" for each in strings)
    pad = b"\0" if wide and sum(lengths) % 2 == 0 else b""
    return smb1(
        0x73, words, bytes(range(1, 1 + sum(lengths))) + pad + text, flags2=0xC007 if wide else 0x4007
    )


def smb2(command: int, body: bytes, *, flags: int = 0) -> bytes:
    """A message of SMB 2 in a session message."""
    head = struct.pack("<4sHHIHHIIQIIQ16x", b"\xfeSMB", 64, 0, 0, command, 1, flags, 0, 0, 0, 0, 0)
    return len(head + body).to_bytes(4) + head + body


def smb2_setup(blob: bytes) -> bytes:
    """A client's session setup in SMB 2."""
    return smb2(1, struct.pack("<HBBIIHHQ", 25, 0, 1, 1, 0, 88, len(blob), 0) + blob)


def encoded(name: str, suffix: int, scope: bytes = b"") -> bytes:
    """A name of NetBIOS in first-level encoding."""
    raw = name.encode().ljust(15) + bytes([suffix])
    return b"\x20" + bytes(0x41 + half for byte in raw for half in (byte >> 4, byte & 15)) + scope + b"\0"
