"""tshark reads all that the machines say beside SMB, and finds nothing malformed in it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from scanner.simulator.personalities import personality
from tests.integration.captures import lines
from tests.simulator import client
from tests.simulator.client import MAPPER, NDR, NDR64, NTLM_NEGOTIATE, RESOLVER, SYSTEM
from tests.simulator.machines import EVERY, machine, said, service, speaker, told

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CONVERSATIONS: dict[str, list[list[bytes]]] = {
    "rdp": [[client.connection_request(11)], [client.connection_request(0)]],
    "netbios": [[client.node_status()]],
    "msrpc": [
        [client.bind(MAPPER, NDR), client.lookup(), client.lookup(1), client.call(42)],
        [client.bind(RESOLVER, NDR, NDR64), client.call(5), client.call(5, context=9)],
        [client.bind(RESOLVER, NDR), client.call(5)],
        [client.bind(MAPPER, NDR, secret=NTLM_NEGOTIATE)],
    ],
    "snmp": [
        [client.snmp(kind, version, SYSTEM, SYSTEM + b"\1\0", SYSTEM + b"\x63\0"), client.discovery()]
        for kind in (0xA0, 0xA1)
        for version in (0, 1)
    ],
    "ssh": [[b"SSH-2.0-client\r\n"]],
    "http": [[b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"], [b"GET /favicon.ico HTTP/1.1\r\nHost: x\r\n\r\n"]],
}
WORDS = {
    "rdp": "RDP",
    "netbios": "Name query response NBSTAT",
    "msrpc": "ServerAlive2 response",
    "snmp": "response 1.3.6.1.2.1.1.1.0",
    "ssh": "Key Exchange Init",
    "http": "HTTP/1.1",
}
"""What stands in the line that tshark has for one of the answers at least."""


def answered(probe: str, key: str) -> Iterable[tuple[int, list[tuple[bytes, bytes]]]]:
    """Conversations with a machine, each with a port of the client's own: what was asked and answered."""
    for number, conversation in enumerate(CONVERSATIONS[probe]):
        if service(probe).answer:
            yield number, [(asked, told(probe, machine(key), asked)) for asked in conversation]
        else:
            connection = speaker(probe, machine(key))
            exchanges = [(b"", connection.greeting())]
            exchanges += [(asked, said(connection, asked)) for asked in conversation]
            yield number, exchanges


def packet(probe: str, client_port: int, seen: list[int], data: bytes, *, back: bool) -> bytes:
    """A packet of IPv4 and TCP or UDP, without checksums, towards the machine or back."""
    kind = service(probe)
    ends = (kind.port, client_port) if back else (client_port, kind.port)
    if kind.answer:
        inside = struct.pack(">HHHH", *ends, 8 + len(data), 0) + data
    else:
        numbers = (seen[back], seen[not back])
        inside = struct.pack(">HHIIBBHHH", *ends, *numbers, 0x50, 0x18, 8192, 0, 0) + data
        seen[back] += len(data)
    addresses = bytes((192, 0, 2, 7, 192, 0, 2, 1)) if back else bytes((192, 0, 2, 1, 192, 0, 2, 7))
    protocol = 17 if kind.answer else 6
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(inside), 0, 0, 64, protocol, 0) + addresses + inside


@pytest.mark.parametrize("probe", CONVERSATIONS)
def test_nothing_is_malformed(probe: str, tmp_path: Path) -> None:
    file, port = tmp_path / "said.pcap", 40_000
    records = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)]
    for key in EVERY:
        if service(probe).spoken(personality(key)):
            for number, exchanges in answered(probe, key):
                seen = [1, 1]
                for pair in exchanges:
                    for back, data in enumerate(pair):
                        if data:
                            whole = packet(probe, port + number, seen, data, back=bool(back))
                            records.append(
                                struct.pack("<IIII", port, len(records), len(whole), len(whole)) + whole
                            )
            port += 10
    file.write_bytes(b"".join(records))
    assert lines("tshark", "-n", "-r", file, "-Y", "_ws.malformed") == []
    assert sum(WORDS[probe] in line for line in lines("tshark", "-n", "-r", file)) >= 5
