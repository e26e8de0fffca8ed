"""The memory of listening to much: ``python -m tests.bench.listening_memory [GIGABYTES] [FLOWS]``.

So many bytes in so many TCP connections, each with its opening, its answer and first words in both
directions that begin like a protocol's and never end, then bulk: nothing of it may stay for long. Through a
pipe, as from ``tcpdump -w -``.
"""

from __future__ import annotations

import random
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from tests.bench.running import CLI, ratio, say
from tests.measuring import measured

if TYPE_CHECKING:
    from collections.abc import Iterator

GIGABYTES: Final = 10.0
FLOWS: Final = 1_000_000
MOST: Final = 300
"""Megabytes."""
_WORDS: Final = (
    b"SSH-2.0-",
    b"GET / HTTP/1.1\r\nUser-Agent: a",
    b"\0\0\1\0\xffSMB",
    b"\x16\3\1\1\0\1\0\0",
    b"noise",
)
_BULK: Final = 1380


def _segment(flow: int, flags: int, sequence: int, payload: bytes, *, back: bool = False) -> bytes:
    ends = struct.pack("!II", 0x0A000000 + flow, 0x0A800000 + flow % 1000)
    ports = struct.pack("!HH", 1024 + flow % 60000, 445)
    if back:
        ends, ports = ends[4:] + ends[:4], ports[2:] + ports[:2]
    header = struct.pack("!BBHHHBBH", 0x45, 0, 40 + len(payload), flow & 0xFFFF, 0x4000, 128, 6, 0) + ends
    return header + ports + struct.pack("!IIBBHHH", sequence, 1, 0x50, flags, 65535, 0, 0) + payload


def packets(size: float, flows: int) -> Iterator[bytes]:
    """IP packets of so many bytes in all."""
    dice, noise = random.Random(1), random.Random(2).randbytes(1 << 16)
    each = max(1, int(size / flows) // (_BULK + 56))
    for flow in range(flows):
        words = _WORDS[flow % len(_WORDS)]
        yield _segment(flow, 2, 1, b"")
        yield _segment(flow, 18, 1, b"", back=True)
        yield _segment(flow, 24, 2, words)
        yield _segment(flow, 24, 2, words, back=True)
        for number in range(each):
            start = dice.randrange(1 << 15)
            older = flow if flow < 100 else flow - dice.randrange(100)  # they overlap
            yield _segment(older, 16, 4000 + number * _BULK, noise[start : start + _BULK], back=True)


def feed(size: float, flows: int) -> None:
    """Listen to it, and say what that took."""
    process = subprocess.Popen(
        measured([*CLI, "listen", "--jsonl", "--pcap", "-"]),
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stderr
    process.stdin.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 101))
    written = number = 0
    for number, data in enumerate(packets(size, flows), 1):
        head = struct.pack("<IIII", 1_780_000_000 + number // 1000, number % 1000, len(data), len(data))
        process.stdin.write(head + data)
        written += len(data) + 16
    process.stdin.close()
    peak = int(process.stderr.read().split()[-1]) / 1024
    process.wait()
    say(f"{written / 1e9:.1f} GB, {number} packets, {flows} connections")
    ratio("peak memory, MB", peak, MOST)


if __name__ == "__main__":
    feed(float(sys.argv[1] if sys.argv[1:] else GIGABYTES) * 1e9, int(sys.argv[2]) if sys.argv[2:] else FLOWS)
