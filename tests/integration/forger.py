"""``python -m tests.integration.forger DEVICE``: answers SYNs falsely, and one of them three times.

Who asks a host whose address ends in 250 gets an acknowledgement of a number that was not sent, the right one
from another address, a reset that acknowledges nothing that was sent, and an ICMP error that quotes something
else. A host whose address ends in 251 accepts, three times over. In a /24 that ends in 31 each SYN is met by
twenty ICMP errors. It says when it is ready, and ends with its standard input.
"""

from __future__ import annotations

import socket
import struct
import sys
import threading

SYN_ACK, RST_ACK = 0x12, 0x14
_SYN = 0x02
_RCVBUFFORCE = 33
"""socket(7): more than net.core.rmem_max."""


def checksum(data: bytes) -> int:
    """RFC 1071."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return int(~total & 0xFFFF)


def segment(source: bytes, target: bytes, ports: tuple[int, int], flags: int, acknowledged: int) -> bytes:
    """An IPv4 packet with a TCP segment that answers."""
    blank = struct.pack("!HHIIBBHHH", *ports, 7, acknowledged & 0xFFFFFFFF, 5 << 4, flags, 1000, 0, 0)
    pseudo = source + target + struct.pack("!HH", socket.IPPROTO_TCP, len(blank))
    body = blank[:16] + struct.pack("!H", checksum(pseudo + blank)) + blank[18:]
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, 0, 0, 64, socket.IPPROTO_TCP, 0, source, target) + body


def unreachable(source: bytes, target: bytes, quoted: bytes) -> bytes:
    """An IPv4 packet with an ICMP error (RFC 792)."""
    body = struct.pack("!BBHI", 3, 1, 0, 0) + quoted
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, 0, 0, 64, socket.IPPROTO_ICMP, 0, source, target) + body


def answers(packet: bytes) -> list[bytes]:
    """What a SYN is answered by."""
    asker, asked = packet[12:16], packet[16:20]
    theirs, ours, sequence = struct.unpack_from("!HHI", packet, 20)
    ports = (ours, theirs)
    if asked[2] == 31:
        return [unreachable(asked, asker, packet[:28])] * 20
    if asked[3] == 251:
        return [segment(asked, asker, ports, SYN_ACK, sequence + 1)] * 3
    if asked[3] != 250:
        return []
    other = asked[:3] + bytes([252])
    quoted = packet[:24] + struct.pack("!I", sequence ^ 1)
    return [
        segment(asked, asker, ports, SYN_ACK, sequence + 2),
        segment(other, asker, ports, SYN_ACK, sequence + 1),
        segment(asked, asker, ports, RST_ACK, sequence),
        unreachable(asked, asker, quoted),
    ]


def serve(device: str) -> None:
    """Answer until the process ends."""
    heard = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    heard.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, 1 << 23)
    heard.bind((device, 0x0800))
    said = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        packet, (*_, kind, _, _) = heard.recvfrom(2048)
        if kind == 0 and packet[9] == socket.IPPROTO_TCP and packet[33] == _SYN:
            for answer in answers(packet):
                said.sendto(answer, (socket.inet_ntoa(packet[12:16]), 0))


if __name__ == "__main__":
    threading.Thread(target=serve, args=sys.argv[1:], daemon=True).start()
    sys.stdin.read()
