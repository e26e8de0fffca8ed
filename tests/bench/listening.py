"""Listening beside tshark, in one run: ``python -m tests.bench.listening [PACKETS]``.

Two captures: one of a million packets of which a tenth says something, and all captures of the corpus joined
and repeated. Both programs get the same file; what each takes for an empty one is taken off. tshark prints
the fields from which the evidence comes. The figure is how many times as fast listening is.
"""

from __future__ import annotations

import random
import shutil
import struct
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from tests.bench.running import CLI, ratio, say, timed
from tests.capture.captures import frames_of, write_pcap
from tests.corpus import CORPUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PACKETS: Final = 1_000_000
JOINED: Final = 271_825
"""As many packets of the corpus, repeated."""
FLOWS: Final = 2_000
"""Connections that say nothing, open at one time."""
_FIELDS: Final = [
    "frame.time_epoch",
    "eth.src",
    "ip.src",
    "ipv6.src",
    "ip.dst",
    "tcp.srcport",
    "udp.srcport",
    "arp.src.proto_ipv4",
    "arp.src.hw_mac",
    "dhcp.option.vendor_class_id",
    "dhcp.option.request_list_item",
    "dhcp.option.hostname",
    "dhcp.hw.mac_addr",
    "dhcpv6.vendorclass.data",
    "nbns.name",
    "browser.server",
    "browser.os_major",
    "browser.os_minor",
    "browser.server_type",
    "smb.native_os",
    "smb.native_lanman",
    "smb.primary_domain",
    "smb2.dialect",
    "smb2.server_guid",
    "smb2.boot_time",
    "smb2.sec_mode",
    "ntlmssp.ntlmserverchallenge",
    "ntlmssp.challenge.target_info.nb_computer_name",
    "ntlmssp.challenge.target_info.dns_computer_name",
    "ntlmssp.version.major",
    "ntlmssp.version.minor",
    "ntlmssp.version.build_number",
    "ntlmssp.auth.hostname",
    "rdp.client.build",
    "rdp.negReq.selectedProtocol",
    "tls.handshake.version",
    "x509ce.dNSName",
    "x509sat.printableString",
    "http.server",
    "http.user_agent",
    "http.www_authenticate",
    "ssh.protocol",
    "ftp.response.arg",
    "smtp.rsp.parameter",
    "telnet.data",
    "dns.resp.name",
    "mdns",
    "snmp.name",
    "snmp.value.octets",
    "dicom.userinfo.data",
    "hl7.field",
    "lldp.tlv.system.desc",
    "cdp.software_version",
    "tcp.window_size_value",
    "tcp.options.mss_val",
    "ip.ttl",
    "tcp.options.wscale.shift",
]  # what the evidence comes from


def bulk(number: int, seed: int = 1) -> Iterator[bytes]:
    """Frames of connections that began before, and carry what nobody can read."""
    dice = random.Random(seed)
    noise = dice.randbytes(1 << 16)
    sequences = [dice.getrandbits(32) for _ in range(FLOWS)]
    for _ in range(number):
        flow = dice.randrange(FLOWS)
        size = dice.choice((0, 0, 64, 512, 1380, 1380))
        payload = noise[(start := dice.randrange(1 << 15)) : start + size]
        ends = struct.pack("!4s4s", bytes((10, 9, flow >> 8, flow & 255)), bytes((10, 8, 0, flow % 7)))
        header = struct.pack("!BBHHHBBH", 0x45, 0, 40 + size, flow, 0x4000, 6, 6, 0) + ends
        ports = struct.pack("!HHIIBBHHH", 50000 + flow % 9999, 9443, sequences[flow], 1, 0x50, 16, 512, 0, 0)
        sequences[flow] = (sequences[flow] + size) & 0xFFFFFFFF
        yield b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + header + ports + payload


def telling() -> list[bytes]:
    """The Ethernet frames of all captures of the corpus."""
    assert CORPUS is not None
    paths = sorted((CORPUS / "pcap").glob("*.pcap"))
    return [frame.data for path in paths for frame in frames_of(path) if frame.link == 1]


def elsewhere(frame: bytes, turn: int) -> bytes:
    """The same frame of other machines, where it is one of IPv4."""
    if turn and frame[12:15] == b"\x08\x00\x45":
        return (
            frame[:26] + bytes((frame[26] ^ turn,)) + frame[27:30] + bytes((frame[30] ^ turn,)) + frame[31:]
        )
    return frame


def mixed(number: int) -> Iterator[bytes]:
    """So many frames, of which a tenth are of the corpus."""
    said, noise = telling(), bulk(number)
    for place in range(number):
        if place % 10:
            yield next(noise)
        else:
            turn, which = divmod(place // 10, len(said))
            yield elsewhere(said[which], turn)


def joined(number: int) -> Iterator[bytes]:
    """So many frames of the corpus, over and over."""
    said = telling()
    for place in range(number):
        yield said[place % len(said)]


def compare(name: str, frames: Iterable[bytes], least: float) -> None:
    """Both programs over one file."""
    tshark = shutil.which("tshark")
    assert tshark
    with TemporaryDirectory() as folder:
        full, empty = Path(folder, "full.pcap"), Path(folder, "empty.pcap")
        number = write_pcap(full, frames)
        write_pcap(empty, ())
        fields = [word for field in _FIELDS for word in ("-e", field)]
        theirs = [tshark, "-n", "-T", "fields", *fields, "-r"]
        ours = [*CLI, "listen", "--jsonl", "--pcap"]
        runs = [[timed([*command, str(file)]) for file in (full, empty)] for command in (theirs, ours)]
        taken = [long.cpu - short.cpu for long, short in runs]
    say(f"{name}: {number} packets; tshark {number / taken[0]:.0f}/s, listening {number / taken[1]:.0f}/s")
    ratio("times as fast as tshark", taken[0] / taken[1], least, at_least=True)


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if sys.argv[1:] else PACKETS
    compare("a tenth says something", mixed(wanted), 1)
    compare("captures of the corpus", joined(wanted * JOINED // PACKETS), 5)
