"""Protocols over UDP beside DHCP: whose words are taken, whose are not, and of whom they are told."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from scanner.capture.telling import Datagram, Side, Told
from scanner.probes import cldap, der, snmp
from tests.capture.spoken import AT, CARD, datagram, heard, named, recorded, spoilt, told, tshark
from tests.corpus import CORPUS
from tests.probes import test_cldap, test_mdns, test_mssql_browser, test_snmp, test_ssdp

if TYPE_CHECKING:
    from pathlib import Path

HOST, ASKER = "10.0.0.9", "10.0.0.1"


def name(*labels: str) -> bytes:
    """[RFC 1035] 3.1."""
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def record(owner: bytes, kind: int, data: bytes, group: int = 1) -> bytes:
    """[RFC 1035] 3.2.1."""
    return owner + struct.pack(">HHIH", kind, group, 120, len(data)) + data


def records(*listed: bytes, question: bytes = b"", flags: int = 0x8400) -> bytes:
    """A message with a question, or none, and answers."""
    return struct.pack(">6H", 7, flags, bool(question), len(listed), 0, 0) + question + b"".join(listed)


MACHINE = name("SCV")
LLMNR = records(record(MACHINE, 1, b"\x0a\0\0\x09"), question=MACHINE + b"\0\1\0\1", flags=0x8000)
IMAC = record(name("iMac", "_device-info", "_tcp", "local"), 16, b"\x0emodel=iMac19,1")


def own(*address: int) -> bytes:
    """Where a machine is."""
    return record(name("imac", "local"), 1, bytes(address))


def search(*headers: str, start: str = "M-SEARCH * HTTP/1.1") -> bytes:
    """Header fields after a line."""
    return "\r\n".join((start, *headers, "", "")).encode()


WINDOWS_7 = "SERVER: Microsoft-Windows-NT/5.1 UPnP/1.0 UPnP-Device-Host/1.0"
NOTIFY = search("NTS: ssdp:alive", WINDOWS_7, start="NOTIFY * HTTP/1.1")


def trap(generic: int, agent: bytes = b"\x0a\0\0\x08", kind: str = test_snmp.WORKSTATION) -> bytes:
    """[RFC 1157] 4.1.6."""
    content = der.element(
        0xA4,
        der.object_identifier(kind),
        der.element(0x40, agent),
        der.integer(generic),
        der.integer(0),
        der.integer(5, 0x43),
        der.element(der.SEQUENCE),
    )
    return snmp.message("SECRET-COMMUNITY", snmp.V1, content)


def second(which: str) -> bytes:
    """[RFC 3416] 4.2.6."""
    said = {
        "1.3.6.1.2.1.1.3.0": der.integer(5, 0x43),
        "1.3.6.1.6.3.1.1.4.1.0": der.object_identifier(which),
        "1.3.6.1.6.3.1.1.4.3.0": der.object_identifier(test_snmp.WORKSTATION),
    }
    bound = [der.element(der.SEQUENCE, der.object_identifier(name), value) for name, value in said.items()]
    numbers = map(der.integer, (1, 0, 0))
    trap = der.element(0xA7, *numbers, der.element(der.SEQUENCE, *bound))
    return snmp.message("SECRET-COMMUNITY", snmp.V2C, trap)


def ntp(text: bytes, first: int = 0x82, association: int = 0, offset: int = 0, mode: int = 0x16) -> bytes:
    """[RFC 9327] section 2."""
    return struct.pack(">BBHHHHH", mode, first, 1, 0x0615, association, offset, len(text)) + text


VARIABLES = (
    b'version="ntpd 4.2.6p5@1.2349-o", processor="x86_64",\r\nsystem="Linux/2.6.32", leap=0, clock=0xe7'
)
BIND = name("version", "bind")
VERSION = records(
    record(b"\xc0\x0c", 16, b"\x1cMicrosoft DNS 6.1.7601 (4DB)", 3), question=BIND + b"\0\x10\0\3"
)


def ping(*tests: tuple[bytes, bytes]) -> bytes:
    """[MS-ADTS] 6.3.3."""
    words = [
        der.element(0xA3, der.element(der.OCTETS, key), der.element(der.OCTETS, value))
        for key, value in tests
    ]
    search = der.element(
        0x63,
        der.element(der.OCTETS),
        der.element(der.ENUMERATED, b"\0"),
        der.element(der.ENUMERATED, b"\0"),
        der.integer(0),
        der.integer(0),
        der.element(1, b"\0"),
        der.element(0xA0, *words),
        der.element(der.SEQUENCE, der.element(der.OCTETS, b"Netlogon")),
    )
    return der.element(der.SEQUENCE, der.integer(1), search)


PING = ping((b"DnsDomain", b"chu.example"), (b"Host", b"RADIO-XP"), (b"User", b"PERSONNE-NOMMEE"))


def sip(start: str, *headers: str, vias: int = 1, method: str = "REGISTER") -> bytes:
    """[RFC 3261] section 7."""
    via = ["Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1"] * vias
    people = (
        'From: "PERSONNE-NOMMEE" <sip:PERSONNE-NOMMEE@chu.example>',
        "Contact: <sip:PERSONNE-NOMMEE@10.0.0.1>",
    )
    return search(*via, *people, f"CSeq: 1 {method}", *headers, start=start)


REGISTER = sip("REGISTER sip:chu.example SIP/2.0", "User-Agent: Aastra 6731i/2.6.0.66")
REGISTERED = sip("SIP/2.0 200 OK", "Server: FPBX-13.0.197(11.24.1)")
PHONE = Told({"sip.user_agent": "Aastra 6731i/2.6.0.66"}, Side.CLIENT)
OFFICE = {"mdns.model": "iMac19,1"}
CHROME = Told({"ssdp.user_agent": "Google Chrome/86.0.4240.198 Windows"}, Side.CLIENT)
DEVICE_HOST = {"ssdp.server": "Microsoft-Windows-NT/5.1 UPnP/1.0 UPnP-Device-Host/1.0"}
SYSTEM = {key: said for key, said in test_snmp.SYSTEM_FACTS.items() if key != "snmp.sysname"}
NTP = Told({"ntp.variables": 'version="ntpd 4.2.6p5@1.2349-o", processor="x86_64", system="Linux/2.6.32"'})

SAID: dict[str, tuple[str, bytes, int, int, list[Told]]] = {
    "a name that a host answers to": ("llmnr", LLMNR, 5355, 50000, [Told({"llmnr.hostname": "SCV"})]),
    "a name that is asked for": ("llmnr", records(question=MACHINE + b"\0\1\0\1", flags=0), 50000, 5355, []),
    "a name that nobody has": ("llmnr", records(record(MACHINE, 1, bytes(4)), flags=0x8003), 5355, 5355, []),
    "a device announces itself": ("mdns", records(IMAC, own(10, 0, 0, 9)), 5353, 5353, [Told(OFFICE)]),
    "a device without its address": ("mdns", records(IMAC), 5353, 5353, [Told(OFFICE)]),
    "a device of another network": (
        "mdns",
        records(IMAC, own(10, 7, 7, 7)),
        5353,
        5353,
        [Told(OFFICE, address="10.7.7.7")],
    ),
    "two devices of another network": (
        "mdns",
        records(IMAC, own(10, 7, 7, 7), own(10, 7, 7, 8)),
        5353,
        5353,
        [],
    ),
    "known answers in a question": ("mdns", records(IMAC, flags=0), 5353, 5353, []),
    "an answer from elsewhere": ("mdns", records(IMAC), 40000, 5353, []),
    "a device answers a search": (
        "ssdp",
        test_ssdp.MINISSDPD,
        1900,
        50000,
        [Told({"ssdp.server": "Debian/12 UPnP/1.1 MiniUPnPd/2.3.1"}, address="10.77.0.2")],
    ),
    "a device announces itself over SSDP": ("ssdp", NOTIFY, 50000, 1900, [Told(DEVICE_HOST, Side.CLIENT)]),
    "an announcement that was repeated": (
        "ssdp",
        NOTIFY[:-2] + b"LOCATION: http://10.7.7.7:2869/d.xml\r\n\r\n",
        50000,
        1900,
        [Told(DEVICE_HOST, Side.CLIENT, "10.7.7.7")],
    ),
    "a place that is no place": (
        "ssdp",
        NOTIFY[:-2] + b"LOCATION: http://127.0.0.1:2869/d.xml\r\n\r\n",
        1900,
        1900,
        [Told(DEVICE_HOST)],
    ),
    "a browser searches": (
        "ssdp",
        search("MX: 1", "USER-AGENT: Google Chrome/86.0.4240.198 Windows"),
        50000,
        1900,
        [CHROME],
    ),
    "who searches without a word": ("ssdp", search("MX: 1", "SERVER: nobody's"), 50000, 1900, []),
    "an agent's system": ("snmp", test_snmp.SYSTEM, 161, 50000, [Told(SYSTEM)]),
    "an agent's engine": ("snmp", test_snmp.ENGINE, 161, 50000, [Told(test_snmp.ENGINE_FACTS)]),
    "what a manager asks": ("snmp", snmp.get("SECRET-COMMUNITY", snmp.V2C, 1), 50000, 161, []),
    "a trap": (
        "snmp",
        trap(0),
        1025,
        162,
        [Told({"snmp.sysobjectid": test_snmp.WORKSTATION}, Side.CLIENT, "10.0.0.8")],
    ),
    "a trap without an address": (
        "snmp",
        trap(4, bytes(4)),
        1025,
        162,
        [Told({"snmp.sysobjectid": test_snmp.WORKSTATION}, Side.CLIENT)],
    ),
    "a trap of somebody's own": ("snmp", trap(6), 1025, 162, []),
    "a trap that says snmp": ("snmp", trap(0, kind="1.3.6.1.2.1.11"), 1025, 162, []),
    "a trap of version 2": (
        "snmp",
        second("1.3.6.1.6.3.1.1.5.1"),
        1025,
        162,
        [Told({"snmp.sysobjectid": test_snmp.WORKSTATION}, Side.CLIENT)],
    ),
    "a trap of version 2 that a vendor defines": ("snmp", second("1.3.6.1.4.1.9.0.1"), 1025, 162, []),
    "variables of a clock": ("ntp", ntp(VARIABLES), 123, 50000, [NTP]),
    "who asks a clock": ("ntp", ntp(b"", 2), 50000, 123, []),
    "a clock's error": ("ntp", ntp(VARIABLES, 0xC2), 123, 50000, []),
    "variables of a clock's peer": ("ntp", ntp(VARIABLES, association=9), 123, 50000, []),
    "more of a clock's variables": ("ntp", ntp(VARIABLES, offset=468), 123, 50000, []),
    "the time": ("ntp", ntp(VARIABLES, mode=0x24), 123, 123, []),
    "a name server's version": (
        "dns",
        VERSION,
        53,
        50000,
        [Told({"dns.version": "Microsoft DNS 6.1.7601 (4DB)"})],
    ),
    "another question": (
        "dns",
        records(record(MACHINE, 16, b"\3abc"), question=MACHINE + b"\0\x10\0\1"),
        53,
        50000,
        [],
    ),
    "instances": (
        "mssql_browser",
        test_mssql_browser.SQL_2000,
        1434,
        50000,
        [Told(test_mssql_browser.CONVERSATIONS[0].evidence)],
    ),
    "who looks for instances": ("mssql_browser", b"\3", 50000, 1434, []),
    "a controller": ("cldap", test_cldap.SAMBA, 389, 50000, [Told(test_cldap.CONVERSATIONS[0].evidence)]),
    "a machine looks for a controller": (
        "cldap",
        PING,
        50000,
        389,
        [Told({"netbios.name": "RADIO-XP"}, Side.CLIENT)],
    ),
    "who looks for a controller without a name": ("cldap", cldap.QUESTION, 50000, 389, []),
    "a telephone registers": ("sip", REGISTER, 5060, 5060, [PHONE]),
    "an exchange registers it": (
        "sip",
        REGISTERED,
        5060,
        5060,
        [Told({"sip.server": "FPBX-13.0.197(11.24.1)"})],
    ),
    "a telephone behind a proxy": (
        "sip",
        sip("INVITE sip:1@a SIP/2.0", "User-Agent: A/1", vias=2),
        5060,
        5060,
        [],
    ),
    "who answers a call": ("sip", sip("SIP/2.0 200 OK", "Server: A/1", method="INVITE"), 5060, 5060, []),
    "nothing, to keep a way open": ("sip", b"\r\n\r\n", 5060, 5060, []),
}


@pytest.mark.parametrize("what", SAID)
def test_what_is_told(what: str) -> None:
    source, data, source_port, target_port, expected = SAID[what]
    found = told(source, data, source_port, target_port)
    assert [(dict(each.evidence), *each[1:]) for each in found] == [
        (dict(each.evidence), *each[1:]) for each in expected
    ]
    assert {key for each in found for key in each.evidence} <= set(named(source).keys)


@pytest.mark.parametrize("what", SAID)
def test_the_ear_brings_it_to_the_source(what: str) -> None:
    _, data, source_port, target_port, expected = SAID[what]
    found = heard([datagram(HOST, source_port, ASKER, target_port, data)])
    where = [(each.address or HOST, source_port if each.side is Side.SERVER else 0) for each in expected]
    assert [(address, port) for address, port, _ in found] == where


@pytest.mark.parametrize("what", SAID)
def test_nothing_but_its_own_errors(what: str) -> None:
    source, data, source_port, target_port, _ = SAID[what]
    for each in spoilt(data):
        told(source, each, source_port, target_port)


@pytest.mark.parametrize("source", sorted({source for source, *_ in SAID.values()}))
def test_what_is_none_of_it(source: str) -> None:
    for other in {data for _, data, *_ in SAID.values()} | {b"", b"\0", b"\xff" * 600}:
        for ports in ((port, port) for port in named(source).ports):
            told(source, other, *ports)


def test_wireshark_finds_in_it_what_it_is_built_as(tmp_path: Path) -> None:
    frames = [datagram(HOST, source, ASKER, target, data) for _, data, source, target, _ in SAID.values()]
    wrap = (struct.pack("<4I", int(AT), 0, len(frame.data), len(frame.data)) + frame.data for frame in frames)
    file = tmp_path / "said.pcap"
    file.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(wrap))
    rows = tshark(file, "frame", "_ws.col.Protocol", "_ws.malformed")
    theirs = {what: row for what, row in zip(SAID, rows, strict=True) if row[0] != "UDP"}
    assert theirs == {what: (SAID[what][0].upper(), "") for what in theirs}
    assert {source for source, *_ in SAID.values()} - {SAID[what][0] for what in theirs} == {"mssql_browser"}


def test_a_real_responder_answers_the_probe_and_its_neighbours_alike() -> None:
    data = b"\0\0" + test_mdns.POSING[2:]
    (found,) = named("mdns").hear(Datagram("10.77.0.2", 5353, "224.0.0.251", 5353, data, CARD))
    assert found.evidence["mdns.model"] == "MacPro6,1"
    assert found.address == ""


def _captures(*words: str) -> list[Path]:
    files = sorted((CORPUS / "pcap").glob("*.pcap") if CORPUS else ())
    return [file for file in files if any(word in file.name for word in words)]


@pytest.mark.parametrize(
    "file", _captures("5885", "ftp-data", "negotiateflags", "5162"), ids=lambda file: file.stem[-20:]
)
def test_real_neighbours_say_what_wireshark_reads(file: Path) -> None:
    agents = tshark(file, "ssdp", "ip.src", "http.user_agent", "http.server")
    names = tshark(file, "llmnr && dns.flags.response == 1 && (dns.a || dns.aaaa)", "ip.src", "dns.resp.name")
    theirs = {(source, agent or server) for source, agent, server in agents if agent or server}
    theirs |= {(source, each.partition(",")[0]) for source, each in names}
    ours = heard(recorded(file), "ssdp", "llmnr")
    assert {(address, value[0]) for address, _, said in ours for value in said.values()} == theirs
