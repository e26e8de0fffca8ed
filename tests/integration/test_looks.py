"""Looks at hosts before they are visited, by echo and by ARP: counted in the hospital's own namespace."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.integration.captures import SCANNER, SYN, Sent, busiest_second, lines, watched
from tests.integration.scenes import Scene, scene, small_wards
from tests.integration.test_pacing import demand_two_a_second, law
from tests.simulator.process import POWERLESS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.namespaces

ECHO = "icmp[icmptype] == icmp-echo"
ECHOES = "icmp type echo-request counter name echoes"
PINGS = "net.ipv4.ping_group_range=0 2147483647"


def ledger(stage: Scene, probe: str) -> dict[str, list[str]]:
    """By address: how each packet of a look ended."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in json.loads(stage.product.run("ledger", "--json").stdout):
        if row["probe"] == probe:
            found[row["address"]].append(row["outcome"])
    return dict(found)


@contextmanager
def answering(stage: Scene, program: str, *words: str) -> Iterator[None]:
    """A program of the hospital's that answers in the place of its kernel."""
    process = stage.cable.hospital.start(sys.executable, "-c", program, *words, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    try:
        yield
    finally:
        process.kill()
        process.communicate()


FORGER_OF_ECHO = """
import socket
hearing = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
saying = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
def reply(theirs, ours, body):
    packet = bytearray(b"\\0\\0\\0\\0" + body)
    total = sum(int.from_bytes(packet[place:place + 2], "big") for place in range(0, len(packet), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    packet[2:4] = (~total & 0xFFFF).to_bytes(2, "big")
    head = bytes([0x45, 0]) + (20 + len(packet)).to_bytes(2, "big") + bytes(4) + bytes([64, 1, 0, 0])
    saying.sendto(head + theirs + ours + packet, (socket.inet_ntoa(ours), 0))
print("ready", flush=True)
while True:
    packet = hearing.recv(2048)
    ours, theirs, body = packet[12:16], packet[16:20], packet[24:]
    if packet[20] != 8:
        continue
    if theirs[3] == 1:  # honest, and says it twice
        reply(theirs, ours, body)
        reply(theirs, ours, body)
    else:  # another number, another content, another host
        reply(theirs, ours, body[:2] + bytes([body[2], body[3] ^ 1]) + body[4:])
        reply(theirs, ours, body[:4] + bytes(8) + body[12:])
        reply(theirs[:3] + bytes([5]), ours, body)
"""


def test_an_echo_finds_whom_a_firewall_hides_and_forged_replies_find_nobody(tmp_path: Path) -> None:
    """Of .1 only the echo is let through, of .2 only TCP, of .3 nothing; of .4 all replies are forged."""
    with scene("echo", tmp_path, rules=[ECHOES]) as stage, answering(stage, FORGER_OF_ECHO):
        stage.cable.scanner.run("sysctl", "-w", PINGS)
        stage.cable.hospital.run("sysctl", "-w", "net.ipv4.icmp_echo_ignore_all=1")
        stage.cable.rule("ip daddr { 10.77.0.1, 10.77.0.3, 10.77.0.4 } tcp dport 1-65535 drop")
        stage.cable.rule("ip daddr { 10.77.0.2, 10.77.0.3 } meta l4proto icmp drop")
        stage.site('subnets = ["10.77.0.0/29"]')
        product = replace(stage.product, prefix=(*stage.product.prefix, *POWERLESS))
        targets = [f"10.77.0.{n}" for n in range(1, 5)]
        said = product.run("scan", *targets, "--sweep", "echo").stderr
        asked = ledger(stage, "echo")
        assert asked == dict(zip(targets, [["answered"], *[["silent"]] * 3], strict=True))
        assert stage.cable.counted()["echoes"] == 4
        assert set(stage.known()) == {"10.77.0.1", "10.77.0.2"}
        attempts = stage.attempts() + 4
        assert f"{attempts} connection attempts" in said
        sent = stage.product.ask("SELECT count(*) FROM ledger")[0][0]
        assert sent == attempts


def test_the_pace_holds_for_echo_too(tmp_path: Path) -> None:
    with scene("paced", tmp_path) as stage:
        stage.site(*small_wards("10.77.0.0/27", 29))
        with watched(stage.cable.hospital, tmp_path / "sent.pcap") as capture:
            stage.product.run("scan", "--sweep", "echo")
        sent = capture.packets("10.77.0.0/16", kind=f"({SYN} or {ECHO})")
    assert len([packet for packet in sent if not packet.port]) == 32
    assert len({packet.host for packet in sent if packet.port}) == 32
    assert busiest_second(sent) <= law(50)
    demand_two_a_second(sent)


FORGER_OF_ARP = """
import socket, sys
line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x806))
line.bind((sys.argv[1], 0x806))
print("ready", flush=True)
while True:
    packet, (_, _, kind, *_) = line.recvfrom(2048)
    asks, theirs = packet[20:22] == b"\\0\\1", packet[38:42]
    if not asks or packet[28:32] != bytes([10, 255, 0, 1]) or theirs[3] < 3:
        continue
    def say(mac, operation=2, sender=theirs, to=packet[6:12], sizes=b"\\6\\4", rest=b""):
        head = to + mac + b"\\x08\\6" + b"\\0\\1\\x08\\0" + sizes + operation.to_bytes(2, "big")
        line.send(head + mac + sender + packet[22:32] + rest)
    own, other = bytes.fromhex("000c29000001"), bytes.fromhex("000c29000002")
    if theirs[3] == 4:  # honest, and somebody else answers after it
        say(own, rest=bytes(18))
        say(other)
        continue
    say(own, operation=1)
    say(own, sender=theirs[:3] + bytes([9]))  # somebody who was not asked
    say(own, to=b"\\xff" * 6)  # to everybody
    say(b"\\xff" * 6)
    say(b"\\1\\0\\x5e\\0\\0\\1")
    say(bytes(6))
    say(own, sizes=b"\\x14\\4")
    say(own, sizes=b"\\xff\\xff")
    say(own, rest=bytes(80))
    line.send(packet[6:12] + own + b"\\x08\\6" + b"\\0\\1\\x08\\0\\6\\4\\0\\2" + own)
"""
ARP = re.compile(r"(?P<at>\d+\.\d+) .*ARP, Request who-has (?P<host>[\d.]+)")


def asked_by_arp(file: Path) -> list[Sent]:
    """Every ARP request of the scanner's machine, its kernel's included, in time's order."""
    found = map(ARP.match, lines("tcpdump", "-tt", "-n", "-r", file, f"arp and src host {SCANNER}"))
    return [Sent(float(line["at"]), line["host"], 0) for line in found if line]


def test_arp_finds_neighbours_alone_and_forged_answers_find_nobody(tmp_path: Path) -> None:
    """Two answer, one of them nothing else; of .3 all answers are forged, .4 has two; 10.77.1.0 is routed."""
    with scene("arp", tmp_path) as stage:
        mac = stage.cable.adjoin("10.77.0.0/24", ["10.77.0.1", "10.77.0.2", "10.77.1.0/30"])
        stage.cable.rule("ip daddr { 10.77.0.2, 10.77.0.3 } tcp dport 1-65535 drop")
        stage.site('subnets = ["10.77.0.0/29"]', 'subnets = ["10.77.1.0/30"]')
        near = [f"10.77.0.{n}" for n in range(1, 6)]
        with (
            watched(stage.cable.hospital, tmp_path / "sent.pcap") as capture,
            answering(stage, FORGER_OF_ARP, stage.cable.ends[1]),
        ):
            stage.product.run("scan", *near, "10.77.1.1", "--sweep", "arp")
        asked, silent = ledger(stage, "arp"), ["silent", "silent"]
        assert asked == dict(
            zip(near, [["answered"], ["answered"], silent, ["answered"], silent], strict=True)
        )
        found = {ip: row["mac"] for ip, row in stage.known().items()}
        own = {"10.77.0.1": mac, "10.77.0.2": mac, "10.77.0.4": "00:0c:29:00:00:01"}
        assert found == {**own, "10.77.1.1": None}
        assert {packet.host for packet in capture.syns()} == {*own, "10.77.1.1"}
        requests = Counter(packet.host for packet in asked_by_arp(capture.file))
        assert (requests["10.77.0.3"], requests["10.77.0.5"], requests["10.77.1.1"]) == (2, 2, 0)


def test_the_pace_holds_for_arp_too(tmp_path: Path) -> None:
    with scene("paced", tmp_path) as stage:
        stage.cable.adjoin("10.77.0.0/24", [])
        stage.site(*small_wards("10.77.0.0/27", 29))
        with watched(stage.cable.hospital, tmp_path / "sent.pcap") as capture:
            stage.product.run("scan", "--sweep", "arp")
        sent = asked_by_arp(capture.file)
        assert capture.packets() == [], "nobody is connected to who does not answer"
    assert Counter(packet.host for packet in sent) == dict.fromkeys((f"10.77.0.{n}" for n in range(32)), 2)
    assert busiest_second(sent) <= law(50)
    demand_two_a_second(sent)


def test_who_may_not_look_is_told_so_and_sends_nothing(tmp_path: Path) -> None:
    with scene("rights", tmp_path) as stage:
        stage.cable.adjoin("10.77.0.0/24")
        stage.cable.scanner.run("sysctl", "-w", "net.ipv4.ping_group_range=1 0")
        powerless = replace(stage.product, prefix=(*stage.product.prefix, *POWERLESS))
        with watched(stage.cable.hospital, tmp_path / "sent.pcap") as capture:
            said = powerless.run("scan", "10.77.0.1", "--sweep", "echo", expect=2).stderr
            more = powerless.run("scan", "10.77.0.1", "--sweep", "arp", "--fresh", expect=2).stderr
        assert "net.ipv4.ping_group_range" in said
        assert "may not send raw packets" in more
        assert {len(words.splitlines()) for words in (said, more)} == {1}
        assert asked_by_arp(capture.file) == []
        assert capture.packets() == []
