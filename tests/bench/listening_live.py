"""``make bench``: a live interface in a namespace, at 50,000 packets a second, heard without loss.

One process sends, from the other end of a cable; the listening part, and the ear that its frames go to, run
beside it on the same processors. All packets pass the filter: the acknowledgements that it would throw away
are not sent. Each second 4,500 connections begin, with both ends' SSH identifications, and then data. In the
midst of it the ear is held up, as an inventory that is written to would hold it up.
"""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from scanner.capture.ear import Ear
from scanner.capture.live import Live
from tests.bench.running import ROOT, ratio, say
from tests.namespaces import wire

if TYPE_CHECKING:
    from collections.abc import Sequence

RATE = 50_000
SECONDS = 10
CONNECTIONS = 2_000
DATA = 7
"""Segments of each connection with data, of so many bytes:"""
BYTES = 900
BATCH = 250
HELD_UP = 2
"""Seconds."""
CARDS = bytes.fromhex("020000000001 020000000002")
PROGRAM = (sys.executable, "-m", "tests.bench.listening_live")


def frames() -> list[bytes]:
    """Connections, a segment of each in turn."""
    turns = [_connection(number) for number in range(CONNECTIONS)]
    return [segment for turn in zip(*turns, strict=True) for segment in turn]


def _connection(number: int) -> list[bytes]:
    client, server = 0x0A000000 + number, 0x0A010000 + number % 200
    there, back = (client, server, 40000, 22), (server, client, 22, 40000)
    told = [
        _frame(there, 0x02, 99, b""),
        _frame(back, 0x12, 499, b""),
        _frame(there, 0x18, 100, b"SSH-2.0-OpenSSH_9.2p1\r\n"),
        _frame(back, 0x18, 500, b"SSH-2.0-OpenSSH_5.3\r\n"),
    ]
    data = bytes(range(256)) * 4
    return told + [_frame(back, 0x10, 521 + BYTES * part, data[:BYTES]) for part in range(DATA)]


def _frame(ends: tuple[int, int, int, int], flags: int, sequence: int, payload: bytes) -> bytes:
    """A TCP segment; nobody on the way checks its sums."""
    source, target, source_port, target_port = ends
    total = 40 + len(payload)
    ip = bytes([0x45, 0]) + total.to_bytes(2) + bytes(4) + bytes([64, 6, 0, 0])
    ports = source_port.to_bytes(2) + target_port.to_bytes(2)
    tcp = ports + sequence.to_bytes(4) + bytes(4) + bytes([0x50, flags]) + (8192).to_bytes(2) + bytes(4)
    return CARDS + b"\x08\x00" + ip + source.to_bytes(4) + target.to_bytes(4) + tcp + payload


def send(device: str) -> None:
    """Send at the rate, in small batches; say how many were sent, and in how many seconds."""
    packets = frames()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as out:
        out.bind((device, 0))
        sent, began = 0, time.perf_counter()
        while sent < RATE * SECONDS:
            start = sent % len(packets)
            for packet in packets[start : start + BATCH]:
                out.send(packet)
            sent += len(packets[start : start + BATCH])
            early = began + sent / RATE - time.perf_counter()
            if early > 0:
                time.sleep(early)
        say(sent, time.perf_counter() - began)


def listen(device: str) -> None:
    """Listen for longer than anything is sent; say what was heard."""
    ear = Ear()
    with Live(device) as live:
        say("ready")
        learnt = 0
        for seconds in (SECONDS / 2, SECONDS):
            learnt += sum(1 for _ in ear.hear(live.frames(seconds)))
            time.sleep(HELD_UP if seconds < SECONDS else 0)
        live.stop()
        learnt += sum(1 for _ in ear.hear(live.frames()))
        say(live.heard, live.lost, ear.frames, learnt)
    for whom in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(whom)
        say(f"{usage.ru_utime:.1f} {usage.ru_stime:.1f} {usage.ru_maxrss / 1024:.0f}")


def measure() -> None:
    with wire("live") as cable:
        for namespace, device in zip((cable.scanner, cable.hospital), cable.ends, strict=True):
            namespace.run("sysctl", "-q", "-w", f"net.ipv6.conf.{device}.disable_ipv6=1")
        options = {"cwd": ROOT, "stdout": subprocess.PIPE}
        listening = cable.scanner.start(*PROGRAM, "listen", cable.ends[0], **options)
        assert listening.stdout is not None
        listening.stdout.readline()
        sending = cable.hospital.start(*PROGRAM, "send", cable.ends[1], **options)
        sent, seconds = sending.communicate(timeout=300)[0].split()
        told, here, child = listening.communicate(timeout=300)[0].splitlines()
    heard, lost, taken, learnt = map(int, told.split())
    say(f"{sent} packets in {float(seconds):.1f} s; heard {heard}, taken {taken}, learnt {learnt}")
    say(f"user s, system s, MB: the ear {here}; the child {child}")
    ratio("packets a second", int(sent) / float(seconds), RATE * 0.98, at_least=True)
    ratio("packets lost, by the kernel's count", lost, 0)
    ratio("packets that were sent and not heard", int(sent) - taken, 0)


def main(words: Sequence[str]) -> None:
    if os.geteuid():
        say("listening to an interface: not measured, as it needs root")
    elif words:
        {"send": send, "listen": listen}[words[0]](words[1])
    else:
        measure()


if __name__ == "__main__":
    main(sys.argv[1:])
