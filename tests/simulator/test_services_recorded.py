"""The services against real servers: to a recorded request they give the recorded answer.

Equal byte by byte, but for what a server chooses by itself, which is taken from the recorded answer. Some are
in ``recorded.toml``, with where they are from; the others are read from the corpus, where that is there.
"""

from __future__ import annotations

import struct
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scanner.simulator.snmp import _engine
from tests.corpus import CORPUS
from tests.integration.captures import lines
from tests.simulator.client import SYSTEM, discovery, node_status, snmp
from tests.simulator.machines import NOW, machine, said, speaker, told
from tests.simulator.test_recorded_answers import ENTRIES, _blank_ntlm, recorded
from tests.simulator.test_recorded_answers import machine as played

REAL: dict[str, Any] = tomllib.loads(Path(__file__).with_name("recorded.toml").read_text("utf-8"))


@pytest.mark.parametrize("conversation", REAL["msrpc"], ids=lambda conversation: conversation["name"])
def test_msrpc(conversation: dict[str, Any]) -> None:
    connection = speaker(
        "msrpc", replace(machine(conversation["played"]), name="DC1", address="192.168.56.101")
    )
    messages = [bytes.fromhex(message) for message in conversation["messages"]]
    for asked, real in zip(messages[::2], messages[1::2], strict=True):
        answer = bytearray(said(connection, asked))
        if answer[2] == 12:
            answer[20:24] = real[20:24]  # assoc_group_id
        assert answer.hex(" ", 4) == real.hex(" ", 4)


CHALLENGED = [
    entry for entry in ENTRIES if entry["kind"].startswith("dcerpc-bind") and entry["server_port"] == 135
]


@pytest.mark.parametrize("entry", CHALLENGED, ids=lambda entry: entry["file"].removesuffix(".rsp.bin"))
def test_msrpc_with_a_challenge(entry: dict[str, Any]) -> None:
    answer = bytearray(said(speaker("msrpc", played(entry)), recorded(entry["request_file"])))
    real = bytearray(recorded(entry["file"]))
    answer[20:24] = real[20:24]
    for message in (answer, real):
        _blank_ntlm(message)
    assert answer.hex(" ", 4) == real.hex(" ", 4)


def test_all_recorded_challenges_are_compared() -> None:
    assert len(CHALLENGED) == (3 if CORPUS else 0)


def test_rdp_of_an_old_windows() -> None:
    """The corpus's RDP-003: a client that asks for nothing, and one that sends its cookie."""
    request = bytes.fromhex("030000241fe00000000000436f6f6b69653a206d737473686173683d4137303036370d0a")
    for key in ("xp", "2003"):
        assert said(speaker("rdp", machine(key)), request).hex() == "0300000b06d00000123400"


def test_the_names_of_a_samba() -> None:
    host = replace(machine("samba"), name="NAS0001", domain="WORKGROUP")
    assert told("netbios", host, node_status()) == bytes.fromhex(REAL["netbios"]["node status"])


AGENT = replace(machine("ubuntu"), name="x", booted=NOW - 200_600_000)
"""An agent that is called x and has run for twenty seconds."""
ENGINE = bytes.fromhex("80001f888021fa610ecc1c086b00000000")


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("there", snmp(0xA0, 1, SYSTEM + b"\2\0", SYSTEM + b"\5\0")),
        ("missing in version 1", snmp(0xA0, 0, SYSTEM + b"\2\0", SYSTEM + b"\x63\0")),
        ("missing in version 2", snmp(0xA0, 1, SYSTEM + b"\2\0", SYSTEM + b"\x63\0")),
        ("after the end", snmp(0xA1, 1, SYSTEM + b"\2\0", b"\x2b\7\1")),
    ],
)
def test_objects_of_net_snmp(name: str, asked: bytes) -> None:
    assert told("snmp", AGENT, asked).hex(" ", 4) == bytes.fromhex(REAL["snmp"][name]).hex(" ", 4)


@pytest.mark.parametrize(("name", "user"), [("discovery", b""), ("an unknown user", b"nobody")])
def test_reports_of_net_snmp(name: str, user: bytes) -> None:
    """Its engine and its number of boots are put in the place of the machine's."""
    own = _engine(AGENT)
    answer = told("snmp", AGENT, discovery(own if user else b"", user)).replace(own, ENGINE)
    answer = answer.replace(b"\2\1\7\2\1\x14", b"\2\1\2\2\1\x14")
    assert answer.hex(" ", 4) == bytes.fromhex(REAL["snmp"][name]).hex(" ", 4)


# Frames of the corpus's captures in which a server's KEXINIT is, who plays it, and host keys that it has not.
KEXINITS = [
    ("arkime__tcpdump-geneve.pcap", 12, "ubuntu", ""),
    ("suricata-verify__bug-4663-03__icmp_and_ssh.pcap", 22, "samba-smb1", ",ssh-ed25519"),
    ("suricata-verify__bypass-ssh-enabled.pcap", 18, "catalyst", ""),
]


@pytest.mark.parametrize(("file", "frame", "key", "missing"), KEXINITS if CORPUS else [])
def test_what_a_server_of_ssh_offers(file: str, frame: int, key: str, missing: str) -> None:
    assert CORPUS
    words = ("tshark", "-n", "-r", CORPUS / "pcap" / file, "-Y", f"frame.number == {frame}", "-T", "fields")
    (payload,) = lines(*words, "-e", "tcp.payload")
    connection = speaker("ssh", machine(key))
    answer, real = name_lists(said(connection, b"SSH-2.0-client\r\n")), name_lists(bytes.fromhex(payload))
    assert [text.replace(missing, "") if missing else text for text in answer] == real


def name_lists(packet: bytes) -> list[str]:
    """The ten lists of a KEXINIT, of which the first reserved bytes and the padding are zero."""
    size, padding = struct.unpack_from(">IB", packet)
    assert len(packet) == 4 + size
    assert padding == 4 + (-(size - 1 - padding) - 9) % 8
    assert packet[5] == 20
    found, at = [], 22
    for _ in range(10):
        length = int.from_bytes(packet[at : at + 4], "big")
        found.append(packet[at + 4 : at + 4 + length].decode())
        at += 4 + length
    assert packet[at:] == bytes(5 + padding)
    return found
