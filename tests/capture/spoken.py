"""What machines say to each other, as frames, and what the ear makes of it."""

from __future__ import annotations

import random
import struct
import subprocess
from ipaddress import ip_address
from typing import TYPE_CHECKING, TypeAlias

from scanner.capture.ear import Ear
from scanner.capture.sources import sources
from scanner.capture.telling import Datagram, DatagramSource, Frame, StreamSource
from scanner.errors import ProbeError
from tests.probes.damage import damaged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from scanner.capture.telling import Told

Heard: TypeAlias = tuple[str, int, dict[str, tuple[str, ...]]]
"""An address, a port, and what was learnt of it."""
CARD = bytes.fromhex("001ec9000001")
AT = 1_700_000_000.0


def datagram(source: str, source_port: int, target: str, target_port: int, data: bytes) -> Frame:
    """A frame with one UDP datagram in IPv4; checksums are nobody's business here."""
    udp = struct.pack(">HHHH", source_port, target_port, 8 + len(data), 0) + data
    return _frame(17, source, target, udp)


def stream(source: str, source_port: int, target: str, target_port: int, *parts: bytes) -> list[Frame]:
    """The frames of one direction of a TCP connection, from its SYN on."""
    sequence, frames = 1000, []
    for flags, part in ((2, b""), *((24, part) for part in parts)):
        tcp = struct.pack(">HHIIBBHHH", source_port, target_port, sequence, 0, 80, flags, 8192, 0, 0) + part
        frames.append(_frame(6, source, target, tcp))
        sequence += len(part) or 1
    return frames


def _frame(protocol: int, source: str, target: str, data: bytes) -> Frame:
    ends = ip_address(source).packed + ip_address(target).packed
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(data), 1, 0, 128, protocol, 0) + ends
    return Frame(1, AT, b"\xff" * 6 + CARD + b"\x08\0" + header + data)


def heard(frames: Iterable[Frame], *names: str) -> list[Heard]:
    """What the ear learns, what is below all words left out; of these sources only, where some are named."""
    return [
        (seen.endpoint.address, seen.endpoint.port, dict(seen.evidence))
        for seen in Ear().hear(frames)
        if (seen.probe in names if names else seen.probe not in {"syn", "ttl"})
    ]


def recorded(file: Path) -> Iterator[Frame]:
    """The frames of a classic capture with times in microseconds."""
    data = file.read_bytes()
    order = "<" if data[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    (link,) = struct.unpack_from(order + "I", data, 20)
    place = 24
    while place + 16 <= len(data):
        seconds, micros, length, _ = struct.unpack_from(order + "4I", data, place)
        yield Frame(link & 0xFFFF, seconds + micros / 1e6, data[place + 16 : place + 16 + length])
        place += 16 + length


def tshark(file: Path, wanted: str, *fields: str) -> list[tuple[str, ...]]:
    """These fields of the packets that a filter of Wireshark's finds."""
    asked = [word for field in fields for word in ("-e", field)]
    line = ["tshark", "-r", str(file), "-Y", wanted, "-T", "fields", *asked]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    return [tuple(row.split("\t")) for row in done.stdout.splitlines()]


def named(name: str) -> DatagramSource:
    """The source of a protocol over UDP."""
    (found,) = (each for each in sources() if each.name == name and isinstance(each, DatagramSource))
    return found


def told(name: str, data: bytes, source_port: int = 1, target_port: int = 1) -> list[Told]:
    """What a source makes of one datagram; nothing where it is something else."""
    try:
        return list(named(name).hear(Datagram("10.0.0.9", source_port, "10.0.0.1", target_port, data, CARD)))
    except ProbeError:
        return []


def spoilt(data: bytes, times: int = 300) -> Iterator[bytes]:
    """The same cut anywhere, and damaged anywhere."""
    yield from (data[:length] for length in range(len(data)))
    chance = random.Random(8)
    yield from (damaged(data, chance) for _ in range(times))


def stream_source(name: str) -> StreamSource:
    """The source of a protocol over TCP."""
    (found,) = (each for each in sources() if each.name == name and isinstance(each, StreamSource))
    return found
