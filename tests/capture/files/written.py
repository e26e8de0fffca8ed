"""Captures written for tests, by the formats' documents and not by the code that reads them."""

from __future__ import annotations

import io
import struct
from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

from scanner.capture.files import Capture

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner.capture.telling import Frame


class Sent(NamedTuple):
    """A packet to be written."""

    seconds: int
    fraction: int
    data: bytes


SENT = tuple(Sent(1_700_000_000 + n, 1000 * n, bytes(range(n, n + 20 + n % 3))) for n in range(6))


def pcap(sent: Iterable[Sent], order: str = "<", *, magic: int = 0xA1B2C3D4, link: int = 1) -> bytes:
    """A classic capture."""
    parts = [struct.pack(f"{order}I2H4I", magic, 2, 4, 0, 0, 65535, link)]
    parts += (
        struct.pack(f"{order}4I", each.seconds, each.fraction, len(each.data), len(each.data)) + each.data
        for each in sent
    )
    return b"".join(parts)


def block(order: str, kind: int, body: bytes) -> bytes:
    """A block of pcapng."""
    body += bytes(-len(body) % 4)
    length = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + length + body + length


def section(order: str = "<") -> bytes:
    """A section's header."""
    return block(order, 0x0A0D0D0A, struct.pack(f"{order}I2Hq", 0x1A2B3C4D, 1, 0, -1))


def option(order: str, code: int, value: bytes) -> bytes:
    """An option of a block."""
    return struct.pack(f"{order}2H", code, len(value)) + value + bytes(-len(value) % 4)


def interface(order: str = "<", link: int = 1, snaplen: int = 0, options: bytes = b"") -> bytes:
    """An interface's description."""
    return block(order, 1, struct.pack(f"{order}2HI", link, 0, snaplen) + options)


def enhanced(order: str, which: int, ticks: int, data: bytes, options: bytes = b"") -> bytes:
    """A packet."""
    head = struct.pack(f"{order}5I", which, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
    return block(order, 6, head + data + bytes(-len(data) % 4) + options)


def pcapng(sent: Iterable[Sent], order: str = "<") -> bytes:
    """A capture of one interface, with microseconds."""
    packets = (enhanced(order, 0, each.seconds * 10**6 + each.fraction, each.data) for each in sent)
    return section(order) + interface(order) + b"".join(packets)


class Read(NamedTuple):
    """What was read of a capture."""

    frames: list[Frame]
    complaint: str


def read(content: bytes, block: int = 1 << 20) -> Read:
    """Read a capture that is in memory, in blocks of a size."""
    capture = of(content)
    frames = list(capture.frames(block))
    assert capture.packets == len(frames)
    return Read(frames, str(capture.complaint or ""))


def of(content: bytes) -> Capture:
    """A capture that is in memory."""
    return Capture("made", lambda: nullcontext(io.BytesIO(content)), len(content))
