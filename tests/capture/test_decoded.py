"""Ends, ports and lengths of the innermost packets of captures, as tshark has them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from scanner.capture.frames import opened, unwrapped
from scanner.capture.packets import Packets, text_of
from scanner.capture.telling import Packet
from scanner.capture.tunnels import inside
from tests.capture.framed import captured
from tests.corpus import CORPUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from scanner.capture.telling import Payload

NAMES: Final = (
    "mpls-basic", "tcpdump-geneve", "vxlan-decoder-03", "erspan-type-i-4", "decode-chdlc-01", "mptcp-v0",
    "tcpdump__ipx", "wireshark-lldp", "smb-smbclient", "dhcp-eve", "MMS_and_GOOSE", "krb5-request-frag",
    "smb2-07", "IPAddressChange",
)  # fmt: skip
"""Every form of frame that the corpus has, and some that are like most."""
_FIELDS: Final = (
    "frame.number", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
    "tcp.srcport", "tcp.dstport", "tcp.len", "udp.srcport", "udp.dstport", "udp.length",
)  # fmt: skip
_QUOTED: Final = "(tcp or udp) and not icmp and not icmpv6 and not arp"
"""Neither packets that quote others, nor tunnels around what has no ports."""
Decoded = set[tuple[int, str, str, int, int, int]]


def by_us(file: Path) -> Decoded:
    """Frame, ends, ports, and bytes behind the header of TCP or UDP."""
    packets = Packets()

    def innermost(found: Iterable[Packet | Payload]) -> Iterator[tuple[str, str, int, int, int]]:
        for each in found:
            carried = packets.whole(each.data) if isinstance(each, Packet) else None
            if carried is None:
                continue
            if carried.protocol != 6 and (layer := inside(carried)) is not None:
                yield from innermost(opened(layer))
            elif carried.protocol in {6, 17}:
                data = carried.data
                header = (data[12] >> 4) * 4 if carried.protocol == 6 else 8
                ports = int.from_bytes(data[:2]), int.from_bytes(data[2:4])
                yield text_of(carried.source), text_of(carried.target), *ports, len(data) - header

    return {
        (number, *each)
        for number, frame in enumerate(captured(file), 1)
        for each in innermost(unwrapped(frame))
    }


def by_tshark(file: Path) -> Decoded:
    """The same."""
    wanted = [word for field in _FIELDS for word in ("-e", field)]
    command = ["tshark", "-r", str(file), "-Y", _QUOTED, "-T", "fields", "-E", "occurrence=l", *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: Decoded = set()
    for line in done.stdout.splitlines():
        number, source, target, source6, target6, *ports = line.split("\t")
        first, second, length = (int(each or 0) for each in (ports[:3] if ports[0] else ports[3:]))
        length -= 0 if ports[0] else 8
        found.add((int(number), source or source6, target or target6, first, second, length))
    return found


if CORPUS:

    @pytest.mark.parametrize("name", NAMES)
    def test_as_tshark_decodes_them(name: str) -> None:
        assert CORPUS is not None
        (file,) = (CORPUS / "pcap").glob(f"*{name}*.pcap")
        theirs = by_tshark(file)
        numbers = {number for number, *_ in theirs}
        assert {each for each in by_us(file) if each[0] in numbers} == theirs
